//! Several methods at once.

use super::MaybeTarget;
use crate::core::func::{Func, FuncKind};
use crate::core::{Error, Map, Result, Value};
use crate::explain::attrib::heat::{HeatOptions, heat};
use crate::explain::{Heatmap, Target, probe};
use crate::nn::{Net, net::Names};
use tch::Tensor;

/// The methods that can be called by name: of `cam` those that take layers, of `attrib` those that take none.
fn methods() -> Vec<&'static Func> {
    let fits = |f: &&Func| {
        let names: Vec<_> = f.params.iter().map(|p| p.name).collect();
        f.kind == FuncKind::Function
            && match f.home {
                "cam" => names == ["net", "layers", "x", "target", "options"],
                "attrib" => names == ["net", "x", "target", "options"] || f.name() == "guided_grad_cam",
                _ => false,
            }
    };
    Func::all().into_iter().filter(fits).collect()
}

/// The method called `name`, with `attrib::` or `cam::` before it or not.
///
/// # Errors
/// There is none.
pub fn find(name: &str) -> Result<&'static Func> {
    let all = methods();
    let hit = all.iter().find(|f| f.path() == name || f.name() == name);
    hit.copied().ok_or_else(|| Error::unknown("method", name, all.iter().map(|f| f.name())))
}

/// A value of each method for one call: a Heatmap or an attribution.
fn value(f: &Func, net: &Net, layers: &[String], x: &Tensor, target: &Target) -> Result<Value> {
    let layers = Value::List(layers.iter().cloned().map(Value::Str).collect());
    let [net, x, target] =
        [Value::object(net.clone()), Value::Tensor(x.shallow_clone()), Value::object(target.clone())];
    match f.params.len() {
        5 => (f.call)(&[net, layers, x, target, Value::Nil]),
        _ => (f.call)(&[net, x, target, Value::Nil]),
    }
}

/// What every method gives, by the name it was asked by; looks that are alike are taken once.
///
/// # Errors
/// An unknown method; those of the methods.
pub fn all(
    net: &Net,
    layers: &[String],
    x: &Tensor,
    target: &Target,
    names: &[String],
) -> Result<Vec<(String, Value)>> {
    let functions = names.iter().map(|n| find(n)).collect::<Result<Vec<_>>>()?;
    let x = probe::batch(net, x)?;
    let input = functions.iter().any(|f| ["saliency", "input_x_gradient"].contains(&f.name()));
    probe::shared(input, || {
        let wants = |f: &&&Func| f.home == "cam" || f.name() == "guided_grad_cam";
        if functions.iter().filter(wants).count() > 0 && !layers.is_empty() {
            let _ = probe::probe(net, layers, &x, target)?; // so that all find it, whoever comes first
        }
        let each = names.iter().zip(&functions);
        each.map(|(n, f)| Ok((n.clone(), value(f, net, layers, &x, target).map_err(|e| e.within(n))?)))
            .collect()
    })
}

/// What a method gave as a heatmap.
///
/// # Errors
/// Something that is none.
pub fn as_map(v: &Value) -> Result<Heatmap> {
    match (v, v.downcast::<Heatmap>()) {
        (_, Some(map)) => Ok(map.clone()),
        (Value::Tensor(a), _) => heat(a, &HeatOptions::default()),
        _ => Err(Error::new(format!("expected a map, got {}", v.describe()))),
    }
}

functions! {
    in "cam";
    /// Several CAMs and attributions by name, with one look for those alike.
    ///
    /// Gradient CAMs of one target, saliency and input × gradient take one forward and one backward pass together. Methods
    /// are those of `cam` and `attrib` (`"grad_cam"`, `"attrib::saliency"` …), with their own defaults; the results are those
    /// of the single calls.
    /// ```rhai
    /// let net = nn::sequential([["conv", nn::conv2d(1, 4, 3)], ["act", nn::relu()], ["gap", nn::adaptive_avg_pool2d(1)],
    ///                           ["flat", nn::flatten()], ["fc", nn::linear(4, 3)]]);
    /// let maps = cam::together(net, "act", tensor::rand([1, 1, 8, 8]), 1, ["grad_cam", "hires_cam", "saliency"]);
    /// maps.grad_cam.shape // => [1, 8, 8]
    /// ```
    fn together(net: Net, layers: Names, x: Tensor, target: MaybeTarget, methods: Vec<String>) -> Map {
        all(&net, &layers.0, &x, &target.0, &methods)?.into_iter().collect()
    }
}

//! The sanity check (Adebayo et al., NeurIPS 2018, https://arxiv.org/abs/1810.03292): does an explanation depend on what
//! the network has learned?

use super::rank::{of_value, spearman};
use crate::core::value::{FromValue, IntoValue, record};
use crate::core::{Closure, Error, Map, Opts, Result, Value, interrupt, seed};
use crate::image::Picture;
use crate::nn::{Layer, Net};
use crate::plot::{self, Series};
use rand::RngCore;
use std::collections::BTreeMap;
use tch::Tensor;

/// Which layers are drawn anew.
#[derive(Clone, Copy, PartialEq)]
pub enum Mode {
    /// From the last on, more and more.
    Cascading,
    /// Each alone.
    Independent,
}

impl FromValue for Mode {
    const TYPE: &'static str = "\"cascading\" or \"independent\"";
    fn from_value(v: &Value) -> Result<Self> {
        match String::from_value(v)?.as_str() {
            "cascading" => Ok(Mode::Cascading),
            "independent" => Ok(Mode::Independent),
            other => Err(Error::unknown("mode", other, ["cascading", "independent"])),
        }
    }
}

options! {
    /// Options of `metrics::randomisation`.
    pub struct RandomisationOptions {
        /// "cascading" (from the last layer on, more and more) or "independent" (each layer alone).
        mode: Mode = Mode::Cascading => "cascading",
        /// The layers, in the order in which they are drawn anew; all with parameters, from the last on, if left out.
        layers: Vec<String> = Vec::new(),
    }
}

/// What the network held before; given back when dropped, whatever happens meanwhile.
struct Kept(Vec<(Tensor, Tensor)>);

impl Kept {
    fn of(net: &Net) -> Result<Self> {
        let all = net.named().into_iter().map(|(_, t, _)| Ok((t.shallow_clone(), t.f_detach_copy()?)));
        all.collect::<Result<_>>().map(Kept)
    }

    fn give_back(&self) {
        let _no_grad = tch::no_grad_guard();
        for (t, old) in &self.0 {
            let mut t = t.shallow_clone();
            let _ = t.f_copy_(old); // of the same shape: it cannot fail
        }
    }
}

impl Drop for Kept {
    fn drop(&mut self) {
        self.give_back();
    }
}

/// Gives a layer's tensors new values, as a new layer has them.
fn redraw(layer: &dyn Layer, index: u64) -> Result<()> {
    let _no_grad = tch::no_grad_guard();
    let mut rng = seed::stream("randomisation", index);
    let own = layer.own();
    let weight = own.iter().find(|o| o.0 == "weight").map(|o| o.1.size()).filter(|s| s.len() > 1);
    let bound = weight.map(|s| 1.0 / (s[1..].iter().product::<i64>() as f64).sqrt());
    for (name, t, _) in own {
        let mut t = t.shallow_clone();
        match (bound, name) {
            (Some(bound), _) => {
                let mut unit = || (f64::from(rng.next_u32()) / 2147483647.5 - 1.0) * bound;
                let drawn: Vec<f32> = (0..t.numel()).map(|_| unit() as f32).collect();
                t.f_copy_(&Tensor::f_from_slice(&drawn)?.f_view_as(&t)?)?;
            }
            (None, "weight" | "running_var") => drop(t.f_fill_(1)?),
            (None, "bias" | "running_mean") => drop(t.f_zero_()?),
            _ => {}
        }
    }
    Ok(())
}

type Named = BTreeMap<String, Tensor>;

fn explain(f: &Closure, net: &Net) -> Result<Named> {
    match f.call(vec![Value::object(net.clone())])? {
        Value::Map(m) => {
            m.iter().map(|(k, v)| Ok((k.clone(), of_value(v).map_err(|e| e.within(k))?))).collect()
        }
        v => Ok([("explanation".to_string(), of_value(&v)?)].into()),
    }
}

/// Mean over the pictures of the rank correlation.
fn alike(a: &Tensor, b: &Tensor) -> Result<f64> {
    let all = spearman(a, b)?;
    Ok(all.iter().sum::<f64>() / all.len().max(1) as f64)
}

/// The layers to be drawn anew.
fn order(net: &Net, o: &RandomisationOptions) -> Result<Vec<String>> {
    net.check_layers(&o.layers)?;
    let learned = |n: &String| net.part(n).is_ok_and(|p| !p.layer().own().is_empty());
    if let Some(n) = o.layers.iter().find(|n| !learned(n)) {
        return Err(Error::new(format!("layer `{n}` has no parameters of its own")));
    }
    if !o.layers.is_empty() {
        return Ok(o.layers.clone());
    }
    let mut all: Vec<String> = net.layer_names(false).into_iter().filter(learned).collect();
    all.reverse();
    match all.is_empty() {
        true => Err(Error::new("the network has no parameters: nothing can be drawn anew")),
        false => Ok(all),
    }
}

fn check(net: &Net, f: &Closure, o: &RandomisationOptions) -> Result<Map> {
    let layers = order(net, o)?;
    let before = explain(f, net)?;
    let kept = Kept::of(net)?;
    let mut curves: BTreeMap<String, [Vec<f64>; 2]> = BTreeMap::new();
    let mut table = Vec::new();
    for (i, layer) in layers.iter().enumerate() {
        interrupt::check()?;
        if o.mode == Mode::Independent {
            kept.give_back();
        }
        redraw(&*net.part(layer)?.layer(), i as u64)?;
        let now = explain(f, net)?;
        for (name, was) in &before {
            let is =
                now.get(name).ok_or_else(|| Error::new(format!("the closure gave no `{name}` this time")))?;
            let both = [alike(was, is)?, alike(&was.f_abs()?, &is.f_abs()?)?];
            table.push(record([
                ("layer", layer.clone().into_value()),
                ("explanation", name.clone().into_value()),
                ("correlation", both[0].into_value()),
                ("correlation_abs", both[1].into_value()),
            ]));
            let curve = curves.entry(name.clone()).or_default();
            curve[0].push(both[0]);
            curve[1].push(both[1]);
        }
    }
    drop(kept);
    let series: Vec<Series> = curves.iter().map(|(n, c)| Series::values(n, &c[1])).collect();
    let title = match o.mode {
        Mode::Cascading => "Layers drawn anew, one after the other",
        Mode::Independent => "One layer drawn anew, the others as learned",
    };
    let drawing = plot::Options {
        title: title.to_string(),
        y_label: "rank correlation of magnitudes".to_string(),
        y_range: Some((-0.3, 1.0)),
        horizontal: Some(false),
        ..plot::Options::default()
    };
    let picture: Picture = plot::bar(&layers, &series, &drawing)?.into();
    Ok([("table".to_string(), Value::List(table)), ("plot".to_string(), picture.into_value())].into())
}

functions! {
    in "metrics";
    /// How like itself an explanation stays while layers lose what they have learned.
    ///
    /// The closure gets the network and gives a heatmap, an attribution, or a map of several by name. Layers are drawn anew
    /// as a new network's are; afterwards the network is as it was. Gives `#{table, plot}`: rows `#{layer, explanation,
    /// correlation, correlation_abs}` with Spearman's rank correlation of the values and of their magnitudes, the mean over
    /// the pictures (NaN where a map is constant), and a figure of the latter. An explanation of what was learned falls
    /// towards 0. Section 3 of https://arxiv.org/abs/1810.03292.
    /// ```rhai
    /// let net = nn::sequential([["conv", nn::conv2d(1, 4, 3)], ["act", nn::relu()], ["gap", nn::adaptive_avg_pool2d(1)],
    ///                           ["flat", nn::flatten()], ["fc", nn::linear(4, 3)]]);
    /// let x = tensor::rand([2, 1, 8, 8]);
    /// let check = metrics::randomisation(net, |net| attrib::saliency(net, x, 1));
    /// check.table.len() // => 2
    /// check.table[0].layer // => "fc"
    /// ```
    fn randomisation(net: Net, explain: Closure, options: Opts<RandomisationOptions>) -> Map {
        check(&net, &explain, &options.0)?
    }
}

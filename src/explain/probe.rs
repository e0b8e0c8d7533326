//! One look into a network: activations of some layers and the target's gradient there.

use super::Target;
use crate::core::{Error, Result, Value};
use crate::nn::{Capture, Layer, Net, Tap};
use crate::tensor::tape;
use std::cell::RefCell;
use std::rc::Rc;
use tch::Tensor;

/// What a forward pass and one gradient give.
pub struct Probe {
    /// Activations of the layers, in the order asked for.
    pub acts: Vec<Tensor>,
    /// The target's gradient at each of them, of the same shape.
    pub grads: Vec<Tensor>,
    /// The target's value for every picture, [N].
    pub scores: Tensor,
}

/// Remembers what went into the last sigmoid layer.
#[derive(Default)]
struct BeforeSigmoid(RefCell<Option<(Value, Tensor)>>);

impl Tap for BeforeSigmoid {
    fn after(&self, _: &str, layer: &dyn Layer, input: &Value, output: Value) -> Result<Value> {
        if let (true, Value::Tensor(out)) = (layer.kind() == "Sigmoid", &output) {
            self.0.replace(Some((input.clone(), out.shallow_clone())));
        }
        Ok(output)
    }
}

impl BeforeSigmoid {
    /// The input of the sigmoid if `out` is its output, else `out`.
    fn undo(&self, out: Value) -> Value {
        match (self.0.take(), &out) {
            (Some((input, sig)), Value::Tensor(t))
                if sig.data_ptr() == t.data_ptr() && sig.size() == t.size() =>
            {
                input
            }
            _ => out,
        }
    }
}

/// A batch for the network: [C, H, W] becomes [1, C, H, W], on the network's device.
///
/// # Errors
/// Not a picture; libtorch's.
pub fn batch(net: &Net, x: &Tensor) -> Result<Tensor> {
    let x = match x.dim() {
        3 => x.f_unsqueeze(0)?,
        4 => x.shallow_clone(),
        _ => {
            return Err(Error::new(format!(
                "a picture batch is [N, C, H, W] or [C, H, W], got {:?}",
                x.size()
            )));
        }
    };
    if x.size().contains(&0) {
        return Err(Error::new(format!("the batch is empty: {:?}", x.size()))
            .hint("give at least one picture of at least one pixel"));
    }
    Ok(if x.device() == net.device() { x } else { x.f_to_device(net.device())? })
}

/// Runs `net` on `x` in evaluation mode, with taps of one's own: the target's value for every picture, and the
/// outputs of `layers`.
fn score(
    net: &Net,
    layers: &[String],
    x: &Tensor,
    target: &Target,
    taps: &[Rc<dyn Tap>],
) -> Result<(Tensor, Vec<Tensor>)> {
    net.check_layers(layers)?;
    let needs = target.needs();
    if let Some(layer) = needs.layer {
        net.check_layers(&[layer.to_string()])?;
    }
    let _eval = net.evaluating();
    let names: Vec<String> = layers.iter().cloned().chain(needs.layer.map(str::to_string)).collect();
    let capture = Rc::new(Capture::new(&names, true));
    let before = Rc::new(BeforeSigmoid::default());
    let mut all = taps.to_vec();
    all.extend([capture.clone() as Rc<dyn Tap>, before.clone()]);
    tch::with_grad(|| {
        let out = net.forward_with(Value::Tensor(x.shallow_clone()), &all)?;
        let mut acts = capture.take()?;
        let out = match needs.layer {
            Some(_) => acts.pop().map_or(Value::Nil, Value::Tensor),
            None if needs.before_sigmoid => before.undo(out),
            None => out,
        };
        Ok((target.scores(&out)?, acts))
    })
}

/// The gradient of the sum of `scores` at `inputs`, all called `names` in errors.
fn gradients(scores: &Tensor, inputs: &[Tensor], names: &[String]) -> Result<Vec<Tensor>> {
    let sum = tch::with_grad(|| scores.f_sum(scores.kind()))?;
    let missing = |names: &[String]| {
        let names = names.iter().map(|l| format!("`{l}`")).collect::<Vec<_>>().join(", ");
        Error::new(format!("the target does not depend on layer {names}"))
    };
    if !sum.requires_grad() {
        return Err(missing(names));
    }
    let grads = tape::grad(&sum, inputs, tape::Graph::default())?;
    let both = grads.into_iter().zip(names);
    both.map(|(g, n)| Ok(g.ok_or_else(|| missing(std::slice::from_ref(n)))?.f_detach()?)).collect()
}

/// Runs `net` on `x` in evaluation mode and takes the gradient of the target's sum at the layers. The network's
/// mode, its frozen parameters and their gradients stay as they were.
///
/// # Errors
/// An unknown layer; a target that does not fit the output or does not depend on a layer.
pub fn probe(net: &Net, layers: &[String], x: &Tensor, target: &Target) -> Result<Probe> {
    let (scores, acts) = score(net, layers, x, target, &[])?;
    let grads = gradients(&scores, &acts, layers)?;
    let acts = acts.into_iter().map(|t| Ok(t.f_detach()?)).collect::<Result<_>>()?;
    Ok(Probe { acts, grads, scores: scores.f_detach()? })
}

/// The gradient of the target's sum at the input `x`, with taps of one's own in the forward pass.
///
/// # Errors
/// A target that does not fit the output or does not depend on the input.
pub fn input_gradient(net: &Net, x: &Tensor, target: &Target, taps: &[Rc<dyn Tap>]) -> Result<Tensor> {
    let x = x.f_detach()?.f_set_requires_grad(true)?;
    let (scores, _) = score(net, &[], &x, target, taps)?;
    let missing = || Error::new("the target does not depend on the input");
    match scores.requires_grad() {
        true => gradients(&scores, &[x], &["input".to_string()])?.pop().ok_or_else(missing),
        false => Err(missing()),
    }
}

functions! {
    on "Net";
    /// The gradient of a target at the outputs of some layers, by layer name.
    /// ```rhai
    /// let net = nn::sequential([["conv", nn::conv2d(1, 2, 3)], ["gap", nn::adaptive_avg_pool2d(1)],
    ///                           ["flat", nn::flatten()], ["fc", nn::linear(2, 3)]]);
    /// net.grads(tensor::ones([1, 1, 5, 5]), 0, ["conv"]).conv.shape // => [1, 2, 3, 3]
    /// ```
    fn grads(net: Net, x: Tensor, target: Target, layers: Vec<String>) -> Value {
        let probe = probe(&net, &layers, &batch(&net, &x)?, &target)?;
        Value::Map(layers.into_iter().zip(probe.grads.into_iter().map(Value::Tensor)).collect())
    }
}

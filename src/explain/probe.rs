//! One look into a network: activations of some layers and the target's gradient there.

use super::Target;
use crate::core::{Error, Result, Value};
use crate::nn::net::same;
use crate::nn::{Capture, Layer, Net, Tap};
use crate::tensor::tape::{self, Graph};
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use tch::Tensor;

/// What a forward pass and one gradient give.
pub struct Probe {
    /// Activations of the layers, in the order asked for.
    pub acts: Vec<Tensor>,
    /// The target's gradient at each of them, of the same shape; none of a [`glance`].
    pub grads: Vec<Tensor>,
    /// The target's value for every picture, [N].
    pub scores: Tensor,
    /// The target as this pass settled it.
    pub target: Target,
}

impl Probe {
    /// The same tensors.
    fn again(&self) -> Self {
        self.of(&(0..self.acts.len()).collect::<Vec<_>>())
    }

    /// The same tensors of some of the layers.
    fn of(&self, which: &[usize]) -> Self {
        let all = |t: &[Tensor]| which.iter().filter_map(|i| t.get(*i)).map(Tensor::shallow_clone).collect();
        Self {
            acts: all(&self.acts),
            grads: all(&self.grads),
            scores: self.scores.shallow_clone(),
            target: self.target.clone(),
        }
    }
}

/// What is known of looks while they are [`shared`].
struct Known {
    net: Net,
    layers: Vec<String>,
    x: Tensor,
    target: Target,
    probe: Probe,
    /// The gradient at the pictures, if the target depends on them.
    at_x: Option<Tensor>,
}

thread_local!(static KNOWN: RefCell<Option<Vec<Known>>> = const { RefCell::new(None) });
thread_local!(static WITH_INPUT: Cell<bool> = const { Cell::new(false) });

/// Forgets what is known when dropped.
struct Sharing(Option<Vec<Known>>, bool);

impl Drop for Sharing {
    fn drop(&mut self) {
        KNOWN.replace(self.0.take());
        WITH_INPUT.set(self.1);
    }
}

/// Runs `f`, during which a look that was taken already (of the same network, pictures and target) is not taken again.
/// The network must not change meanwhile. With `input`, looks at layers also take the gradient at the pictures.
///
/// # Errors
/// `f`'s.
pub fn shared<T>(input: bool, f: impl FnOnce() -> Result<T>) -> Result<T> {
    let _sharing = Sharing(KNOWN.replace(Some(Vec::new())), WITH_INPUT.replace(input));
    f()
}

impl Known {
    /// The look at some of its layers, if it looked at all of these.
    fn at(&self, layers: &[String]) -> Option<Probe> {
        let which = layers.iter().map(|l| self.layers.iter().position(|k| k == l));
        Some(self.probe.of(&which.collect::<Option<Vec<_>>>()?))
    }
}

/// What `f` makes of a look that is known already.
fn known<T>(net: &Net, x: &Tensor, target: &Target, f: impl Fn(&Known) -> Option<T>) -> Option<T> {
    let fits = |k: &&Known| k.net.is(net) && same(&k.x, x) && Rc::ptr_eq(&k.target.0, &target.0);
    KNOWN.with_borrow(|all| all.as_ref()?.iter().filter(fits).find_map(&f))
}

/// What a forward pass gives: the target's value for every picture, the outputs of the layers, the network's.
struct Pass {
    scores: Tensor,
    /// The target with numbers for names of classes.
    target: Target,
    acts: Vec<Tensor>,
    out: Value,
}

/// Remembers what went into sigmoid layers, and what came out.
#[derive(Default)]
struct BeforeSigmoid(RefCell<Vec<(Tensor, Tensor)>>);

impl Tap for BeforeSigmoid {
    fn after(&self, _: &str, layer: &dyn Layer, input: &Value, output: Value) -> Result<Value> {
        if let (true, Value::Tensor(x), Value::Tensor(out)) = (layer.kind() == "Sigmoid", input, &output) {
            self.0.borrow_mut().push((x.shallow_clone(), out.shallow_clone()));
        }
        Ok(output)
    }
}

impl BeforeSigmoid {
    /// The input of a sigmoid where `out`, or an entry of it, is its output, if need be in another shape.
    fn undo(&self, out: Value) -> Result<Value> {
        let is = |sig: &Tensor, t: &Tensor| {
            let plain = sig.is_contiguous() && t.is_contiguous() && sig.numel() == t.numel();
            sig.data_ptr() == t.data_ptr()
                && (plain || (sig.size() == t.size() && sig.stride() == t.stride()))
        };
        Ok(match out {
            Value::Tensor(t) => match self.0.borrow().iter().find(|(_, sig)| is(sig, &t)) {
                Some((x, _)) => Value::Tensor(x.f_reshape(t.size())?),
                None => Value::Tensor(t),
            },
            Value::List(all) => Value::List(all.into_iter().map(|v| self.undo(v)).collect::<Result<_>>()?),
            Value::Map(m) => {
                Value::Map(m.into_iter().map(|(k, v)| Ok((k, self.undo(v)?))).collect::<Result<_>>()?)
            }
            other => other,
        })
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

/// Runs `net` on `x` in evaluation mode, with taps of one's own; `graph`: so that gradients can be taken.
fn score(
    net: &Net,
    layers: &[String],
    x: &Tensor,
    target: &Target,
    taps: &[Rc<dyn Tap>],
    graph: bool,
) -> Result<Pass> {
    net.check_layers(layers)?;
    let target = target.numbered(|| net.about().classes)?;
    let needs = target.needs();
    if let Some(layer) = needs.layer {
        net.check_layers(&[layer.to_string()])?;
    }
    let _eval = net.evaluating();
    let names: Vec<String> = layers.iter().cloned().chain(needs.layer.map(str::to_string)).collect();
    let capture = Rc::new(Capture::new(&names, graph));
    let before = needs.before_sigmoid.then(|| Rc::new(BeforeSigmoid::default()));
    let mut all = taps.to_vec();
    all.push(capture.clone());
    all.extend(before.iter().map(|b| b.clone() as Rc<dyn Tap>));
    let run = || {
        let out = net.forward_with(Value::Tensor(x.shallow_clone()), &all)?;
        let mut acts = capture.take()?;
        let out = match needs.layer {
            Some(_) => acts.pop().map_or(Value::Nil, Value::Tensor),
            None => out,
        };
        let out = match &before {
            Some(before) => before.undo(out)?,
            None => out,
        };
        Ok(Pass { scores: target.scores(&out, x)?, target: target.clone(), acts, out })
    };
    if graph { tch::with_grad(run) } else { tch::no_grad(run) }
}

/// The gradient of the sum of `scores` at `inputs`, all called `names` in errors.
fn gradients(scores: &Tensor, inputs: &[Tensor], names: &[String], graph: Graph) -> Result<Vec<Tensor>> {
    let sum = tch::with_grad(|| scores.f_sum(scores.kind()))?;
    if !sum.requires_grad() {
        return Err(independent(names));
    }
    let grads = tape::grad(&sum, inputs, graph)?;
    let both = grads.into_iter().zip(names);
    both.map(|(g, n)| g.ok_or_else(|| independent(std::slice::from_ref(n)))).collect()
}

fn independent(layers: &[String]) -> Error {
    let names = layers.iter().map(|l| format!("`{l}`")).collect::<Vec<_>>().join(", ");
    Error::new(format!("the target does not depend on layer {names}"))
}

fn detached(all: Vec<Tensor>) -> Result<Vec<Tensor>> {
    all.into_iter().map(|t| Ok(t.f_detach()?)).collect()
}

/// Parameters that do not learn until it is dropped: what lies before the first layer that is looked at is then not
/// recorded, and its memory is used again.
struct Frozen(Vec<Tensor>);

impl Frozen {
    /// Those of `net`; none where code of the user's own (hooks, layers, targets) might want their gradients.
    fn of(net: &Net, target: &Target) -> Result<Self> {
        let mut frozen = Self(Vec::new());
        let own = net.is_tapped() || target.is_custom() || net.is_custom();
        let learn = if own { Vec::new() } else { net.parameters(true) };
        for (_, t) in learn {
            frozen.0.push(t.f_set_requires_grad(false)?);
        }
        Ok(frozen)
    }
}

impl Drop for Frozen {
    fn drop(&mut self) {
        self.0.iter().for_each(|t| drop(t.f_set_requires_grad(true)));
    }
}

/// Runs `net` on `x` in evaluation mode and takes the gradient of the target's sum at the layers. The network's
/// mode, its frozen parameters and their gradients stay as they were.
///
/// # Errors
/// An unknown layer; a target that does not fit the output or does not depend on a layer.
pub fn probe(net: &Net, layers: &[String], x: &Tensor, target: &Target) -> Result<Probe> {
    if let Some(p) = known(net, x, target, |k| k.at(layers)) {
        return Ok(p);
    }
    let sharing = KNOWN.with_borrow(Option::is_some);
    let input = sharing && WITH_INPUT.get();
    let leaf = if input { x.f_detach()?.f_set_requires_grad(true)? } else { x.shallow_clone() };
    let p = {
        let _frozen = if input { None } else { Some(Frozen::of(net, target)?) };
        score(net, layers, &leaf, target, &[], true)?
    };
    let (grads, at_x) = match input {
        true => with_input(&p, layers, leaf)?,
        false => (gradients(&p.scores, &p.acts, layers, Graph::default())?, None),
    };
    let settled = p.target.settle(&p.out, x)?;
    let probe = Probe {
        acts: detached(p.acts)?,
        grads: detached(grads)?,
        scores: p.scores.f_detach()?,
        target: settled,
    };
    if sharing {
        let (net, layers, target) = (net.clone(), layers.to_vec(), target.clone());
        let new = Known { net, layers, x: x.shallow_clone(), target, probe: probe.again(), at_x };
        KNOWN.with_borrow_mut(|all| all.get_or_insert_default().push(new));
    }
    Ok(probe)
}

/// The gradients at the layers and, where there is one, at the input `x`, in one pass.
fn with_input(p: &Pass, layers: &[String], x: Tensor) -> Result<(Vec<Tensor>, Option<Tensor>)> {
    let mut at: Vec<Tensor> = p.acts.iter().map(Tensor::shallow_clone).collect();
    at.push(x);
    let sum = tch::with_grad(|| p.scores.f_sum(p.scores.kind()))?;
    if !sum.requires_grad() {
        return Err(independent(layers));
    }
    let mut grads = tape::grad(&sum, &at, Graph::default())?;
    let at_x = grads.pop().flatten().map(|g| g.f_detach()).transpose()?;
    let each = grads.into_iter().zip(layers);
    let grads =
        each.map(|(g, n)| g.ok_or_else(|| independent(std::slice::from_ref(n)))).collect::<Result<_>>()?;
    Ok((grads, at_x))
}

/// [`probe`] without gradients; the target does not depend on the output any more.
///
/// # Errors
/// As there.
pub fn glance(net: &Net, layers: &[String], x: &Tensor, target: &Target) -> Result<Probe> {
    if let Some(p) = known(net, x, target, |k| k.at(layers)) {
        return Ok(p);
    }
    let p = score(net, layers, x, target, &[], false)?;
    let target = p.target.settle(&p.out, x)?;
    Ok(Probe { acts: p.acts, grads: Vec::new(), scores: p.scores, target })
}

/// The target's value for every picture of `x`, [N], with taps of one's own.
///
/// # Errors
/// A target that does not fit the output.
pub fn scores(net: &Net, x: &Tensor, target: &Target, taps: &[Rc<dyn Tap>]) -> Result<Tensor> {
    Ok(score(net, &[], x, target, taps, false)?.scores)
}

/// The gradient G at `layer`, and the Hessian's product with the activation A: `∂(G · A)/∂A` with A held fixed,
/// none where the network is piecewise linear.
///
/// # Errors
/// As [`probe`]'s.
pub fn curvature(net: &Net, layer: &str, x: &Tensor, target: &Target) -> Result<(Tensor, Option<Tensor>)> {
    let names = [layer.to_string()];
    let p = score(net, &names, x, target, &[], true)?;
    let create = Graph { retain: true, create: true };
    let grad = gradients(&p.scores, &p.acts, &names, create)?.swap_remove(0);
    let along = tch::with_grad(|| grad.f_mul(&p.acts[0].f_detach()?)?.f_sum(grad.kind()))?;
    let product = match along.requires_grad() {
        true => tape::grad(&along, &p.acts, Graph::default())?.swap_remove(0),
        false => None,
    };
    Ok((grad.f_detach()?, product.map(|t| t.f_detach()).transpose()?))
}

/// What `f` makes of the network's output for `x`, without gradients.
///
/// # Errors
/// The network's, `f`'s.
pub fn look_at<T>(net: &Net, x: &Tensor, f: impl FnOnce(&Value) -> Result<T>) -> Result<T> {
    let _eval = net.evaluating();
    tch::no_grad(|| f(&net.forward_with(Value::Tensor(x.shallow_clone()), &[])?))
}

/// The gradients of the target's sum at the input `x` and at what `more` gives after the forward pass, with taps of
/// one's own in it; none where the target does not depend on one.
///
/// # Errors
/// A target that does not fit the output or depends on nothing.
pub fn gradients_at(
    net: &Net,
    x: &Tensor,
    target: &Target,
    taps: &[Rc<dyn Tap>],
    more: impl FnOnce() -> Vec<Tensor>,
) -> Result<Vec<Option<Tensor>>> {
    let x = x.f_detach()?.f_set_requires_grad(true)?;
    let scores = score(net, &[], &x, target, taps, true)?.scores;
    let sum = tch::with_grad(|| scores.f_sum(scores.kind()))?;
    if !sum.requires_grad() {
        return Err(Error::new("the target does not depend on the input"));
    }
    let mut at = more();
    at.insert(0, x);
    let grads = tape::grad(&sum, &at, Graph::default())?;
    grads.into_iter().map(|g| Ok(g.map(|g| g.f_detach()).transpose()?)).collect()
}

/// The gradient of the target's sum at the input `x`, with taps of one's own in the forward pass.
///
/// # Errors
/// A target that does not fit the output or does not depend on the input.
pub fn input_gradient(net: &Net, x: &Tensor, target: &Target, taps: &[Rc<dyn Tap>]) -> Result<Tensor> {
    let clean = |k: &Known| k.at_x.as_ref().filter(|_| taps.is_empty()).map(Tensor::shallow_clone);
    if let Some(grad) = known(net, x, target, clean) {
        return Ok(grad);
    }
    let grad = gradients_at(net, x, target, taps, Vec::new)?.swap_remove(0);
    grad.ok_or_else(|| Error::new("the target does not depend on the input"))
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

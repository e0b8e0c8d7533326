//! Gradients.

use super::args::Tensors;
use super::tape::{self, Graph};
use crate::core::value::{FromValue, mismatch};
use crate::core::{Closure, Error, Opts, Result, Value, ffi};
use tch::Tensor;

options! {
    /// Options of `tensor::grad`.
    pub struct GradOptions {
        /// Keep the graph for another pass through it.
        retain_graph: bool = false,
        /// Record the gradient's own computation, for gradients of gradients.
        create_graph: bool = false,
        /// Give `()` for an input that the score does not depend on, rather than an error.
        allow_unused: bool = false,
    }
}

options! {
    /// Options of `x.backward`.
    pub struct BackwardOptions {
        /// Keep the graph for another pass through it.
        retain_graph: bool = false,
        /// Record the gradient's own computation: `.grad` then has a graph, and holds it until it is cleared.
        create_graph: bool = false,
        /// The leaves that get a gradient, a tensor, a list or a network's `.parameters()`; all if left out.
        inputs: Option<Leaves> = None => (),
    }
}

/// A tensor, a list or a map of tensors.
pub struct Leaves(Vec<Tensor>);

impl FromValue for Leaves {
    const TYPE: &'static str = "Tensor, list or map of tensors";
    fn from_value(v: &Value) -> Result<Self> {
        match v {
            Value::Map(m) => m.values().map(Tensor::from_value).collect::<Result<_>>().map(Leaves),
            v => Tensors::from_value(v).map(|t| Leaves(t.0)),
        }
    }
}

/// The weights of a score's elements; or the options, where there are no weights.
enum Weights {
    Tensor(Tensor),
    Options(Opts<BackwardOptions>),
}

impl FromValue for Weights {
    const TYPE: &'static str = "Tensor or map of options";
    fn from_value(v: &Value) -> Result<Self> {
        match v {
            Value::Map(_) => Opts::from_value(v).map(Weights::Options),
            Value::Tensor(t) => Ok(Weights::Tensor(t.shallow_clone())),
            v => mismatch(Self::TYPE, v),
        }
    }
}

/// A score that a backward pass can start from without weights.
///
/// # Errors
/// One without a graph, or of several elements.
fn single(score: &Tensor) -> Result<()> {
    tape::depends(score)?;
    if score.numel() != 1 {
        return Err(Error::new(format!("expected a tensor of one element, got shape {:?}", score.size()))
            .hint("reduce it first, with `.sum()` or `.mean()`"));
    }
    Ok(())
}

/// Inputs that a gradient can be taken at.
///
/// # Errors
/// One that does not require a gradient.
fn differentiable(inputs: &[Tensor]) -> Result<()> {
    match inputs.iter().position(|x| !x.requires_grad()) {
        Some(i) => Err(Error::new(format!("input {i} does not require a gradient")).hint(
            "make it with #{requires_grad: true} or call `x.requires_grad_()` before computing the score",
        )),
        None => Ok(()),
    }
}

/// Gradients of `score` with respect to `inputs`; `None` where it does not depend on one.
///
/// # Errors
/// A score without gradient or of several elements; an input that does not require a gradient.
pub fn grad(score: &Tensor, inputs: &[Tensor], o: &GradOptions) -> Result<Vec<Option<Tensor>>> {
    single(score)?;
    differentiable(inputs)?;
    let grads = tape::grad(score, inputs, Graph { retain: o.retain_graph, create: o.create_graph })?;
    match grads.iter().position(Option::is_none) {
        Some(i) if !o.allow_unused => Err(Error::new(format!("the score does not depend on input {i}"))
            .hint("#{allow_unused: true} gives `()` for it")),
        _ => Ok(grads),
    }
}

/// The gradient that `backward` left at a leaf.
///
/// # Errors
/// libtorch's.
pub fn gradient(x: &Tensor) -> Result<Option<Tensor>> {
    // Asked of a tensor that keeps none, libtorch warns on stderr.
    if !x.f_is_leaf()? && !x.f_retains_grad()? {
        return Ok(None);
    }
    Ok(Some(x.f_grad()?).filter(Tensor::defined))
}

functions! {
    in "tensor";
    /// Gradients of a score with respect to tensors, without touching their `.grad`.
    ///
    /// `inputs` is a tensor or a list; the result has the same form.
    /// ```rhai
    /// let x = tensor([1.0, 2], #{requires_grad: true});
    /// tensor::grad((x * x).sum(), x) // => tensor([2., 4.])
    /// tensor::grad(tensor(1.0), x) // error: does not depend on anything that requires a gradient
    /// ```
    fn grad(score: Tensor, inputs: Value, options: Opts<GradOptions>) -> Value {
        let list = match &inputs {
            Value::Tensor(_) | Value::List(_) => Tensors::from_value(&inputs)?.0,
            other => return mismatch("Tensor or list of tensors", other),
        };
        let mut grads = grad(&score, &list, &options.0)?.into_iter().map(|g| g.map_or(Value::Nil, Value::Tensor));
        match inputs {
            Value::List(_) => Value::List(grads.collect()),
            _ => grads.next().unwrap_or_default(),
        }
    }

    /// Runs a function without recording what it computes; gives its result.
    /// ```rhai
    /// let x = tensor([1.0], #{requires_grad: true});
    /// tensor::no_grad(|| x * 2).requires_grad // => false
    /// ```
    fn no_grad(f: Closure) -> Value {
        let _guard = tch::no_grad_guard();
        f.call(Vec::new())?
    }

    on "Tensor";
    /// Computes the gradient of every leaf this score depends on, into its `.grad`.
    ///
    /// For a tensor of several elements `gradient` weights them. Gradients add up until they are zeroed. The graph
    /// is gone afterwards, unless #{retain_graph: true}.
    /// ```rhai
    /// let x = tensor([1.0, 2], #{requires_grad: true});
    /// (x * x).sum().backward();
    /// x.grad // => tensor([2., 4.])
    /// (x * x).backward() // error: expected a tensor of one element, got shape [2]
    /// ```
    /// ```rhai
    /// let x = tensor([1.0, 2], #{requires_grad: true});
    /// let y = x * x;
    /// y.backward(tensor([1.0, 0]), #{retain_graph: true});
    /// y.sum().backward(#{retain_graph: true});
    /// x.grad // => tensor([4., 4.])
    /// ```
    /// With `inputs` only those leaves get a gradient, and nothing is computed for others: how several networks learn
    /// from several losses of one forward pass.
    /// ```rhai
    /// let a = tensor([1.0], #{requires_grad: true});
    /// let b = tensor([2.0], #{requires_grad: true});
    /// (a * b).backward(#{inputs: a});
    /// [a.grad, b.grad] // => [tensor([2.]), ()]
    /// (a * b).backward(#{inputs: a * b}) // error: input 0 is no leaf
    /// ```
    fn backward(x: Tensor, gradient: Option<Weights>, options: Opts<BackwardOptions>) {
        let (gradient, o) = match gradient {
            None => (None, options.0),
            Some(Weights::Options(o)) => (None, o.0),
            Some(Weights::Tensor(g)) => (Some(g), options.0),
        };
        match &gradient {
            None => single(&x)?,
            Some(g) if g.size() == x.size() => {}
            Some(g) => Err(Error::new(format!("the gradient has shape {:?}, the tensor {:?}", g.size(), x.size())))?,
        }
        let graph = Graph { retain: o.retain_graph, create: o.create_graph };
        match o.inputs {
            None => tape::backward(&x, gradient.as_ref(), graph)?,
            Some(Leaves(leaves)) => {
                differentiable(&leaves)?;
                if let Some(i) = leaves.iter().position(|l| !l.is_leaf()) {
                    return Err(Error::new(format!("input {i} is no leaf: it was computed, and keeps no gradient"))
                        .hint("tensor::grad(score, inputs) gives it"));
                }
                let grads = tape::grad_weighted(&x, gradient.as_ref(), &leaves, graph)?;
                let (leaves, grads): (Vec<_>, Vec<_>) = leaves.into_iter().zip(grads).filter_map(|(l, g)| Some((l, g?))).unzip();
                ffi::add_grads(&leaves, &grads)?
            }
        }
    }

    /// Records what is done with this tensor from here on, or no longer.
    /// ```rhai
    /// tensor([1.0]).requires_grad_() // => tensor([1.], requires_grad=True)
    /// ```
    fn requires_grad_(x: Tensor, on: Option<bool>) -> Tensor {
        let mut x = x;
        let on = on.unwrap_or(true);
        if !on && !x.f_is_leaf()? {
            return Err(Error::new("a computed tensor cannot stop requiring a gradient").hint("`x.detach()` gives one that does not"));
        }
        x.f_requires_grad_(on)?
    }

    /// The same elements, cut off from the computation that made them.
    /// ```rhai
    /// tensor([1.0], #{requires_grad: true}).detach().requires_grad // => false
    /// ```
    fn detach(x: Tensor) -> Tensor { x.f_detach()? }

    /// Sets the gradient at this leaf to zero.
    /// ```rhai
    /// let x = tensor([1.0], #{requires_grad: true});
    /// (x * 3).sum().backward();
    /// x.zero_grad();
    /// x.grad // => tensor([0.])
    /// ```
    fn zero_grad(x: Tensor) {
        if let Some(g) = gradient(&x)? {
            let _ = g.f_detach()?.f_zero_()?;
        }
    }

    get "Tensor";
    /// The gradient that `backward()` left here, or `()`.
    /// ```rhai
    /// tensor([1.0], #{requires_grad: true}).grad // => ()
    /// ```
    fn grad(x: Tensor) -> Option<Tensor> { gradient(&x)? }

    /// True when operations on the tensor are recorded for `backward()`.
    /// ```rhai
    /// tensor([1.0]).requires_grad // => false
    /// ```
    fn requires_grad(x: Tensor) -> bool { x.requires_grad() }

    /// True for tensors that were not computed from tensors that require a gradient.
    /// ```rhai
    /// (tensor([1.0], #{requires_grad: true}) * 2).is_leaf // => false
    /// ```
    fn is_leaf(x: Tensor) -> bool { x.f_is_leaf()? }
}

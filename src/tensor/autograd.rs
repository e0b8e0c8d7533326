//! Gradients.

use super::args::Tensors;
use crate::core::value::{FromValue, mismatch};
use crate::core::{Closure, Error, Opts, Result, Value};
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

/// The score as what a backward pass starts from.
///
/// # Errors
/// A score that depends on nothing, or one of several elements: libtorch would crash on the first.
fn root(score: &Tensor) -> Result<()> {
    if !score.requires_grad() {
        return Err(Error::new("the tensor does not depend on anything that requires a gradient").hint(
            "make an input with #{requires_grad: true} or `x.requires_grad_()`, and compute outside tensor::no_grad",
        ));
    }
    if score.numel() != 1 {
        return Err(Error::new(format!("expected a tensor of one element, got shape {:?}", score.size()))
            .hint("reduce it first, with `.sum()` or `.mean()`"));
    }
    Ok(())
}

/// Gradients of `score` with respect to `inputs`; `None` where it does not depend on one.
///
/// # Errors
/// A score without gradient or of several elements; an input that does not require a gradient.
pub fn grad(score: &Tensor, inputs: &[Tensor], o: &GradOptions) -> Result<Vec<Option<Tensor>>> {
    root(score)?;
    if let Some(i) = inputs.iter().position(|x| !x.requires_grad()) {
        return Err(Error::new(format!("input {i} does not require a gradient")).hint(
            "make it with #{requires_grad: true} or call `x.requires_grad_()` before computing the score",
        ));
    }
    let grads = Tensor::f_run_backward(&[score], inputs, o.retain_graph || o.create_graph, o.create_graph)?;
    let grads: Vec<_> = grads.into_iter().map(|g| Some(g).filter(Tensor::defined)).collect();
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
    /// For a tensor of several elements `gradient` weights them. Gradients add up until they are zeroed.
    /// ```rhai
    /// let x = tensor([1.0, 2], #{requires_grad: true});
    /// (x * x).sum().backward();
    /// x.grad // => tensor([2., 4.])
    /// (x * x).backward() // error: expected a tensor of one element, got shape [2]
    /// ```
    fn backward(x: Tensor, gradient: Option<Tensor>) {
        let score = match gradient {
            None => x,
            Some(g) if g.size() == x.size() => x.f_mul(&g)?.f_sum(None::<tch::Kind>)?,
            Some(g) => {
                return Err(Error::new(format!("the gradient has shape {:?}, the tensor {:?}", g.size(), x.size())));
            }
        };
        root(&score)?;
        score.f_backward()?
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

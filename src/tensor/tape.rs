//! The one place where gradients are taken. A [`Gate`] splits the graph: a backward pass runs segment by segment
//! from gate to gate, and the rules of the gates run in between, on the thread that asked for the gradient. So they
//! may call the script, and libtorch's own threads never do.
//!
//! Gates live in the graph and die with it. Without any a pass is libtorch's own.

use crate::core::{Error, Result, ffi};
use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::{Rc, Weak};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tch::Tensor;

/// What becomes of a gradient: none leaves it as it is.
type Rule = dyn Fn(&Tensor) -> Result<Option<Tensor>>;

struct Entry {
    /// Cloned into every graph the gate is laid into.
    id: Arc<u64>,
    handle: Weak<()>,
    rule: Rc<Rule>,
}

impl Entry {
    /// How many graphs hold this gate; one that was laid twice counts twice.
    fn laid(&self) -> usize {
        Arc::strong_count(&self.id) - 1
    }
}

thread_local!(static RULES: RefCell<HashMap<u64, Entry>> = RefCell::default());
static NEXT: AtomicU64 = AtomicU64::new(0);

/// A rule for gradients, to be laid into graphs. It works as long as this handle or a graph with it exists.
pub struct Gate(u64, Rc<()>);

impl Gate {
    /// A gate with this rule.
    pub fn new(rule: impl Fn(&Tensor) -> Result<Option<Tensor>> + 'static) -> Self {
        let gate = Gate(NEXT.fetch_add(1, Ordering::Relaxed), Rc::new(()));
        let entry = Entry { id: Arc::new(gate.0), handle: Rc::downgrade(&gate.1), rule: Rc::new(rule) };
        RULES.with(|r| r.borrow_mut().insert(gate.0, entry));
        kept();
        gate
    }

    /// The values of `value`, as a tensor whose gradient passes the rule on its way to `input` (of the same shape).
    /// Where no gradient is recorded it is `value` itself.
    ///
    /// # Errors
    /// libtorch's.
    pub fn lay(&self, value: &Tensor, input: &Tensor) -> Result<Tensor> {
        let out = RULES.with(|r| r.borrow().get(&self.0).map(|e| ffi::gate(value, input, &e.id)));
        Ok(out.transpose()?.flatten().unwrap_or_else(|| value.shallow_clone()))
    }
}

/// How many rules are kept, and how many gates lie in graphs. Forgets the rules that neither a handle nor a graph
/// holds any more.
pub fn kept() -> (usize, usize) {
    let dead: Vec<_> = RULES
        .with(|r| r.borrow_mut().extract_if(|_, e| e.laid() == 0 && e.handle.strong_count() == 0).collect());
    drop(dead); // outside the borrow: a rule may own gates
    RULES.with(|r| (r.borrow().len(), r.borrow().values().map(Entry::laid).sum()))
}

/// What happens to the graph.
#[derive(Clone, Copy, Default)]
pub struct Graph {
    /// Kept for another pass.
    pub retain: bool,
    /// The gradient's own computation is recorded.
    pub create: bool,
}

/// Adds the gradient of `score` to the `.grad` of every leaf; `weights` is its own gradient (ones if left out).
///
/// # Errors
/// A score without a graph; a gate's rule, and then no leaf has changed.
pub fn backward(score: &Tensor, weights: Option<&Tensor>, graph: Graph) -> Result<()> {
    pass(score, weights, None, graph).map(|_| ())
}

/// The gradients of `score` at `inputs`; none where it does not depend on one.
///
/// # Errors
/// A score or input without a graph; a gate's rule.
pub fn grad(score: &Tensor, inputs: &[Tensor], graph: Graph) -> Result<Vec<Option<Tensor>>> {
    grad_weighted(score, None, inputs, graph)
}

/// [`grad`] of a score whose elements are weighted.
///
/// # Errors
/// As there.
pub fn grad_weighted(
    score: &Tensor,
    weights: Option<&Tensor>,
    inputs: &[Tensor],
    graph: Graph,
) -> Result<Vec<Option<Tensor>>> {
    let grads = pass(score, weights, Some(inputs), graph)?;
    Ok(grads.into_iter().map(|g| Some(g).filter(Tensor::defined)).collect())
}

/// That a gradient can start here.
///
/// # Errors
/// A score without a graph.
pub fn depends(score: &Tensor) -> Result<()> {
    match score.requires_grad() {
        true => Ok(()),
        false => Err(Error::new("the tensor does not depend on anything that requires a gradient").hint(
            "make an input with #{requires_grad: true} or `x.requires_grad_()`, and compute outside tensor::no_grad",
        )),
    }
}

fn pass(
    score: &Tensor,
    weights: Option<&Tensor>,
    inputs: Option<&[Tensor]>,
    graph: Graph,
) -> Result<Vec<Tensor>> {
    depends(score)?;
    let root = [score.shallow_clone()];
    let weights = [weights.map_or_else(Tensor::new, Tensor::shallow_clone)];
    let how = [graph.retain || graph.create, graph.create, inputs.is_none()];
    run(ffi::Pass::new(&root, &weights, inputs.unwrap_or_default(), how)?, graph).map_err(|e| {
        match e.msg.contains("a second time") {
            true => Error::new("the graph of this tensor was used by an earlier backward pass and is gone")
                .hint("keep it with `backward(#{retain_graph: true})`, or run the forward pass again"),
            false => e,
        }
    })
}

/// Goes from gate to gate.
fn run(mut pass: ffi::Pass, graph: Graph) -> Result<Vec<Tensor>> {
    while let Some((id, grad)) = pass.next_gate()? {
        let rule = RULES.with(|r| r.borrow().get(&id).map(|e| e.rule.clone()));
        let new = match rule {
            Some(rule) => {
                let _no_grad = (!graph.create).then(tch::no_grad_guard);
                rule(&grad)?
            }
            None => None,
        };
        match new {
            Some(g) if !graph.create => pass.resume(&g.f_detach()?)?,
            other => pass.resume(&other.unwrap_or(grad))?,
        }
    }
    pass.finish()
}

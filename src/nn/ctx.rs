//! What travels with a forward pass: training or not, and the taps. Hooks, captured activations, ablation and
//! the summary all stand on [`Tap`].

use super::Layer;
use crate::core::{Error, Result, Value};
use std::borrow::Cow;
use std::cell::RefCell;
use std::rc::Rc;
use tch::Tensor;

/// When a tap sees a layer's output.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// Before the others: as the layer computed it.
    First,
    /// In between, in the order they were given.
    Between,
    /// After the others. Backward hooks: whoever keeps an output sees the gradient that the hook leaves.
    Last,
}

/// Sees the output of every layer, and may replace it.
pub trait Tap {
    /// When this tap's turn is.
    fn place(&self) -> Place {
        Place::Between
    }

    /// `path` is the layer's name from the root (`layer1.0.conv1`, empty for the root itself).
    ///
    /// # Errors
    /// What the tap has to say; it ends the forward pass.
    fn after(&self, path: &str, layer: &dyn Layer, input: &Value, output: Value) -> Result<Value>;
}

struct Pass {
    train: bool,
    taps: Vec<Rc<dyn Tap>>,
    /// Runs some layers in their place; only without taps.
    instead: Option<Rc<dyn Instead>>,
}

/// Runs some layers in their place.
pub trait Instead {
    /// What `layer` gives for `x`; none if it is to run itself.
    fn run(&self, layer: &dyn Layer, x: &Tensor) -> Option<Result<Tensor>>;
}

/// The state of one forward pass at one layer.
pub struct Ctx<'a> {
    pass: Rc<Pass>,
    parent: Option<&'a Ctx<'a>>,
    name: Cow<'a, str>,
}

impl Ctx<'_> {
    /// The start of a forward pass.
    pub fn new(train: bool, mut taps: Vec<Rc<dyn Tap>>) -> Ctx<'static> {
        taps.sort_by_key(|t| t.place());
        Ctx { pass: Rc::new(Pass { train, taps, instead: None }), parent: None, name: Cow::Borrowed("") }
    }

    /// The start of a forward pass in evaluation mode, without taps, in which `instead` runs layers inside.
    pub fn with(instead: Rc<dyn Instead>) -> Ctx<'static> {
        let pass = Pass { train: false, taps: Vec::new(), instead: Some(instead) };
        Ctx { pass: Rc::new(pass), parent: None, name: Cow::Borrowed("") }
    }

    /// True while training: dropout drops, batch norm uses the batch's statistics.
    pub fn train(&self) -> bool {
        self.pass.train
    }

    /// The name of the layer being run, from the root.
    pub fn path(&self) -> String {
        match self.parent.map(Ctx::path) {
            Some(p) if !p.is_empty() => format!("{p}.{}", self.name),
            _ => self.name.to_string(),
        }
    }

    /// The same state, kept beyond the caller's frame (for closures of the script).
    pub fn owned(&self) -> Ctx<'static> {
        Ctx { pass: self.pass.clone(), parent: None, name: Cow::Owned(self.path()) }
    }

    /// Runs the layer inside called `name` on `x`.
    ///
    /// # Errors
    /// The layer's, with its name and the shape it was given.
    pub fn child(&self, name: &str, layer: &dyn Layer, x: &Tensor) -> Result<Tensor> {
        if self.pass.taps.is_empty() {
            let cx = Ctx { pass: self.pass.clone(), parent: Some(self), name: Cow::Borrowed(name) };
            let instead = self.pass.instead.as_ref().and_then(|i| i.run(layer, x));
            let out = instead.unwrap_or_else(|| layer.forward(x, &cx));
            return out.map_err(|e| cx.locate(e, layer, &Value::Tensor(x.shallow_clone())));
        }
        match self.child_value(name, layer, Value::Tensor(x.shallow_clone()))? {
            Value::Tensor(t) => Ok(t),
            other => {
                Err(Error::new(format!("layer `{name}` gives {}, a Tensor is needed here", other.describe())))
            }
        }
    }

    /// [`child`](Ctx::child) for layers that take or give something else than one tensor.
    ///
    /// # Errors
    /// The layer's, with its name.
    pub fn child_value(&self, name: &str, layer: &dyn Layer, x: Value) -> Result<Value> {
        let cx = Ctx { pass: self.pass.clone(), parent: Some(self), name: Cow::Borrowed(name) };
        cx.run(layer, x)
    }

    /// Runs `layer` as the root of the pass.
    ///
    /// # Errors
    /// The layer's.
    pub fn run(&self, layer: &dyn Layer, x: Value) -> Result<Value> {
        let mut out = layer.forward_value(x.clone(), self).map_err(|e| self.locate(e, layer, &x))?;
        if !self.pass.taps.is_empty() {
            let path = self.path();
            for tap in &self.pass.taps {
                out = tap.after(&path, layer, &x, out)?;
            }
        }
        Ok(out)
    }

    /// Names the innermost layer in which an error arose.
    fn locate(&self, e: Error, layer: &dyn Layer, x: &Value) -> Error {
        if !layer.children().is_empty() || e.msg.starts_with("layer `") {
            return e;
        }
        e.within(match self.path().as_str() {
            "" => format!("{} given {}", layer.describe(), x.describe()),
            path => format!("layer `{path}`, {}, given {}", layer.describe(), x.describe()),
        })
    }
}

/// Keeps the outputs of some layers.
pub struct Capture {
    names: Vec<String>,
    /// Cuts the graph before the layer's output where nothing before it learns, so that a gradient reaches it.
    differentiable: bool,
    seen: RefCell<Vec<Option<Tensor>>>,
}

impl Capture {
    /// A tap that keeps the outputs of the layers `names`.
    pub fn new(names: &[String], differentiable: bool) -> Self {
        Self {
            names: names.to_vec(),
            differentiable,
            seen: RefCell::new(names.iter().map(|_| None).collect()),
        }
    }

    /// What was kept, in the order of the names.
    ///
    /// # Errors
    /// A layer that did not run.
    pub fn take(&self) -> Result<Vec<Tensor>> {
        let mut seen = self.seen.borrow_mut();
        let both = self.names.iter().zip(seen.iter_mut());
        both.map(|(n, t)| {
            t.take().ok_or_else(|| Error::new(format!("layer `{n}` did not run in this forward pass")))
        })
        .collect()
    }
}

impl Tap for Capture {
    fn after(&self, path: &str, _: &dyn Layer, _: &Value, output: Value) -> Result<Value> {
        if !self.names.iter().any(|n| n == path) {
            return Ok(output);
        }
        let Value::Tensor(mut t) = output else {
            return Err(Error::new(format!(
                "layer `{path}` gives {}, only a Tensor can be captured",
                output.describe()
            )));
        };
        if self.differentiable && !t.requires_grad() {
            t = t.f_detach()?.f_set_requires_grad(true)?;
        }
        for (_, kept) in self.names.iter().zip(&mut *self.seen.borrow_mut()).filter(|(n, _)| *n == path) {
            *kept = Some(t.shallow_clone()); // a layer may be asked for twice
        }
        Ok(Value::Tensor(t))
    }
}

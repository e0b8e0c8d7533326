//! The network as scripts hold it: a handle to layers, with a mode and taps.

use super::precision;
use super::{About, Capture, Ctx, Layer, Own, Role, Tap};
use crate::core::{Error, Result, Value, device};
use std::cell::{Cell, RefCell};
use std::rc::{Rc, Weak};
use tch::{Device, Tensor};

/// A layer or network. Cloning clones the handle: the tensors are shared.
#[derive(Clone)]
pub struct Net(Rc<Inner>);

struct Inner {
    layer: Rc<dyn Layer>,
    train: Cell<bool>,
    label: Option<String>,
    taps: RefCell<Vec<Rc<dyn Tap>>>,
    /// Where the weights came from; empty for a fresh network.
    origin: RefCell<String>,
    /// What its pictures and its outputs are, as far as it is known.
    about: RefCell<About>,
    /// A part of an `nn::custom` network while its forward pass runs: the pass, and the part's name in it.
    bound: Option<(Ctx<'static>, String)>,
}

object!(Net, "Net", |net| net.tree());

impl Net {
    /// A network of one layer.
    pub fn new(layer: impl Layer + 'static) -> Self {
        Self::of(Rc::new(layer))
    }

    /// A network of a shared layer.
    pub fn of(layer: Rc<dyn Layer>) -> Self {
        Self::make(layer, None, None)
    }

    pub(super) fn bound(layer: Rc<dyn Layer>, cx: Ctx<'static>, name: &str) -> Self {
        Self::make(layer, None, Some((cx, name.to_string())))
    }

    fn make(layer: Rc<dyn Layer>, label: Option<String>, bound: Option<(Ctx<'static>, String)>) -> Self {
        let (train, taps) = (Cell::new(false), RefCell::default());
        let (origin, about) = Default::default();
        Net(Rc::new(Inner { layer, train, label, taps, origin, about, bound }))
    }

    /// The layer inside.
    pub fn layer(&self) -> Rc<dyn Layer> {
        self.0.layer.clone()
    }

    /// True for two handles of one network.
    pub fn is(&self, other: &Net) -> bool {
        Rc::ptr_eq(&self.0, &other.0)
    }

    /// The name given with `.named(…)`.
    pub fn label(&self) -> Option<String> {
        self.0.label.clone()
    }

    /// Where the weights came from; empty for a fresh network.
    pub fn origin(&self) -> String {
        self.0.origin.borrow().clone()
    }

    /// Says where the weights came from.
    pub fn set_origin(&self, text: &str) {
        self.0.origin.replace(text.to_string());
    }

    /// What is known of its pictures and its outputs: from its file, or from the data it was trained on.
    pub fn about(&self) -> About {
        self.0.about.borrow().clone()
    }

    /// Says what its pictures and outputs are.
    pub fn set_about(&self, about: About) {
        self.0.about.replace(about);
    }

    /// True while training: dropout drops, batch norm uses and updates the batch's statistics.
    pub fn is_training(&self) -> bool {
        self.0.train.get()
    }

    /// Sets training or evaluation; gives back what was set before.
    pub fn set_training(&self, on: bool) -> bool {
        self.0.train.replace(on)
    }

    /// Evaluation mode until the guard is dropped, whatever happens meanwhile.
    pub fn evaluating(&self) -> Evaluating {
        Evaluating(self.clone(), self.set_training(false))
    }

    /// Runs the network.
    ///
    /// # Errors
    /// A layer's, with its name.
    pub fn forward(&self, x: Value) -> Result<Value> {
        match &self.0.bound {
            Some((cx, name)) => cx.child_value(name, &*self.0.layer, x),
            None => self.forward_with(x, &[]),
        }
    }

    /// Runs the network with taps of this pass besides the network's own.
    ///
    /// # Errors
    /// A layer's, with its name.
    pub fn forward_with(&self, x: Value, taps: &[Rc<dyn Tap>]) -> Result<Value> {
        let mut all = self.0.taps.borrow().clone();
        all.extend_from_slice(taps);
        let cx = Ctx::new(self.is_training(), all);
        precision::now().around(|| self.device(), || cx.run(&*self.0.layer, x))
    }

    /// [`forward`](Net::forward) of a tensor to a tensor.
    ///
    /// # Errors
    /// As there, and a network that gives something else.
    pub fn forward_tensor(&self, x: &Tensor) -> Result<Tensor> {
        match self.forward(Value::Tensor(x.shallow_clone()))? {
            Value::Tensor(t) => Ok(t),
            other => {
                Err(Error::new(format!("the network gives {}, a Tensor is needed here", other.describe())))
            }
        }
    }

    /// Runs the network and keeps the outputs of the layers `names`. With `differentiable`, gradients reach them
    /// also where everything before is frozen.
    ///
    /// # Errors
    /// An unknown layer; a layer that did not run.
    pub fn capture(&self, x: Value, names: &[String], differentiable: bool) -> Result<(Value, Vec<Tensor>)> {
        self.check_layers(names)?;
        let capture = Rc::new(Capture::new(names, differentiable));
        let tap: Rc<dyn Tap> = capture.clone();
        let out = self.forward_with(x, &[tap])?;
        Ok((out, capture.take()?.into_iter().map(precision::widened).collect::<Result<_>>()?))
    }

    /// The names of all layers, in the order they are declared; `leaves` leaves containers out.
    pub fn layer_names(&self, leaves: bool) -> Vec<String> {
        let mut names = Vec::new();
        walk(&*self.0.layer, "", &mut |path, layer| {
            let hidden = leaves && !layer.children().is_empty();
            if !(path.is_empty() || hidden) {
                names.push(path.to_string());
            }
        });
        names
    }

    /// The first convolution, in the order of declaration: its name, and the channels it takes.
    pub fn first_convolution(&self) -> Option<(String, i64)> {
        let mut first = None;
        walk(&*self.0.layer, "", &mut |path, layer| {
            first = first.take().or_else(|| Some((path.to_string(), layer.in_channels()?)));
        });
        first
    }

    /// The kind of the last layer: `Linear`, `Softmax` …
    pub fn last_kind(&self) -> String {
        let mut last = self.layer();
        while let Some((_, child)) = last.children().pop() {
            last = child;
        }
        last.kind()
    }

    /// An error that lists the layers if one of `names` is none.
    ///
    /// # Errors
    /// An unknown layer.
    pub fn check_layers(&self, names: &[String]) -> Result<()> {
        let all = self.layer_names(false);
        match names.iter().find(|n| !all.contains(n)) {
            Some(name) => {
                let inside = |path: &String| path.is_empty() || name.starts_with(&format!("{path}."));
                self.sealed()
                    .filter(inside)
                    .map_or(Ok(()), |_| self.check_open(&format!("layer `{name}`")))?;
                Err(Error::unknown("layer", name, all))
            }
            None => Ok(()),
        }
    }

    /// The first layer whose inside cannot be reached.
    fn sealed(&self) -> Option<String> {
        let mut found = None;
        walk(&*self.0.layer, "", &mut |path, layer| {
            found = found.take().or_else(|| layer.sealed().then(|| path.to_string()));
        });
        found
    }

    /// An error if layers of the network, which `what` needs, cannot be reached.
    ///
    /// # Errors
    /// A TorchScript program in it.
    pub fn check_open(&self, what: &str) -> Result<()> {
        if self.sealed().is_none() {
            return Ok(());
        }
        Err(Error::new(format!("{what} cannot be had: the layers of a TorchScript program are out of reach")).hint(
            "`attrib::saliency` works with every target; for the rest build the network with `models::` or `nn::` and \
             load its weights, in Python torch.save(model.state_dict(), \"weights.pth\")",
        ))
    }

    /// The part of the network called `path`, sharing its tensors.
    ///
    /// # Errors
    /// An unknown layer.
    pub fn part(&self, path: &str) -> Result<Net> {
        self.check_layers(&[path.to_string()])?;
        let mut layer = self.layer();
        for name in path.split('.') {
            let next = layer.children().into_iter().find(|(n, _)| n == name);
            layer = next.ok_or_else(|| Error::unknown("layer", path, self.layer_names(false)))?.1;
        }
        match &self.0.bound {
            Some((cx, name)) => Ok(Self::bound(layer, cx.owned(), &format!("{name}.{path}"))),
            None => {
                let part = Self::of(layer);
                part.set_training(self.is_training());
                Ok(part)
            }
        }
    }

    /// All tensors by checkpoint name, in the order of declaration.
    pub fn named(&self) -> Vec<(String, Tensor, Role)> {
        let mut all = Vec::new();
        walk(&*self.0.layer, "", &mut |path, layer| {
            all.extend(layer.own().into_iter().map(|(name, t, role): Own| {
                let full = if path.is_empty() { name.to_string() } else { format!("{path}.{name}") };
                (full, t.shallow_clone(), role)
            }));
        });
        all
    }

    /// The learned tensors by name; with `trainable`, those that are not frozen.
    pub fn parameters(&self, trainable: bool) -> Vec<(String, Tensor)> {
        let mut all: Vec<(String, Tensor)> = Vec::new();
        for (name, t, role) in self.named() {
            // A layer that stands in two places has its parameters once, under its first name.
            if role == Role::Parameter
                && (!trainable || t.requires_grad())
                && !all.iter().any(|(_, o)| same(o, &t))
            {
                all.push((name, t));
            }
        }
        all
    }

    /// The device the network is on.
    pub fn device(&self) -> Device {
        self.named().first().map_or_else(device::current, |(_, t, _)| t.device())
    }

    /// Lets the parameters whose name starts with one of `prefixes` learn (`on`) or not.
    ///
    /// # Errors
    /// A prefix that names nothing, or nothing with parameters; then nothing has changed.
    pub fn set_trainable(&self, prefixes: &[String], on: bool) -> Result<()> {
        for t in self.parameters_below(prefixes)? {
            let _ = t.f_set_requires_grad(on)?;
        }
        Ok(())
    }

    /// The parameters whose name starts with one of `prefixes`; an error where one has none.
    pub(super) fn parameters_below(&self, prefixes: &[String]) -> Result<Vec<Tensor>> {
        let all = self.named();
        let mut hits = Vec::new();
        for prefix in prefixes {
            let inside = |name: &str| {
                name.strip_prefix(prefix.as_str()).is_some_and(|r| r.is_empty() || r.starts_with('.'))
            };
            let before = hits.len();
            let below = all.iter().filter(|(n, _, role)| *role == Role::Parameter && inside(n));
            hits.extend(below.map(|(_, t, _)| t.shallow_clone()));
            if hits.len() == before {
                self.check_layers(std::slice::from_ref(prefix))?;
                return Err(Error::new(format!("layer `{prefix}` has no parameters")));
            }
        }
        Ok(hits)
    }

    /// Adds a tap to every forward pass of this network.
    pub fn add_tap(&self, tap: Rc<dyn Tap>) {
        self.0.taps.borrow_mut().push(tap);
    }

    /// Takes a tap away again.
    pub fn remove_tap(&self, tap: &Rc<dyn Tap>) {
        self.0.taps.borrow_mut().retain(|t| !Rc::ptr_eq(t, tap));
    }

    /// The taps of every forward pass.
    pub(super) fn taps(&self) -> Vec<Rc<dyn Tap>> {
        self.0.taps.borrow().clone()
    }

    /// A part of an `nn::custom` network, inside its forward pass.
    pub(super) fn is_bound(&self) -> bool {
        self.0.bound.is_some()
    }

    /// A handle that does not keep the network alive.
    pub fn downgrade(&self) -> WeakNet {
        WeakNet(Rc::downgrade(&self.0))
    }

    /// The same layers under a name, for `nn::sequential`.
    pub fn labelled(&self, name: &str) -> Net {
        Self::make(self.layer(), Some(name.to_string()), None)
    }

    /// As PyTorch prints it.
    pub fn tree(&self) -> String {
        fn lines(layer: &dyn Layer, indent: usize, out: &mut String) {
            let children = layer.children();
            if children.is_empty() {
                return *out += &layer.describe();
            }
            *out += &format!("{}(\n", layer.kind());
            for (name, child) in children {
                *out += &format!("{}({name}): ", " ".repeat(indent + 2));
                lines(&*child, indent + 2, out);
                *out += "\n";
            }
            *out += &format!("{})", " ".repeat(indent));
        }
        let mut out = String::new();
        lines(&*self.0.layer, 0, &mut out);
        out
    }
}

/// See [`Net::downgrade`].
#[derive(Clone)]
pub struct WeakNet(Weak<Inner>);

impl WeakNet {
    /// The network, if somebody still holds it.
    pub fn upgrade(&self) -> Option<Net> {
        self.0.upgrade().map(Net)
    }
}

/// True for two handles of one tensor.
pub fn same(a: &Tensor, b: &Tensor) -> bool {
    a.data_ptr() == b.data_ptr() && a.size() == b.size() && a.numel() > 0
}

/// Visits every layer, parents first, with its path.
pub(super) fn walk(layer: &dyn Layer, path: &str, visit: &mut dyn FnMut(&str, &dyn Layer)) {
    visit(path, layer);
    for (name, child) in layer.children() {
        let full = if path.is_empty() { name } else { format!("{path}.{name}") };
        walk(&*child, &full, visit);
    }
}

/// Puts a network back into the mode it had.
pub struct Evaluating(Net, bool);

impl Drop for Evaluating {
    fn drop(&mut self) {
        self.0.set_training(self.1);
    }
}

/// One name or a list of names.
pub struct Names(pub Vec<String>);

impl crate::core::value::FromValue for Names {
    const TYPE: &'static str = "string or list of strings";
    fn from_value(v: &Value) -> Result<Self> {
        match v {
            Value::Str(s) => Ok(Names(vec![s.clone()])),
            v => Vec::from_value(v).map(Names),
        }
    }
}

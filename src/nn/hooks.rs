//! Closures of the script at a layer: they see its output, or the gradient there, and may give another.

use super::net::{Net, WeakNet};
use super::{Layer, Place, Tap};
use crate::core::{Closure, Error, Result, Value};
use crate::tensor::tape::Gate;
use std::cell::Cell;
use std::rc::Rc;
use tch::Tensor;

/// A closure and the layer it hangs on.
struct Hook {
    layer: String,
    f: Closure,
    busy: Cell<bool>,
    removed: Cell<bool>,
}

/// Free again when dropped, whatever the closure did.
struct Busy<'a>(&'a Cell<bool>);

impl Drop for Busy<'_> {
    fn drop(&mut self) {
        self.0.set(false);
    }
}

impl Hook {
    /// What the closure makes of `x`, which is the layer's `what`.
    fn call(&self, x: &Value, what: &str) -> Result<Option<Tensor>> {
        let layer = &self.layer;
        if self.removed.get() {
            return Ok(None);
        }
        if self.busy.replace(true) {
            return Err(Error::new(format!(
                "the hook on layer `{layer}` runs its own network, and so itself"
            ))
            .hint("compute with what the hook is given; `net.part(\"name\")` runs a layer without hooks"));
        }
        let _busy = Busy(&self.busy);
        match (self.f.call(vec![x.clone()])?, x) {
            (Value::Nil, _) => Ok(None),
            (Value::Tensor(new), Value::Tensor(old)) if new.size() != old.size() => Err(Error::new(format!(
                "the hook on layer `{layer}` returned {:?}, the {what} is {:?}",
                new.size(),
                old.size()
            ))),
            (Value::Tensor(new), _) => Ok(Some(new)),
            (other, _) => Err(Error::new(format!(
                "the hook on layer `{layer}` returned {}; a Tensor replaces the {what}, () leaves it",
                other.describe()
            ))),
        }
    }
}

struct Forward(Rc<Hook>);

impl Tap for Forward {
    fn after(&self, path: &str, _: &dyn Layer, _: &Value, output: Value) -> Result<Value> {
        match path == self.0.layer {
            true => Ok(self.0.call(&output, "output")?.map_or(output, Value::Tensor)),
            false => Ok(output),
        }
    }
}

struct Backward {
    layer: String,
    gate: Gate,
}

impl Tap for Backward {
    fn place(&self) -> Place {
        Place::Last
    }

    fn after(&self, path: &str, _: &dyn Layer, _: &Value, output: Value) -> Result<Value> {
        match output {
            output if path != self.layer => Ok(output),
            Value::Tensor(t) => Ok(Value::Tensor(self.gate.lay(&t, &t)?)),
            other => Err(Error::new(format!(
                "layer `{path}` gives {}, only a Tensor has a gradient to hook onto",
                other.describe()
            ))),
        }
    }
}

/// What `on_forward` and `on_backward` give back: removes the hook.
#[derive(Clone)]
pub struct HookHandle {
    net: WeakNet,
    tap: Rc<dyn Tap>,
    hook: Rc<Hook>,
}

object!(HookHandle, "Hook", |h| format!(
    "Hook on layer {}{}",
    h.hook.layer,
    if h.hook.removed.get() { ", removed" } else { "" }
));

impl HookHandle {
    fn hang(net: &Net, layer: String, f: Closure, tap: impl Fn(Rc<Hook>) -> Rc<dyn Tap>) -> Result<Self> {
        net.check_layers(std::slice::from_ref(&layer))?;
        let hook = Rc::new(Hook { layer, f, busy: Cell::default(), removed: Cell::default() });
        let tap = tap(hook.clone());
        net.add_tap(tap.clone());
        Ok(HookHandle { net: net.downgrade(), tap, hook })
    }
}

functions! {
    on "Net";
    /// Calls the closure with the output of `layer` in every forward pass.
    ///
    /// The closure may give back a tensor of the same shape, which then replaces the output; `()` leaves it. The
    /// handle's `.remove()` takes the hook away.
    /// ```rhai
    /// let net = nn::sequential([["fc", nn::linear(2, 2)], ["act", nn::relu()]]);
    /// let hook = net.on_forward("fc", |out| out * 0 - 1);
    /// net.forward(tensor::ones([1, 2])) // => tensor([[0., 0.]])
    /// ```
    fn on_forward(net: Net, layer: String, f: Closure) -> HookHandle {
        HookHandle::hang(&net, layer, f, |hook| Rc::new(Forward(hook)))?
    }

    /// Calls the closure with the gradient at the output of `layer`.
    ///
    /// The closure may give back a tensor of the same shape, with which the pass goes on; `()` leaves the gradient.
    /// It acts wherever gradients are taken: `backward()`, training, `net.grads`, class activation maps. It sees
    /// the graphs of forward passes made while it hung on the network, until `.remove()`.
    /// ```rhai
    /// let net = nn::sequential([["fc", nn::linear(2, 2)], ["act", nn::identity()]]);
    /// let hook = net.on_backward("fc", |grad| grad * 0);
    /// net.forward(tensor::ones([1, 2])).sum().backward();
    /// net.parameters()["fc.bias"].grad // => tensor([0., 0.])
    /// ```
    fn on_backward(net: Net, layer: String, f: Closure) -> HookHandle {
        HookHandle::hang(&net, layer, f, |hook| {
            let layer = hook.layer.clone();
            let gate = Gate::new(move |g| hook.call(&Value::Tensor(g.shallow_clone()), "gradient"));
            Rc::new(Backward { layer, gate })
        })?
    }

    on "Hook";
    /// Takes the hook away.
    /// ```rhai
    /// let net = nn::sequential([["fc", nn::linear(2, 2)]]);
    /// net.on_forward("fc", |out| out * 0).remove();
    /// net.forward(tensor::ones([1, 2])).equal(tensor::zeros([1, 2])) // => false
    /// ```
    fn remove(hook: HookHandle) {
        hook.hook.removed.set(true);
        if let Some(net) = hook.net.upgrade() {
            net.remove_tap(&hook.tap);
        }
    }
}

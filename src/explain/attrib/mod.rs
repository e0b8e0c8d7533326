//! What each number of the input contributes: one gradient of the target at the input, one file a method. A method
//! may replace the gradient of the network's ReLU layers.

/// Declares `attrib::name(net, x, target?, #{…})`: its words, its own options, and how it looks.
macro_rules! attrib {
    ($(#[doc = $doc:literal])* $name:ident, $options:ty, |$look:ident, $o:ident| $body:expr) => {
        function!("attrib", Function, stringify!($name), [$($doc),*],
                  [net: $crate::nn::Net, x: tch::Tensor, target: $crate::explain::cam::MaybeTarget,
                   options: $crate::core::Opts<$options>],
                  [tch::Tensor], {
            let $o: $options = options.0;
            let $look = $crate::explain::attrib::Look::new(&net, &x, &target.0)?;
            $body
        });
    };
}

mod deconvnet;
mod guided_backprop;
mod saliency;

use super::Target;
use super::probe::{batch, input_gradient};
use crate::core::{Error, Result, Value};
use crate::nn::{Layer, Net, Place, Tap};
use crate::tensor::tape::Gate;
use std::cell::RefCell;
use std::rc::Rc;
use tch::Tensor;

/// The gradient behind a ReLU, of that in front of it and of the ReLU's output.
pub type ReluRule = fn(&Tensor, &Tensor) -> Result<Tensor>;

/// A network, a batch of pictures and what is asked of them.
pub struct Look<'a> {
    net: &'a Net,
    /// The pictures, [N, C, H, W].
    pub x: Tensor,
    target: &'a Target,
}

impl<'a> Look<'a> {
    /// A look at pictures [N, C, H, W] or a picture [C, H, W].
    ///
    /// # Errors
    /// Not pictures.
    pub fn new(net: &'a Net, x: &Tensor, target: &'a Target) -> Result<Self> {
        Ok(Self { net, x: batch(net, x)?, target })
    }

    /// The target's gradient at the pictures.
    ///
    /// # Errors
    /// A target that does not fit the output, or does not depend on the pictures.
    pub fn gradient(&self) -> Result<Tensor> {
        input_gradient(self.net, &self.x, self.target, &[])
    }

    /// [`gradient`](Look::gradient) with another rule at the network's ReLU layers.
    ///
    /// # Errors
    /// As there; a network without ReLU layers.
    pub fn gradient_with(&self, rule: ReluRule) -> Result<Tensor> {
        self.net.check_open("the gradient of its ReLU layers")?;
        let relus = Rc::new(Relus { rule, gates: RefCell::default() });
        let tap: Rc<dyn Tap> = relus.clone();
        let out = input_gradient(self.net, &self.x, self.target, &[tap])?;
        match relus.gates.borrow().len() {
            0 => Err(Error::new("no ReLU layer took part: there is no gradient to guide").hint(
                "use nn::relu() layers; `x.relu()` inside nn::custom and other activations keep their own gradient",
            )),
            _ => Ok(out),
        }
    }
}

/// Leads the gradient around every ReLU layer, through a rule.
struct Relus {
    rule: ReluRule,
    gates: RefCell<Vec<Gate>>,
}

impl Tap for Relus {
    fn place(&self) -> Place {
        Place::First
    }

    fn after(&self, _: &str, layer: &dyn Layer, input: &Value, output: Value) -> Result<Value> {
        let (Value::Tensor(x), Value::Tensor(y)) = (input, &output) else { return Ok(output) };
        if layer.kind() != "ReLU" {
            return Ok(output);
        }
        let (rule, seen) = (self.rule, y.f_detach()?);
        let gate = Gate::new(move |grad| rule(grad, &seen).map(Some));
        let y = gate.lay(y, x)?;
        self.gates.borrow_mut().push(gate);
        Ok(Value::Tensor(y))
    }
}

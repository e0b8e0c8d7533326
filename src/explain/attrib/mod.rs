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
pub mod deprocess;
mod guided_backprop;
mod guided_grad_cam;
pub mod heat;
mod input_x_gradient;
mod integrated_gradients;
mod lrp;
mod lrp_rules;
mod occlusion;
mod rise;
mod saliency;
mod smooth;
mod smooth_grad;
mod smooth_grad_squared;
mod var_grad;

use super::Target;
use super::probe::{self, batch, input_gradient};
use crate::core::value::{FromValue, mismatch};
use crate::core::{Error, Result, Value};
use crate::nn::{Layer, Net, Place, Tap};
use crate::tensor::tape::Gate;
use std::cell::RefCell;
use std::ops::Range;
use std::rc::Rc;
use tch::Tensor;

/// The gradient behind a ReLU, of that in front of it and of the ReLU's output.
pub type ReluRule = fn(&Tensor, &Tensor) -> Result<Tensor>;

/// A network, a batch of pictures and what is asked of them.
pub struct Look<'a> {
    /// The network.
    pub net: &'a Net,
    /// The pictures, [N, C, H, W].
    pub x: Tensor,
    /// What is asked.
    pub target: &'a Target,
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

    /// The target's value for every picture [N], and the target as these pictures settle it, for variants of them.
    ///
    /// # Errors
    /// A target that does not fit the output.
    pub fn settled(&self) -> Result<(Tensor, Target)> {
        let p = probe::glance(self.net, &[], &self.x, self.target)?;
        Ok((p.scores, p.target))
    }

    /// The target's values [K] for `k` variants of picture `i`, made by `rows` (of some of `0..k`, [.., C, H, W]) and run
    /// `batch` at a time.
    ///
    /// # Errors
    /// Those of `rows`, the network's.
    pub fn variants(
        &self,
        target: &Target,
        i: i64,
        k: i64,
        batch: i64,
        rows: impl Fn(Range<i64>, &Tensor) -> Result<Tensor>,
    ) -> Result<Tensor> {
        let (target, x) = (target.one(i)?, self.x.f_narrow(0, i, 1)?);
        let starts = (0..k).step_by(batch as usize);
        let parts = starts.map(|s| probe::scores(self.net, &rows(s..(s + batch).min(k), &x)?, &target, &[]));
        Ok(Tensor::f_cat(&parts.collect::<Result<Vec<_>>>()?, 0)?)
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

/// What stands for "nothing there": a number, or a tensor that broadcasts to the pictures.
pub enum Baseline {
    /// One number everywhere.
    Number(f64),
    /// A picture, or one for each picture.
    Picture(Tensor),
}

impl FromValue for Baseline {
    const TYPE: &'static str = "number or Tensor";
    fn from_value(v: &Value) -> Result<Self> {
        match v {
            Value::Tensor(t) => Ok(Baseline::Picture(t.f_detach()?)),
            v => f64::from_value(v).map(Baseline::Number).or_else(|_| mismatch(<Self as FromValue>::TYPE, v)),
        }
    }
}

impl Baseline {
    /// Of the shape of the pictures `x`.
    ///
    /// # Errors
    /// One that does not fit them.
    pub fn like(&self, x: &Tensor) -> Result<Tensor> {
        match self {
            Baseline::Number(n) => Ok(x.f_full_like(*n)?),
            Baseline::Picture(t) => Ok(t.f_type_as(x)?.f_expand(x.size(), false).map_err(|_| {
                Error::new(format!("the baseline {:?} does not fit pictures {:?}", t.size(), x.size()))
            })?),
        }
    }
}

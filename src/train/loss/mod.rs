//! Losses: one file each, `loss::name(output, target, #{…})`, with PyTorch's names, options and values.

/// Declares a loss: its words, its options type, and its value from output, target and options.
macro_rules! loss {
    ($(#[doc = $doc:literal])* $name:ident, $options:ty, |$output:ident, $target:ident, $o:ident| $value:expr) => {
        function!("loss", Function, stringify!($name), [$($doc),*],
                  [output: tch::Tensor, target: tch::Tensor, options: $crate::core::Opts<$options>], [tch::Tensor], {
            let ($output, $target, $o): (&tch::Tensor, &tch::Tensor, $options) = (&output, &target, options.0);
            $value
        });
    };
}

mod bce;
mod bce_with_logits;
mod cross_entropy;
mod dice;
mod focal;
mod huber;
mod kl_div;
mod l1;
mod mse;
mod nll;
mod poisson_nll;
mod smooth_l1;

use crate::core::func::Func;
use crate::core::value::{FromValue, mismatch};
use crate::core::{Closure, Error, Result, Value};
use tch::{Kind, Tensor};

/// How the losses of a batch become one number.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Reduction(pub tch::Reduction);

/// The mean over all elements, PyTorch's default.
pub const MEAN: Reduction = Reduction(tch::Reduction::Mean);

impl FromValue for Reduction {
    const TYPE: &'static str = "\"mean\", \"sum\" or \"none\"";
    fn from_value(v: &Value) -> Result<Self> {
        match v {
            Value::Str(s) => match s.as_str() {
                "mean" => Ok(MEAN),
                "sum" => Ok(Reduction(tch::Reduction::Sum)),
                "none" => Ok(Reduction(tch::Reduction::None)),
                _ => Err(Error::unknown("reduction", s, ["mean", "sum", "none"])),
            },
            _ => mismatch(Self::TYPE, v),
        }
    }
}

impl Reduction {
    /// Applies the reduction to the losses of the elements.
    ///
    /// # Errors
    /// libtorch's.
    pub fn apply(self, each: Tensor) -> Result<Tensor> {
        Ok(match self.0 {
            tch::Reduction::Sum => each.f_sum(each.kind())?,
            tch::Reduction::None => each,
            _ => each.f_mean(each.kind())?,
        })
    }
}

options! {
    /// Options of the losses that have no others.
    pub struct ReductionOnly {
        /// "mean", "sum" or "none" (one loss an element).
        reduction: Reduction = MEAN => "mean",
    }
}

/// Output and target of a loss that compares element by element must have one shape: PyTorch would broadcast
/// them and give a wrong number with a warning.
pub fn same_shape(output: &Tensor, target: &Tensor) -> Result<()> {
    for (name, t) in [("output", output), ("target", target)] {
        if !t.is_floating_point() {
            return Err(Error::new(format!("{name} must hold floating-point numbers, got {:?}", t.kind()))
                .hint(format!("convert with {name}.float()")));
        }
    }
    match output.size() == target.size() {
        true => Ok(()),
        false => Err(Error::new(format!(
            "output and target must have one shape, got {:?} and {:?}",
            output.size(),
            target.size()
        ))),
    }
}

/// libtorch aborts on some bad targets only deep inside a kernel: say it here, with the value.
fn check_classes(output: &Tensor, target: &Tensor, ignore: i64, probabilities: bool) -> Result<()> {
    if output.dim() == 0 {
        return Err(Error::new("output must be [N, C, ..] or [C], got one number"));
    }
    if probabilities && target.is_floating_point() {
        return same_shape(output, target);
    }
    if target.kind() != Kind::Int64 {
        return Err(Error::new(format!(
            "targets are class numbers (int64){}, got {:?}",
            if probabilities { " or probabilities" } else { "" },
            target.kind()
        ))
        .hint("convert with target.long()"));
    }
    // Reading the range would stall a GPU; there the kernel's own assertion speaks.
    if target.numel() > 0 && target.device() == tch::Device::Cpu {
        let classes = output.size()[usize::from(output.dim() > 1)];
        let bad =
            target.f_lt(0)?.f_logical_or(&target.f_ge(classes)?)?.f_logical_and(&target.f_ne(ignore)?)?;
        if bad.f_any()?.f_int64_value(&[])? != 0 {
            let worst = target.f_masked_select(&bad)?.f_int64_value(&[0])?;
            return Err(Error::new(format!(
                "target {worst} is not a class: the output has classes 0 to {}",
                classes - 1
            )));
        }
    }
    Ok(())
}

/// A loss named in an option: by name, or a closure `|output, target| …`.
#[derive(Clone)]
pub enum Loss {
    /// One of `loss::`.
    Named(&'static Func),
    /// The script's own.
    Custom(Closure),
}

impl Loss {
    /// The loss called `name`.
    ///
    /// # Errors
    /// An unknown name.
    pub fn named(name: &str) -> Result<Self> {
        let all = || inventory::iter::<Func>.into_iter().filter(|f| f.home == "loss");
        all()
            .find(|f| f.name() == name)
            .map(Loss::Named)
            .ok_or_else(|| Error::unknown("loss", name, all().map(|f| f.name())))
    }

    /// The loss of a batch: one number that can be differentiated.
    ///
    /// # Errors
    /// Shapes that do not fit; a closure that gives something else.
    pub fn value(&self, output: &Value, target: &Tensor) -> Result<Tensor> {
        let out = match self {
            Loss::Named(f) => (f.call)(&[output.clone(), Value::Tensor(target.shallow_clone()), Value::Nil])
                .map_err(|e| e.within(f.path()))?,
            Loss::Custom(f) => f.call(vec![output.clone(), Value::Tensor(target.shallow_clone())])?,
        };
        match out {
            Value::Tensor(t) if t.numel() == 1 => Ok(t),
            other => Err(Error::new(format!("a loss is a Tensor of one number, got {}", other.describe()))),
        }
    }
}

impl FromValue for Loss {
    const TYPE: &'static str = "name of a loss or function |output, target|";
    fn from_value(v: &Value) -> Result<Self> {
        match v {
            Value::Str(s) => Loss::named(s),
            Value::Func(f) => Ok(Loss::Custom(f.clone())),
            _ => mismatch(Self::TYPE, v),
        }
    }
}

//! Layers, networks and the taps through which everything looks into them. Checkpoint names are PyTorch's.

pub mod activation;
mod bilinear;
mod conv;
mod ctx;
mod custom;
mod dropout;
mod embedding;
mod fast;
mod frozen;
mod gaussian;
mod hooks;
pub mod init;
mod laid;
mod linear;
pub mod net;
mod norm;
mod pool;
mod precision;
mod recipe;
mod residual;
mod rest;
mod script;
mod sequential;
mod shape;
mod store;
mod summary;
mod upsample;

pub use bilinear::{Tent, bilinear_upsample};
pub use conv::{Conv2dOptions, ConvTranspose2dOptions, Padding, conv_transpose2d, conv2d};
pub use ctx::{Capture, Ctx, Place, Tap};
pub use dropout::dropout;
pub use fast::Fast;
pub use frozen::Frozen;
pub use hooks::HookHandle;
pub use linear::{LinearOptions, linear};
pub use net::Net;
pub use norm::{BatchNormOptions, batch_norm2d};
pub use pool::{PoolOptions, adaptive_avg_pool2d, max_pool2d};
pub use precision::Precision;
pub use rest::Rest;
pub use sequential::Sequential;
pub use shape::{flatten, identity};
pub use store::{About, LoadReport};

use crate::core::value::{FromValue, mismatch};
use crate::core::{Error, Result, Value};
use std::rc::Rc;
use tch::Tensor;

/// What a layer owns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Learned.
    Parameter,
    /// Kept in checkpoints, not learned: running statistics.
    Buffer,
}

/// One tensor a layer owns: its name in checkpoints (`weight`), itself, its role.
pub type Own<'a> = (&'a str, &'a Tensor, Role);

/// A layer: a function of one tensor with tensors of its own and, perhaps, layers inside.
pub trait Layer {
    /// Runs the layer. Layers inside are run through [`Ctx::child`], so that they can be tapped.
    ///
    /// # Errors
    /// libtorch's, for shapes that do not fit.
    fn forward(&self, x: &Tensor, cx: &Ctx) -> Result<Tensor>;

    /// Runs a layer whose input or output may be something else than one tensor.
    ///
    /// # Errors
    /// An input of a kind the layer does not take.
    fn forward_value(&self, x: Value, cx: &Ctx) -> Result<Value> {
        match x {
            Value::Tensor(t) => self.forward(&t, cx).map(Value::Tensor),
            other => mismatch("Tensor", &other)
                .map_err(|e: Error| e.within(format!("input of {}", self.describe()))),
        }
    }

    /// The layers inside, by name, in the order they run.
    fn children(&self) -> Vec<(String, Rc<dyn Layer>)> {
        Vec::new()
    }

    /// The layers that run one after the other, where that is all this one does.
    fn chain(&self) -> Option<Vec<(String, Rc<dyn Layer>)>> {
        None
    }

    /// The layer's own tensors.
    fn own(&self) -> Vec<Own<'_>> {
        Vec::new()
    }

    /// As PyTorch prints it: `Conv2d(3, 8, kernel_size=(3, 3), stride=(1, 1))`.
    fn describe(&self) -> String;

    /// The expression that builds the layer, weights apart: `nn::conv2d(3, 8, 3)`. `None` where code of a script is
    /// part of it.
    fn recipe(&self) -> Option<String> {
        None
    }

    /// For a layer `W x + b`: what it gives with other weights.
    fn affine(&self, _x: &Tensor, _weight: &Tensor, _bias: Option<&Tensor>) -> Option<Result<Tensor>> {
        None
    }

    /// For a layer that, in evaluation mode, multiplies every channel and adds to it: by what, and what, both [C].
    fn scale_and_shift(&self) -> Option<Result<[Tensor; 2]>> {
        None
    }

    /// For a convolution: the channels of the picture it takes.
    fn in_channels(&self) -> Option<i64> {
        None
    }

    /// The layers inside cannot be reached: a program made elsewhere.
    fn sealed(&self) -> bool {
        false
    }

    /// The type alone: `Conv2d`.
    fn kind(&self) -> String {
        self.describe().split('(').next().unwrap_or_default().to_string()
    }
}

/// A size in two directions: an integer, or a list `[height, width]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pair(pub [i64; 2]);

impl Pair {
    /// As PyTorch prints it: `(3, 3)`.
    fn show(&self) -> String {
        format!("({}, {})", self.0[0], self.0[1])
    }

    /// The sizes, each at least `least`.
    fn at_least(self, least: i64, what: &str) -> Result<[i64; 2]> {
        match self.0.iter().all(|v| *v >= least) {
            true => Ok(self.0),
            false => Err(Error::new(format!("`{what}` must be at least {least}, got {}", self.show()))),
        }
    }
}

impl FromValue for Pair {
    const TYPE: &'static str = "integer or [height, width]";
    fn from_value(v: &Value) -> Result<Self> {
        match i64::from_value(v) {
            Ok(n) => Ok(Pair([n, n])),
            Err(_) => <[i64; 2]>::from_value(v).map(Pair).or_else(|_| mismatch(<Self as FromValue>::TYPE, v)),
        }
    }
}

/// A count of channels or features: an integer of at least 1.
pub struct Count(pub i64);

impl FromValue for Count {
    const TYPE: &'static str = "positive integer";
    fn from_value(v: &Value) -> Result<Self> {
        match i64::from_value(v) {
            Ok(n) if n > 0 => Ok(Count(n)),
            _ => mismatch(<Self as FromValue>::TYPE, v),
        }
    }
}

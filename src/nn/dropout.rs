//! Dropout of single values and of whole channels.

use super::recipe::Recipe;
use super::{Ctx, Layer, Net};
use crate::core::{Error, Result};
use std::rc::Rc;
use tch::Tensor;

struct Dropout {
    p: f64,
    channels: bool,
}

impl Dropout {
    fn make(p: f64, channels: bool) -> Result<Rc<dyn Layer>> {
        if !(0.0..=1.0).contains(&p) {
            return Err(Error::new(format!("`p` is a probability from 0 to 1, got {p}")));
        }
        Ok(Rc::new(Dropout { p, channels }))
    }
}

impl Layer for Dropout {
    fn forward(&self, x: &Tensor, cx: &Ctx) -> Result<Tensor> {
        match self.channels {
            true => Ok(x.f_feature_dropout(self.p, cx.train())?),
            false => Ok(x.f_dropout(self.p, cx.train())?),
        }
    }

    fn recipe(&self) -> Option<String> {
        Recipe::new(if self.channels { "dropout2d" } else { "dropout" }).arg(self.p).done()
    }

    fn describe(&self) -> String {
        format!("{}(p={})", if self.channels { "Dropout2d" } else { "Dropout" }, self.p)
    }
}

/// Sets each value to zero with probability `p` while training.
///
/// # Errors
/// `p` outside of [0, 1].
pub fn dropout(p: f64) -> Result<Rc<dyn Layer>> {
    Dropout::make(p, false)
}

functions! {
    in "nn";
    /// Sets each value to zero with probability `p` while training.
    /// ```rhai
    /// nn::dropout(0.5).forward(tensor::ones([2])) // => tensor([1., 1.])
    /// ```
    fn dropout(p: Option<f64>) -> Net {
        Net::of(dropout(p.unwrap_or(0.5))?)
    }

    /// Sets whole channels of [N, C, H, W] to zero with probability `p` while training.
    /// ```rhai
    /// nn::dropout2d(0.2).forward(tensor::ones([1, 2, 1, 1])).sum() // => tensor(2.)
    /// ```
    fn dropout2d(p: Option<f64>) -> Net {
        Net::of(Dropout::make(p.unwrap_or(0.5), true)?)
    }
}

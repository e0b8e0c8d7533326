//! Layers that only change the shape.

use super::recipe::Recipe;
use super::{Ctx, Layer, Net};
use crate::core::Result;
use std::rc::Rc;
use tch::Tensor;

struct Identity;

impl Layer for Identity {
    fn forward(&self, x: &Tensor, _: &Ctx) -> Result<Tensor> {
        Ok(x.shallow_clone())
    }
    fn recipe(&self) -> Option<String> {
        Recipe::new("identity").done()
    }

    fn describe(&self) -> String {
        "Identity()".to_string()
    }
}

struct Flatten {
    start: i64,
    end: i64,
}

impl Layer for Flatten {
    fn forward(&self, x: &Tensor, _: &Ctx) -> Result<Tensor> {
        Ok(x.f_flatten(self.start, self.end)?)
    }
    fn recipe(&self) -> Option<String> {
        Recipe::new("flatten").arg(self.start).arg(self.end).done()
    }

    fn describe(&self) -> String {
        format!("Flatten(start_dim={}, end_dim={})", self.start, self.end)
    }
}

/// A layer that gives back what it gets: a name for a place in a network.
pub fn identity() -> Rc<dyn Layer> {
    Rc::new(Identity)
}

/// Everything behind the pictures of a batch as one row.
pub fn flatten() -> Rc<dyn Layer> {
    Rc::new(Flatten { start: 1, end: -1 })
}

struct Unflatten {
    shape: Vec<i64>,
}

impl Layer for Unflatten {
    fn forward(&self, x: &Tensor, _: &Ctx) -> Result<Tensor> {
        Ok(x.f_unflatten(1, &self.shape)?)
    }
    fn recipe(&self) -> Option<String> {
        Recipe::new("unflatten").arg(self.shape.clone()).done()
    }

    fn describe(&self) -> String {
        format!("Unflatten(dim=1, unflattened_size={:?})", self.shape)
    }
}

functions! {
    in "nn";
    /// A layer that gives back what it gets.
    /// ```rhai
    /// nn::identity().forward(tensor::ones([2])) // => tensor([1., 1.])
    /// ```
    fn identity() -> Net {
        Net::new(Identity)
    }

    /// Joins the axes from `start_dim` (1 if left out) to `end_dim` (the last).
    /// ```rhai
    /// nn::flatten().forward(tensor::zeros([2, 3, 4, 5])).shape // => [2, 60]
    /// ```
    fn flatten(start_dim: Option<i64>, end_dim: Option<i64>) -> Net {
        Net::new(Flatten { start: start_dim.unwrap_or(1), end: end_dim.unwrap_or(-1) })
    }

    /// Splits axis 1 into the axes `shape`: the way back from `nn::flatten`.
    /// ```rhai
    /// nn::unflatten([3, 4, 5]).forward(tensor::zeros([2, 60])).shape // => [2, 3, 4, 5]
    /// ```
    fn unflatten(shape: Vec<i64>) -> Net {
        Net::new(Unflatten { shape })
    }
}

//! Initialisation, with PyTorch's formulas in PyTorch's order of draws: one seed gives PyTorch's weights.
//! Everything is drawn on the CPU, so that a network starts equal on every device.

use crate::core::{Result, device};
use tch::{Device, Kind, Tensor};

/// A start value of a tensor.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Draw {
    /// Normally distributed around 0 with this standard deviation.
    Normal(f64),
    /// Evenly distributed within ± this.
    Uniform(f64),
    /// This number.
    Constant(f64),
}

impl Draw {
    /// A new tensor on the CPU.
    fn draw(self, shape: &[i64]) -> Result<Tensor> {
        let mut t = Tensor::f_empty(shape, (Kind::Float, Device::Cpu))?;
        Ok(match self {
            // Nothing to draw where there are no data.
            _ if device::is_meta() => t,
            Draw::Normal(std) => t.f_normal_(0.0, std)?,
            Draw::Uniform(bound) => t.f_uniform_(-bound, bound)?,
            Draw::Constant(v) => t.f_fill_(v)?,
        })
    }

    /// Starts a parameter anew.
    ///
    /// # Errors
    /// libtorch's.
    pub fn into(self, t: &Tensor) -> Result<()> {
        if !device::is_meta() {
            let _no_grad = tch::no_grad_guard();
            t.shallow_clone().f_copy_(&self.draw(&t.size())?)?;
        }
        Ok(())
    }
}

/// `kaiming_normal_(mode="fan_out")` for layers before a ReLU (He et al. 2015, eq. 14).
pub fn he_fan_out(shape: &[i64]) -> Draw {
    let fan = shape.iter().take(1).chain(shape.iter().skip(2)).product::<i64>().max(1);
    Draw::Normal(2f64.sqrt() / (fan as f64).sqrt())
}

/// `kaiming_uniform_()` for layers before a ReLU (He et al. 2015, eq. 10).
pub fn he_uniform(shape: &[i64]) -> Draw {
    // In PyTorch's order of operations: the last bit counts.
    Draw::Uniform(3f64.sqrt() * (2f64.sqrt() / (fan_in(shape) as f64).sqrt()))
}

/// Fan-in of a weight `[out, in, k, k]` or `[out, in]`.
pub fn fan_in(shape: &[i64]) -> i64 {
    shape.iter().skip(1).product::<i64>().max(1)
}

/// Makes `t` a parameter on the current device.
pub fn parameter(t: &Tensor) -> Result<Tensor> {
    Ok(device::place(t)?.f_detach()?.f_set_requires_grad(true)?)
}

/// Makes `t` a buffer on the current device.
pub fn buffer(t: &Tensor) -> Result<Tensor> {
    device::place(t)
}

fn uniform(shape: &[i64], bound: f64) -> Result<Tensor> {
    parameter(&Draw::Uniform(bound).draw(shape)?)
}

/// PyTorch's start of a convolution's or linear layer's weight: `kaiming_uniform_(a=√5)`.
pub fn weight(shape: &[i64]) -> Result<Tensor> {
    let gain = (2.0 / (1.0 + 5f64.sqrt().powi(2))).sqrt();
    let std = gain / (fan_in(shape) as f64).sqrt();
    uniform(shape, 3f64.sqrt() * std)
}

/// PyTorch's start of the bias beside a weight of this fan-in.
pub fn bias(len: i64, fan_in: i64) -> Result<Tensor> {
    uniform(&[len], 1.0 / (fan_in as f64).sqrt())
}

/// A parameter filled with `value`.
pub fn constant(shape: &[i64], value: f64) -> Result<Tensor> {
    parameter(&Draw::Constant(value).draw(shape)?)
}

/// A parameter drawn from the standard normal distribution.
pub fn normal(shape: &[i64]) -> Result<Tensor> {
    parameter(&Draw::Normal(1.0).draw(shape)?)
}

//! Initialisation, with PyTorch's formulas in PyTorch's order of draws: one seed gives PyTorch's weights.
//! Everything is drawn on the CPU, so that a network starts equal on every device.

use crate::core::{Result, device};
use tch::{Device, Kind, Tensor};

/// Fan-in of a weight `[out, in, k, k]` or `[out, in]`.
pub fn fan_in(shape: &[i64]) -> i64 {
    shape.iter().skip(1).product::<i64>().max(1)
}

/// Makes `t` a parameter on the current device.
pub fn parameter(t: &Tensor) -> Result<Tensor> {
    Ok(device::place(&t)?.f_detach()?.f_set_requires_grad(true)?)
}

/// Makes `t` a buffer on the current device.
pub fn buffer(t: &Tensor) -> Result<Tensor> {
    device::place(&t)
}

fn uniform(shape: &[i64], bound: f64) -> Result<Tensor> {
    parameter(&Tensor::f_empty(shape, (Kind::Float, Device::Cpu))?.f_uniform_(-bound, bound)?)
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
    parameter(&Tensor::f_full(shape, value, (Kind::Float, Device::Cpu))?)
}

/// A parameter drawn from the standard normal distribution.
pub fn normal(shape: &[i64]) -> Result<Tensor> {
    parameter(&Tensor::f_empty(shape, (Kind::Float, Device::Cpu))?.f_normal_(0.0, 1.0)?)
}

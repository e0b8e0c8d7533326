//! Initialisation, with PyTorch's formulas in PyTorch's order of draws: one seed gives PyTorch's weights.
//! Everything is drawn on the CPU, so that a network starts equal on every device.

use crate::core::{Error, Result, device};
use std::cell::Cell;
use tch::{Device, Kind, Tensor};

thread_local!(static ROOM: Cell<Option<i64>> = const { Cell::new(None) });

/// Runs `body`, in which networks start with zeros and draw no random numbers: what they hold is read afterwards. No
/// more than `room` numbers may be asked for, so that a damaged or hostile description takes no memory.
pub fn blank<T>(room: i64, body: impl FnOnce() -> T) -> T {
    struct Back(Option<i64>);
    impl Drop for Back {
        fn drop(&mut self) {
            ROOM.set(self.0);
        }
    }
    let _back = Back(ROOM.replace(Some(room)));
    body()
}

/// True within [`blank`], which has room for `shape`.
fn is_blank(shape: &[i64]) -> Result<bool> {
    let Some(room) = ROOM.get() else { return Ok(false) };
    let wanted = shape.iter().try_fold(1i64, |n, s| n.checked_mul(*s));
    let left = wanted.and_then(|n| room.checked_sub(n)).filter(|left| *left >= 0);
    let left = left.ok_or_else(|| Error::new("the network described is larger than its file"))?;
    ROOM.set(Some(left));
    Ok(true)
}

fn zeros(shape: &[i64]) -> Result<Tensor> {
    parameter(&Tensor::f_zeros(shape, (Kind::Float, Device::Cpu))?)
}

/// Fan-in of a weight `[out, in, k, k]` or `[out, in]`.
pub fn fan_in(shape: &[i64]) -> i64 {
    shape.iter().skip(1).product::<i64>().max(1)
}

/// Makes `t` a parameter on the current device.
pub fn parameter(t: &Tensor) -> Result<Tensor> {
    Ok(device::place(t)?.f_detach()?.f_set_requires_grad(true)?)
}

/// A buffer filled with `value` on the current device.
pub fn buffer(shape: &[i64], value: f64, kind: Kind) -> Result<Tensor> {
    is_blank(shape)?;
    device::place(&Tensor::f_full(shape, value, (kind, Device::Cpu))?)
}

fn uniform(shape: &[i64], bound: f64) -> Result<Tensor> {
    if is_blank(shape)? {
        return zeros(shape);
    }
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
    is_blank(shape)?;
    parameter(&Tensor::f_full(shape, value, (Kind::Float, Device::Cpu))?)
}

/// A parameter drawn from the standard normal distribution.
pub fn normal(shape: &[i64]) -> Result<Tensor> {
    if is_blank(shape)? {
        return zeros(shape);
    }
    parameter(&Tensor::f_empty(shape, (Kind::Float, Device::Cpu))?.f_normal_(0.0, 1.0)?)
}

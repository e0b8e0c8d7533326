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

/// True within [`blank`].
pub fn is_blank() -> bool {
    ROOM.get().is_some()
}

/// Takes the room that `shape` needs within [`blank`].
fn take_room(shape: &[i64]) -> Result<()> {
    let Some(room) = ROOM.get() else { return Ok(()) };
    let wanted = shape.iter().try_fold(1i64, |n, s| n.checked_mul(*s));
    let left = wanted.and_then(|n| room.checked_sub(n)).filter(|left| *left >= 0);
    let left = left.ok_or_else(|| Error::new("the network described is larger than its file"))?;
    ROOM.set(Some(left));
    Ok(())
}

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
    fn draw(self, shape: &[i64], kind: Kind) -> Result<Tensor> {
        take_room(shape)?;
        let mut t = Tensor::f_empty(shape, (kind, Device::Cpu))?;
        Ok(match self {
            // Nothing to draw where there are no data.
            _ if device::is_meta() => t,
            Draw::Constant(v) => t.f_fill_(v)?,
            _ if is_blank() => t.f_zero_()?,
            Draw::Normal(std) => t.f_normal_(0.0, std)?,
            Draw::Uniform(bound) => t.f_uniform_(-bound, bound)?,
        })
    }

    /// Starts a parameter anew.
    ///
    /// # Errors
    /// libtorch's.
    pub fn into(self, t: &Tensor) -> Result<()> {
        if !(device::is_meta() || is_blank()) {
            let _no_grad = tch::no_grad_guard();
            t.shallow_clone().f_copy_(&self.draw(&t.size(), t.f_kind()?)?)?;
        }
        Ok(())
    }

    /// A parameter on the current device.
    fn parameter(self, shape: &[i64]) -> Result<Tensor> {
        parameter(&self.draw(shape, Kind::Float)?)
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

/// A buffer filled with `value` on the current device.
pub fn buffer(shape: &[i64], value: f64, kind: Kind) -> Result<Tensor> {
    device::place(&Draw::Constant(value).draw(shape, kind)?)
}

/// PyTorch's start of a convolution's or linear layer's weight: `kaiming_uniform_(a=√5)`.
pub fn weight(shape: &[i64]) -> Result<Tensor> {
    let gain = (2.0 / (1.0 + 5f64.sqrt().powi(2))).sqrt();
    let std = gain / (fan_in(shape) as f64).sqrt();
    Draw::Uniform(3f64.sqrt() * std).parameter(shape)
}

/// PyTorch's start of the bias beside a weight of this fan-in.
pub fn bias(len: i64, fan_in: i64) -> Result<Tensor> {
    Draw::Uniform(1.0 / (fan_in as f64).sqrt()).parameter(&[len])
}

/// A parameter filled with `value`.
pub fn constant(shape: &[i64], value: f64) -> Result<Tensor> {
    Draw::Constant(value).parameter(shape)
}

/// A parameter drawn from the standard normal distribution.
pub fn normal(shape: &[i64]) -> Result<Tensor> {
    Draw::Normal(1.0).parameter(shape)
}

//! What SmoothGrad, SmoothGrad² and VarGrad share: gradients of noisy copies of the pictures.

use super::{Look, input_gradient};
use crate::core::Result;
use crate::explain::noise::Noise;
use tch::Tensor;

options! {
    /// Options of the smoothed gradients.
    pub struct SmoothOptions {
        /// Noisy copies of every picture.
        samples: i64 = 25,
        /// The noise's standard deviation, as a share of each picture's range (its maximum less its minimum).
        std: f64 = 0.15,
        /// Noise of your own, added as it is, which broadcasts to [samples, N, C, H, W], in place of the run's seed.
        noise: Option<Tensor> = None,
    }
}

/// Mean and variance (over the samples, not the population's estimate) of the gradients of noisy pictures.
///
/// # Errors
/// A target or noise that does not fit.
pub fn moments(look: &Look, o: &SmoothOptions) -> Result<[Tensor; 2]> {
    let noise = Noise::new("smooth_grad", o.samples, 1.0, o.noise.as_ref())?;
    let (_, target) = look.settled()?;
    let x = &look.x;
    let spread = match noise.is_given() {
        true => None,
        false => Some(x.f_amax([1, 2, 3], true)?.f_sub(&x.f_amin([1, 2, 3], true)?)?.f_mul_scalar(o.std)?),
    };
    let (mut mean, mut squares) = (x.f_zeros_like()?, x.f_zeros_like()?);
    for s in 0..noise.samples {
        let drawn = noise.like(s, x)?;
        let drawn = spread.as_ref().map_or_else(|| Ok(drawn.shallow_clone()), |by| drawn.f_mul(by))?;
        let grad = input_gradient(look.net, &x.f_add(&drawn)?, &target, &[])?;
        // Welford: no difference of two large sums.
        let off = grad.f_sub(&mean)?;
        mean = mean.f_add(&off.f_div_scalar(s + 1)?)?;
        squares = squares.f_add(&off.f_mul(&grad.f_sub(&mean)?)?)?;
    }
    Ok([mean, squares.f_div_scalar(noise.samples)?])
}

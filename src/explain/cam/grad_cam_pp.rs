//! Grad-CAM++ (Chattopadhay et al., WACV 2018, https://arxiv.org/abs/1710.11063).

use super::{Rule, sum_hw};
use crate::core::Result;
use tch::Tensor;

cam! {
    /// Grad-CAM++: channels weighted by a weighted sum of the positive gradient.
    ///
    /// `α = G² / (2 G² + Σ_hw A · G³)` (eq. 19) where `G = ∂s/∂A` is not 0, `w = Σ_hw α · ReLU(G)` (eq. 7), map
    /// `ReLU(Σ_c w_c · A_c)`. The powers of G stand for higher derivatives, which is exact for `exp(s)`.
    /// ```rhai
    /// let net = nn::sequential([["conv", nn::conv2d(1, 4, 3)], ["act", nn::relu()], ["gap", nn::adaptive_avg_pool2d(1)],
    ///                           ["flat", nn::flatten()], ["fc", nn::linear(4, 3)]]);
    /// cam::grad_cam_pp(net, "act", tensor::ones([2, 1, 8, 8]), 1).shape // => [2, 8, 8]
    /// ```
    grad_cam_pp, (), |_o| Rule::Weights(&|act, grad| {
        let alpha = alpha(act, &grad.f_pow_tensor_scalar(2)?, &grad.f_pow_tensor_scalar(3)?, 1e-6)?;
        sum_hw(&alpha.f_mul(&grad.f_relu()?)?) // where G is 0 so is the product: the condition needs no line
    })
}

/// Eq. 19 of second and third derivatives.
pub(super) fn alpha(act: &Tensor, second: &Tensor, third: &Tensor, eps: f64) -> Result<Tensor> {
    let below = second.f_mul_scalar(2)?.f_add(&sum_hw(act)?.f_mul(third)?)?.f_add_scalar(eps)?;
    Ok(second.f_div(&below)?)
}

//! ShapleyCAM (Cai 2025, https://arxiv.org/abs/2501.06261).

use super::{Rule, mean_hw};
use crate::explain::probe::curvature;

cam! {
    /// ShapleyCAM: Grad-CAM with the gradient corrected by the network's curvature.
    ///
    /// `w = mean_hw (G − ½ H·A)`, G the gradient, H the Hessian at the layer, A its activation: the mean gradient on the
    /// way from nothing to A, to second order. Where the network behind the layer is piecewise linear it is
    /// Grad-CAM; the paper's target is `target::rest(k)`.
    /// ```rhai
    /// let net = nn::sequential([["conv", nn::conv2d(1, 4, 3)], ["act", nn::relu()], ["gap", nn::adaptive_avg_pool2d(1)],
    ///                           ["flat", nn::flatten()], ["fc", nn::linear(4, 3)]]);
    /// cam::shapley_cam(net, "act", tensor::ones([2, 1, 8, 8]), target::rest(1)).shape // => [2, 8, 8]
    /// ```
    shapley_cam, (), |_o| Rule::Looks(&|look| {
        let (grad, product) = curvature(look.net, look.layer, look.x, look.target)?;
        mean_hw(&match product {
            Some(p) => grad.f_sub(&p.f_mul_scalar(0.5)?)?,
            None => grad,
        })
    })
}

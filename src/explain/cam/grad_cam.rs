//! Grad-CAM (Selvaraju et al., ICCV 2017, https://arxiv.org/abs/1610.02391).

use super::{Rule, mean_hw};

cam! {
    /// Grad-CAM: channels weighted by the mean of the target's gradient.
    ///
    /// `w = mean_hw ∂s/∂A` (eq. 1), map `ReLU(Σ_c w_c · A_c)` (eq. 2). Several layers give the mean of their maps.
    /// ```rhai
    /// let net = nn::sequential([["conv", nn::conv2d(1, 4, 3)], ["act", nn::relu()], ["gap", nn::adaptive_avg_pool2d(1)],
    ///                           ["flat", nn::flatten()], ["fc", nn::linear(4, 3)]]);
    /// cam::grad_cam(net, "act", tensor::ones([2, 1, 8, 8]), 1).shape // => [2, 8, 8]
    /// ```
    grad_cam, (), |_o| Rule::Weights(&|_, grad| mean_hw(grad))
}

//! XGrad-CAM (Fu et al., BMVC 2020, https://arxiv.org/abs/2008.02312).

use super::{Rule, sum_hw};

cam! {
    /// XGrad-CAM: channels weighted by their mean gradient where they are active.
    ///
    /// `w_c = Σ_hw ∂s/∂A_c · A_c / Σ_hw A_c`, map `ReLU(Σ_c w_c · A_c)`: the weights under which the map keeps
    /// the score's changes best. For activations without sign; where a channel sums to nearly 0 its weight explodes.
    /// ```rhai
    /// let net = nn::sequential([["conv", nn::conv2d(1, 4, 3)], ["act", nn::relu()], ["gap", nn::adaptive_avg_pool2d(1)],
    ///                           ["flat", nn::flatten()], ["fc", nn::linear(4, 3)]]);
    /// cam::xgrad_cam(net, "act", tensor::ones([2, 1, 8, 8]), 1).shape // => [2, 8, 8]
    /// ```
    xgrad_cam, (), |_o| Rule::Weights(&|act, grad| {
        Ok(sum_hw(&act.f_mul(grad)?)?.f_div(&sum_hw(act)?.f_add_scalar(1e-7)?)?)
    })
}

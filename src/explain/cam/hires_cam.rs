//! HiResCAM (Draelos and Carin 2020, https://arxiv.org/abs/2011.08891).

use super::Rule;

cam! {
    /// HiResCAM: activations weighted by the gradient element by element.
    ///
    /// Map `ReLU(Σ_c ∂s/∂A_c · A_c)` (eq. 3): where Grad-CAM averages the gradient over the channel first, and so may
    /// show places that the network did not use, this shows each place's own share of the score.
    /// ```rhai
    /// let net = nn::sequential([["conv", nn::conv2d(1, 4, 3)], ["act", nn::relu()], ["gap", nn::adaptive_avg_pool2d(1)],
    ///                           ["flat", nn::flatten()], ["fc", nn::linear(4, 3)]]);
    /// cam::hires_cam(net, "act", tensor::ones([2, 1, 8, 8]), 1).shape // => [2, 8, 8]
    /// ```
    hires_cam, (), |_o| Rule::Shares(&|act, grad| Ok(act.f_mul(grad)?))
}

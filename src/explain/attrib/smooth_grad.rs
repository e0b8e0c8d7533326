//! SmoothGrad (Smilkov et al. 2017, https://arxiv.org/abs/1706.03825).

use super::smooth::{SmoothOptions, moments};

attrib! {
    /// SmoothGrad: the mean gradient of noisy copies of the picture.
    ///
    /// `1/n Σ ∂s/∂x (x + N(0, σ²))` (section 2), signed, [N, C, H, W]; σ is `std` times the picture's range.
    /// ```rhai
    /// let net = nn::sequential([["conv", nn::conv2d(1, 4, 3)], ["act", nn::relu()], ["gap", nn::adaptive_avg_pool2d(1)],
    ///                           ["flat", nn::flatten()], ["fc", nn::linear(4, 3)]]);
    /// attrib::smooth_grad(net, tensor::rand([2, 1, 8, 8]), 1, #{samples: 3}).shape // => [2, 1, 8, 8]
    /// ```
    smooth_grad, SmoothOptions, |look, o| { let [mean, _] = moments(&look, &o)?; mean }
}

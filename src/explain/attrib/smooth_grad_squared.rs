//! SmoothGrad² (Hooker et al. 2019, https://arxiv.org/abs/1806.10758).

use super::smooth::{SmoothOptions, moments};

attrib! {
    /// SmoothGrad²: the mean squared gradient of noisy copies of the picture.
    ///
    /// `1/n Σ (∂s/∂x (x + N(0, σ²)))²` (section 4), [N, C, H, W]; σ is `std` times the picture's range.
    /// ```rhai
    /// let net = nn::sequential([["conv", nn::conv2d(1, 4, 3)], ["act", nn::relu()], ["gap", nn::adaptive_avg_pool2d(1)],
    ///                           ["flat", nn::flatten()], ["fc", nn::linear(4, 3)]]);
    /// attrib::smooth_grad_squared(net, tensor::rand([2, 1, 8, 8]), 1, #{samples: 3}).min() >= 0 // => tensor(True)
    /// ```
    smooth_grad_squared, SmoothOptions, |look, o| {
        let [mean, variance] = moments(&look, &o)?;
        variance.f_add(&mean.f_square()?)?
    }
}

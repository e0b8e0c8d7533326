//! VarGrad (Adebayo et al. 2018, https://arxiv.org/abs/1810.03307).

use super::smooth::{SmoothOptions, moments};

attrib! {
    /// VarGrad: the variance of the gradient over noisy copies of the picture.
    ///
    /// `Var ∂s/∂x (x + N(0, σ²))` (section 2), [N, C, H, W], divided by the number of samples; σ is `std` times the
    /// picture's range.
    /// ```rhai
    /// let net = nn::sequential([["conv", nn::conv2d(1, 4, 3)], ["act", nn::relu()], ["gap", nn::adaptive_avg_pool2d(1)],
    ///                           ["flat", nn::flatten()], ["fc", nn::linear(4, 3)]]);
    /// attrib::var_grad(net, tensor::rand([2, 1, 8, 8]), 1, #{samples: 3}).min() >= 0 // => tensor(True)
    /// ```
    var_grad, SmoothOptions, |look, o| { let [_, variance] = moments(&look, &o)?; variance }
}

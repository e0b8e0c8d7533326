//! LayerCAM (Jiang et al., IEEE TIP 2021, https://ieeexplore.ieee.org/document/9462463).

use super::Rule;

cam! {
    /// LayerCAM: activations weighted by the positive gradient element by element.
    ///
    /// Map `ReLU(Σ_c ReLU(∂s/∂A_c) · A_c)`. Sharp also in early layers, where Grad-CAM is diffuse.
    /// ```rhai
    /// let net = nn::sequential([["conv", nn::conv2d(1, 4, 3)], ["act", nn::relu()], ["gap", nn::adaptive_avg_pool2d(1)],
    ///                           ["flat", nn::flatten()], ["fc", nn::linear(4, 3)]]);
    /// cam::layer_cam(net, "act", tensor::ones([2, 1, 8, 8]), 1).shape // => [2, 8, 8]
    /// ```
    layer_cam, (), |_o| Rule::Shares(&|act, grad| Ok(grad.f_relu()?.f_mul(act)?))
}

//! Grad-CAM element by element, as pytorch-grad-cam has it (its authors name no paper).

use super::Rule;

cam! {
    /// HiResCAM of what speaks for the target alone.
    ///
    /// Map `Σ_c ReLU(∂s/∂A_c · A_c)`: each channel's share at each place is rectified before the sum, so that
    /// channels which speak against the target take nothing away.
    /// ```rhai
    /// let net = nn::sequential([["conv", nn::conv2d(1, 4, 3)], ["act", nn::relu()], ["gap", nn::adaptive_avg_pool2d(1)],
    ///                           ["flat", nn::flatten()], ["fc", nn::linear(4, 3)]]);
    /// cam::grad_cam_elementwise(net, "act", tensor::ones([2, 1, 8, 8]), 1).shape // => [2, 8, 8]
    /// ```
    grad_cam_elementwise, (), |_o| Rule::Shares(&|act, grad| Ok(act.f_mul(grad)?.f_relu()?))
}

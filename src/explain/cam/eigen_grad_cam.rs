//! Eigen-CAM of activation times gradient, as pytorch-grad-cam has it.

use super::{Rule, first_component};

cam! {
    /// Eigen-Grad-CAM: the first principal component of activation times gradient.
    ///
    /// Eigen-CAM (https://arxiv.org/abs/2008.00299) of `∂s/∂A · A`, and so of one target. The sign is the one with which the
    /// map grows with the sum over the channels, which is HiResCAM's map.
    /// ```rhai
    /// let net = nn::sequential([["conv", nn::conv2d(1, 4, 3)], ["act", nn::relu()], ["gap", nn::adaptive_avg_pool2d(1)],
    ///                           ["flat", nn::flatten()], ["fc", nn::linear(4, 3)]]);
    /// cam::eigen_grad_cam(net, "act", tensor::ones([2, 1, 8, 8]), 1).shape // => [2, 8, 8]
    /// ```
    eigen_grad_cam, (), |_o| Rule::Map(&|act, grad| first_component(&act.f_mul(grad)?))
}

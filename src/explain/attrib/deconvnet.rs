//! The deconvolutional network (Zeiler and Fergus 2014, https://arxiv.org/abs/1311.2901).

attrib! {
    /// Deconvnet: a ReLU in the backward pass in place of the ReLU's gradient.
    ///
    /// The gradient at the input [N, C, H, W], where every ReLU layer passes back `g · (g > 0)` (section 2.1), whether
    /// or not its input was positive.
    /// ```rhai
    /// let net = nn::sequential([["conv", nn::conv2d(1, 4, 3)], ["act", nn::relu()], ["gap", nn::adaptive_avg_pool2d(1)],
    ///                           ["flat", nn::flatten()], ["fc", nn::linear(4, 3)]]);
    /// attrib::deconvnet(net, tensor::ones([2, 1, 8, 8]), 1).shape // => [2, 1, 8, 8]
    /// ```
    deconvnet, (), |look, _o| look.gradient_with(|g, _| Ok(g.f_relu()?))?
}

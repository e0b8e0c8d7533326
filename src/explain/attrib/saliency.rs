//! Saliency (Simonyan, Vedaldi and Zisserman 2014, https://arxiv.org/abs/1312.6034).

options! {
    /// Options of `attrib::saliency`.
    pub struct SaliencyOptions {
        /// The magnitude alone.
        abs: bool = true,
    }
}

attrib! {
    /// Saliency: the magnitude of the target's gradient at every input number.
    ///
    /// `|∂s/∂x|` (section 3), of the shape of the input [N, C, H, W]; with `abs: false` the gradient itself.
    /// ```rhai
    /// let net = nn::sequential([["conv", nn::conv2d(1, 4, 3)], ["act", nn::relu()], ["gap", nn::adaptive_avg_pool2d(1)],
    ///                           ["flat", nn::flatten()], ["fc", nn::linear(4, 3)]]);
    /// attrib::saliency(net, tensor::ones([2, 1, 8, 8]), 1).shape // => [2, 1, 8, 8]
    /// ```
    saliency, SaliencyOptions, |look, o| match o.abs {
        true => look.gradient()?.f_abs()?,
        false => look.gradient()?,
    }
}

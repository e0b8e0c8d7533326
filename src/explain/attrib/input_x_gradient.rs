//! Input × gradient (Shrikumar et al. 2016, https://arxiv.org/abs/1605.01713).

attrib! {
    /// Input × gradient: what each input number adds, were the network linear.
    ///
    /// `x · ∂s/∂x` (section 3.1), signed, of the shape of the input [N, C, H, W].
    /// ```rhai
    /// let net = nn::sequential([["conv", nn::conv2d(1, 4, 3)], ["act", nn::relu()], ["gap", nn::adaptive_avg_pool2d(1)],
    ///                           ["flat", nn::flatten()], ["fc", nn::linear(4, 3)]]);
    /// let x = tensor::rand([2, 1, 8, 8]);
    /// attrib::input_x_gradient(net, x, 1).equal(attrib::saliency(net, x, 1, #{abs: false}) * x) // => true
    /// ```
    input_x_gradient, (), |look, _o| look.gradient()?.f_mul(&look.x)?
}

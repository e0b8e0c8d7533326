//! Guided backpropagation (Springenberg et al. 2015, https://arxiv.org/abs/1412.6806).

use super::ReluRule;

/// What a ReLU passes back.
pub const RULE: ReluRule = |g, open| Ok(g.f_relu()?.f_mul(open)?);

attrib! {
    /// Guided backpropagation: only what speaks for the target at every ReLU.
    ///
    /// The gradient at the input [N, C, H, W], where every ReLU layer passes back `g · (x > 0) · (g > 0)` (section 3.4);
    /// a ReLU6 nothing where it cuts off, at 6, either.
    /// ```rhai
    /// let net = nn::sequential([["conv", nn::conv2d(1, 4, 3)], ["act", nn::relu()], ["gap", nn::adaptive_avg_pool2d(1)],
    ///                           ["flat", nn::flatten()], ["fc", nn::linear(4, 3)]]);
    /// attrib::guided_backprop(net, tensor::ones([2, 1, 8, 8]), 1).shape // => [2, 1, 8, 8]
    /// attrib::guided_backprop(nn::conv2d(1, 4, 3), tensor::ones([1, 1, 8, 8]), target::area(0, 0, 2, 2)) // error: no ReLU layer took part
    /// ```
    guided_backprop, (), |look, _o| look.gradient_with(RULE)?
}

//! `nn::leaky_relu`.

use crate::core::ffi;

activation! {
    /// `x` where positive, `negative_slope · x` elsewhere.
    ///
    /// Maas et al. 2013.
    /// ```rhai
    /// nn::leaky_relu(0.1).forward(tensor::of([-1.0, 2.0])) // ~> tensor([-0.1000,  2.0000])
    /// ```
    leaky_relu, "LeakyReLU", (negative_slope: f64 = 0.01), |x| ffi::leaky_relu(x, negative_slope)?
}

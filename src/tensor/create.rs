//! Making tensors.

use crate::core::device;
use tch::{Kind, Tensor};

functions! {
    in "tensor";
    /// A tensor of zeros.
    /// ```rhai
    /// tensor::zeros([2, 3]).shape // => [2, 3]
    /// ```
    fn zeros(shape: Vec<i64>) -> Tensor {
        Tensor::f_zeros(shape, (Kind::Float, device::current()))?
    }

    /// A tensor of ones.
    /// ```rhai
    /// tensor::ones([2]).sum() // => 2.0
    /// ```
    fn ones(shape: Vec<i64>) -> Tensor {
        Tensor::f_ones(shape, (Kind::Float, device::current()))?
    }

    get "Tensor";
    /// The size of every axis.
    /// ```rhai
    /// tensor::zeros([2, 3]).shape // => [2, 3]
    /// ```
    fn shape(x: Tensor) -> Vec<i64> {
        x.size()
    }
}

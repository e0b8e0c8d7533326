//! Tensors as text.

use tch::Tensor;

/// The tensor as PyTorch prints it.
pub fn show(t: &Tensor) -> String {
    format!("{t}")
}

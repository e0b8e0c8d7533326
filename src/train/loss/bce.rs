//! `loss::bce`.

use super::{MEAN, Reduction, same_shape};
use crate::core::Error;
use tch::Tensor;

options! {
    /// Options of `loss::bce`.
    pub struct BceOptions {
        /// A weight for each element.
        weight: Option<Tensor> = None,
        /// "mean", "sum" or "none" (one loss an element).
        reduction: Reduction = MEAN => "mean",
    }
}

loss! {
    /// Binary cross-entropy of probabilities in [0, 1].
    /// ```rhai
    /// loss::bce(tensor::of([0.5, 0.9]), tensor::of([0.0, 1.0])) // ~> tensor(0.3993)
    /// ```
    bce, BceOptions, |output, target, o| {
        same_shape(output, target)?;
        output.f_binary_cross_entropy(target, o.weight, o.reduction.0).map_err(|e| {
            Error::from(e).hint("the output must lie in [0, 1]; for logits use loss::bce_with_logits")
        })?
    }
}

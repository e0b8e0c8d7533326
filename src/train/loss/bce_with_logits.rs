//! `loss::bce_with_logits`.

use super::{MEAN, Reduction, same_shape};
use tch::Tensor;

options! {
    /// Options of `loss::bce_with_logits`.
    pub struct BceWithLogitsOptions {
        /// A weight for each element.
        weight: Option<Tensor> = None,
        /// Weight of the positive targets.
        pos_weight: Option<Tensor> = None,
        /// "mean", "sum" or "none" (one loss an element).
        reduction: Reduction = MEAN => "mean",
    }
}

loss! {
    /// Binary cross-entropy of logits, without overflow.
    /// ```rhai
    /// loss::bce_with_logits(tensor::of([0.0, 2.0]), tensor::of([0.0, 1.0])) // ~> tensor(0.4100)
    /// ```
    bce_with_logits, BceWithLogitsOptions, |output, target, o| {
        same_shape(output, target)?;
        output.f_binary_cross_entropy_with_logits(target, o.weight, o.pos_weight, o.reduction.0)?
    }
}

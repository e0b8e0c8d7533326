//! `loss::nll`.

use super::{MEAN, Reduction, check_classes};
use tch::Tensor;

options! {
    /// Options of `loss::nll`.
    pub struct NllOptions {
        /// One weight a class, [C].
        weight: Option<Tensor> = None,
        /// Targets with this value do not count.
        ignore_index: i64 = -100,
        /// "mean", "sum" or "none" (one loss an element).
        reduction: Reduction = MEAN => "mean",
    }
}

loss! {
    /// Negative log-likelihood of log-probabilities [N, C, ..].
    ///
    /// Targets are class numbers [N, ..].
    /// ```rhai
    /// loss::nll(tensor::of([[-0.5, -1.0]]), tensor::of([1])) // => tensor(1.)
    /// ```
    nll, NllOptions, |output, target, o| {
        check_classes(output, target, o.ignore_index, false)?;
        output.f_nll_loss_nd(target, o.weight, o.reduction.0, o.ignore_index)?
    }
}

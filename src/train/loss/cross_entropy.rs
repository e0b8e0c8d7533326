//! `loss::cross_entropy`.

use super::{MEAN, Reduction, check_classes};
use crate::core::{Error, Result};
use tch::{Device, Kind, Tensor};

options! {
    /// Options of `loss::cross_entropy`.
    pub struct CrossEntropyOptions {
        /// One weight a class, [C].
        weight: Option<Tensor> = None,
        /// Targets with this value do not count.
        ignore_index: i64 = -100,
        /// Share of the target spread over all classes (Szegedy et al. 2016).
        label_smoothing: f64 = 0.0,
        /// "mean", "sum" or "none" (one loss an element).
        reduction: Reduction = MEAN => "mean",
    }
}

/// The mean over no target is not a number: better said here than found as a loss that is NaN.
fn some_count(target: &Tensor, o: &CrossEntropyOptions) -> Result<()> {
    let mean = o.reduction == MEAN && target.kind() == Kind::Int64 && target.numel() > 0;
    // Reading would stall a GPU.
    if !mean
        || target.device() != Device::Cpu
        || target.f_ne(o.ignore_index)?.f_any()?.f_int64_value(&[])? != 0
    {
        return Ok(());
    }
    Err(Error::new(format!("no target counts: all {} are {} (ignore_index)", target.numel(), o.ignore_index))
        .hint("for masks: larger batches, or leave such pictures out"))
}

loss! {
    /// Cross-entropy of logits [N, C, ..] and targets.
    ///
    /// Targets are class numbers [N, ..] or probabilities [N, C, ..].
    /// ```rhai
    /// loss::cross_entropy(tensor::of([[2.0, 0.0]]), tensor::of([0])) // ~> tensor(0.1269)
    /// ```
    cross_entropy, CrossEntropyOptions, |output, target, o| {
        check_classes(output, target, o.ignore_index, true)?;
        some_count(target, &o)?;
        output.f_cross_entropy_loss(target, o.weight, o.reduction.0, o.ignore_index, o.label_smoothing)?
    }
}

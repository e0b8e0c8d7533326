//! `loss::cross_entropy`.

use super::{MEAN, Reduction};
use crate::core::{Error, Result};
use tch::{Kind, Tensor};

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
        reduction: Reduction = MEAN,
    }
}

/// libtorch aborts on some bad targets only deep inside a kernel: say it here, with the value.
fn check(output: &Tensor, target: &Tensor, ignore: i64) -> Result<()> {
    if output.dim() == 0 {
        return Err(Error::new("output must be [N, C, ..] or [C], got one number"));
    }
    if target.is_floating_point() {
        return super::same_shape(output, target);
    }
    if target.kind() != Kind::Int64 {
        return Err(Error::new(format!("targets are class numbers (int64) or probabilities, got {:?}", target.kind()))
            .hint("convert with target.long()"));
    }
    // Reading the range would stall a GPU; there the kernel's own assertion speaks.
    if target.numel() > 0 && target.device() == tch::Device::Cpu {
        let classes = output.size()[usize::from(output.dim() > 1)];
        let bad = target.f_lt(0)?.f_logical_or(&target.f_ge(classes)?)?.f_logical_and(&target.f_ne(ignore)?)?;
        if bad.f_any()?.f_int64_value(&[])? != 0 {
            let worst = target.f_masked_select(&bad)?.f_int64_value(&[0])?;
            return Err(Error::new(format!("target {worst} is not a class: the output has classes 0 to {}", classes - 1)));
        }
    }
    Ok(())
}

loss! {
    /// Cross-entropy of logits [N, C, ..] and class numbers [N, ..] or probabilities [N, C, ..].
    /// ```rhai
    /// loss::cross_entropy(tensor::of([[2.0, 0.0]]), tensor::of([0])) // ~> tensor(0.1269)
    /// ```
    cross_entropy, CrossEntropyOptions, |output, target, o| {
        check(output, target, o.ignore_index)?;
        output.f_cross_entropy_loss(target, o.weight, o.reduction.0, o.ignore_index, o.label_smoothing)?
    }
}

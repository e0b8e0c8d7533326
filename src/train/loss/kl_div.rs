//! `loss::kl_div`.

use super::same_shape;
use crate::core::Error;

options! {
    /// Options of `loss::kl_div`.
    pub struct KlDivOptions {
        /// "batchmean" (the divergence), "mean", "sum" or "none".
        reduction: String = "batchmean".to_string(),
        /// The target holds log-probabilities.
        log_target: bool = false,
    }
}

loss! {
    /// Kullback–Leibler divergence of log-probabilities from a target of probabilities.
    ///
    /// Unlike PyTorch's, the default is "batchmean", which is the divergence; PyTorch warns that its own will change.
    /// ```rhai
    /// loss::kl_div(tensor::of([[0.5, 0.5]]).log(), tensor::of([[1.0, 0.0]])) // ~> tensor(0.6931)
    /// ```
    kl_div, KlDivOptions, |output, target, o| {
        same_shape(output, target)?;
        let all = ["batchmean", "mean", "sum", "none"];
        let each = output.f_kl_div(target, tch::Reduction::None, o.log_target)?;
        match o.reduction.as_str() {
            "batchmean" => {
                let n = output.size().first().copied().unwrap_or(1).max(1);
                each.f_sum(each.kind())?.f_div_scalar(n)?
            }
            "mean" => each.f_mean(each.kind())?,
            "sum" => each.f_sum(each.kind())?,
            "none" => each,
            other => return Err(Error::unknown("reduction", other, all)),
        }
    }
}

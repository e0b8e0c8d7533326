//! Share of targets among the k largest outputs.

use super::rows;
use crate::core::Error;
use tch::Tensor;

functions! {
    in "metrics";
    /// The share of rows of [N, C] whose class in [N] is among the `k` largest values.
    ///
    /// `k` is 5 unless given. As sklearn.metrics.top_k_accuracy_score.
    /// ```rhai
    /// metrics::top_k(tensor::of([[0.1, 0.9, 0.5], [0.8, 0.2, 0.4]]), tensor::of([2, 1]), 2) // => 0.5
    /// ```
    fn top_k(output: Tensor, target: Tensor, k: Option<i64>) -> f64 {
        let (n, classes) = rows("top_k", &output, &target)?;
        let k = k.unwrap_or(5);
        if k < 1 || k > classes {
            Err(Error::new(format!("`k` must be between 1 and the number of classes {classes}, got {k}")))?;
        }
        let (_, best) = output.f_topk(k, 1, true, true)?;
        best.f_eq_tensor(&target.f_unsqueeze(1)?)?.f_any_dim(1, false)?.f_sum(tch::Kind::Float)?.f_double_value(&[])? / n as f64
    }
}

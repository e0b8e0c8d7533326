//! Share of right classes.

use crate::core::{Error, Result};
use tch::{Kind, Tensor};

/// How many rows of `output` [N, C] have their largest value at `target` [N]: a tensor of one number, on the
/// output's device.
///
/// # Errors
/// Shapes that do not fit.
pub fn correct(output: &Tensor, target: &Tensor) -> Result<Tensor> {
    let (o, t) = (output.size(), target.size());
    if o.len() != 2 || t != o[..1] || target.kind() != Kind::Int64 {
        return Err(Error::new(format!(
            "accuracy needs an output [N, C] and classes [N], got {o:?} and {t:?}"
        )));
    }
    Ok(output.f_argmax(1, false)?.f_eq_tensor(target)?.f_sum(Kind::Float)?)
}

functions! {
    in "metrics";
    /// The share of rows of [N, C] whose largest value is at the class in [N].
    /// ```rhai
    /// metrics::accuracy(tensor::of([[0.1, 0.9], [0.8, 0.2]]), tensor::of([1, 1])) // => 0.5
    /// ```
    fn accuracy(output: Tensor, target: Tensor) -> f64 {
        let n = target.numel();
        if n == 0 {
            Err(Error::new("accuracy of an empty batch"))?;
        }
        correct(&output, &target)?.f_double_value(&[])? / n as f64
    }
}

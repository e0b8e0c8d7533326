//! `loss::mse`.

use super::{ReductionOnly, same_shape};

loss! {
    /// Mean squared error.
    /// ```rhai
    /// loss::mse(tensor::of([1.0, 3.0]), tensor::of([0.0, 0.0])) // => tensor(5.)
    /// ```
    mse, ReductionOnly, |output, target, o| {
        same_shape(output, target)?;
        output.f_mse_loss(target, o.reduction.0)?
    }
}

//! `loss::l1`.

use super::{ReductionOnly, same_shape};

loss! {
    /// Mean absolute error.
    /// ```rhai
    /// loss::l1(tensor::of([1.0, -3.0]), tensor::of([0.0, 0.0])) // => tensor(2.)
    /// ```
    l1, ReductionOnly, |output, target, o| {
        same_shape(output, target)?;
        output.f_l1_loss(target, o.reduction.0)?
    }
}

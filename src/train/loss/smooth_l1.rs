//! `loss::smooth_l1`.

use super::{MEAN, Reduction, same_shape};

options! {
    /// Options of `loss::smooth_l1`.
    pub struct SmoothL1Options {
        /// Below this difference the loss is quadratic.
        beta: f64 = 1.0,
        /// "mean", "sum" or "none" (one loss an element).
        reduction: Reduction = MEAN => "mean",
    }
}

loss! {
    /// Squared error where small, absolute error where large.
    ///
    /// Girshick 2015, equation 3.
    /// ```rhai
    /// loss::smooth_l1(tensor::of([0.5, 3.0]), tensor::of([0.0, 0.0])) // ~> tensor(1.3125)
    /// ```
    smooth_l1, SmoothL1Options, |output, target, o| {
        same_shape(output, target)?;
        // As PyTorch: with no quadratic part it is the absolute error, whose gradient at 0 is 0.
        match o.beta {
            0.0 => output.f_l1_loss(target, o.reduction.0)?,
            beta => output.f_smooth_l1_loss(target, o.reduction.0, beta)?,
        }
    }
}

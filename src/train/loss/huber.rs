//! `loss::huber`.

use super::{MEAN, Reduction, same_shape};

options! {
    /// Options of `loss::huber`.
    pub struct HuberOptions {
        /// Below this difference the loss is quadratic.
        delta: f64 = 1.0,
        /// "mean", "sum" or "none" (one loss an element).
        reduction: Reduction = MEAN => "mean",
    }
}

loss! {
    /// Huber's loss (Huber 1964): quadratic below `delta`, linear above.
    /// ```rhai
    /// loss::huber(tensor::of([0.5, 3.0]), tensor::of([0.0, 0.0])) // ~> tensor(1.3125)
    /// ```
    huber, HuberOptions, |output, target, o| {
        same_shape(output, target)?;
        output.f_huber_loss(target, o.reduction.0, o.delta)?
    }
}

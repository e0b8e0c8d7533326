//! `loss::poisson_nll`.

use super::{MEAN, Reduction, same_shape};

options! {
    /// Options of `loss::poisson_nll`.
    pub struct PoissonNllOptions {
        /// The output is the logarithm of the rate.
        log_input: bool = true,
        /// Adds Stirling's approximation of `log(target!)` where the target is above 1.
        full: bool = false,
        /// Keeps the logarithm finite where `log_input` is false.
        eps: f64 = 1e-8,
        /// "mean", "sum" or "none" (one loss an element).
        reduction: Reduction = MEAN => "mean",
    }
}

loss! {
    /// Negative log-likelihood of counts under a Poisson distribution.
    ///
    /// `exp(output) - target · output`, or `output - target · log(output + eps)` where `log_input` is false; the
    /// term `log(target!)`, which no parameter changes, only with `full`. As torch's poisson_nll_loss.
    /// ```rhai
    /// loss::poisson_nll(tensor::of([0.0, 1.0]), tensor::of([2.0, 1.0])) // ~> tensor(1.3591)
    /// ```
    poisson_nll, PoissonNllOptions, |output, target, o| {
        same_shape(output, target)?;
        output.f_poisson_nll_loss(target, o.log_input, o.full, o.eps, o.reduction.0)?
    }
}

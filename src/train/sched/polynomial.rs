//! A power of the time left ("poly" of DeepLab), as torch.optim.lr_scheduler.PolynomialLR.

use super::{By, Clock, Rule, positive};
use crate::core::Result;

options! {
    /// Options of `sched::polynomial`.
    pub struct PolynomialOptions {
        /// Epochs until the rate is 0; those of the run if left out.
        total: Option<f64> = None,
        /// Exponent: 1 is a straight line, 0.9 DeepLab's.
        power: f64 = 1.0,
        /// The rate changes after every "step" or "epoch".
        by: By = By::Step => "step",
    }
}

struct Polynomial(PolynomialOptions);

impl Rule for Polynomial {
    fn lr(&self, base: f64, at: &Clock) -> Result<f64> {
        let total = self.0.total.unwrap_or(at.epochs).max(f64::MIN_POSITIVE);
        Ok(base * (1.0 - (at.time(self.0.by) / total).min(1.0)).powf(self.0.power))
    }
}

schedule! {
    /// Lets the learning rate fall to 0 as a power of the time left.
    ///
    /// `lr · (1 − t / total)^power`, t in epochs. With `by: "epoch"` as torch.optim.lr_scheduler.PolynomialLR.
    /// ```rhai
    /// sched::polynomial().rates(1.0, 4) // => tensor([1.0000, 0.7500, 0.5000, 0.2500], dtype=torch.float64)
    /// ```
    polynomial, [], PolynomialOptions, |o| {
        o.total.map_or(Ok(1.0), |t| positive("total", t))?;
        positive("power", o.power)?;
        Polynomial(o)
    }
}

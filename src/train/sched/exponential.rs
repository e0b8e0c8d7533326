//! A constant factor an epoch, as torch.optim.lr_scheduler.ExponentialLR.

use super::{By, Clock, Rule, positive};
use crate::core::Result;

options! {
    /// Options of `sched::exponential`.
    pub struct ExponentialOptions {
        /// The rate changes after every "step" or "epoch".
        by: By = By::Step => "step",
    }
}

struct Exponential {
    gamma: f64,
    by: By,
}

impl Rule for Exponential {
    fn lr(&self, base: f64, at: &Clock) -> Result<f64> {
        Ok(base * self.gamma.powf(at.time(self.by)))
    }
}

schedule! {
    /// Multiplies the learning rate by `gamma` an epoch.
    ///
    /// With `by: "epoch"` as torch.optim.lr_scheduler.ExponentialLR; by step the same curve without jumps.
    /// ```rhai
    /// sched::exponential(0.5).rates(1.0, 3) // => tensor([1.0000, 0.5000, 0.2500], dtype=torch.float64)
    /// ```
    exponential, [gamma: f64], ExponentialOptions, |o| {
        Exponential { gamma: positive("gamma", gamma)?, by: o.by }
    }
}

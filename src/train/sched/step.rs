//! Steps down every so many epochs, as torch.optim.lr_scheduler.StepLR.

use super::{By, Clock, Rule, positive};
use crate::core::Result;

options! {
    /// Options of `sched::step` and `sched::multistep`.
    pub struct StepOptions {
        /// Factor of the learning rate at each step down.
        gamma: f64 = 0.1,
    }
}

struct Step {
    every: f64,
    gamma: f64,
}

impl Rule for Step {
    fn lr(&self, base: f64, at: &Clock) -> Result<f64> {
        Ok(base * self.gamma.powf((at.time(By::Step) / self.every + 1e-9).floor()))
    }
}

schedule! {
    /// Multiplies the learning rate by `gamma` every `step_size` epochs.
    ///
    /// As torch.optim.lr_scheduler.StepLR, stepped after every epoch; `step_size` may be a fraction of one.
    /// ```rhai
    /// sched::step(2, #{gamma: 0.5}).rates(1.0, 4) // => tensor([1.0000, 1.0000, 0.5000, 0.5000], dtype=torch.float64)
    /// ```
    step, [step_size: f64], StepOptions, |o| {
        Step { every: positive("step_size", step_size)?, gamma: positive("gamma", o.gamma)? }
    }
}

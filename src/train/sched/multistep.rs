//! Steps down after chosen epochs, as torch.optim.lr_scheduler.MultiStepLR.

use super::step::StepOptions;
use super::{By, Clock, Rule, positive};
use crate::core::Result;

struct MultiStep {
    milestones: Vec<f64>,
    gamma: f64,
}

impl Rule for MultiStep {
    fn lr(&self, base: f64, at: &Clock) -> Result<f64> {
        let passed = self.milestones.iter().filter(|m| at.time(By::Step) + 1e-9 >= **m).count();
        Ok(base * self.gamma.powi(passed as i32))
    }
}

schedule! {
    /// Multiplies the learning rate by `gamma` after each of the epochs named.
    ///
    /// As torch.optim.lr_scheduler.MultiStepLR, stepped after every epoch.
    /// ```rhai
    /// sched::multistep([1, 3], #{gamma: 0.5}).rates(1.0, 4) // => tensor([1.0000, 0.5000, 0.5000, 0.2500], dtype=torch.float64)
    /// ```
    multistep, [milestones: Vec<f64>], StepOptions, |o| {
        MultiStep { milestones, gamma: positive("gamma", o.gamma)? }
    }
}

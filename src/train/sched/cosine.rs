//! Half a cosine (Loshchilov and Hutter 2017, equation 5), as torch.optim.lr_scheduler.CosineAnnealingLR.

use super::{By, Clock, Rule, positive};
use crate::core::Result;
use std::f64::consts::PI;

options! {
    /// Options of `sched::cosine`.
    pub struct CosineOptions {
        /// Epochs from the highest to the lowest rate; those of the run if left out.
        t_max: Option<f64> = None,
        /// The lowest rate.
        eta_min: f64 = 0.0,
        /// The rate changes after every "step" or "epoch".
        by: By = By::Step => "step",
    }
}

struct Cosine(CosineOptions);

impl Rule for Cosine {
    fn lr(&self, base: f64, at: &Clock) -> Result<f64> {
        let t_max = self.0.t_max.unwrap_or(at.epochs).max(f64::MIN_POSITIVE);
        let share = (1.0 + (PI * at.time(self.0.by) / t_max).cos()) / 2.0;
        Ok(self.0.eta_min + (base - self.0.eta_min) * share)
    }
}

schedule! {
    /// Lets the learning rate fall along half a cosine.
    ///
    /// `eta_min + (lr − eta_min) · (1 + cos(π t / t_max)) / 2` (Loshchilov and Hutter 2017, equation 5), t in
    /// epochs. With `by: "epoch"` as torch.optim.lr_scheduler.CosineAnnealingLR, where t goes on beyond `t_max` too.
    /// ```rhai
    /// sched::cosine().rates(1.0, 4).to_list() // ~> [1.0, 0.85355, 0.5, 0.14645]
    /// ```
    cosine, [], CosineOptions, |o| {
        o.t_max.map_or(Ok(1.0), |t| positive("t_max", t))?;
        Cosine(o)
    }
}

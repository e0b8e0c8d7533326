//! A gentle beginning (Goyal et al. 2017, section 2.2), then another schedule.

use super::{By, Clock, Rule, Schedule, positive};
use crate::core::{Error, Result};

options! {
    /// Options of `sched::warmup`.
    pub struct WarmupOptions {
        /// The schedule that follows; the optimizer's own rate if left out.
        then: Option<Schedule> = None,
        /// The first rate as a share of the optimizer's own.
        start_factor: f64 = 0.01,
        /// The rate changes after every "step" or "epoch".
        by: By = By::Step => "step",
    }
}

struct Warmup(f64, WarmupOptions);

impl Rule for Warmup {
    fn lr(&self, base: f64, at: &Clock) -> Result<f64> {
        let Warmup(epochs, o) = self;
        let (t, steps) = (at.time(o.by), (epochs * at.per_epoch as f64).round());
        let epochs = steps / at.per_epoch.max(1) as f64;
        if t < epochs {
            return Ok(base * (o.start_factor + (1.0 - o.start_factor) * t / epochs));
        }
        let after = Clock { step: at.step - steps as i64, epochs: at.epochs - epochs, ..*at };
        o.then.as_ref().map_or(Ok(base), |s| s.lr(base, &after))
    }
}

schedule! {
    /// Lets the learning rate rise at first, then follows another schedule.
    ///
    /// As torch.optim.lr_scheduler.LinearLR followed by another in a SequentialLR: the other begins at its own
    /// time 0 when the warm-up ends. `epochs` may be a fraction of one.
    /// ```rhai
    /// sched::warmup(2, #{start_factor: 0.5}).rates(1.0, 4) // => tensor([0.5000, 0.7500, 1.0000, 1.0000], dtype=torch.float64)
    /// sched::warmup(1, #{then: sched::cosine()}).rates(1.0, 3).to_list() // ~> [0.01, 1.0, 0.5]
    /// ```
    warmup, [epochs: f64], WarmupOptions, |o| {
        if !(0.0..=1.0).contains(&o.start_factor) {
            return Err(Error::new(format!("`start_factor` must lie in [0, 1], got {}", o.start_factor)));
        }
        Warmup(positive("epochs", epochs)?, o)
    }
}

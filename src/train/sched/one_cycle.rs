//! Up and down once (Smith and Topin 2018), as torch.optim.lr_scheduler.OneCycleLR.

use super::{Clock, Rule, positive};
use crate::core::{Error, Result};
use std::f64::consts::PI;

options! {
    /// Options of `sched::one_cycle`.
    pub struct OneCycleOptions {
        /// The highest rate; the optimizer's own if left out.
        max_lr: Option<f64> = None,
        /// Share of the run in which the rate rises.
        pct_start: f64 = 0.3,
        /// The first rate is the highest divided by this.
        div_factor: f64 = 25.0,
        /// The last rate is the first divided by this.
        final_div_factor: f64 = 1e4,
        /// "cos" or "linear".
        anneal: String = "cos".to_string() => "cos",
        /// Comes down as long as it rose, then falls to the last rate.
        three_phase: bool = false,
    }
}

struct OneCycle(OneCycleOptions);

impl Rule for OneCycle {
    fn lr(&self, base: f64, at: &Clock) -> Result<f64> {
        let o = &self.0;
        let (max, total) = (o.max_lr.unwrap_or(base), at.steps());
        let (first, last) = (max / o.div_factor, max / o.div_factor / o.final_div_factor);
        let up = o.pct_start * total - 1.0;
        let phases: &[(f64, f64, f64)] = match o.three_phase {
            true => {
                &[(up, first, max), (2.0 * o.pct_start * total - 2.0, max, first), (total - 1.0, first, last)]
            }
            false => &[(up, first, max), (total - 1.0, max, last)],
        };
        let (step, mut began) = (at.step as f64, 0.0);
        for (end, from, to) in phases {
            if step <= *end {
                let share = (step - began) / (end - began).max(f64::MIN_POSITIVE);
                return Ok(match o.anneal.as_str() {
                    "linear" => from + (to - from) * share,
                    _ => to + (from - to) / 2.0 * (1.0 + (PI * share).cos()),
                });
            }
            began = *end;
        }
        Ok(last)
    }
}

schedule! {
    /// Lets the learning rate rise to its highest and fall far below the first.
    ///
    /// As torch.optim.lr_scheduler.OneCycleLR (Smith and Topin 2018) without its cycle of the momentum.
    /// ```rhai
    /// sched::one_cycle().rates(1.0, 10).max().item() // => 1.0
    /// ```
    one_cycle, [], OneCycleOptions, |o| {
        o.max_lr.map_or(Ok(1.0), |lr| positive("max_lr", lr))?;
        positive("div_factor", o.div_factor)?;
        positive("final_div_factor", o.final_div_factor)?;
        if !(o.pct_start > 0.0 && o.pct_start < 1.0) || o.three_phase && o.pct_start > 0.5 {
            return Err(Error::new(format!("`pct_start` must lie between 0 and 1 (0.5 in three phases), got {}", o.pct_start)));
        }
        if !["cos", "linear"].contains(&o.anneal.as_str()) {
            return Err(Error::unknown("anneal", &o.anneal, ["cos", "linear"]));
        }
        OneCycle(o)
    }
}

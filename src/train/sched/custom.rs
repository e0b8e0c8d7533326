//! The script's own schedule, as torch.optim.lr_scheduler.LambdaLR.

use super::{By, Clock, Rule};
use crate::core::value::FromValue;
use crate::core::{Closure, Result, Value};

struct Custom(Closure);

impl Rule for Custom {
    fn lr(&self, base: f64, at: &Clock) -> Result<f64> {
        let factor = self.0.call(vec![Value::Float(at.time(By::Step))])?;
        Ok(base * f64::from_value(&factor).map_err(|e| e.within("result of the schedule"))?)
    }
}

schedule! {
    /// Multiplies the learning rate by what a function of the epoch gives.
    ///
    /// `factor: |epoch| …` is asked before every step; `epoch` counts from 0.0 and has fractions within one.
    /// ```rhai
    /// sched::custom(|epoch| 1.0 / (1.0 + epoch)).rates(1.0, 2) // => tensor([1.0000, 0.5000], dtype=torch.float64)
    /// ```
    custom, [factor: Closure], (), |_o| Custom(factor)
}

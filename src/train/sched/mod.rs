//! Learning-rate schedules: one file each. A schedule is a function of where the run is (and, for one, of what was
//! measured so far), so nothing of it needs saving: a resumed run is at the same place and gets the same rate.

/// Declares `sched::name(…)`: its words, parameters, own options, and the schedule they make.
macro_rules! schedule {
    ($(#[doc = $doc:literal])* $name:ident, [$($arg:ident: $ty:ty),*], $options:ty, |$o:ident| $rule:expr) => {
        function!("sched", Function, stringify!($name), [$($doc),*],
                  [$($arg: $ty,)* options: $crate::core::Opts<$options>], [$crate::train::sched::Schedule], {
            let $o: $options = options.0;
            $crate::train::sched::Schedule::new(stringify!($name), $rule)
        });
    };
}

mod cosine;
mod custom;
mod exponential;
mod multistep;
mod one_cycle;
mod plateau;
mod polynomial;
mod step;
mod warmup;

use super::history::History;
use super::optim::positive;
use crate::core::value::{FromValue, mismatch};
use crate::core::{Error, Result, Value};
use std::rc::Rc;
use tch::Tensor;

/// Where a run is, before a step.
#[derive(Clone, Copy)]
pub struct Clock<'a> {
    /// Steps taken since the schedule began.
    pub step: i64,
    /// Steps an epoch.
    pub per_epoch: i64,
    /// Epochs from the schedule's beginning to the run's end.
    pub epochs: f64,
    /// What was measured after the epochs so far.
    pub history: &'a History,
}

impl Clock<'_> {
    /// Epochs since the schedule began: whole ones, or counting each step.
    pub fn time(&self, by: By) -> f64 {
        match by {
            By::Epoch => (self.step / self.per_epoch.max(1)) as f64,
            By::Step => self.step as f64 / self.per_epoch.max(1) as f64,
        }
    }

    /// Steps to the run's end.
    pub fn steps(&self) -> f64 {
        (self.epochs * self.per_epoch as f64).round()
    }
}

/// How often a rate changes.
#[derive(Clone, Copy, PartialEq)]
pub enum By {
    /// After every step.
    Step,
    /// After every epoch, as PyTorch's schedulers are mostly used.
    Epoch,
}

impl FromValue for By {
    const TYPE: &'static str = "\"step\" or \"epoch\"";
    fn from_value(v: &Value) -> Result<Self> {
        match v {
            Value::Str(s) if s == "step" => Ok(By::Step),
            Value::Str(s) if s == "epoch" => Ok(By::Epoch),
            Value::Str(s) => Err(Error::unknown("value", s, ["step", "epoch"])),
            v => mismatch(Self::TYPE, v),
        }
    }
}

/// What a schedule is.
pub trait Rule {
    /// The learning rate at `at`, where `base` is the optimizer's own.
    ///
    /// # Errors
    /// A closure's.
    fn lr(&self, base: f64, at: &Clock) -> Result<f64>;
}

/// A schedule as scripts hold it.
#[derive(Clone)]
pub struct Schedule(&'static str, Rc<dyn Rule>);

object!(Schedule, "Schedule", |s| format!("schedule {}", s.0));

impl Schedule {
    /// The schedule of a rule.
    pub fn new(name: &'static str, rule: impl Rule + 'static) -> Self {
        Schedule(name, Rc::new(rule))
    }

    /// The learning rate at `at`, where `base` is the optimizer's own.
    ///
    /// # Errors
    /// A closure's; a rate that is negative or no number.
    pub fn lr(&self, base: f64, at: &Clock) -> Result<f64> {
        let lr = self.1.lr(base, at)?;
        match lr >= 0.0 && lr.is_finite() {
            true => Ok(lr),
            false => Err(Error::new(format!(
                "schedule {} gives the learning rate {lr} at step {}",
                self.0, at.step
            ))),
        }
    }
}

functions! {
    on "Schedule";
    /// The learning rates of a run, one a step: to look at before it begins.
    ///
    /// `lr` is the optimizer's own, `steps` the steps an epoch (1).
    /// ```rhai
    /// sched::step(1, #{gamma: 0.5}).rates(0.1, 3) // => tensor([0.1000, 0.0500, 0.0250], dtype=torch.float64)
    /// ```
    fn rates(schedule: Schedule, lr: f64, epochs: i64, steps: Option<i64>) -> Tensor {
        let (per_epoch, history) = (steps.unwrap_or(1), History::default());
        if epochs < 0 || per_epoch < 1 {
            return Err(Error::new(format!("`epochs` must not be negative and `steps` at least 1, got {epochs} and {per_epoch}")));
        }
        let at = |step| Clock { step, per_epoch, epochs: epochs as f64, history: &history };
        let rates = (0..epochs * per_epoch).map(|s| schedule.lr(lr, &at(s))).collect::<Result<Vec<_>>>()?;
        Tensor::f_from_slice(&rates)?
    }
}

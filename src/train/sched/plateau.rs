//! Steps down when a measure no longer gets better, as torch.optim.lr_scheduler.ReduceLROnPlateau.

use super::{Clock, Rule};
use crate::core::{Error, Result};
use crate::train::history::{rises, watched};

options! {
    /// Options of `sched::plateau`.
    pub struct PlateauOptions {
        /// Factor of the learning rate at each step down.
        factor: f64 = 0.1,
        /// Epochs without a better one that are waited for.
        patience: i64 = 10,
        /// A better value is better by this.
        threshold: f64 = 1e-4,
        /// "rel" (a share of the best value) or "abs".
        threshold_mode: String = "rel".to_string() => "rel",
        /// Epochs after a step down that are not counted.
        cooldown: i64 = 0,
        /// The lowest rate.
        min_lr: f64 = 0.0,
        /// The measure, as option `watch` of `train::fit`; found by itself (val_accuracy, val_loss …) if left out.
        watch: Option<String> = None,
    }
}

struct Plateau(PlateauOptions);

impl Rule for Plateau {
    fn lr(&self, base: f64, at: &Clock) -> Result<f64> {
        let (o, history) = (&self.0, at.history);
        if history.rows().is_empty() {
            return Ok(base);
        }
        let (name, _) = watched(history, o.watch.as_deref())?.ok_or_else(|| {
            Error::new("sched::plateau finds no measure to watch")
                .hint(format!("watch: one of {}", history.columns().join(", ")))
        })?;
        let (up, mut best, mut bad, mut cooling, mut lr) =
            (rises(&name, o.watch.as_deref()), None::<f64>, 0, 0, base);
        for v in history.column(&name) {
            let better = best.is_none_or(|b| {
                let margin = if o.threshold_mode == "abs" { o.threshold } else { o.threshold * b };
                if up { v > b + margin } else { v < b - margin }
            });
            (best, bad) = if better { (Some(v), 0) } else { (best, bad + 1) };
            if cooling > 0 {
                (cooling, bad) = (cooling - 1, 0);
            }
            if bad > o.patience {
                // As PyTorch: a change below its `eps` is left.
                let next = (lr * o.factor).max(o.min_lr);
                lr = if lr - next > 1e-8 { next } else { lr };
                (cooling, bad) = (o.cooldown, 0);
            }
        }
        Ok(lr)
    }
}

schedule! {
    /// Multiplies the learning rate by `factor` when no epoch is better for a while.
    ///
    /// As torch.optim.lr_scheduler.ReduceLROnPlateau. Measures with "loss" or "error" in their name are better when
    /// lower, all others when higher.
    /// ```rhai
    /// let data = data::from_tensors(tensor::zeros([4, 2]), tensor::zeros([4]).long());
    /// let run = train::fit(nn::linear(2, 2, #{bias: false}), data, #{epochs: 4, batch_size: 4, save: false,
    ///     optimizer: optim::sgd(#{lr: 0.1}), schedule: sched::plateau(#{patience: 0, factor: 0.5})});
    /// run.last.lr // => 0.025
    /// ```
    plateau, [], PlateauOptions, |o| {
        if !(o.factor > 0.0 && o.factor < 1.0) {
            return Err(Error::new(format!("`factor` must lie between 0 and 1, got {}", o.factor)));
        }
        if !["rel", "abs"].contains(&o.threshold_mode.as_str()) {
            return Err(Error::unknown("threshold_mode", &o.threshold_mode, ["rel", "abs"]));
        }
        Plateau(o)
    }
}

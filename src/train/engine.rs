//! The one loop engine. `train::fit` and `train::run` give it a step; progress, history, checkpoints, exact
//! resume, Ctrl-C and the stop at NaN are done here once.

use super::backbone;
use super::ema::{Averaged, Ema};
use super::estimate::Estimate;
use super::history::{rises, watched};
use super::sched::Clock;
use super::state;
use super::tensorboard;
use super::trainer::{Measures, Plan, Sums, Trainer, line};
use crate::core::{Error, Result, interrupt, paths, progress, run as record};
use crate::data::{Dataset, LoaderOptions};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::{Duration, Instant};
use tch::{Device, Kind};

/// How many runs a script has begun, and how many of each name.
#[derive(Default)]
pub struct Runs {
    all: usize,
    named: BTreeMap<String, usize>,
}

impl Runs {
    /// The folder of the next run: each has its own, or going on with one would read what another left.
    fn folder(&mut self, name: &str) -> String {
        self.all += 1;
        let many = self.named.entry(name.to_string()).or_default();
        *many += 1;
        match (name, self.all, *many) {
            ("", 1, _) => String::new(),
            ("", all, _) => format!("train-{all}"),
            (name, _, 1) => name.to_string(),
            (name, _, many) => format!("{name}-{many}"),
        }
    }
}

thread_local!(static RUNS: RefCell<Runs> = RefCell::default());

/// Begins a new script: the next run without a name is its first. Gives the runs of the one before.
pub fn begin_script() -> Runs {
    backbone::begin_script();
    RUNS.take()
}

/// Goes on with a script that had begun these runs.
pub fn continue_script(runs: Runs) {
    RUNS.set(runs);
}

/// Runs the plan to its end.
///
/// # Errors
/// A step's; a loss that is not a number; Ctrl-C (the state for resuming is written first).
pub fn run(plan: Plan) -> Result<Trainer> {
    check(&plan)?;
    let folder = RUNS.with_borrow_mut(|r| r.folder(&plan.keep.name));
    let ema = plan.ema.map(|decay| Ema::new(decay, &plan.nets)).transpose()?.map(RefCell::new);
    let trainer = Trainer::new(&plan, folder, ema);
    plan.nets.iter().for_each(|(_, n)| n.set_about(trainer.0.about.clone()));
    if plan.keep.save {
        paths::writable(trainer.file("resume.safetensors"))?; // now rather than after the first epoch
    }
    let base: Vec<Vec<f64>> = plan.optimizers.iter().map(|(_, o)| o.rates()).collect();
    let modes: Vec<bool> = plan.nets.iter().map(|(_, n)| n.is_training()).collect();
    let result = Loop {
        plan: &plan,
        t: &trainer,
        state_file: trainer.file("resume.safetensors"),
        written: Instant::now(),
        base: base.clone(),
        estimate: Estimate::default(),
    }
    .run();
    // A schedule begins at what the optimizer was made with, also that of the next run.
    for ((name, o), rates) in plan.optimizers.iter().zip(base) {
        if plan.schedules.of(name).is_some() {
            o.set_rates(rates);
        }
    }
    plan.nets.iter().zip(modes).for_each(|((_, n), mode)| {
        n.set_training(mode);
    });
    result.map(|()| trainer)
}

fn check(plan: &Plan) -> Result<()> {
    if plan.data.is_empty() {
        return Err(Error::new("the training data is empty"));
    }
    if plan.batch_size == 0 || plan.epochs < 0 {
        return Err(Error::new(format!(
            "`batch_size` must be at least 1 and `epochs` not negative, got {} and {}",
            plan.batch_size, plan.epochs
        )));
    }
    if plan.drop_last && plan.data.len() < plan.batch_size {
        return Err(Error::new(format!(
            "{} items make no batch of {}, and `drop_last` leaves out what is less",
            plan.data.len(),
            plan.batch_size
        ))
        .hint("take a smaller `batch_size`, or leave out `drop_last`"));
    }
    let names: Vec<&str> = plan.optimizers.iter().map(|(n, _)| n.as_str()).collect();
    plan.schedules.check("optimizer", &names).map_err(|e| e.within("option `schedule`"))?;
    match plan.optimizers.iter().find(|(_, o)| !o.is_bound()) {
        Some((name, _)) => Err(Error::new(format!("optimizer `{name}` has no parameters"))
            .hint("give it its network: optim::adam(net, #{lr: 1e-3})")),
        None => Ok(()),
    }
}

/// Measuring takes larger batches than learning, up to the size at which memory rather than speed counts.
pub(super) fn as_fit(data: &Dataset) -> usize {
    let numbers: i64 = data.shape().iter().product();
    ((1 << 22) / numbers.max(1)).clamp(1, 256) as usize
}

struct Loop<'a> {
    plan: &'a Plan<'a>,
    t: &'a Trainer,
    state_file: String,
    written: Instant,
    /// The learning rates the optimizers came with: what schedules start from.
    base: Vec<Vec<f64>>,
    estimate: Estimate,
}

impl Loop<'_> {
    fn run(&mut self) -> Result<()> {
        let mut at = state::Position::default();
        if let Some(file) = self.resume_file()? {
            at = state::load(&file, self.t)?;
            progress::say(&format!(
                "resumed {} at epoch {}, batch {}",
                file.display(),
                at.epoch + 1,
                at.batch + 1
            ));
        }
        while at.epoch < self.plan.epochs && self.t.stopped().is_none() {
            self.epoch(&mut at)?;
        }
        // The run leaves the averaged weights, those that were measured and kept.
        if let Some(averaged) = self.t.averaged()? {
            averaged.stay();
        }
        Ok(())
    }

    fn epoch(&mut self, at: &mut state::Position) -> Result<()> {
        let (plan, t) = (self.plan, self.t);
        let (began, before) = (Instant::now(), at.seconds);
        t.0.epoch.set(at.epoch + 1);
        let label = format!("epoch {}/{}", at.epoch + 1, plan.epochs);
        let mut loader = (plan.inputs)(&plan.data)?.loader(&LoaderOptions {
            batch_size: plan.batch_size,
            shuffle: plan.shuffle,
            drop_last: plan.drop_last,
            epoch: at.epoch as u64,
            skip_batches: at.batch,
            workers: plan.workers,
            ..LoaderOptions::default()
        })?;
        let total = loader.len() + at.batch;
        progress::begin(&label, total as u64);
        plan.nets.iter().for_each(|(_, n)| {
            n.set_training(true);
        });
        self.estimate.begin_epoch();
        loop {
            // The script's own augmentation, schedule and step are not stopped half-way.
            let whole = interrupt::hold();
            let Some(batch) = loader.next() else { break };
            let batch = batch?.to(self.device())?;
            let n = batch.len() as f64;
            self.schedule(total as i64)?;
            let measures = {
                let _precision = plan.precision.scope();
                tch::with_grad(|| (plan.step)(&batch, t)).map_err(|e| plan.data.blame(&batch, e))?
            };
            if let Some(ema) = t.ema() {
                ema.borrow_mut().update()?;
            }
            drop(whole);
            t.0.step.set(t.step() + 1);
            at.batch += 1;
            at.seconds = before + began.elapsed().as_secs_f64();
            let writes = self.written.elapsed() > Duration::from_secs_f64(plan.keep.every_seconds.max(0.0));
            // The last good state is not overwritten by a bad one.
            let look = writes || at.batch == total || interrupt::requested();
            self.finite(&measures, at, look)?;
            at.sums.add(measures, n)?;
            let left = total - at.batch + total * (plan.epochs - at.epoch - 1) as usize;
            if let Some(words) = self.estimate.after_step(left) {
                progress::say(&words);
            }
            progress::advance(at.batch as u64, || at.sums.means().map(|m| line(&m)).unwrap_or_default());
            if interrupt::requested() {
                self.write(at, true)?;
                progress::finish("");
                return Err(Error::interrupted());
            }
            if writes {
                self.write(at, true)?;
            }
        }
        // Validation and callbacks may be stopped as well.
        let more = plan.val.is_some() || plan.on_epoch.is_some();
        if more && self.written.elapsed() > Duration::from_secs(5) {
            self.write(at, true)?;
        }
        let mut row = vec![("epoch".to_string(), (at.epoch + 1) as f64)];
        row.extend(at.sums.means()?.into_iter().map(|(n, v)| (format!("train_{n}"), v)));
        let averaged = t.averaged()?;
        row.extend(self.validate()?);
        row.extend(plan.optimizers.iter().map(|(name, o)| {
            (if plan.optimizers.len() == 1 { "lr".to_string() } else { format!("lr_{name}") }, o.lr())
        }));
        at.seconds = before + began.elapsed().as_secs_f64();
        row.push(("seconds".to_string(), at.seconds));
        progress::finish(&format!("{label}  {}  {:.1} s", line(&row), at.seconds));
        progress::measured(&row);
        t.0.history.borrow_mut().push(row);
        *at = state::Position { epoch: at.epoch + 1, ..state::Position::default() };
        self.after_epoch()?;
        averaged.map_or(Ok(()), Averaged::back)?;
        self.write(at, true)
    }

    /// Sets the learning rates for the next step.
    fn schedule(&self, per_epoch: i64) -> Result<()> {
        let (history, plan) = (self.t.0.history.borrow(), self.plan);
        let at = Clock { step: self.t.step(), per_epoch, epochs: plan.epochs as f64, history: &history };
        for ((name, o), base) in plan.optimizers.iter().zip(&self.base) {
            if let Some(schedule) = plan.schedules.of(name) {
                o.set_rates(base.iter().map(|b| schedule.lr(*b, &at)).collect::<Result<_>>()?);
            }
        }
        Ok(())
    }

    /// Weights to keep, history, callbacks, patience.
    fn after_epoch(&mut self) -> Result<()> {
        let (plan, t, epoch) = (self.plan, self.t, self.t.epoch());
        let better = self.watch()?;
        if plan.keep.save {
            if better {
                t.save_weights("best")?;
            }
            if plan.keep.checkpoints.contains(&epoch) {
                t.save_weights(&format!("epoch-{epoch}"))?;
            }
            t.history().write_csv(&paths::writable(t.file("history.csv"))?)?;
            if plan.keep.tensorboard {
                tensorboard::write(t)?;
            }
        }
        if let Some(f) = &plan.on_epoch {
            f(t)?;
        }
        if let (Some(patience), Some((best, _))) = (plan.patience, t.best())
            && epoch - best >= patience
        {
            t.stop(&format!("no better epoch since epoch {best}"));
        }
        if plan.keep.save && (epoch == plan.epochs || t.stopped().is_some()) {
            t.save_weights("last")?;
        }
        Ok(())
    }

    /// True when this epoch has the best value of the watched measure so far.
    fn watch(&self) -> Result<bool> {
        let history = self.t.0.history.borrow();
        let Some((name, value)) = watched(&history, self.plan.keep.watch.as_deref())? else {
            return Ok(false);
        };
        let up = rises(&name, self.plan.keep.watch.as_deref());
        let mut best = self.t.0.best.borrow_mut();
        // A measure that is not a number is no better than any.
        let better = value.is_finite() && best.is_none_or(|(_, b)| if up { value > b } else { value < b });
        if better {
            *best = Some((self.t.epoch(), value));
        }
        Ok(better)
    }

    fn validate(&self) -> Result<Vec<(String, f64)>> {
        // Also without validation: what is done after an epoch looks at the networks, and must not change them.
        self.plan.nets.iter().for_each(|(_, n)| {
            n.set_training(false);
        });
        let (Some(val), Some(step)) = (&self.plan.val, &self.plan.val_step) else { return Ok(Vec::new()) };
        let (_no_grad, _precision) = (tch::no_grad_guard(), self.plan.precision.scope());
        let mut sums = Sums::default();
        let val = &(self.plan.inputs)(val)?;
        for batch in val.loader(&LoaderOptions {
            batch_size: self.plan.piece.max(as_fit(val)),
            workers: self.plan.workers,
            ..LoaderOptions::default()
        })? {
            interrupt::check()?;
            let batch = batch?.to(self.device())?;
            let n = batch.len() as f64;
            sums.add(step(&batch, self.t).map_err(|e| val.blame(&batch, e))?, n)?;
        }
        Ok(sums.means()?.into_iter().map(|(n, v)| (format!("val_{n}"), v)).collect())
    }

    fn device(&self) -> Device {
        self.plan.nets.first().map_or_else(crate::core::device::current, |(_, n)| n.device())
    }

    /// An error when a measure is not a number. On a GPU every 50th step is looked at, so as not to wait for it, and
    /// where `look` says so.
    fn finite(&self, measures: &Measures, at: &state::Position, look: bool) -> Result<()> {
        if measures.iter().any(|(_, v)| v.device() != Device::Cpu) && !look && !at.batch.is_multiple_of(50) {
            return Ok(());
        }
        for (name, value) in measures {
            let v = value.f_mean(Kind::Double)?.f_double_value(&[])?;
            if !v.is_finite() {
                return Err(self.not_finite(name, v, at));
            }
        }
        Ok(())
    }

    fn not_finite(&self, name: &str, v: f64, at: &state::Position) -> Error {
        progress::finish("");
        let last = match self.t.0.history.borrow().rows().len() {
            0 => "no epoch was complete".to_string(),
            _ if !self.plan.keep.save => "nothing was saved".to_string(),
            n => format!("the weights after epoch {n} are in {}", self.t.file("resume.safetensors")),
        };
        Error::new(format!(
            "{name} became {v} at step {} (epoch {}, batch {}); {last}",
            self.t.step(),
            at.epoch + 1,
            at.batch
        ))
        .hint("try a smaller learning rate; look for a logarithm or a division of zero")
    }

    fn write(&mut self, at: &state::Position, whole: bool) -> Result<()> {
        if self.plan.keep.save && whole {
            state::save(&paths::writable(&self.state_file)?, self.t, at)?;
            record::goes_on()?;
        }
        self.written = Instant::now();
        Ok(())
    }

    /// The state to go on from, when the script is resumed.
    fn resume_file(&self) -> Result<Option<PathBuf>> {
        if !record::resuming() {
            return Ok(None);
        }
        let file = paths::readable(&self.state_file)?;
        Ok(file.exists().then_some(file))
    }
}

//! What a run will take, found by a few of its steps before it begins.

use super::aside::aside;
use super::engine::as_fit;
use super::estimate::spoken;
use super::fit::{FitOptions, RunOptions};
use super::optim::Optimizer;
use super::supervised::supervised;
use super::trainer::{Plan, Trainer};
use crate::core::value::{IntoValue, record};
use crate::core::{Error, Opts, Result, Value, interrupt, memory, progress};
use crate::data::{Dataset, LoaderOptions};
use crate::nn::Net;
use std::time::Instant;

/// Seconds of one batch through `step`: reading and computing side by side, as in a run. The first batch, which allocates
/// and chooses kernels, is not counted where there are others.
fn seconds(plan: &Plan, t: &Trainer, data: &Dataset, size: usize, train: bool) -> Result<f64> {
    let step = if train { Some(&plan.step) } else { plan.val_step.as_ref() };
    let Some(step) = step else { return Ok(0.0) };
    let options = LoaderOptions { batch_size: size, workers: plan.workers, ..LoaderOptions::default() };
    let (mut all, mut began) = (Vec::new(), Instant::now());
    for batch in data.loader(&options)? {
        interrupt::check()?;
        let batch = batch?.to(plan.nets[0].1.device())?;
        let run = || step(&batch, t);
        let measures = if train { tch::with_grad(run)? } else { tch::no_grad(run)? };
        for (_, v) in measures {
            let _ = v.f_to_device(tch::Device::Cpu)?; // waits for a GPU
        }
        all.push(began.elapsed().as_secs_f64());
        began = Instant::now();
    }
    let warm = &all[usize::from(all.len() > 1).min(all.len())..];
    Ok(warm.iter().sum::<f64>() / warm.len().max(1) as f64)
}

/// The first batches of `data`.
fn few(data: &Dataset, size: usize, batches: usize) -> Result<Dataset> {
    data.subset(&(0..data.len().min(size * batches) as i64).collect::<Vec<_>>())
}

struct Found {
    steps: usize,
    step: f64,
    epoch: f64,
    total: f64,
    memory: Option<u64>,
}

fn measure(net: &Net, plan: &Plan, room: usize) -> Result<Found> {
    net.set_training(true);
    let t = Trainer::new(plan, String::new(), None);
    let (size, n) = (plan.batch_size, plan.data.len());
    let steps = if plan.drop_last { n / size } else { n.div_ceil(size) };
    // One batch to warm up, one that is measured. Features that will be kept are computed here for these pictures alone.
    let of = |data: &Dataset, size: usize, train: bool| -> Result<(f64, f64, u64)> {
        let some = few(data, size, 2)?;
        let began = Instant::now();
        let given = (plan.inputs)(&some)?;
        let once = began.elapsed().as_secs_f64() * data.len() as f64 / some.len().max(1) as f64;
        let bytes = given.shape().iter().product::<i64>() as usize * 4 * data.len();
        let kept = !given.is_like(&some) && bytes <= room;
        let one = seconds(plan, &t, &given, size, train)?;
        if kept {
            Ok((once, one, bytes as u64))
        } else if given.is_like(&some) {
            Ok((0.0, one, 0))
        } else {
            // They would not fit: every epoch computes them anew.
            Ok((0.0, one + once / data.len().div_ceil(size) as f64, 0))
        }
    };
    let (once, step, bytes) = of(&plan.data, size, true)?;
    net.set_training(false);
    let val = plan.val.as_ref().filter(|v| !v.is_empty());
    let val_size = val.map_or(size, |v| plan.piece.max(as_fit(v)));
    let (val_once, val_step, val_bytes) = val.map_or(Ok((0.0, 0.0, 0)), |v| of(v, val_size, false))?;
    let val_steps = val.map_or(0, |v| v.len().div_ceil(val_size));
    let epoch = step * steps as f64 + val_step * val_steps as f64;
    let epochs = plan.epochs.max(0) as f64;
    let memory = memory::peak().map(|b| b + bytes + val_bytes);
    Ok(Found {
        steps: steps * plan.epochs.max(0) as usize,
        step,
        epoch,
        total: once + val_once + epochs * epoch,
        memory,
    })
}

functions! {
    in "train";
    /// What a run of `train::fit` will take, without running it.
    ///
    /// Takes the arguments of `train::fit`, tries one batch of each kind (after one to warm up), says time and memory, and
    /// gives a map: `steps`, `step_seconds`, `epoch_seconds`, `seconds` (of the whole run, validation and features of a
    /// frozen part included) and `memory` (bytes of this process at its peak, or () where the system does not tell).
    /// Network, optimizer and random numbers are as before, and no file is written.
    /// ```rhai
    /// let data = data::from_tensors(tensor::rand([64, 4]), tensor::zeros([64]).long());
    /// let found = train::dry_run(nn::linear(4, 2), data, #{epochs: 10, batch_size: 16, optimizer: optim::adam()});
    /// found.steps // => 40
    /// found.seconds > 0 // => true
    /// ```
    fn dry_run(net: Net, data: Dataset, options: Opts<(RunOptions, FitOptions)>) -> Value {
        let (o, mut f) = options.0;
        if data.is_empty() || o.batch_size == 0 {
            return Err(Error::new("the training data is empty, or `batch_size` is 0"));
        }
        // A copy of the optimizer's rules with a state of its own.
        let of_its_own = |g: Optimizer| g.over(std::slice::from_ref(&net));
        f.optimizer = f.optimizer.map(of_its_own).transpose()?;
        let (room, optimizer) = (f.cache.saturating_mul(1 << 20), f.optimizer.clone());
        let (plan, _) = supervised(&net, data, o, f)?;
        let found = aside(&net, || {
            let _precision = plan.precision.scope();
            measure(&net, &plan, room)
        });
        optimizer.map_or(Ok(()), |o| o.zero_grad())?;
        let found = found?;
        let memory = found.memory.map_or(String::new(), |b| format!("; {:.1} GB of memory", b as f64 / 1e9));
        let total = std::time::Duration::from_secs_f64(found.total.max(0.0));
        progress::say(&format!("dry run: about {} for {} epoch(s), {} steps of {:.0} ms{memory}",
            spoken(total), plan.epochs, found.steps, found.step * 1e3));
        record([
            ("steps", found.steps.into_value()),
            ("step_seconds", found.step.into_value()),
            ("epoch_seconds", found.epoch.into_value()),
            ("seconds", found.total.into_value()),
            ("memory", found.memory.map_or(Value::Nil, |b| Value::Int(b as i64))),
        ])
    }
}

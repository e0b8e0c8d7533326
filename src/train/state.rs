//! All that a run is, in one file: weights, optimizers, generator, position, sums, history. Written whole;
//! a run that goes on from it gives the same bits as one that was never interrupted.

use super::history::History;
use super::trainer::{Sums, Trainer};
use crate::core::{Error, Result, device, ffi, safetensors};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::Path;
use tch::{Device, Tensor};

/// Where in the run we are.
#[derive(Default)]
pub struct Position {
    /// Whole epochs done.
    pub epoch: i64,
    /// Batches done in this epoch.
    pub batch: usize,
    /// Measures of this epoch so far.
    pub(super) sums: Sums,
    /// Seconds spent on this epoch before it was interrupted.
    pub seconds: f64,
}

/// A number in the header, bit for bit: JSON has no NaN, and reads some others a bit off.
#[derive(Clone, Copy, Serialize, Deserialize)]
#[serde(untagged)]
enum Number {
    Bits(u64),
    /// As states were written before.
    Plain(Option<f64>),
}

impl From<f64> for Number {
    fn from(v: f64) -> Self {
        Number::Bits(v.to_bits())
    }
}

impl From<Number> for f64 {
    fn from(v: Number) -> Self {
        match v {
            Number::Bits(bits) => f64::from_bits(bits),
            Number::Plain(v) => v.unwrap_or(f64::NAN),
        }
    }
}

#[derive(Serialize, Deserialize)]
struct Header {
    version: u32,
    epoch: i64,
    batch: usize,
    step: i64,
    seconds: f64,
    order: Vec<String>,
    counts: Vec<f64>,
    history: Vec<Vec<(String, Number)>>,
    best: Option<(i64, Number)>,
    stopped: Option<String>,
    seed: i64,
}

const KEY: &str = "cs385.run";

/// Where random numbers are drawn: on the CPU, and where the networks are.
fn devices(t: &Trainer) -> impl Iterator<Item = Device> {
    let nets = t.nets().first().map_or(Device::Cpu, |(_, n)| n.device());
    std::iter::once(Device::Cpu).chain((nets != Device::Cpu).then_some(nets))
}

/// The name of a generator's state in the file.
fn generator(device: Device) -> String {
    if device == Device::Cpu { "rng".to_string() } else { format!("rng/{}", device::name(device)) }
}

/// Writes the state of `t` at `at`.
///
/// # Errors
/// The file cannot be written.
pub fn save(path: &Path, t: &Trainer, at: &Position) -> Result<()> {
    let rng = |device| Ok::<_, Error>((generator(device), ffi::rng_state(device)?));
    let mut all = devices(t).map(rng).collect::<Result<Vec<_>>>()?;
    for (name, net) in t.nets() {
        all.extend(net.state()?.into_iter().map(|(n, v)| (format!("net/{name}/{n}"), v)));
    }
    for (name, o) in t.optimizers() {
        all.extend(o.state()?.into_iter().map(|(n, v)| (format!("optimizer/{name}/{n}"), v)));
    }
    if let Some(ema) = t.ema() {
        all.extend(ema.borrow().state()?.into_iter().map(|(n, v)| (format!("ema/{n}"), v)));
    }
    for name in &at.sums.order {
        all.push((format!("sum/{name}"), at.sums.sums[name].0.f_to_device(tch::Device::Cpu)?));
    }
    let header = Header {
        version: 1,
        epoch: at.epoch,
        batch: at.batch,
        step: t.step(),
        seconds: at.seconds,
        order: at.sums.order.clone(),
        counts: at.sums.order.iter().map(|n| at.sums.sums[n].1).collect(),
        history: t
            .history()
            .rows()
            .iter()
            .map(|row| row.iter().map(|(n, v)| (n.clone(), (*v).into())).collect())
            .collect(),
        best: t.best().map(|(epoch, v)| (epoch, v.into())),
        stopped: t.stopped(),
        seed: crate::core::seed::get(),
    };
    let text = serde_json::to_string(&header).map_err(|e| Error::new(e.to_string()))?;
    safetensors::write(path, &all, &BTreeMap::from([(KEY.to_string(), text)]))
}

/// Puts `t` into the state of `path`; gives the position to go on from.
///
/// # Errors
/// A file that is no such state, or of other networks, optimizers or seed.
pub fn load(path: &Path, t: &Trainer) -> Result<Position> {
    let safetensors::File { tensors, metadata } = safetensors::read(path)?;
    let bad = |why: &str| Error::new(format!("{}: {why}", path.display()));
    let text = metadata.get(KEY).ok_or_else(|| bad("not the state of a training run"))?;
    let h: Header = serde_json::from_str(text).map_err(|e| bad(&format!("damaged header: {e}")))?;
    if h.seed != crate::core::seed::get() {
        return Err(bad(&format!(
            "written with seed {}, this run has seed {}",
            h.seed,
            crate::core::seed::get()
        ))
        .hint(format!("resume with --seed {}", h.seed)));
    }
    let under = |prefix: String| -> Vec<(String, Tensor)> {
        let inside = tensors
            .iter()
            .filter_map(|(n, v)| Some((n.strip_prefix(&prefix)?.to_string(), v.shallow_clone())));
        inside.collect()
    };
    for (name, net) in t.nets() {
        net.load_named(under(format!("net/{name}/")), true).map_err(|e| e.within(path.display()))?;
    }
    for (name, o) in t.optimizers() {
        o.load_state(&under(format!("optimizer/{name}/"))).map_err(|e| e.within(path.display()))?;
    }
    if let Some(ema) = t.ema() {
        let state = under("ema/".to_string());
        ema.borrow_mut().load_state(&state, h.step).map_err(|e| e.within(path.display()))?;
    }
    let mut sums = Sums::default();
    for (name, count) in h.order.iter().zip(&h.counts) {
        let sum = tensors.iter().find(|(n, _)| n.strip_prefix("sum/") == Some(name));
        let sum = sum.ok_or_else(|| bad(&format!("lacks the sum of {name}")))?.1.shallow_clone();
        sums.order.push(name.clone());
        sums.sums.insert(name.clone(), (sum, *count));
    }
    let mut history = History::default();
    h.history.into_iter().for_each(|row| history.push(row.into_iter().map(|(n, v)| (n, v.into())).collect()));
    t.restore(h.step, history, h.best.map(|(epoch, v)| (epoch, v.into())), h.stopped);
    for device in devices(t) {
        let rng = tensors.iter().find(|(n, _)| *n == generator(device));
        let (_, rng) = rng.ok_or_else(|| {
            bad(&format!("lacks the generator's state for {}", device::name(device))).hint(
                "a run goes on to the same numbers only on the device it was on: give the same --device",
            )
        })?;
        ffi::set_rng_state(device, rng)?;
    }
    Ok(Position { epoch: h.epoch, batch: h.batch, sums, seconds: h.seconds })
}

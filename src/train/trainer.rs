//! What a run is made of: its plan, the handle that callbacks get, the sums of its measures.

use super::by_name::ByName;
use super::ema::{Averaged, Ema};
use super::history::History;
use super::metric::overlap::Overlap;
use super::optim::Optimizer;
use super::sched::Schedule;
use crate::core::number::short;
use crate::core::{Result, paths};
use crate::data::{Batch, Dataset};
use crate::nn::{About, Net, Precision};
use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;
use tch::{Device, Kind, Tensor};

/// What a step measured: a name and a number a picture (or a batch mean).
pub type Measures = Vec<(String, Tensor)>;

/// One step on a batch, or one measurement of it.
pub type Step<'a> = dyn Fn(&Batch, &Trainer) -> Result<Measures> + 'a;

/// What the engine runs.
pub struct Plan<'a> {
    /// The networks, by name.
    pub nets: Vec<(String, Net)>,
    /// The optimizers, by name.
    pub optimizers: Vec<(String, Optimizer)>,
    /// Training data.
    pub data: Dataset,
    /// Validation data.
    pub val: Option<Dataset>,
    /// Pictures a step.
    pub batch_size: usize,
    /// Pictures that go through the network at once.
    pub piece: usize,
    /// Threads that read ahead.
    pub workers: Option<usize>,
    /// Passes over the training data.
    pub epochs: i64,
    /// A new order every epoch.
    pub shuffle: bool,
    /// Leaves an incomplete last batch out.
    pub drop_last: bool,
    /// What is read in a data set's place; asked before every pass.
    pub inputs: Box<dyn Fn(&Dataset) -> Result<Dataset> + 'a>,
    /// In what numbers the networks run.
    pub precision: Precision,
    /// Trains on a batch.
    pub step: Box<Step<'a>>,
    /// Measures a validation batch.
    pub val_step: Option<Box<Step<'a>>>,
    /// Called after every epoch.
    pub on_epoch: Option<Box<dyn Fn(&Trainer) -> Result<()> + 'a>>,
    /// What is written, and where.
    pub keep: Keep,
    /// How the learning rates change.
    pub schedules: ByName<Schedule>,
    /// Decay of the averaged weights.
    pub ema: Option<f64>,
    /// Stops after this many epochs without a better value of [`Keep::watch`].
    pub patience: Option<i64>,
}

/// What a run writes.
pub struct Keep {
    /// The folder in the run's folder, empty for the run's folder itself.
    pub name: String,
    /// Writes anything at all.
    pub save: bool,
    /// Writes an event file for TensorBoard.
    pub tensorboard: bool,
    /// Epochs after which the weights are kept.
    pub checkpoints: Vec<i64>,
    /// The measure that says which epoch is best; found by itself if none.
    pub watch: Option<String>,
    /// Writes the state for resuming also every so many seconds within an epoch.
    pub every_seconds: f64,
}

pub(super) struct Inner {
    pub(super) nets: Vec<(String, Net)>,
    pub(super) optimizers: Vec<(String, Optimizer)>,
    pub(super) epoch: Cell<i64>,
    pub(super) step: Cell<i64>,
    pub(super) stop: RefCell<Option<String>>,
    pub(super) history: RefCell<History>,
    pub(super) best: RefCell<Option<(i64, f64)>>,
    pub(super) ema: Option<RefCell<Ema>>,
    pub(super) folder: String,
    /// What the weights' files say of the pictures.
    pub(super) about: About,
}

/// The run as callbacks see it, and as it is given back at its end.
#[derive(Clone)]
pub struct Trainer(pub(super) Rc<Inner>);

object!(Trainer, "Run", |t| {
    let h = t.0.history.borrow();
    let last = h.rows().last().map(|r| line(r)).unwrap_or_default();
    format!("Run of {} epoch(s)  {last}", h.rows().len())
});

impl Trainer {
    /// A run at its beginning.
    pub(super) fn new(plan: &Plan, folder: String, ema: Option<RefCell<Ema>>) -> Self {
        Trainer(Rc::new(Inner {
            nets: plan.nets.clone(),
            optimizers: plan.optimizers.clone(),
            epoch: Cell::new(0),
            step: Cell::new(0),
            stop: RefCell::default(),
            history: RefCell::default(),
            best: RefCell::default(),
            ema,
            folder,
            about: about(&plan.data),
        }))
    }

    /// The epoch under way, from 1.
    pub fn epoch(&self) -> i64 {
        self.0.epoch.get()
    }
    /// Steps taken so far, over all epochs.
    pub fn step(&self) -> i64 {
        self.0.step.get()
    }
    /// What was measured so far.
    pub fn history(&self) -> History {
        self.0.history.borrow().clone()
    }
    /// Ends the run after this epoch.
    pub fn stop(&self, why: &str) {
        self.0.stop.borrow_mut().get_or_insert_with(|| why.to_string());
    }
    /// Why the run ended before its last epoch.
    pub fn stopped(&self) -> Option<String> {
        self.0.stop.borrow().clone()
    }
    /// The best epoch and its value of the watched measure.
    pub fn best(&self) -> Option<(i64, f64)> {
        *self.0.best.borrow()
    }
    /// The networks.
    pub fn nets(&self) -> &[(String, Net)] {
        &self.0.nets
    }
    /// The optimizers.
    pub fn optimizers(&self) -> &[(String, Optimizer)] {
        &self.0.optimizers
    }
    /// The averages of the weights, where the run keeps them.
    pub(super) fn ema(&self) -> Option<&RefCell<Ema>> {
        self.0.ema.as_ref()
    }
    /// Puts the averaged weights into the networks for a while, where the run keeps them.
    pub(super) fn averaged(&self) -> Result<Option<Averaged<'_>>> {
        self.0.ema.as_ref().map(Averaged::begin).transpose()
    }
    /// A path in the run's own folder.
    pub fn file(&self, name: &str) -> String {
        if self.0.folder.is_empty() { name.to_string() } else { format!("{}/{name}", self.0.folder) }
    }

    /// Takes over what was measured before an interruption.
    pub(super) fn restore(
        &self,
        step: i64,
        history: History,
        best: Option<(i64, f64)>,
        stopped: Option<String>,
    ) {
        self.0.step.set(step);
        self.0.epoch.set(history.rows().len() as i64);
        self.0.history.replace(history);
        self.0.best.replace(best);
        self.0.stop.replace(stopped);
    }

    /// Writes the weights: `name.safetensors`, or one file a network.
    pub(super) fn save_weights(&self, name: &str) -> Result<()> {
        for (net, n) in &self.0.nets {
            let file = if self.0.nets.len() == 1 {
                format!("{name}.safetensors")
            } else {
                format!("{name}-{net}.safetensors")
            };
            n.write(&paths::writable(self.file(&file))?, &self.0.about)?;
        }
        Ok(())
    }
}

/// What the training data tells of a network's input and output.
pub(super) fn about(data: &Dataset) -> About {
    let (mean, std) = data.normalisation().cloned().unwrap_or_default();
    let size = match data.shape()[..] {
        [_, h, w] => Some([h, w]),
        _ => None,
    };
    About { size, mean, std, classes: data.classes().to_vec() }
}

/// `loss 0.1234  accuracy 0.9876`: the numbers of a row but epoch, rate and time.
pub(super) fn line(row: &[(String, f64)]) -> String {
    let shown = row.iter().filter(|(n, _)| !["epoch", "lr", "seconds"].contains(&n.as_str()));
    shown.map(|(n, v)| format!("{n} {}", short(*v))).collect::<Vec<_>>().join("  ")
}

/// The measure that is a confusion matrix of pixels: matrices are added, and read as measures at the end.
pub const CONFUSION: &str = "confusion";

fn is_matrix(name: &str, t: &Tensor) -> bool {
    name == CONFUSION && t.dim() == 2
}

/// Sums of measures, kept on their device until somebody wants to read them.
#[derive(Default)]
pub(super) struct Sums {
    pub order: Vec<String>,
    pub sums: HashMap<String, (Tensor, f64)>,
}

impl Sums {
    pub(super) fn add(&mut self, measures: Measures, n: f64) -> Result<()> {
        for (name, value) in measures {
            let double = |v: &Tensor| v.f_detach()?.f_to_kind(Kind::Double);
            let (value, n) = if is_matrix(&name, &value) {
                (double(&value)?.f_mul_scalar(1.0)?, 0.0)
            } else if value.dim() == 0 && value.device() == Device::Cpu {
                // Nothing waits where a number is at hand, and a small network's step is short.
                (Tensor::from(value.f_double_value(&[])? * n), n)
            } else {
                (double(&value)?.f_mean(Kind::Double)?.f_mul_scalar(n)?, n)
            };
            match self.sums.get_mut(&name) {
                Some((sum, count)) => {
                    // Those of a resumed epoch come from a file.
                    if sum.device() != value.device() {
                        *sum = sum.f_to_device(value.device())?;
                    }
                    let _ = sum.f_add_(&value)?;
                    *count += n;
                }
                None => {
                    self.order.push(name.clone());
                    self.sums.insert(name, (value, n));
                }
            }
        }
        Ok(())
    }

    /// The means as measures, still on their device.
    pub(super) fn tensors(self) -> Result<Measures> {
        let mean = |n: String| {
            let (sum, count) = &self.sums[&n];
            let value = if is_matrix(&n, sum) { sum.shallow_clone() } else { sum.f_div_scalar(*count)? };
            Ok((n, value))
        };
        self.order.clone().into_iter().map(mean).collect()
    }

    pub(super) fn means(&self) -> Result<Vec<(String, f64)>> {
        let mut all = Vec::new();
        for name in &self.order {
            let (sum, count) = &self.sums[name];
            if is_matrix(name, sum) {
                let m = Overlap::of(sum)?;
                all.push(("accuracy".to_string(), m.accuracy));
                all.push(("mean_iou".to_string(), m.mean(|k| k.iou)));
                all.push(("foreground_iou".to_string(), m.foreground_iou()));
            } else {
                all.push((name.clone(), sum.f_double_value(&[])? / count));
            }
        }
        Ok(all)
    }
}

//! A data set being read: its source, which items, augmented, normalised. What threads can do is done in
//! [`View::make`]; [`Finish`] does the rest on the main thread, where closures of the script may run.

use super::pictures::collate;
use super::{Batch, Dense, Reader, Source};
use crate::augment::{self, Aug, IGNORED, Rng, Sample};
use crate::core::{Error, Result, progress, seed};
use tch::{Kind, Tensor};

/// What is done to pictures on their way into a batch.
#[derive(Clone, Default)]
pub(super) struct Plan {
    /// On any thread.
    pub ahead: Vec<Aug>,
    /// On the main thread.
    pub main: Vec<Aug>,
    /// To whole batches.
    pub mixes: Vec<Aug>,
    /// The first of all settles the size, so it is given whole pictures.
    pub whole: bool,
}

impl Plan {
    /// Sorts the stages `all`.
    pub fn new(all: &[Aug]) -> Result<Self> {
        let items = all.iter().take_while(|a| !a.0.mixes()).count();
        if let Some(late) = all[items..].iter().find(|a| !a.0.mixes()) {
            return Err(Error::new(format!("{} stands behind a mixture of whole batches", late.0.name()))
                .hint("write mixup and cutmix last in augment::compose"));
        }
        let (items, mixes) = all.split_at(items);
        let ahead = items.iter().take_while(|a| !a.0.on_main()).count();
        let whole = items.first().is_some_and(|a| a.0.size().is_some());
        Ok(Self {
            ahead: items[..ahead].to_vec(),
            main: items[ahead..].to_vec(),
            mixes: mixes.to_vec(),
            whole,
        })
    }

    /// The stages `before`, and `aug`, for items of `source`; `dense`: their targets are a class for each pixel. Warns of
    /// targets as large as the pictures that stay where they are.
    ///
    /// # Errors
    /// An order that cannot be; a mixture of masks.
    pub fn stages(before: &[Aug], aug: &Aug, source: &dyn Source, dense: bool) -> Result<Vec<Aug>> {
        let stages = [before, &augment::flat(aug)].concat();
        Plan::new(&stages)?;
        if let Some(a) = stages.iter().find(|a| a.0.mixes()).filter(|_| dense) {
            let name = a.0.name();
            return Err(Error::new(format!("{name} mixes classes of pictures, and these targets are masks")));
        }
        if let Some(size) = source.pinned().filter(|_| before.is_empty()) {
            progress::say(&format!(
                "warning: the targets {size:?} stay as they are where an augmentation moves the picture; masks that \
                 follow it are int64 [N, H, W]"
            ));
        }
        Ok(stages)
    }
}

/// What remains to be done with what a thread made.
#[derive(Clone)]
pub struct Finish {
    pub(super) plan: Plan,
    pub(super) norm: Option<(Vec<f64>, Vec<f64>)>,
    pub(super) channels: usize,
    pub(super) classes: usize,
    /// Targets are a class for each pixel.
    pub(super) dense: Option<Dense>,
    pub(super) seed: i64,
    pub(super) epoch: u64,
}

/// What a thread made of some items.
pub enum Made {
    /// All that is to be made.
    Batch(Batch),
    /// Pictures for the main thread.
    Pictures(Pending),
}

/// Pictures, each with its random numbers; the targets and places of those that could be read.
pub struct Pending {
    samples: Vec<(Sample, Rng)>,
    target: Option<Tensor>,
    places: Vec<i64>,
}

/// Reads the items of a data set by their places in it.
pub struct View {
    pub(super) inner: Box<dyn Reader + Send>,
    pub(super) index: Option<Vec<i64>>,
    /// The items are pictures, read one by one.
    pub(super) pictures: bool,
    pub(super) finish: Finish,
}

impl View {
    /// Batch number `number` of the pass, of the items at these places.
    ///
    /// # Errors
    /// An item that cannot be read; pictures of several sizes.
    pub fn fetch(&mut self, places: &[i64], number: u64) -> Result<Batch> {
        let made = self.make(places, number)?;
        self.finish.run(made, number)
    }

    /// All of [`View::fetch`] that needs no script.
    ///
    /// # Errors
    /// As [`View::fetch`].
    pub fn make(&mut self, places: &[i64], number: u64) -> Result<Made> {
        let at = |p: &i64| self.index.as_ref().map_or(*p, |all| all[*p as usize]);
        let index: Vec<i64> = places.iter().map(at).collect();
        if !self.pictures {
            let mut batch = self.inner.fetch(&index)?;
            batch.index = Tensor::f_from_slice(places)?;
            if let Some(norm) = &self.finish.norm {
                batch.input = normalized(&batch.input, norm)?;
            }
            return Ok(Made::Batch(batch));
        }
        let f = &self.finish;
        let mut pending = Pending { samples: Vec::new(), target: None, places: Vec::new() };
        let mut read = Vec::new();
        for (i, place) in index.iter().zip(places) {
            let Some(mut s) = self.inner.sample(*i, f.plan.whole)? else { continue };
            if f.dense.is_some() {
                s.outside = IGNORED;
            }
            let mut rng = seed::stream_of(f.seed, "augment", (f.epoch << 32) ^ *place as u64);
            for a in &f.plan.ahead {
                s = a.0.apply(s, &mut rng)?;
            }
            pending.samples.push((s, rng));
            pending.places.push(*place);
            read.push(*i);
        }
        pending.target = self.inner.targets(&read)?;
        if !f.plan.main.is_empty() {
            return Ok(Made::Pictures(pending));
        }
        f.close(pending, number).map(Made::Batch)
    }
}

impl Finish {
    /// What is left of making batch number `number`, on the main thread.
    ///
    /// # Errors
    /// As [`View::fetch`], and the script's.
    pub fn run(&self, made: Made, number: u64) -> Result<Batch> {
        match made {
            Made::Batch(batch) => Ok(batch),
            Made::Pictures(pending) => self.close(pending, number),
        }
    }

    fn close(&self, p: Pending, number: u64) -> Result<Batch> {
        let mut samples = Vec::with_capacity(p.samples.len());
        for (mut s, mut rng) in p.samples {
            for a in &self.plan.main {
                s = a.0.apply(s, &mut rng)?;
            }
            if let Some((mean, std)) = &self.norm {
                s.normalize(mean, std);
            }
            samples.push(s);
        }
        let mut batch = collate(&samples, self.channels, p.target, &p.places)?;
        if let Some(dense) = self.dense {
            batch.target = dense.target(&batch)?;
        }
        let mut rng = seed::stream_of(self.seed, "mix", (self.epoch << 32) ^ number);
        let empty = batch.is_empty();
        for a in self.plan.mixes.iter().filter(|_| !empty) {
            let size = batch.input.size();
            let with = a.0.draw([size[2] as usize, size[3] as usize], &mut rng);
            let y = probabilities(batch.target.as_ref(), self.classes).map_err(|e| e.within(a.0.name()))?;
            let (x, y) = a.0.mix(batch.input, y, &with)?;
            (batch.input, batch.target) = (x, Some(y));
        }
        Ok(batch)
    }
}

/// Targets as probabilities [N, classes].
fn probabilities(target: Option<&Tensor>, classes: usize) -> Result<Tensor> {
    let t = target.ok_or_else(|| Error::new("the data has no targets to mix"))?;
    if t.is_floating_point() {
        return Ok(t.shallow_clone());
    }
    Ok(t.f_one_hot(classes as i64)?.f_to_kind(Kind::Float)?)
}

/// `(x − mean) / std` for each channel of [N, C, ..].
fn normalized(x: &Tensor, (mean, std): &(Vec<f64>, Vec<f64>)) -> Result<Tensor> {
    let axes = vec![1i64; x.dim().saturating_sub(2)];
    let shape = [&[1, mean.len() as i64], &axes[..]].concat();
    let per_channel = |v: &[f64]| -> Result<Tensor> {
        Ok(Tensor::f_from_slice(v)?.f_to_kind(Kind::Float)?.f_reshape(&shape)?)
    };
    Ok(x.f_sub(&per_channel(mean)?)?.f_div(&per_channel(std)?)?)
}

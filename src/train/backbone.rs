//! The frozen part of a network in training: it runs fast, and what it gives for pictures that are the same in every epoch
//! is computed once and kept, as long as weights, data and transform are what they were.

use crate::core::{Error, Result, Value, interrupt, progress};
use crate::data::{Batch, Dataset, LoaderOptions};
use crate::nn::{Frozen, Net, Precision};
use std::cell::RefCell;
use std::rc::Rc;
use tch::{Device, Tensor};

/// Pictures that are read together while features are computed; the same in every run, so that their bits are.
const AT_ONCE: usize = 64;

/// Features as a data set, and the places of their pictures in the one they are of: some could not be read.
#[derive(Clone)]
struct Features {
    data: Dataset,
    places: Rc<Tensor>,
}

/// What a frozen part gave for a whole data set.
struct Kept {
    frozen: Rc<Frozen>,
    data: Dataset,
    stamp: u64,
    features: Features,
    bytes: usize,
}

thread_local!(static KEPT: RefCell<Vec<Kept>> = RefCell::default());

/// Forgets all features: a new script begins.
pub fn begin_script() {
    KEPT.with_borrow_mut(Vec::clear);
}

/// A network in training, seen as a frozen part and the rest.
pub struct Backbone {
    net: Net,
    precision: Precision,
    /// Bytes that the features of one data set may take.
    room: usize,
    frozen: RefCell<Option<Rc<Frozen>>>,
    /// Batches hold features of the pictures at these places, not pictures.
    given: RefCell<Option<Rc<Tensor>>>,
}

impl Backbone {
    /// That of `net`; the features of a data set may take this many megabytes.
    pub fn new(net: &Net, precision: Precision, megabytes: usize) -> Self {
        let (frozen, room) = (RefCell::default(), megabytes.saturating_mul(1 << 20));
        Self { net: net.clone(), precision, room, frozen, given: RefCell::default() }
    }

    /// The frozen part as it is now.
    fn frozen(&self) -> Result<Option<Rc<Frozen>>> {
        let known = self.frozen.borrow().clone();
        if let Some(frozen) = known
            && frozen.is_current()?
        {
            return Ok(Some(frozen));
        }
        let new = Frozen::of(&self.net, self.precision)?.map(Rc::new);
        self.frozen.replace(new.clone());
        Ok(new)
    }

    /// What to read in place of `data`: the features of its pictures, where they are worth keeping.
    ///
    /// # Errors
    /// A picture's, a layer's; Ctrl-C.
    pub fn data(&self, data: &Dataset) -> Result<Dataset> {
        self.given.take();
        let Some(frozen) = self.frozen()? else { return Ok(data.clone()) };
        if self.room == 0 || !data.is_fixed() {
            return Ok(data.clone());
        }
        let Some(features) = self.features(&frozen, data)? else { return Ok(data.clone()) };
        self.given.replace(Some(features.places));
        Ok(features.data)
    }

    /// Where the pictures of a batch stand in the data set.
    ///
    /// # Errors
    /// libtorch's.
    pub fn places(&self, batch: &Batch) -> Result<Tensor> {
        Ok(match &*self.given.borrow() {
            Some(places) => places.f_index_select(0, &batch.index)?,
            None => batch.index.shallow_clone(),
        })
    }

    /// The features of all of `data`, kept or computed; none if they take too much room.
    fn features(&self, frozen: &Rc<Frozen>, data: &Dataset) -> Result<Option<Features>> {
        let stamp = data.stamp();
        let mut all = KEPT.take();
        // What was computed from items that have changed since is of no use to anybody.
        all.retain(|k| !k.data.is_like(data) || k.stamp == stamp);
        let mut hit = None;
        for (i, k) in all.iter().enumerate() {
            if k.data.is_like(data) && k.frozen.same(frozen)? {
                hit = Some(i);
            }
        }
        if let Some(i) = hit {
            let kept = all.remove(i); // the last one used is the last to go
            let features = kept.features.clone();
            all.push(kept);
            KEPT.set(all);
            return Ok(Some(features));
        }
        KEPT.set(all);
        let Some((features, bytes)) = self.compute(frozen, data)? else { return Ok(None) };
        let kept =
            Kept { frozen: frozen.clone(), data: data.clone(), stamp, features: features.clone(), bytes };
        KEPT.with_borrow_mut(|all| {
            all.push(kept);
            while all.len() > 1 && all.iter().map(|k| k.bytes).sum::<usize>() > self.room.saturating_mul(4) {
                all.remove(0);
            }
        });
        Ok(Some(features))
    }

    fn compute(&self, frozen: &Frozen, data: &Dataset) -> Result<Option<(Features, usize)>> {
        let (mut features, mut targets, mut places, mut room) = (Vec::new(), Vec::new(), Vec::new(), 0);
        let loader = data.loader(&LoaderOptions { batch_size: AT_ONCE, ..LoaderOptions::default() })?;
        progress::begin("features", loader.len() as u64);
        for (i, batch) in loader.enumerate() {
            interrupt::check()?;
            let batch = batch?;
            let device = self.net.device();
            let x = frozen.features(&batch.input.f_to_device(device)?)?.f_to_device(Device::Cpu)?;
            if i == 0 {
                let row = x.numel() / batch.len().max(1) * 4;
                room = row.saturating_mul(data.len());
                if room > self.room {
                    progress::finish("");
                    return Ok(None);
                }
            }
            features.push(x);
            places.push(batch.index.shallow_clone());
            targets.extend(batch.target.as_ref().map(Tensor::shallow_clone));
            progress::advance(i as u64 + 1, String::new);
        }
        progress::finish("");
        if features.is_empty() {
            return Err(Error::new("none of the pictures could be read").hint("data.skipped says why"));
        }
        let x = Tensor::f_cat(&features, 0)?;
        let y = if targets.is_empty() { None } else { Some(Tensor::f_cat(&targets, 0)?) };
        let data = Dataset::of_tensors("features", x, y, data.classes().to_vec())?;
        Ok(Some((Features { data, places: Rc::new(Tensor::f_cat(&places, 0)?) }, room)))
    }

    /// What the network gives for a batch of what [`data`](Backbone::data) told to read.
    ///
    /// # Errors
    /// A layer's; frozen weights that changed in the middle of an epoch.
    pub fn forward(&self, batch: &Batch) -> Result<Value> {
        let known = self.frozen.borrow().clone();
        match (known, self.given.borrow().is_some()) {
            (Some(frozen), true) if frozen.is_current()? => frozen.rest(&batch.input),
            (_, true) => {
                Err(Error::new("the frozen part of the network was changed in the middle of an epoch")
                    .hint("change it in `on_epoch`, or keep no features: #{cache: 0}"))
            }
            (None, false) => self.whole(batch),
            (Some(_), false) => match self.frozen()? {
                Some(frozen) => frozen.rest(&frozen.features(&batch.input)?),
                None => self.whole(batch),
            },
        }
    }

    fn whole(&self, batch: &Batch) -> Result<Value> {
        self.net.forward(Value::Tensor(batch.input.shallow_clone()))
    }
}

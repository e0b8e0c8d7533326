//! Data sets: where they come from, how batches are made of them ahead of the step.

mod batches;
mod cache;
pub mod catalogue;
mod critters;
mod dataset;
mod dense;
mod dogs;
mod entry;
mod files;
mod folder;
mod http;
mod identity;
mod loader;
mod mask_file;
mod masks;
mod mat;
mod memory;
mod mnist;
mod package;
mod pets;
mod pictures;
mod places;
mod view;
mod voc;

pub use batches::{Batches, Walk};
pub use dataset::Dataset;
pub use dense::{Dense, IGNORE};
pub use loader::{Loader, LoaderOptions};
pub use pictures::{PictureSource, Pictures};
pub use view::View;

use crate::augment::Sample;
use crate::core::{Error, Map, Result, Value};
use std::path::Path;
use std::sync::Arc;
use tch::{Device, Tensor};

/// What is known of the pixels of a batch, where anything is.
#[derive(Debug, Default)]
pub struct Truth {
    /// Number of the part that each pixel shows, uint8 [N, H, W]; 0 is the background.
    pub mask: Option<Tensor>,
    /// `[x, y, width, height]` of the thing in each picture, in pixels, float [N, 4].
    pub boxes: Option<Tensor>,
}

/// Pictures (or anything else) and their targets.
#[derive(Debug)]
pub struct Batch {
    /// [N, ..], float.
    pub input: Tensor,
    /// [N, ..]; class numbers are int64.
    pub target: Option<Tensor>,
    /// Place of each item in the data set, int64 [N].
    pub index: Tensor,
    /// Masks and boxes.
    pub truth: Truth,
}

impl Batch {
    /// Items in the batch.
    pub fn len(&self) -> usize {
        self.index.numel()
    }

    /// True when the batch holds nothing.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The batch on `device`.
    ///
    /// # Errors
    /// libtorch's.
    pub fn to(self, device: Device) -> Result<Self> {
        if self.input.device() == device {
            return Ok(self);
        }
        let to = |t: Option<Tensor>| t.map(|t| t.f_to_device(device)).transpose();
        let truth = Truth { mask: to(self.truth.mask)?, boxes: to(self.truth.boxes)? };
        Ok(Self {
            input: self.input.f_to_device(device)?,
            target: to(self.target)?,
            index: self.index,
            truth,
        })
    }

    /// The batch cut into pieces of at most `size` items, in order.
    ///
    /// # Errors
    /// libtorch's.
    pub fn pieces(&self, size: usize) -> Result<Vec<Batch>> {
        let n = self.len();
        let one = |begin: usize| {
            let cut = |t: &Tensor| Ok::<_, Error>(t.f_narrow(0, begin as i64, size.min(n - begin) as i64)?);
            let maybe = |t: &Option<Tensor>| t.as_ref().map(cut).transpose();
            let truth = Truth { mask: maybe(&self.truth.mask)?, boxes: maybe(&self.truth.boxes)? };
            Ok(Batch {
                input: cut(&self.input)?,
                target: maybe(&self.target)?,
                index: cut(&self.index)?,
                truth,
            })
        };
        (0..n).step_by(size.max(1)).map(one).collect()
    }

    /// As scripts see it: a map with `input`, `target`, `index`, and `parts`, `mask`, `box` where they are known.
    ///
    /// # Errors
    /// libtorch's.
    pub fn to_value(&self) -> Result<Value> {
        let target = self.target.as_ref().map_or(Value::Nil, |t| Value::Tensor(t.shallow_clone()));
        let mut map = Map::from([
            ("input".to_string(), Value::Tensor(self.input.shallow_clone())),
            ("target".to_string(), target),
            ("index".to_string(), Value::Tensor(self.index.shallow_clone())),
        ]);
        self.truth.add_to(&mut map)?;
        Ok(Value::Map(map))
    }
}

/// Items by number. A source gives a [`Reader`] to each thread that reads it, since tensors cannot be shared
/// between threads.
pub trait Source {
    /// How many items there are.
    fn len(&self) -> usize;
    /// True when there is none.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }
    /// A reader for another thread.
    fn reader(&self) -> Box<dyn Reader + Send>;
    /// Shape of one input.
    fn shape(&self) -> Vec<i64>;
    /// Class number of every item, where targets are classes.
    fn labels(&self) -> Option<Vec<i64>>;
    /// Names of the classes, where they have names.
    fn classes(&self) -> Arc<[String]>;
    /// Names of the parts, by the number that masks hold.
    fn parts(&self) -> Arc<[String]> {
        Arc::new([])
    }
    /// A number that is another one when any of the items `index` (all if none) may have changed.
    fn stamp(&self, _index: Option<&[i64]>) -> u64 {
        0
    }
    /// Targets are a class for each pixel, made of the pictures' masks.
    fn dense(&self) -> Option<Dense> {
        None
    }
    /// Shape of targets as large as the pictures that no augmentation moves with them.
    fn pinned(&self) -> Option<Vec<i64>> {
        None
    }
    /// Items are pictures that are read or made one by one.
    fn pictures(&self) -> bool {
        false
    }
    /// The file item `i` is read from, if there is one.
    fn file(&self, _i: usize) -> Option<&Path> {
        None
    }
    /// What was left out so far, and why.
    fn skipped(&self) -> Vec<String> {
        Vec::new()
    }
}

/// Makes batches of the items asked for.
pub trait Reader {
    /// The items `index` as one batch on the CPU.
    ///
    /// # Errors
    /// An item that cannot be read.
    fn fetch(&mut self, index: &[i64]) -> Result<Batch>;
    /// Item `i` as a picture that can be augmented, `whole` where the source would cut it to size; None if it is to
    /// be left out.
    ///
    /// # Errors
    /// Items that are no pictures; one that cannot be read.
    fn sample(&mut self, _i: i64, _whole: bool) -> Result<Option<Sample>> {
        Err(Error::new("the items of this data set are no pictures"))
    }
    /// The targets of the items `index`.
    ///
    /// # Errors
    /// libtorch's.
    fn targets(&mut self, index: &[i64]) -> Result<Option<Tensor>> {
        Ok(self.fetch(index)?.target)
    }
}

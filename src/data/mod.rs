//! Data sets: where they come from, how batches are made of them ahead of the step.

mod batches;
pub mod catalogue;
mod dataset;
mod entry;
mod http;
mod loader;
mod memory;
mod mnist;
mod package;

pub use batches::{Batches, Walk};
pub use dataset::Dataset;
pub use loader::{Loader, LoaderOptions};

use crate::core::{Error, Result, Value};
use std::sync::Arc;
use tch::{Device, Tensor};

/// Pictures (or anything else) and their targets.
#[derive(Debug)]
pub struct Batch {
    /// [N, ..], float.
    pub input: Tensor,
    /// [N, ..]; class numbers are int64.
    pub target: Option<Tensor>,
    /// Place of each item in the data set, int64 [N].
    pub index: Tensor,
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
        let target = self.target.map(|t| t.f_to_device(device)).transpose()?;
        Ok(Self { input: self.input.f_to_device(device)?, target, index: self.index })
    }

    /// The batch cut into pieces of at most `size` items, in order.
    ///
    /// # Errors
    /// libtorch's.
    pub fn pieces(&self, size: usize) -> Result<Vec<Batch>> {
        let n = self.len();
        let one = |begin: usize| {
            let cut = |t: &Tensor| Ok::<_, Error>(t.f_narrow(0, begin as i64, size.min(n - begin) as i64)?);
            let target = self.target.as_ref().map(cut).transpose()?;
            Ok(Batch { input: cut(&self.input)?, target, index: cut(&self.index)? })
        };
        (0..n).step_by(size.max(1)).map(one).collect()
    }

    /// As scripts see it: a map with `input`, `target`, `index`.
    pub fn to_value(&self) -> Value {
        let target = self.target.as_ref().map_or(Value::Nil, |t| Value::Tensor(t.shallow_clone()));
        Value::Map(
            [
                ("input".to_string(), Value::Tensor(self.input.shallow_clone())),
                ("target".to_string(), target),
                ("index".to_string(), Value::Tensor(self.index.shallow_clone())),
            ]
            .into(),
        )
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
}

/// Makes batches of the items asked for.
pub trait Reader {
    /// The items `index` as one batch on the CPU.
    ///
    /// # Errors
    /// An item that cannot be read.
    fn fetch(&mut self, index: &[i64]) -> Result<Batch>;
}

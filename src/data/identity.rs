//! When two data sets give the same items: for whoever keeps what was computed from them.

use super::Dataset;
use super::memory::Memory;
use crate::core::Result;
use std::rc::Rc;
use std::sync::Arc;
use tch::Tensor;

impl Dataset {
    /// Every pass gives the same: nothing random is done to the items.
    pub fn is_fixed(&self) -> bool {
        self.0.stages.iter().all(|a| !a.0.random())
    }

    /// True for the same items of one source, to which the same is done.
    pub fn is_like(&self, other: &Self) -> bool {
        let (a, b) = (&self.0, &other.0);
        Rc::ptr_eq(&a.source, &b.source)
            && (&a.index, &a.norm, a.dense) == (&b.index, &b.norm, b.dense)
            && a.stages.len() == b.stages.len()
            && a.stages.iter().zip(&b.stages).all(|(a, b)| Arc::ptr_eq(&a.0, &b.0))
    }

    /// A number that is another one when any of its items may have changed.
    pub fn stamp(&self) -> u64 {
        self.0.source.stamp(self.0.index.as_deref())
    }

    /// A data set of tensors in memory, with names for its classes.
    ///
    /// # Errors
    /// Inputs and targets of different counts.
    pub fn of_tensors(name: &str, x: Tensor, y: Option<Tensor>, classes: Vec<String>) -> Result<Self> {
        Ok(Self::new(name, Memory::new(x, y, classes)?))
    }
}

//! Batches as scripts walk them: `for batch in ds.batches(64) { … }`.

use super::{Batch, Dataset, Loader, LoaderOptions};
use crate::augment::Aug;
use crate::core::{Error, Opts, Result, device, interrupt};

/// A way to cut a data set into batches. Nothing is read before it is walked; each walk reads anew, ahead of the
/// script, never all at once.
#[derive(Clone)]
pub struct Batches {
    data: Dataset,
    options: LoaderOptions,
}

object!(Batches, "Batches", |b| format!(
    "Batches: {} of {} from {}",
    b.len(),
    b.options.batch_size,
    b.data.show()
));

impl Batches {
    /// How many batches one walk gives.
    pub fn len(&self) -> usize {
        let (n, size) = (self.data.len(), self.options.batch_size.max(1));
        if self.options.drop_last { n / size } else { n.div_ceil(size) }
    }

    /// True when a walk gives none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Begins a walk. It ends after its first error.
    pub fn walk(&self) -> Walk {
        match Loader::new(&self.data, &self.options) {
            Ok(loader) => Walk { loader: Some(loader), failed: None },
            Err(e) => Walk { loader: None, failed: Some(e) },
        }
    }
}

/// A walk under way.
pub struct Walk {
    loader: Option<Loader>,
    failed: Option<crate::core::Error>,
}

impl Iterator for Walk {
    type Item = Result<Batch>;

    fn next(&mut self) -> Option<Self::Item> {
        if let Some(e) = self.failed.take() {
            return Some(Err(e));
        }
        let next = interrupt::check().map_err(Some).and_then(|()| {
            match self.loader.as_mut().and_then(Loader::next) {
                Some(Ok(batch)) => batch.to(device::current()).map_err(Some),
                Some(Err(e)) => Err(Some(e)),
                None => Err(None),
            }
        });
        next.map_or_else(
            |end| {
                self.loader = None;
                end.map(Err)
            },
            |batch| Some(Ok(batch)),
        )
    }
}

options! {
    /// Options of `batches`.
    pub struct BatchesOptions {
        /// Random order; the run's seed and `epoch` settle it.
        shuffle: bool = false,
        /// Leaves an incomplete last batch out.
        drop_last: bool = false,
        /// Which pass over the data this is: another pass, another order.
        epoch: usize = 0,
        /// Augments the pictures, as `data.augment(aug).batches(…)`.
        augment: Option<Aug> = None => (),
        /// Threads that read ahead; by themselves as many as are worth it.
        workers: Option<usize> = None => (),
    }
}

impl Dataset {
    /// An error that came of a batch of these, with the file of its first picture.
    pub fn blame(&self, batch: &Batch, e: Error) -> Error {
        let first = batch.index.f_get(0).and_then(i64::try_from).ok();
        match first.and_then(|i| self.file(i as usize)) {
            Some(file) => e.within(format!("the batch that begins with {}", file.display())),
            _ => e,
        }
    }
}

functions! {
    on "Dataset";
    /// The items in batches, to be walked with `for`.
    ///
    /// Each batch is a map with `input` [N, ..], `target` [N, ..] and `index` [N]. A few are read ahead on other
    /// threads.
    /// ```rhai
    /// let sizes = [];
    /// for batch in data::from_tensors(tensor::zeros([5, 3])).batches(2) { sizes.push(batch.input.shape); }
    /// sizes // => [[2, 3], [2, 3], [1, 3]]
    /// ```
    fn batches(data: Dataset, batch_size: usize, options: Opts<BatchesOptions>) -> Batches {
        let o = options.0;
        if batch_size == 0 {
            Err(crate::core::Error::new("`batch_size` must be at least 1, got 0"))?;
        }
        let (shuffle, drop_last, epoch) = (o.shuffle, o.drop_last, o.epoch as u64);
        let data = o.augment.map_or(Ok(data.clone()), |a| data.augmented(&a))?;
        let workers = o.workers;
        Batches { data, options: LoaderOptions { batch_size, shuffle, drop_last, epoch, workers, ..LoaderOptions::default() } }
    }

    on "Batches";
    /// How many batches there are.
    /// ```rhai
    /// data::from_tensors(tensor::zeros([5, 3])).batches(2, #{drop_last: true}).len() // => 2
    /// ```
    fn len(batches: Batches) -> usize {
        batches.len()
    }
}

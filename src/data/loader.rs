//! Batches made on another thread, a few ahead of the step. The order is a function of the seed and the epoch
//! alone, so that a run can go on in the middle of an epoch.

use super::{Batch, Dataset, Reader};
use crate::core::{Error, Result, seed};
use rand::seq::SliceRandom;
use std::sync::mpsc::{Receiver, sync_channel};
use std::thread::JoinHandle;

/// How a data set is cut into batches.
#[derive(Clone, Debug)]
pub struct LoaderOptions {
    /// Items a batch.
    pub batch_size: usize,
    /// A new order for every epoch.
    pub shuffle: bool,
    /// Leaves an incomplete last batch out.
    pub drop_last: bool,
    /// Which pass over the data this is: another pass, another order.
    pub epoch: u64,
    /// Begins after this many batches.
    pub skip_batches: usize,
    /// Batches kept ready.
    pub prefetch: usize,
}

impl Default for LoaderOptions {
    fn default() -> Self {
        Self { batch_size: 64, shuffle: false, drop_last: false, epoch: 0, skip_batches: 0, prefetch: 2 }
    }
}

/// The batches of one pass.
pub struct Loader {
    receiver: Option<Receiver<Result<Batch>>>,
    thread: Option<JoinHandle<()>>,
    left: usize,
}

impl Loader {
    /// Starts the reading thread.
    ///
    /// # Errors
    /// A batch size of 0; no thread to be had.
    pub fn new(data: &Dataset, o: &LoaderOptions) -> Result<Self> {
        if o.batch_size == 0 {
            return Err(Error::new("`batch_size` must be at least 1, got 0"));
        }
        let mut order: Vec<i64> = (0..data.len() as i64).collect();
        if o.shuffle {
            order.shuffle(&mut seed::stream("shuffle", o.epoch));
        }
        let whole = order.len() / o.batch_size * o.batch_size;
        if o.drop_last {
            order.truncate(whole);
        }
        let order = order.split_off(order.len().min(o.skip_batches * o.batch_size));
        let left = order.len().div_ceil(o.batch_size);
        let (sender, receiver) = sync_channel(o.prefetch.max(1));
        let (mut reader, size) = (data.reader(), o.batch_size);
        // libtorch counts threads for each of ours, but one that has not asked yet would take over the 1 below.
        tch::get_num_threads();
        let work = move || {
            // One thread of libtorch's is enough here; more would take the cores from the step.
            tch::set_num_threads(1);
            for index in order.chunks(size) {
                let failed = || Err(Error::new("reading a batch failed: the reading thread panicked"));
                let batch = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| reader.fetch(index)));
                let batch = batch.unwrap_or_else(|_| failed());
                let end = batch.is_err();
                if sender.send(batch).is_err() || end {
                    return;
                }
            }
        };
        let thread = std::thread::Builder::new().name("loader".to_string()).spawn(work);
        let thread = thread.map_err(|e| Error::new(format!("no thread for reading data: {e}")))?;
        Ok(Self { receiver: Some(receiver), thread: Some(thread), left })
    }

    /// Batches still to come.
    pub fn len(&self) -> usize {
        self.left
    }

    /// True when no batch is left.
    pub fn is_empty(&self) -> bool {
        self.left == 0
    }
}

impl Iterator for Loader {
    type Item = Result<Batch>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.left == 0 {
            return None;
        }
        let ended = || Err(Error::new("reading the data ended early: the reading thread is gone"));
        let batch = self.receiver.as_ref()?.recv().unwrap_or_else(|_| ended());
        // Nothing comes behind an error.
        self.left = if batch.is_ok() { self.left - 1 } else { 0 };
        Some(batch)
    }
}

impl Drop for Loader {
    fn drop(&mut self) {
        // Closing the channel first ends the thread at its next batch.
        self.receiver.take();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

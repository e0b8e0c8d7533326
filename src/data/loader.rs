//! Batches made on other threads, a few ahead of the step. Order and random numbers are functions of the seed, the
//! epoch and the place alone, so that a run can go on in the middle of an epoch, with any number of threads.

use super::view::{Finish, Made};
use super::{Batch, Dataset};
use crate::core::{Error, Result, progress, seed};
use rand::seq::SliceRandom;
use std::sync::Arc;
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
    /// Threads that read; as many as there are processors (at most 8) if left out, for pictures that are read or
    /// augmented one by one, and else one.
    pub workers: Option<usize>,
}

impl Default for LoaderOptions {
    fn default() -> Self {
        Self {
            batch_size: 64,
            shuffle: false,
            drop_last: false,
            epoch: 0,
            skip_batches: 0,
            prefetch: 2,
            workers: None,
        }
    }
}

/// The batches of one pass.
pub struct Loader {
    /// One for each thread; the batches come from them by turns.
    receivers: Vec<Receiver<Result<Made>>>,
    threads: Vec<JoinHandle<()>>,
    finish: Finish,
    /// Pictures may be left out on the way.
    data: Option<Dataset>,
    /// How many items had been left out before.
    skipped: usize,
    /// Number of the next batch, and of the one behind the last.
    next: usize,
    end: usize,
    first: usize,
}

impl Loader {
    /// Starts the reading threads.
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
        if o.drop_last {
            order.truncate(order.len() / o.batch_size * o.batch_size);
        }
        let end = order.len().div_ceil(o.batch_size);
        let first = o.skip_batches.min(end);
        let usual = || match data.one_by_one() {
            true => std::thread::available_parallelism().map_or(1, |n| n.get().min(8)),
            false => 1,
        };
        let workers = o.workers.unwrap_or_else(usual).clamp(1, (end - first).max(1));
        let order = Arc::new(order);
        let finish = data.reader(o.epoch)?.finish;
        let mut loader = Self {
            receivers: Vec::new(),
            threads: Vec::new(),
            finish,
            data: data.one_by_one().then(|| data.clone()),
            skipped: data.skipped().len(),
            next: first,
            end,
            first,
        };
        // libtorch counts threads for each of ours, but one that has not asked yet would take over the 1 below.
        tch::get_num_threads();
        for w in 0..workers {
            let (sender, receiver) = sync_channel(o.prefetch.div_ceil(workers).max(1));
            let (mut view, order, size) = (data.reader(o.epoch)?, order.clone(), o.batch_size);
            let work = move || {
                // One thread of libtorch's is enough here; more would take the cores from the step.
                tch::set_num_threads(1);
                for number in (first + w..end).step_by(workers) {
                    let places = &order[number * size..order.len().min((number + 1) * size)];
                    let failed = || Err(Error::new("reading a batch failed: the reading thread panicked"));
                    let make = std::panic::AssertUnwindSafe(|| view.make(places, number as u64));
                    let made = std::panic::catch_unwind(make).unwrap_or_else(|_| failed());
                    let end = made.is_err();
                    if sender.send(made).is_err() || end {
                        return;
                    }
                }
            };
            let thread = std::thread::Builder::new().name("loader".to_string()).spawn(work);
            loader.threads.push(thread.map_err(|e| Error::new(format!("no thread for reading data: {e}")))?);
            loader.receivers.push(receiver);
        }
        Ok(loader)
    }

    /// Batches still to come.
    pub fn len(&self) -> usize {
        self.end - self.next
    }

    /// True when no batch is left.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn receive(&mut self) -> Option<Result<Batch>> {
        if self.is_empty() || self.receivers.is_empty() {
            return None;
        }
        let ended = || Err(Error::new("reading the data ended early: the reading thread is gone"));
        let from = &self.receivers[(self.next - self.first) % self.receivers.len()];
        let made = from.recv().unwrap_or_else(|_| ended());
        let batch = made.and_then(|made| self.finish.run(made, self.next as u64));
        // Nothing comes behind an error.
        self.next = if batch.is_ok() { self.next + 1 } else { self.end };
        Some(batch)
    }
}

impl Iterator for Loader {
    type Item = Result<Batch>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            match self.receive()? {
                // None of its items could be read.
                Ok(batch) if batch.is_empty() => {}
                batch => return Some(batch),
            }
        }
    }
}

impl Drop for Loader {
    fn drop(&mut self) {
        let skipped = self.data.as_ref().map(Dataset::skipped).unwrap_or_default();
        if let (n @ 1.., Some(last)) = (skipped.len() - self.skipped.min(skipped.len()), skipped.last()) {
            progress::say(&format!(
                "left out {n} pictures that cannot be read, for example {last}; data.skipped names them"
            ));
        }
        // Closing the channels first ends each thread at its next batch.
        self.receivers.clear();
        for thread in self.threads.drain(..) {
            let _ = thread.join();
        }
    }
}

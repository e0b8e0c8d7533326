//! Ctrl-C: a flag that long computations look at between two libtorch calls.

use super::error::{Error, Result};
use std::sync::atomic::{AtomicBool, Ordering};

static STOP: AtomicBool = AtomicBool::new(false);

/// Asks the running computation to stop; true if it had been asked before.
pub fn request() -> bool {
    STOP.swap(true, Ordering::SeqCst)
}

/// Forgets a request, before a new computation.
pub fn clear() {
    STOP.store(false, Ordering::SeqCst);
}

/// True when a stop was asked for.
pub fn requested() -> bool {
    STOP.load(Ordering::Relaxed)
}

/// An error when a stop was asked for.
pub fn check() -> Result<()> {
    if requested() { Err(Error::interrupted()) } else { Ok(()) }
}

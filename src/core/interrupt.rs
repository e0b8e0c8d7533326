//! Ctrl-C: a flag that long computations look at between two libtorch calls.

use super::error::{Error, Result};
use std::sync::atomic::{AtomicBool, Ordering};

static STOP: AtomicBool = AtomicBool::new(false);
/// Nothing is computed: the prompt waits.
static IDLE: AtomicBool = AtomicBool::new(false);

/// Asks the running computation to stop; true if it had been asked before.
pub fn request() -> bool {
    STOP.swap(true, Ordering::SeqCst) && !idle()
}

/// Forgets a request, before a new computation.
pub fn clear() {
    STOP.store(false, Ordering::SeqCst);
    IDLE.store(false, Ordering::SeqCst);
}

/// Forgets a request that was answered by ending early: the script goes on with what there is.
pub fn answered() {
    STOP.store(false, Ordering::SeqCst);
}

/// The computation is over: requests have nothing to stop.
pub fn rest() {
    IDLE.store(true, Ordering::SeqCst);
}

/// True from [`rest`] to [`clear`].
pub fn idle() -> bool {
    IDLE.load(Ordering::SeqCst)
}

/// True when a stop was asked for.
pub fn requested() -> bool {
    STOP.load(Ordering::Relaxed)
}

/// An error when a stop was asked for.
pub fn check() -> Result<()> {
    if requested() { Err(Error::interrupted()) } else { Ok(()) }
}

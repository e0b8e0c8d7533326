//! Ctrl-C: a flag that long computations look at between two libtorch calls.

use super::error::{Error, Result};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

static STOP: AtomicBool = AtomicBool::new(false);
/// Nothing is computed: the prompt waits.
static IDLE: AtomicBool = AtomicBool::new(false);
/// Why the computation is to stop, if nobody asked: a limit was reached.
static WHY: Mutex<Option<String>> = Mutex::new(None);

/// Asks the running computation to stop; true if it had been asked before.
pub fn request() -> bool {
    STOP.swap(true, Ordering::SeqCst) && !idle()
}

/// Asks the running computation to stop for this reason.
pub fn stop(why: &str) {
    *WHY.lock().unwrap_or_else(PoisonError::into_inner) = Some(why.to_string());
    STOP.store(true, Ordering::SeqCst);
}

/// Why the computation is to stop, if it was not Ctrl-C.
pub fn reason() -> Option<String> {
    WHY.lock().unwrap_or_else(PoisonError::into_inner).clone()
}

/// Forgets a request, before a new computation.
pub fn clear() {
    *WHY.lock().unwrap_or_else(PoisonError::into_inner) = None;
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

//! Ctrl-C: a flag that long computations look at between two libtorch calls.

use super::error::{Error, Result};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

static STOP: AtomicBool = AtomicBool::new(false);
/// Nothing is computed: the prompt waits.
static IDLE: AtomicBool = AtomicBool::new(false);
/// Why the computation is to stop, if nobody asked: a limit was reached.
static WHY: Mutex<Option<String>> = Mutex::new(None);

/// What runs is not to be stopped half-way, see [`hold`].
static HELD: AtomicBool = AtomicBool::new(false);
/// When the stop was asked for; none for one that does not wait.
static SINCE: Mutex<Option<Instant>> = Mutex::new(None);
/// So long a stop waits for the end of what is held: a step that has lost its way must end too.
const PATIENCE: Duration = Duration::from_secs(10);

/// Until it is dropped, a stop waits: after half a step there is no state that one could go on from.
#[must_use]
pub struct Held(bool);

/// Lets a request to stop wait for the end of what is done, ten seconds at most.
pub fn hold() -> Held {
    Held(HELD.swap(true, Ordering::SeqCst))
}

impl Drop for Held {
    fn drop(&mut self) {
        HELD.store(self.0, Ordering::SeqCst);
    }
}

/// A stop was asked for, and waits.
fn waits() -> bool {
    let since = *SINCE.lock().unwrap_or_else(PoisonError::into_inner);
    HELD.load(Ordering::Relaxed) && since.is_some_and(|t| t.elapsed() < PATIENCE)
}

/// Asks the running computation to stop; true if it had been asked before.
pub fn request() -> bool {
    let mut since = SINCE.lock().unwrap_or_else(PoisonError::into_inner); // nobody sees one without the other
    let before = STOP.swap(true, Ordering::SeqCst);
    if !before {
        *since = Some(Instant::now());
    }
    before && !idle()
}

/// Asks the running computation to stop for this reason; `now`: also in the midst of what is held.
pub fn stop(why: &str, now: bool) {
    *WHY.lock().unwrap_or_else(PoisonError::into_inner) = Some(why.to_string());
    *SINCE.lock().unwrap_or_else(PoisonError::into_inner) = (!now).then(Instant::now);
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

/// True when a stop was asked for, also while it waits.
pub fn pending() -> bool {
    STOP.load(Ordering::Relaxed)
}

/// True when a stop was asked for and does not wait.
pub fn requested() -> bool {
    STOP.load(Ordering::Relaxed) && !waits()
}

/// An error when a stop was asked for.
pub fn check() -> Result<()> {
    if requested() { Err(Error::interrupted()) } else { Ok(()) }
}

//! What long work tells while it runs. The rooms speak here; `host` shows it (bars on a terminal, one plain
//! line an epoch elsewhere) or keeps silent.

use std::cell::RefCell;
use std::rc::Rc;

/// Shows the progress of long work.
pub trait Sink {
    /// Work called `label` begins; `total` steps are to be done (0: not known).
    fn begin(&self, label: &str, total: u64);
    /// `done` steps are done; `note` says how it goes.
    fn advance(&self, done: u64, note: &str);
    /// The work is over; `line` is what stays of it (empty: nothing).
    fn finish(&self, line: &str);
    /// A line that is not about progress: what is fetched, what was skipped.
    fn say(&self, line: &str);
    /// What an epoch of training measured: `epoch`, `train_loss` …
    fn measured(&self, _row: &[(String, f64)]) {}
    /// True when [`advance`](Sink::advance) is worth a call now; computing its note may cost a device sync.
    fn wants(&self) -> bool;
}

thread_local!(static SINK: RefCell<Option<Rc<dyn Sink>>> = const { RefCell::new(None) });

/// Who shows progress from here on.
pub fn set_sink(sink: Option<Rc<dyn Sink>>) {
    SINK.replace(sink);
}

fn with(f: impl FnOnce(&dyn Sink)) {
    // Cloned out, so that what is shown may itself speak.
    if let Some(sink) = SINK.with_borrow(Clone::clone) {
        f(&*sink);
    }
}

/// See [`Sink::begin`].
pub fn begin(label: &str, total: u64) {
    with(|s| s.begin(label, total));
}

/// Tells how far it is, when somebody wants to know.
pub fn advance(done: u64, note: impl FnOnce() -> String) {
    with(|s| {
        if s.wants() {
            s.advance(done, &note());
        }
    });
}

/// See [`Sink::finish`].
pub fn finish(line: &str) {
    with(|s| s.finish(line));
}

/// See [`Sink::measured`].
pub fn measured(row: &[(String, f64)]) {
    with(|s| s.measured(row));
}

/// See [`Sink::say`].
pub fn say(line: &str) {
    with(|s| s.say(line));
}

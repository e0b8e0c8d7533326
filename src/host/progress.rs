//! Progress on stderr: a bar with the time left on a terminal, elsewhere the plain lines that stay.

use crate::core::progress::Sink;
use indicatif::{ProgressBar, ProgressStyle};
use std::cell::RefCell;
use std::io::IsTerminal;
use std::rc::Rc;

/// Who shows progress: nobody when `quiet`.
pub fn sink(quiet: bool) -> Option<Rc<dyn Sink>> {
    let terminal = std::io::stderr().is_terminal();
    (!quiet).then(|| Rc::new(Shown { terminal, bar: RefCell::new(None) }) as Rc<dyn Sink>)
}

struct Shown {
    terminal: bool,
    bar: RefCell<Option<ProgressBar>>,
}

impl Sink for Shown {
    fn begin(&self, label: &str, total: u64) {
        if !self.terminal {
            return;
        }
        let (bar, template) = match total {
            0 => (ProgressBar::new_spinner(), "{prefix} {spinner} {pos} {elapsed} {msg}"),
            n => (ProgressBar::new(n), "{prefix} {wide_bar} {pos}/{len} {elapsed}<{eta} {msg}"),
        };
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style);
        }
        bar.set_prefix(label.to_string());
        self.bar.replace(Some(bar));
    }

    fn advance(&self, done: u64, note: &str) {
        if let Some(bar) = &*self.bar.borrow() {
            bar.set_message(note.to_string());
            bar.set_position(done);
        }
    }

    fn finish(&self, line: &str) {
        if let Some(bar) = self.bar.take() {
            bar.finish_and_clear();
        }
        if !line.is_empty() {
            self.say(line);
        }
    }

    fn say(&self, line: &str) {
        match &*self.bar.borrow() {
            Some(bar) => bar.suspend(|| eprintln!("{line}")),
            None => eprintln!("{line}"),
        }
    }

    fn wants(&self) -> bool {
        self.terminal
    }
}

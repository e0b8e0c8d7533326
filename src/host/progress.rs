//! Progress on stderr: on a terminal a bar with the time left, and under that of a training run how its measures went;
//! elsewhere the plain lines that stay.

use super::board::Board;
use super::output;
use crate::core::progress::Sink;
use indicatif::{ProgressBar, ProgressState, ProgressStyle};
use std::cell::RefCell;
use std::fmt::Write;
use std::io::IsTerminal;
use std::rc::Rc;

/// Who shows progress: nobody when `quiet`.
pub fn sink(quiet: bool) -> Option<Rc<dyn Sink>> {
    let terminal = std::io::stderr().is_terminal();
    (!quiet).then(|| {
        Rc::new(Shown { terminal, bar: RefCell::new(None), board: RefCell::default() }) as Rc<dyn Sink>
    })
}

struct Shown {
    terminal: bool,
    bar: RefCell<Option<ProgressBar>>,
    board: RefCell<Board>,
}

/// Columns of the terminal.
fn width() -> usize {
    let size = rustix::termios::tcgetwinsize(std::io::stderr());
    // Serial lines and some containers say 0.
    size.ok().map(|s| usize::from(s.ws_col)).filter(|w| *w > 0).unwrap_or(80).max(20)
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
        let board = if label.starts_with("epoch") { self.board.borrow().lines(width()) } else { Vec::new() };
        let template = if board.is_empty() { template.to_string() } else { format!("{template}\n{{board}}") };
        if let Ok(style) = ProgressStyle::with_template(&template) {
            let board = board.join("\n");
            bar.set_style(style.with_key("board", move |_: &ProgressState, w: &mut dyn Write| {
                let _ = w.write_str(&board);
            }));
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
            Some(bar) => bar.suspend(|| output::say(line)),
            None => output::say(line),
        }
    }

    fn measured(&self, row: &[(String, f64)]) {
        self.board.borrow_mut().add(row);
    }

    fn wants(&self) -> bool {
        self.terminal
    }
}

//! What the line editor asks while a line is typed: is it complete, how may a name go on, what does a call take,
//! which colours.

use super::Repl;
use super::colours::Palette;
use crate::host::params::incomplete;
use crate::registry::paint::Words;
use rustyline::completion::{Completer, Pair};
use rustyline::highlight::{CmdKind, Highlighter};
use rustyline::hint::{Hint, Hinter, HistoryHinter};
use rustyline::validate::{ValidationContext, ValidationResult, Validator};
use rustyline::{Context, Helper};
use std::borrow::Cow;
use std::cell::RefCell;
use std::rc::Rc;

/// Helps the line editor.
pub struct Assistant {
    repl: Rc<RefCell<Repl>>,
    palette: Palette,
    earlier: HistoryHinter,
}

impl Assistant {
    /// One that knows the whole language.
    pub fn new(repl: Rc<RefCell<Repl>>) -> Self {
        Self { repl, palette: Palette(Words::all()), earlier: HistoryHinter::new() }
    }
}

/// Longer words about a call would push what is typed about.
const LONGEST: usize = 72;

/// Grey words behind the cursor.
pub struct Grey {
    shown: String,
    /// The arrow to the right takes it into the line.
    takes: bool,
}

impl Hint for Grey {
    fn display(&self) -> &str {
        &self.shown
    }

    fn completion(&self) -> Option<&str> {
        self.takes.then_some(&self.shown)
    }
}

impl Hinter for Assistant {
    type Hint = Grey;

    fn hint(&self, line: &str, pos: usize, ctx: &Context<'_>) -> Option<Grey> {
        if pos < line.len() || line.contains('\n') {
            return None;
        }
        let earlier = self.earlier.hint(line, pos, ctx).filter(|h| !h.contains('\n'));
        if let Some(shown) = earlier {
            return Some(Grey { shown, takes: true });
        }
        let mut shown = self.repl.borrow().takes(line)?;
        if shown.chars().count() > LONGEST {
            shown = shown.chars().take(LONGEST - 1).chain(['…']).collect();
        }
        Some(Grey { shown, takes: false })
    }
}

impl Validator for Assistant {
    fn validate(&self, ctx: &mut ValidationContext) -> rustyline::Result<ValidationResult> {
        let text = ctx.input();
        let code = text.strip_prefix(":time").unwrap_or(text);
        let more = !code.starts_with(['?', ':']) && incomplete(&self.repl.borrow().engine, code);
        Ok(if more { ValidationResult::Incomplete } else { ValidationResult::Valid(None) })
    }
}

impl Completer for Assistant {
    type Candidate = Pair;

    fn complete(&self, line: &str, pos: usize, _: &Context<'_>) -> rustyline::Result<(usize, Vec<Pair>)> {
        Ok(self.repl.borrow().complete(line, pos))
    }
}

impl Highlighter for Assistant {
    fn highlight<'l>(&self, line: &'l str, pos: usize) -> Cow<'l, str> {
        Cow::Owned(self.palette.paint(line, pos))
    }

    fn highlight_hint<'h>(&self, hint: &'h str) -> Cow<'h, str> {
        Cow::Owned(format!("\x1b[90m{hint}\x1b[0m"))
    }

    fn highlight_prompt<'b, 's: 'b, 'p: 'b>(&'s self, prompt: &'p str, _: bool) -> Cow<'b, str> {
        Cow::Owned(format!("\x1b[1;32m{prompt}\x1b[0m"))
    }

    fn highlight_char(&self, _: &str, _: usize, _: CmdKind) -> bool {
        true
    }
}

impl Helper for Assistant {}

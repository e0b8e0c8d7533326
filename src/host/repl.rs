//! `cs385 repl`: line by line. Variables and functions stay, Ctrl-C stops what runs, Ctrl-D leaves.

use super::engine::{engine, watch_interrupts};
use super::output;
use super::params::incomplete;
use super::render::{Diagnostic, Source, diagnose};
use super::run::{FAILED, OK, Options, USAGE, read, versions};
use crate::bindings::guard;
use crate::core::{Error, Result, interrupt, run};
use crate::registry::session::{Session, show};
use crate::registry::{entries, help};
use rhai::Engine;
use rustyline::completion::Completer;
use rustyline::error::ReadlineError;
use rustyline::highlight::Highlighter;
use rustyline::hint::Hinter;
use rustyline::history::FileHistory;
use rustyline::validate::{ValidationContext, ValidationResult, Validator};
use rustyline::{Context, Editor, Helper};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::rc::Rc;

const NAME: &str = "repl";

/// What the line editor asks: is the input complete, how may a name go on.
struct Assistant {
    engine: Rc<Engine>,
    /// `tensor::zeros`, `.mean`, `param`.
    names: Vec<String>,
}

impl Assistant {
    fn new(engine: Rc<Engine>) -> Self {
        let name = |e: crate::registry::Entry| match e.path.split_once('.') {
            Some(_) => format!(".{}", e.name),
            None => e.path,
        };
        let mut names: Vec<String> = entries().into_iter().map(name).collect();
        names.sort();
        names.dedup();
        Self { engine, names }
    }
}

impl Validator for Assistant {
    fn validate(&self, ctx: &mut ValidationContext) -> rustyline::Result<ValidationResult> {
        let text = ctx.input();
        let more = !text.starts_with('?') && incomplete(&self.engine, text);
        Ok(if more { ValidationResult::Incomplete } else { ValidationResult::Valid(None) })
    }
}

impl Completer for Assistant {
    type Candidate = String;

    fn complete(&self, line: &str, pos: usize, _: &Context<'_>) -> rustyline::Result<(usize, Vec<String>)> {
        let part = |c: char| c.is_alphanumeric() || matches!(c, '_' | ':');
        let start = line[..pos]
            .rfind(|c| !part(c))
            .map_or(0, |i| i + line[i..].chars().next().map_or(1, char::len_utf8));
        let dot = start > 0 && line[..start].ends_with('.');
        let start = if dot { start - 1 } else { start };
        let word = &line[start..pos];
        let mut found: Vec<String> = self.names.iter().filter(|n| n.starts_with(word)).cloned().collect();
        found.dedup();
        Ok((start, if word.is_empty() { Vec::new() } else { found }))
    }
}

impl Highlighter for Assistant {}
impl Hinter for Assistant {
    type Hint = String;
}
impl Helper for Assistant {}

/// The history's file, in the user's data folder.
fn history() -> Option<PathBuf> {
    let set = |name| std::env::var_os(name).filter(|v| !v.is_empty()).map(PathBuf::from);
    let data = set("XDG_DATA_HOME").or_else(|| set("HOME").map(|h| h.join(".local/share")))?.join("cs385");
    std::fs::create_dir_all(&data).ok()?;
    Some(data.join("history"))
}

/// Runs `script` if there is one, then what is typed.
pub fn main(script: Option<&Path>, options: &Options) -> ExitCode {
    match talk(script, options) {
        Ok(code) => code,
        Err(e) => {
            Diagnostic::plain(e).report();
            FAILED.into()
        }
    }
}

fn talk(script: Option<&Path>, options: &Options) -> Result<ExitCode> {
    let engine = Rc::new(engine()?);
    let record = [("versions".to_string(), versions())];
    options.begin(NAME, record.into_iter().collect())?;
    watch_interrupts()?;
    let mut session = Session::new(engine.clone(), NAME);
    if let Some(path) = script {
        match read(path) {
            Ok(text) => answer(&engine, &mut session, &text),
            Err(e) => {
                Diagnostic::plain(e).report();
                return Ok(USAGE.into());
            }
        }
    }
    let broken = |e: ReadlineError| Error::new(format!("the line editor failed: {e}"));
    let mut editor: Editor<Assistant, FileHistory> = Editor::new().map_err(broken)?;
    editor.set_helper(Some(Assistant::new(engine.clone())));
    let history = history();
    if let Some(file) = &history {
        let _ = editor.load_history(file);
    }
    println!("cs385 {}: ?name helps, Ctrl-C stops, Ctrl-D leaves", env!("CARGO_PKG_VERSION"));
    loop {
        match editor.readline("> ") {
            Ok(line) => {
                let _ = editor.add_history_entry(&line);
                answer(&engine, &mut session, &line);
            }
            Err(ReadlineError::Interrupted) => {}
            Err(ReadlineError::Eof) => break,
            Err(e) => return Err(broken(e)),
        }
    }
    if let Some(file) = &history {
        let _ = editor.save_history(file);
    }
    run::finish("ok")?;
    Ok(OK.into())
}

/// One input: help, or code whose last value is shown unless it ends in `;`.
fn answer(engine: &Engine, session: &mut Session, line: &str) {
    if line.trim().is_empty() {
        return;
    }
    run::log(&format!("> {line}\n"));
    if let Some(name) = line.trim().strip_prefix('?') {
        return match name.trim() {
            "" => output::write(&help::overview()),
            name => match help::help(name) {
                Some(text) => output::write(&text),
                None => Diagnostic::plain(help::unknown(name)).report(),
            },
        };
    }
    interrupt::clear();
    match guard::catch(|| Ok(session.eval(line))) {
        Ok(Ok(value)) if value.is_unit() || line.trim_end().ends_with(';') => {}
        Ok(Ok(value)) => output::print(&show(engine, &value)),
        Ok(Err(e)) => diagnose(engine, &Source { name: NAME, text: &session.text }, &e).report(),
        Err(e) => Diagnostic::plain(e).report(),
    }
}

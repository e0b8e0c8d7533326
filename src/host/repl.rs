//! `cs385 repl`: line by line. Variables and functions stay, Ctrl-C stops what runs, Ctrl-D leaves.

use super::complete::Names;
use super::engine::{engine, watch_interrupts};
use super::output;
use super::params::incomplete;
use super::render::{Diagnostic, Source, diagnose};
use super::run::{FAILED, OK, Options, USAGE, read, versions};
use crate::bindings::guard;
use crate::core::{Error, Result, interrupt, run, screen};
use crate::image::Picture;
use crate::registry::help;
use crate::registry::session::{Session, show};
use crate::registry::tokens::tokens;
use rhai::{Engine, Token};
use rustyline::completion::{Completer, Pair};
use rustyline::error::ReadlineError;
use rustyline::highlight::Highlighter;
use rustyline::hint::Hinter;
use rustyline::history::FileHistory;
use rustyline::validate::{ValidationContext, ValidationResult, Validator};
use rustyline::{CompletionType, Config, Context, Editor, Helper};
use std::cell::RefCell;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::rc::Rc;

const NAME: &str = "repl";
/// Lines the history keeps.
const REMEMBERED: usize = 5000;

/// A session at the prompt, without the prompt.
pub struct Repl {
    engine: Rc<Engine>,
    session: Session,
    names: Names,
}

/// What one input gives.
pub enum Answer {
    /// Nothing to show.
    Silence,
    /// The value, as the prompt prints it, or help.
    Text(String),
    /// A picture to show.
    Picture(Picture),
    /// What went wrong; the session goes on.
    Failed(Box<Diagnostic>),
}

impl Repl {
    /// An empty session.
    ///
    /// # Errors
    /// A library file that does not compile.
    pub fn new() -> Result<Self> {
        let engine = Rc::new(engine()?);
        let (session, names) = (Session::new(engine.clone(), NAME), Names::new(&engine));
        Ok(Self { engine, session, names })
    }

    /// One input: help, or code whose last value is shown unless it ends in `;`. What is shown is `_` from then on.
    pub fn answer(&mut self, input: &str) -> Answer {
        if let Some(name) = input.trim().strip_prefix('?') {
            return match name.trim() {
                "" => Answer::Text(help::overview()),
                name => help::help(name)
                    .map_or_else(|| failed(Diagnostic::plain(help::unknown(name))), Answer::Text),
            };
        }
        interrupt::clear();
        let answer = guard::catch(|| Ok(self.evaluate(input)));
        interrupt::rest();
        answer.unwrap_or_else(|e| failed(Diagnostic::plain(e)))
    }

    fn evaluate(&mut self, input: &str) -> Answer {
        let value = match self.session.eval(input) {
            Ok(value) => value,
            Err(e) => {
                let known: Vec<String> = self.session.variables().map(|(n, _)| n.to_string()).collect();
                let source = Source { name: NAME, text: &self.session.text, known: &known };
                return failed(diagnose(&self.engine, &source, &e));
            }
        };
        let silent =
            || matches!(tokens(&self.engine, input).last().map(|t| &t.token), Some(Token::SemiColon));
        if value.is_unit() || silent() {
            return Answer::Silence;
        }
        let answer = match value.clone().try_cast::<Picture>() {
            Some(picture) => Answer::Picture(picture),
            None => Answer::Text(show(&self.engine, &value)),
        };
        self.session.set_last(&value);
        answer
    }

    /// Where the word that ends at byte `pos` of `line` begins, and how it may go on.
    pub fn complete(&self, line: &str, pos: usize) -> (usize, Vec<Pair>) {
        self.names.complete(&self.engine, &self.session, line.get(..pos).unwrap_or(line))
    }

    /// Names of the variables, in order of definition.
    pub fn variables(&self) -> Vec<String> {
        self.session.variables().map(|(n, _)| n.to_string()).collect()
    }
}

fn failed(d: Diagnostic) -> Answer {
    Answer::Failed(Box::new(d))
}

/// Reads, answers and shows one input.
fn turn(repl: &RefCell<Repl>, input: &str) {
    if input.trim().is_empty() {
        return;
    }
    run::log(&format!("> {input}\n"));
    let answer = repl.borrow_mut().answer(input);
    match answer {
        Answer::Silence => {}
        Answer::Text(text) => output::print(text.trim_end()),
        Answer::Picture(picture) => screen::show(picture.raster()),
        Answer::Failed(d) => d.report(),
    }
}

/// What the line editor asks: is the input complete, how may a name go on.
struct Assistant(Rc<RefCell<Repl>>);

impl Validator for Assistant {
    fn validate(&self, ctx: &mut ValidationContext) -> rustyline::Result<ValidationResult> {
        let text = ctx.input();
        let more = !text.starts_with('?') && incomplete(&self.0.borrow().engine, text);
        Ok(if more { ValidationResult::Incomplete } else { ValidationResult::Valid(None) })
    }
}

impl Completer for Assistant {
    type Candidate = Pair;

    fn complete(&self, line: &str, pos: usize, _: &Context<'_>) -> rustyline::Result<(usize, Vec<Pair>)> {
        Ok(self.0.borrow().complete(line, pos))
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
    let repl = Rc::new(RefCell::new(Repl::new()?));
    let record = [("versions".to_string(), versions())];
    options.begin(NAME, record.into_iter().collect())?;
    watch_interrupts()?;
    if let Some(path) = script {
        match read(path) {
            Ok(text) => turn(&repl, &text),
            Err(e) => {
                Diagnostic::plain(e).report();
                return Ok(USAGE.into());
            }
        }
    }
    let broken = |e: ReadlineError| Error::new(format!("the line editor failed: {e}"));
    let config = Config::builder().completion_type(CompletionType::List);
    let config = config.max_history_size(REMEMBERED).map_err(broken)?.build();
    let mut editor: Editor<Assistant, FileHistory> = Editor::with_config(config).map_err(broken)?;
    editor.set_helper(Some(Assistant(repl.clone())));
    let history = history();
    if let Some(file) = &history {
        let _ = editor.load_history(file);
    }
    println!("cs385 {}: ?name helps, Tab completes, Ctrl-C stops, Ctrl-D leaves", env!("CARGO_PKG_VERSION"));
    interrupt::rest();
    loop {
        match editor.readline("> ") {
            Ok(line) => {
                let _ = editor.add_history_entry(&line);
                turn(&repl, &line);
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

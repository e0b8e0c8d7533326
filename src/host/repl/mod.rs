//! `cs385 repl`: line by line. Variables and functions stay, Ctrl-C stops what runs, Ctrl-D leaves.

mod assist;
mod colours;
mod commands;
mod complete;
mod past;
mod prompt;
mod split;
mod variables;
mod watch;

use super::engine::{compile, engine};
use super::render::{Diagnostic, Place, Source, diagnose};
use super::{check, run};
use crate::bindings::guard;
use crate::core::{Result, interrupt};
use crate::image::Picture;
use crate::registry::help;
use crate::registry::session::{Session, show};
use crate::registry::tokens::tokens;
use complete::Names;
use past::{Gave, Past};
pub use prompt::main;
use rhai::{Dynamic, Engine, EvalAltResult, Token};
use rustyline::completion::Pair;
use std::path::Path;
use std::rc::Rc;

const NAME: &str = "repl";

/// A session at the prompt, without the prompt.
pub struct Repl {
    engine: Rc<Engine>,
    session: Session,
    names: Names,
    past: Past,
    /// Every input's time is told.
    timing: bool,
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
    /// What would go wrong in a script, which was not run.
    Faults(Vec<Diagnostic>),
    /// The session is to end.
    Leave,
}

impl Repl {
    /// An empty session.
    ///
    /// # Errors
    /// A library file that does not compile.
    pub fn new() -> Result<Self> {
        let engine = Rc::new(engine()?);
        let (session, names) = (Session::new(engine.clone(), NAME), Names::new(&engine));
        Ok(Self { engine, session, names, past: Past::default(), timing: false })
    }

    /// One input: help, a command, or code whose last value is shown unless it ends in `;`. What is shown is `_`
    /// from then on.
    pub fn answer(&mut self, input: &str) -> Answer {
        let text = input.trim();
        if let Some(answer) = asked(text) {
            return answer;
        }
        if let Some(command) = text.strip_prefix(':') {
            return self.command(command);
        }
        guarded(|| self.evaluate(input))
    }

    fn evaluate(&mut self, input: &str) -> Answer {
        let value = match self.session.eval(input) {
            Ok(value) => value,
            Err(e) => return self.failed(input, &e),
        };
        let silent =
            || matches!(tokens(&self.engine, input).last().map(|t| &t.token), Some(Token::SemiColon));
        if value.is_unit() || silent() {
            self.past.push(input, Gave::Nothing);
            return Answer::Silence;
        }
        let answer = match value.clone().try_cast::<Picture>() {
            Some(picture) => Answer::Picture(picture),
            None => Answer::Text(show(&self.engine, &value)),
        };
        self.past.push(input, if matches!(answer, Answer::Picture(_)) { Gave::Picture } else { Gave::Value });
        self.session.set_last(&value);
        answer
    }

    /// Runs a script; its variables and functions stay. An empty session first looks for faults.
    pub fn run_file(&mut self, path: &Path) -> Answer {
        let text = match run::read(path) {
            Ok(text) => text,
            Err(e) => return failed(Diagnostic::plain(e)),
        };
        let name = path.display().to_string();
        if self.session.variables().next().is_none() && self.session.functions().is_empty() {
            let source = Source { name: &name, text: &text, known: &[] };
            let faults = match compile(&self.engine, &source) {
                Ok(ast) => check::faults(&self.engine, &source, &ast),
                Err(d) => vec![*d],
            };
            if !faults.is_empty() {
                return Answer::Faults(faults);
            }
        }
        self.run_text(&text, &name, 1)
    }

    /// Runs a text that stands in the file `name` from `line` on.
    fn run_text(&mut self, text: &str, name: &str, line: usize) -> Answer {
        guarded(|| match self.session.eval_from(text, Some((name, line))) {
            Ok(_) => {
                self.past.push(text, Gave::Nothing);
                Answer::Silence
            }
            Err(e) => self.failed(text, &e),
        })
    }

    /// What `e` means; what of the input had run is kept.
    fn failed(&mut self, input: &str, e: &EvalAltResult) -> Answer {
        let ran = match e {
            EvalAltResult::ErrorParsing(..) => 0,
            e => self.ran(input, e).unwrap_or(0),
        };
        if ran > 0 {
            self.past.push(&input[..ran], Gave::Nothing);
        }
        self.past.push(&input[ran..], Gave::Error);
        let known = self.variables();
        let source = Source { name: NAME, text: &self.session.text, known: &known };
        let mut d = diagnose(&self.engine, &source, e);
        let places = d.place.iter_mut().chain(d.frames.iter_mut().filter_map(|f| f.1.as_mut()));
        for p in places.filter(|p| p.source == NAME) {
            if let Some((name, line)) = self.session.place(p.line) {
                *p = Place { source: name.to_string(), line, col: p.col };
            }
        }
        failed(d)
    }

    /// The bytes of the statements that had run when `e` came.
    fn ran(&self, input: &str, e: &EvalAltResult) -> Option<usize> {
        let pos = e.position();
        let line = pos.line()?.checked_sub(self.session.above())?;
        let at = split::offset(input, line, pos.position().unwrap_or(1));
        let done = split::pieces(&self.engine, input).into_iter().map(|p| p.range.end);
        done.take_while(|end| *end <= at).last()
    }

    /// What is doubtful in an input.
    pub fn doubts(&self, input: &str) -> Vec<Diagnostic> {
        check::doubts(&self.engine, &Source { name: NAME, text: input, known: &[] })
    }

    /// Where the word that ends at byte `pos` of `line` begins, and how it may go on.
    pub fn complete(&self, line: &str, pos: usize) -> (usize, Vec<Pair>) {
        let before = line.get(..pos).unwrap_or(line);
        commands::complete(self, before)
            .unwrap_or_else(|| self.names.complete(&self.engine, &self.session, before))
    }

    /// What the call around the end of `line` still takes.
    pub fn takes(&self, line: &str) -> Option<String> {
        self.names.takes(&self.engine, &self.session, line)
    }

    /// Names of the variables, in order of definition.
    pub fn variables(&self) -> Vec<String> {
        self.session.variables().map(|(n, _)| n.to_string()).collect()
    }

    /// The value of a variable.
    pub fn value(&self, name: &str) -> Option<&Dynamic> {
        self.session.value(name)
    }
}

/// Runs `body`; Ctrl-C stops it, and a panic is an error like others.
fn guarded(body: impl FnOnce() -> Answer) -> Answer {
    interrupt::clear();
    let answer = guard::catch(|| Ok(body()));
    interrupt::rest();
    answer.unwrap_or_else(|e| failed(Diagnostic::plain(e)))
}

/// The answer to `?name`, `??word` and `help("name")`, if that is what was typed.
fn asked(text: &str) -> Option<Answer> {
    if let Some(word) = text.strip_prefix("??") {
        let (word, found) = (word.trim(), help::search(word.trim()));
        return Some(Answer::Text(match found.is_empty() {
            true => format!("nothing in the manual says `{word}`"),
            false => found,
        }));
    }
    let call = || text.strip_prefix("help")?.trim().strip_prefix('(')?.strip_suffix(')');
    let name = match text.strip_prefix('?') {
        Some(name) => name.trim(),
        None if text == "help" => "",
        None => call()?.trim().trim_matches('"'),
    };
    if name.contains(['(', ')', '"', ';']) {
        return None;
    }
    Some(match name {
        "" => Answer::Text(help::overview() + "\n?name tells more, ??word searches, :help lists commands"),
        name => help::help(name).map_or_else(|| failed(Diagnostic::plain(help::unknown(name))), Answer::Text),
    })
}

fn failed(d: Diagnostic) -> Answer {
    Answer::Failed(Box::new(d))
}

//! `cs385 check`, and what `cs385 run` asks before it begins: everything in a script that would fail, found without
//! running it. A script that runs has no fault here; where something cannot be told beforehand, nothing is said.

mod calls;
mod doubts;
mod facts;
mod walk;

use super::engine::{compile, engine, evaluate};
use super::render::{Diagnostic, Source, diagnose};
use super::run::{FAILED, OK, USAGE, read};
use super::{json, output, test};
use crate::core::Error;
pub use doubts::doubts;
use facts::Facts;
use rhai::{AST, ASTNode, Engine, EvalAltResult, Position};
use std::collections::HashSet;
use std::path::PathBuf;
use std::process::ExitCode;
use walk::Walker;

/// One thing that would fail.
pub struct Fault {
    pos: Position,
    what: What,
    /// It lies in a closure.
    closure: bool,
}

/// What would be said of it.
pub enum What {
    /// What the engine would say.
    Engine(Box<EvalAltResult>),
    /// What the house would say.
    House(Error),
}

/// Everything in `ast`, compiled from `source`, that would fail, in the order of the text.
pub fn faults(engine: &Engine, source: &Source, ast: &AST) -> Vec<Diagnostic> {
    let facts = Facts::new(engine, ast);
    let mut walker = Walker::new(&facts);
    ast.statements().iter().for_each(|s| walker.stmt(s));
    functions(&mut walker, ast);
    let Walker { faults, calls_unknown_in_try, .. } = walker;
    let mut faults: Vec<Fault> =
        faults.into_iter().filter(|f| !(f.closure && calls_unknown_in_try)).collect();
    faults.sort_by_key(|f| f.pos);
    let mut out: Vec<Diagnostic> = Vec::new();
    for Fault { pos, what, .. } in faults {
        let d = match what {
            What::Engine(e) => diagnose(engine, source, &e),
            What::House(e) => Diagnostic::at(engine, source, pos, e),
        };
        // A name misspelt once is often missing ten times.
        match out.iter_mut().find(|o| o.msg == d.msg && o.hint == d.hint) {
            Some(first) => first.also.extend(d.place),
            None => out.push(d),
        }
    }
    out
}

/// Walks through all functions and closures: first those that the script's main part leads to, then those that are
/// called inside `try` only, whose faults the script has an answer to, then those that are never called.
fn functions(walker: &mut Walker, ast: &AST) {
    let all = &walker.facts.script.functions;
    let mut done: HashSet<(&str, usize)> = HashSet::new();
    loop {
        let left = || all.iter().filter(|(name, params)| !done.contains(&(name.as_str(), params.len())));
        let next = |guarded: usize| left().find(|(name, _)| walker.mentioned[guarded].contains(name));
        let (guarded, f) = match (next(0), next(1), left().next()) {
            (None, Some(f), _) => (true, f),
            (Some(f), ..) | (None, None, Some(f)) => (false, f),
            (None, None, None) => return,
        };
        let (name, count) = (f.0.as_str(), f.1.len());
        done.insert((name, count));
        // `clone_functions_only_filtered` of rhai 1.27 filters nothing where there is nothing yet.
        let mut one = ast.clone_functions_only();
        one.retain_functions(|_, _, n, c| n == name && c == count);
        walker.enter(name, &f.1, guarded);
        one.walk(&mut |path: &[ASTNode]| {
            if let [ASTNode::Stmt(s)] = path {
                walker.stmt(s);
            }
            true
        });
    }
}

/// Checks scripts and tells of all faults.
///
/// With [`json::wanted`] they are one JSON list on stdout.
pub fn main(paths: &[PathBuf]) -> ExitCode {
    let mut texts = Vec::new();
    let found = test::find(paths).and_then(|scripts| {
        for script in scripts {
            texts.push((script.display().to_string(), read(&script)?));
        }
        engine()
    });
    let engine = match found {
        Ok(engine) => engine,
        Err(e) => {
            Diagnostic::plain(e).report();
            return USAGE.into();
        }
    };
    let (mut bad, mut all) = (0, 0);
    let mut found = Vec::new();
    for (name, text) in &texts {
        let source = Source { name, text, known: &[] };
        let (faults, doubts) = match compile(&engine, &source) {
            Ok(ast) => (faults(&engine, &source, &ast), doubts(&engine, &source)),
            Err(d) => (vec![*d], Vec::new()),
        };
        bad += usize::from(!faults.is_empty());
        match json::wanted() {
            true => found.extend(faults.iter().chain(&doubts).map(json::diagnostic)),
            false => {
                all += report(&faults);
                report(&doubts);
            }
        }
    }
    if json::wanted() {
        output::write(&format!("{:#}\n", serde_json::Value::Array(found)));
        return if bad == 0 { OK.into() } else { FAILED.into() };
    }
    let scripts = count(texts.len(), "script");
    match bad {
        0 => {
            output::write(&format!("{scripts}: no faults found\n"));
            OK.into()
        }
        _ if texts.len() == 1 => {
            output::say(&count(all, "fault"));
            FAILED.into()
        }
        _ => {
            output::say(&format!("{} in {bad} of {scripts}", count(all, "fault")));
            FAILED.into()
        }
    }
}

/// Prints faults, and gives their number.
pub fn report(faults: &[Diagnostic]) -> usize {
    for d in faults {
        d.report();
        if !json::wanted() {
            output::say("");
        }
    }
    faults.len()
}

/// `1 fault`, `2 faults`.
pub fn count(n: usize, what: &str) -> String {
    format!("{n} {what}{}", if n == 1 { "" } else { "s" })
}

/// What tests see of a fault.
pub struct Finding {
    /// Its line.
    pub line: usize,
    /// Its column.
    pub col: usize,
    /// What is wrong.
    pub msg: String,
    /// The whole message.
    pub text: String,
}

impl From<Diagnostic> for Finding {
    fn from(d: Diagnostic) -> Self {
        let (line, col) = d.place.as_ref().map_or((0, 0), |p| (p.line, p.col));
        Self { line, col, text: d.render(false), msg: d.msg }
    }
}

/// What `cs385 check` finds in `text`; for tests.
pub fn examine(engine: &Engine, name: &str, text: &str) -> Vec<Finding> {
    let source = Source { name, text, known: &[] };
    let found = match compile(engine, &source) {
        Ok(ast) => faults(engine, &source, &ast),
        Err(d) => vec![*d],
    };
    found.into_iter().map(Finding::from).collect()
}

/// How the run of `text` ends; for tests.
///
/// # Errors
/// What the run says.
pub fn attempt(engine: &Engine, name: &str, text: &str) -> Result<(), Finding> {
    let source = Source { name, text, known: &[] };
    let run = compile(engine, &source).and_then(|ast| evaluate(engine, &source, &ast));
    run.map_err(|d| Finding::from(*d))
}

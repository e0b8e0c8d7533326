//! `:watch FILE`: runs a script, and what changed in it whenever it is saved.

use super::prompt::show;
use super::split::{Piece, pieces};
use super::{Answer, Repl, failed};
use crate::core::interrupt;
use crate::host::output;
use crate::host::render::Diagnostic;
use crate::host::run::read;
use rhai::Token;
use std::collections::HashSet;
use std::path::Path;
use std::time::Duration;

/// How often the file is looked at.
const PAUSE: Duration = Duration::from_millis(150);

/// Runs what changes in the file until Ctrl-C.
pub fn watch(repl: &mut Repl, path: &Path) {
    let mut text = match read(path) {
        Ok(text) => text,
        Err(e) => {
            show(failed(Diagnostic::plain(e)));
            return;
        }
    };
    let name = path.display().to_string();
    output::say(&format!("watching {name}: save it to run what changed; Ctrl-C comes back to the prompt"));
    let mut ran: Vec<Vec<String>> = Vec::new();
    interrupt::clear();
    loop {
        ran = changed(repl, &text, &name, &ran);
        loop {
            if interrupt::requested() {
                interrupt::clear();
                interrupt::rest();
                return;
            }
            std::thread::sleep(PAUSE);
            // An editor may take the file away for a moment.
            match read(path) {
                Ok(new) if new != text => {
                    text = new;
                    break;
                }
                _ => {}
            }
        }
    }
}

fn is_function(piece: &Piece) -> bool {
    let fun = format!("{:?}", Token::Fn);
    piece.tokens.iter().take(2).any(|t| *t == fun)
}

/// Runs the statements of `text` from the first that differs from those of `ran`, or that uses a function that
/// differs; functions are defined anew. Gives what has run.
fn changed(repl: &mut Repl, text: &str, name: &str, ran: &[Vec<String>]) -> Vec<Vec<String>> {
    let all = pieces(&repl.engine, text);
    let known: HashSet<&Vec<String>> = ran.iter().collect();
    let (functions, steps): (Vec<Piece>, Vec<Piece>) = all.into_iter().partition(is_function);
    let before: Vec<&Vec<String>> =
        ran.iter().filter(|t| !functions.iter().any(|f| f.tokens == **t)).collect();
    // Names of functions that differ, and of those that use them.
    let name_of =
        |f: &Piece| f.tokens.iter().find(|t| t.starts_with("Identifier")).cloned().unwrap_or_default();
    let mut new: HashSet<String> =
        functions.iter().filter(|f| !known.contains(&f.tokens)).map(name_of).collect();
    loop {
        let uses = |f: &&Piece| f.tokens.iter().any(|t| new.contains(t));
        let more: Vec<String> =
            functions.iter().filter(uses).map(name_of).filter(|n| !new.contains(n)).collect();
        if more.is_empty() {
            break;
        }
        new.extend(more);
    }
    let differs = |(i, s): (usize, &Piece)| {
        before.get(i).is_none_or(|b| **b != s.tokens) || s.tokens.iter().any(|t| new.contains(t))
    };
    let first = steps.iter().enumerate().position(|(i, s)| differs((i, s))).unwrap_or(steps.len());
    let mut out: Vec<Vec<String>> = steps[..first].iter().map(|s| s.tokens.clone()).collect();
    if !ran.is_empty() {
        match steps.get(first) {
            Some(step) => output::say(&format!("-- from line {}", step.line)),
            None => output::say("-- nothing to run again"),
        }
    }
    // A function behind a piece that failed is not known yet.
    let mut defined: Vec<Vec<String>> =
        functions.iter().filter(|f| known.contains(&f.tokens)).map(|f| f.tokens.clone()).collect();
    let line_of = |p: &Piece| text[..p.range.start].matches('\n').count() + 1;
    for piece in functions.iter().filter(|f| !known.contains(&f.tokens)).chain(&steps[first..]) {
        let answer = repl.run_text(&text[piece.range.clone()], name, line_of(piece));
        let fine = matches!(answer, Answer::Silence);
        show(answer);
        if !fine {
            break;
        }
        let all = if is_function(piece) { &mut defined } else { &mut out };
        all.push(piece.tokens.clone());
    }
    out.extend(defined);
    out
}

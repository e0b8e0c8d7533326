//! What was typed, kept for `:save`, which makes a script of it that runs.

use super::split::{offset, pieces};
use crate::core::{Error, Result};
use crate::host::lex::ident;
use crate::registry::tokens::{last_places, tokens};
use rhai::{Engine, Token};
use serde::{Deserialize, Serialize};
use std::collections::HashSet;
use std::fs::File;
use std::io::{BufRead, BufReader, Seek, SeekFrom, Write};

/// What an input gave.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Gave {
    /// Nothing to show.
    Nothing,
    /// A value.
    Value,
    /// A picture.
    Picture,
    /// An error: it is kept as a comment.
    Error,
}

/// The inputs so far. A conversation may be long: they lie in a file without a name, not in memory.
#[derive(Default)]
pub struct Past(Option<File>);

impl Past {
    /// Adds an input.
    pub fn push(&mut self, code: &str, gave: Gave) {
        if self.0.is_none() {
            self.0 = tempfile::tempfile().ok();
        }
        if let (Some(file), Ok(line)) = (&mut self.0, serde_json::to_string(&(code, gave))) {
            let _ = file.write_all((line + "\n").as_bytes());
        }
    }

    /// Forgets all.
    pub fn clear(&mut self) {
        self.0 = None;
    }

    /// All inputs, in order.
    ///
    /// # Errors
    /// A file that cannot be read.
    fn all(&mut self) -> Result<Vec<(String, Gave)>> {
        let Some(file) = &mut self.0 else { return Ok(Vec::new()) };
        let broken = |e: std::io::Error| Error::new(format!("what was typed cannot be read: {e}"));
        file.seek(SeekFrom::Start(0)).map_err(broken)?;
        let lines: Vec<String> =
            BufReader::new(&*file).lines().collect::<std::io::Result<_>>().map_err(broken)?;
        file.seek(SeekFrom::End(0)).map_err(broken)?;
        Ok(lines.iter().filter_map(|l| serde_json::from_str(l).ok()).collect())
    }

    /// The conversation as a script: values that were shown are printed, `_` is a variable.
    ///
    /// # Errors
    /// A file that cannot be read.
    pub fn script(&mut self, engine: &Engine) -> Result<String> {
        let all = self.all()?;
        let mut last = "last".to_string();
        while all.iter().any(|(code, _)| says(engine, code, &last)) {
            last.push('_');
        }
        // A script may define a function once: the newest.
        let mut newer = HashSet::new();
        let mut parts = Vec::new();
        for (code, gave) in all.into_iter().rev() {
            parts.push(match gave {
                Gave::Error => code.lines().map(|l| format!("// failed: {l}\n")).collect(),
                _ => shown(engine, without(engine, &code, &mut newer).trim(), gave, &last),
            });
        }
        let out = parts.iter().rev().map(String::as_str).collect::<String>();
        let out = format!(
            "// Saved from the prompt of cs385. Of a function defined more than once the newest is here.\n{out}"
        );
        Ok(out)
    }
}

/// True when the word `name` stands in `code`.
fn says(engine: &Engine, code: &str, name: &str) -> bool {
    tokens(engine, code).iter().any(|t| ident(&t.token).as_deref() == Some(name))
}

/// The functions `code` defines: name with number of parameters, and their bytes.
fn functions(engine: &Engine, code: &str) -> Vec<((String, usize), std::ops::Range<usize>)> {
    let mut out = Vec::new();
    for piece in pieces(engine, code) {
        let text = &code[piece.range.clone()];
        let toks = tokens(engine, text);
        let Some(at) = toks.iter().take(2).position(|t| matches!(t.token, Token::Fn)) else { continue };
        let Some(name) = toks.get(at + 1).and_then(|t| ident(&t.token)) else { continue };
        let params = toks[at + 2..].iter().take_while(|t| !matches!(t.token, Token::RightParen));
        out.push(((name, params.filter(|t| ident(&t.token).is_some()).count()), piece.range));
    }
    out
}

/// `code` without the functions that are defined anew later.
fn without(engine: &Engine, code: &str, newer: &mut HashSet<(String, usize)>) -> String {
    let mut out = code.to_string();
    for (f, range) in functions(engine, code).into_iter().rev() {
        if !newer.insert(f) {
            out.replace_range(range, "");
        }
    }
    out
}

/// The lines of one input: its last expression, if it was shown, goes into a variable and is shown.
fn shown(engine: &Engine, code: &str, gave: Gave, last: &str) -> String {
    let mut code = code.to_string();
    for (line, col) in last_places(engine, &code).into_iter().rev() {
        let at = offset(&code, line, col);
        code.replace_range(at..at + 1, last);
    }
    let show = match gave {
        Gave::Value => format!("print({last});\n"),
        Gave::Picture => format!("{last}.show();\n"),
        _ if code.is_empty() => return String::new(),
        _ => {
            let closed = code.ends_with([';', '}']) && engine.compile(format!("{code}\n1")).is_ok();
            return format!("{code}{}\n", if closed { "" } else { ";" });
        }
    };
    let from = pieces(engine, &code).last().map_or(0, |p| p.range.start);
    let (before, value) = code.split_at(from);
    let (before, value) = (before.trim_end(), value.trim());
    let gap = if before.is_empty() { "" } else { "\n" };
    let plain = format!("let {last} = {value};");
    let line = if engine.compile(&plain).is_ok() { plain } else { format!("let {last} = {{ {value} }};") };
    format!("{before}{gap}{line}\n{show}")
}

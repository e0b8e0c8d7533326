//! What begins with a colon: about the session, not about networks.

use super::{Answer, Repl, failed, variables};
use crate::core::{Error, Result, atomic, memory};
use crate::host::render::Diagnostic;
use crate::registry::help;
use rustyline::completion::Pair;
use std::path::Path;

/// Name, what follows it, what it does.
pub const COMMANDS: &[(&str, &str, &str)] = &[
    ("help", "", "this list"),
    ("who", "", "variables with what they hold, device and size; functions"),
    ("time", "CODE", "run CODE and tell how long it took; alone: tell it of every input, or stop telling"),
    ("mem", "", "the memory that variables and the program hold"),
    ("del", "NAME…", "forget variables or functions"),
    ("clear", "", "forget all variables and functions"),
    ("load", "FILE", "run a script here: its variables stay"),
    ("watch", "FILE", "the same, and whenever it is saved run what changed, and what comes after it"),
    ("save", "FILE", "write this session as a script that runs (`:save! FILE` replaces a file)"),
    ("quit", "", "leave, as Ctrl-D does"),
];

impl Repl {
    /// Carries out `:text`. (`:watch` and `:time CODE` are the prompt's.)
    pub(super) fn command(&mut self, text: &str) -> Answer {
        let (name, rest) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
        let rest = rest.trim();
        let done = match (name, rest) {
            ("help" | "h", "") => Ok(list()),
            ("who", "") => Ok(variables::table(&self.engine, &self.session)),
            ("mem", "") => Ok(self.memory()),
            ("time", "") => {
                self.timing = !self.timing;
                Ok(format!("the time of every input is {}told", if self.timing { "" } else { "not " }))
            }
            ("time", code) => return self.answer(code),
            ("clear", "") => {
                self.session.clear();
                self.past.clear();
                return Answer::Silence;
            }
            ("quit" | "q" | "exit", "") => return Answer::Leave,
            ("del", names) if !names.is_empty() => self.delete(names),
            ("load", file) if !file.is_empty() => return self.run_file(Path::new(file)),
            ("save" | "save!", file) if !file.is_empty() => self.save(Path::new(file), name == "save!"),
            _ => Err(unknown(name, rest)),
        };
        match done {
            Ok(text) if text.is_empty() => Answer::Silence,
            Ok(text) => Answer::Text(text),
            Err(e) => failed(Diagnostic::plain(e)),
        }
    }

    fn memory(&self) -> String {
        let said = |b: Option<u64>| b.map_or("unknown".to_string(), memory::words);
        format!(
            "tensors in variables  {}\nthe program now       {}\nthe program's most    {}",
            memory::words(variables::total(&self.session)),
            said(memory::needed()),
            said(memory::peak())
        )
    }

    fn delete(&mut self, names: &str) -> Result<String> {
        let names: Vec<&str> = names.split([' ', ',']).filter(|n| !n.is_empty()).collect();
        let mut known = self.variables();
        known.extend(self.session.functions().into_iter().map(|(n, _)| n));
        if let Some(name) = names.iter().find(|n| !known.iter().any(|k| k == *n)) {
            return Err(Error::unknown("variable or function", name, known));
        }
        for name in names {
            self.session.remove(name);
        }
        Ok(String::new())
    }

    fn save(&mut self, path: &Path, replace: bool) -> Result<String> {
        let script = self.past.script(&self.engine)?;
        if path.exists() && !replace {
            return Err(Error::new(format!("{} is there already", path.display()))
                .hint(format!("`:save! {}` replaces it", path.display())));
        }
        atomic::write(path, script.as_bytes())?;
        Ok(format!("written; `cs385 run {}` does it again", path.display()))
    }
}

fn list() -> String {
    let width = COMMANDS.iter().map(|c| c.0.len() + c.1.chars().count()).max().unwrap_or(0) + 2;
    let line = |(name, args, words): &(&str, &str, &str)| {
        let call = format!("{name} {args}");
        format!("  :{call}{}{words}\n", " ".repeat(width - call.chars().count()))
    };
    let keys = "\n  ?name      help on a function, a namespace or a type\n  ??word     search the manual\n  \
                Tab        complete names, methods, options, layers, files\n  Ctrl-R     search what was typed before\n  \
                Ctrl-C     stop what runs, or clear the line\n  _          the last value shown\n  \
                ;          at the end: do not show the value\n";
    COMMANDS.iter().map(line).collect::<String>() + keys
}

fn unknown(name: &str, rest: &str) -> Error {
    match COMMANDS.iter().find(|c| c.0 == name) {
        Some((_, "", _)) => Error::new(format!("`:{name}` takes nothing, got `{rest}`")),
        Some((_, args, words)) => {
            Error::new(format!("`:{name}` needs {args}")).hint(format!(":{name} {args}: {words}"))
        }
        None => {
            let mut e = Error::unknown("command", name, COMMANDS.iter().map(|c| c.0));
            e.hint = Some("`:help` lists them".to_string());
            e
        }
    }
}

fn pairs<S: AsRef<str>>(word: &str, names: impl IntoIterator<Item = S>) -> Vec<Pair> {
    super::complete::starting(word, names)
}

/// Completion of a command, of what follows it, and of a name behind `?`; `None` where there is none of these.
pub fn complete(repl: &Repl, before: &str) -> Option<(usize, Vec<Pair>)> {
    if let Some(word) = before.strip_prefix('?').filter(|w| !w.starts_with('?')) {
        let from = before.len() - word.trim_start().len();
        return Some((from, pairs(word.trim_start(), help::names())));
    }
    let command = before.strip_prefix(':')?;
    let Some((name, rest)) = command.split_once(' ') else {
        return Some((1, pairs(command, COMMANDS.iter().map(|c| c.0))));
    };
    let from = before.len() - rest.trim_start().len();
    let word = rest.trim_start();
    match name {
        "load" | "watch" | "save" | "save!" => Some((from, super::complete::files(word))),
        "del" => {
            let from = before.rfind(' ').map_or(before.len(), |i| i + 1);
            Some((from, pairs(&before[from..], repl.variables())))
        }
        "time" => {
            let (at, found) = repl.names.complete(&repl.engine, &repl.session, word);
            Some((from + at, found))
        }
        _ => Some((before.len(), Vec::new())),
    }
}

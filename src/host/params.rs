//! The settings a script declares, read from its text without running it.

use super::lex::Lexed;
use crate::bindings;
use crate::registry::session::show;
use crate::registry::tokens::with_last;
use rhai::{AST, Engine};

/// A `param("name", preset, "words")` of a script.
pub struct Setting {
    /// Its name.
    pub name: String,
    /// Its preset as the script would print it.
    pub preset: String,
    /// Its words.
    pub doc: String,
}

/// The settings of a script.
#[derive(Default)]
pub struct Settings {
    /// In the order of the script.
    pub all: Vec<Setting>,
    /// False when some are declared in a way that only running the script can tell.
    pub complete: bool,
}

/// Reads the settings of `ast`.
pub fn settings(engine: &Engine, ast: &AST) -> Settings {
    let (all, complete) = bindings::settings(ast);
    let words = |s: bindings::Setting| {
        let preset = s.preset.map_or("(computed)".to_string(), |p| show(engine, &p));
        Setting { name: s.name, preset, doc: s.doc }
    };
    Settings { all: all.into_iter().map(words).collect(), complete }
}

/// What `cs385 run SCRIPT --help` prints: the script's first comment and its settings.
pub fn help(engine: &Engine, name: &str, text: &str, ast: &AST) -> String {
    let head = text.lines().skip_while(|l| l.starts_with("#!")).take_while(|l| l.starts_with("//"));
    let head: Vec<&str> = head.map(|l| l.trim_start_matches(['/', '!']).trim()).collect();
    let mut out = if head.is_empty() { String::new() } else { format!("{}\n\n", head.join("\n")) };
    let Settings { all, complete } = settings(engine, ast);
    out += &format!("Usage: cs385 run {name} [--set NAME=VALUE]… [OPTIONS]\n");
    match (all.is_empty(), complete) {
        (true, true) => out += "\nThe script has no settings.\n",
        (true, false) => out += "\nThe script's settings are known only when it runs.\n",
        _ => out += "\nSettings:\n",
    }
    let width = all.iter().map(|s| s.name.len() + s.preset.len() + 1).max().unwrap_or(0).min(40);
    for s in &all {
        out += format!("  {:<width$}  {}", format!("{}={}", s.name, s.preset), s.doc).trim_end();
        out.push('\n');
    }
    if !all.is_empty() && !complete {
        out += "  … and others, known only when it runs\n";
    }
    out + "\n`cs385 run --help` lists the options.\n"
}

/// `--set` names that `ast` certainly never declares.
pub fn undeclared<'a>(
    engine: &Engine,
    ast: &AST,
    given: &'a [(String, String)],
) -> (Vec<&'a str>, Vec<String>) {
    let Settings { all, complete } = settings(engine, ast);
    let known: Vec<String> = all.into_iter().map(|s| s.name).collect();
    let unknown = given.iter().map(|(n, _)| n.as_str()).filter(|n| complete && !known.iter().any(|k| k == n));
    (unknown.collect(), known)
}

/// True when the text cannot be complete: the REPL asks for another line.
pub fn incomplete(engine: &Engine, text: &str) -> bool {
    use rhai::{LexError, ParseErrorType as P};
    let Err(e) = with_last(engine, text, || engine.compile(text)) else { return false };
    let lexed = Lexed::new(engine, text);
    let lines = text.trim_end().lines().count();
    let last_token = lexed.toks.last().map_or(0, |t| t.line);
    let at_end =
        e.position().line().is_none_or(|l| l > last_token || l >= lines) && lexed.at(e.position()).is_none();
    match e.err_type() {
        P::UnexpectedEOF | P::BadInput(LexError::UnterminatedString) => text.contains('`') || at_end,
        P::MissingToken(..) | P::ExprExpected(_) | P::MissingSymbol(_) => at_end,
        _ => false,
    }
}

//! What `--help` says of a script's settings; texts that are not complete.

use super::lex::Lexed;
use crate::bindings::{Setting, Settings};
use crate::registry::session::show;
use crate::registry::tokens::with_last;
use rhai::{AST, Engine};

/// What `cs385 run SCRIPT --help` prints: the script's first comment and its settings.
pub fn help(engine: &Engine, name: &str, text: &str, ast: &AST) -> String {
    let head = text.lines().skip_while(|l| l.starts_with("#!")).take_while(|l| l.starts_with("//"));
    let head: Vec<&str> = head.map(|l| l.trim_start_matches(['/', '!']).trim()).collect();
    let mut out = if head.is_empty() { String::new() } else { format!("{}\n\n", head.join("\n")) };
    let Settings { all, complete } = Settings::of(ast);
    let preset = |s: &Setting| s.preset.as_ref().map_or("(computed)".to_string(), |p| show(engine, p));
    let all: Vec<_> = all.iter().map(|s| (format!("{}={}", s.name, preset(s)), &s.doc)).collect();
    out += &format!("Usage: cs385 run {name} [--set NAME=VALUE]… [OPTIONS]\n");
    match (all.is_empty(), complete) {
        (true, true) => out += "\nThe script has no settings.\n",
        (true, false) => out += "\nThe script's settings are known only when it runs.\n",
        _ => out += "\nSettings:\n",
    }
    let width = all.iter().map(|(setting, _)| setting.len()).max().unwrap_or(0).min(40);
    for (setting, doc) in &all {
        out += format!("  {setting:<width$}  {doc}").trim_end();
        out.push('\n');
    }
    if !all.is_empty() && !complete {
        out += "  … and others, known only when it runs\n";
    }
    out + "\n`cs385 run --help` lists the options.\n"
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

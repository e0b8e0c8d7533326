//! Errors as people read them: `file:line:col`, what was wrong, the source line with a caret, the calls that led
//! there, a hint.

use super::lex::Lexed;
use super::{json, output, words};
use crate::core::Error;
use crate::registry::stdlib;
use rhai::{Engine, EvalAltResult, ParseErrorType, Position};
use std::io::IsTerminal;

/// The texts positions point into.
pub struct Source<'a> {
    /// The script's name in messages.
    pub name: &'a str,
    /// Its text.
    pub text: &'a str,
    /// Variables there are besides those of the text.
    pub known: &'a [String],
}

/// A place in a source.
#[derive(Clone, Debug)]
pub struct Place {
    /// The source's name.
    pub source: String,
    /// 1-based.
    pub line: usize,
    /// 1-based, in characters.
    pub col: usize,
}

/// What is to be said about an error.
pub struct Diagnostic {
    /// What was wrong.
    pub msg: String,
    /// How to go on.
    pub hint: Option<String>,
    /// Where.
    pub place: Option<Place>,
    /// The line there and the width of the caret.
    pub line: Option<(String, usize)>,
    /// The calls that led there, innermost first: name and place of the call.
    pub frames: Vec<(String, Option<Place>)>,
    /// Where the same is wrong again.
    pub also: Vec<Place>,
    /// Ctrl-C.
    pub interrupted: bool,
    /// It runs, but hardly as it is meant.
    pub warning: bool,
}

fn place(source: &str, pos: Position) -> Option<Place> {
    Some(Place { source: source.to_string(), line: pos.line()?, col: pos.position()?.max(1) })
}

/// Reads an error of the engine.
pub fn diagnose(engine: &Engine, source: &Source, err: &EvalAltResult) -> Diagnostic {
    let mut at = source.name.to_string();
    let mut frames = Vec::new();
    let mut err = err;
    loop {
        match err {
            EvalAltResult::ErrorInFunctionCall(name, from, inner, pos) => {
                let name = if name.starts_with("anon$") { "a closure".into() } else { format!("`{name}`") };
                frames.push((name, place(&at, *pos)));
                if !from.is_empty() {
                    at = from.clone();
                }
                err = inner;
            }
            EvalAltResult::ErrorInModule(name, inner, pos) => {
                frames.push((format!("module `{name}`"), place(&at, *pos)));
                if !name.is_empty() {
                    at = name.clone();
                }
                err = inner;
            }
            _ => break,
        }
    }
    frames.reverse();
    let text = match at.as_str() {
        name if name == source.name => source.text.to_string(),
        name => stdlib::text(name)
            .map(str::to_string)
            .or_else(|| std::fs::read_to_string(name).ok())
            .unwrap_or_default(),
    };
    let mut lexed = Lexed::new(engine, &text);
    if at == source.name {
        lexed.known = source.known.to_vec();
    }
    let pos = match err {
        EvalAltResult::ErrorParsing(ParseErrorType::MissingToken(wanted, _), pos) if wanted == ";" => {
            lexed.behind(*pos).unwrap_or(*pos)
        }
        // The engine says of which function, not where; told only if it is called once.
        EvalAltResult::ErrorDataRace(text, pos) if pos.is_none() => {
            let name = text.split('\'').nth(1);
            name.and_then(|n| lexed.only(n).or_else(|| lexed.captured(n))).unwrap_or(*pos)
        }
        other => lexed.start(other.position()),
    };
    let Error { msg, hint, .. } = words::say(engine, &lexed, err);
    let line = pos.line().and_then(|l| text.lines().nth(l - 1)).map(|l| (l.to_string(), lexed.width(pos)));
    let interrupted = matches!(err, EvalAltResult::ErrorTerminated(..));
    Diagnostic {
        msg,
        hint,
        place: place(&at, pos),
        line,
        frames,
        also: Vec::new(),
        interrupted,
        warning: false,
    }
}

impl Diagnostic {
    /// A message without a place.
    pub fn plain(e: Error) -> Self {
        let interrupted = e.kind == crate::core::Kind::Interrupted;
        Self {
            msg: e.msg,
            hint: e.hint,
            place: None,
            line: None,
            frames: Vec::new(),
            also: Vec::new(),
            interrupted,
            warning: false,
        }
    }

    /// A message about what is at `pos`.
    pub fn at(engine: &Engine, source: &Source, pos: Position, e: Error) -> Self {
        let lexed = Lexed::new(engine, source.text);
        let pos = lexed.start(pos);
        let line = pos.line().and_then(|l| source.text.lines().nth(l - 1));
        let line = line.map(|l| (l.to_string(), lexed.width(pos)));
        Self { place: place(source.name, pos), line, ..Self::plain(words::helped(e)) }
    }

    /// The message as text, in colours if wanted.
    pub fn render(&self, colour: bool) -> String {
        let paint = |code: &str, text: &str| match colour {
            true => format!("\x1b[{code}m{text}\x1b[0m"),
            false => text.to_string(),
        };
        let (red, blue, bold) = ("1;31", "1;34", "1");
        let mut out = String::new();
        let show = |p: &Place| format!("{}:{}:{}", p.source, p.line, p.col);
        if let Some(p) = &self.place {
            out += &format!("{}: ", paint(bold, &show(p)));
        }
        let (tone, label) = match () {
            () if self.interrupted => (red, "stopped"),
            () if self.warning => ("1;33", "warning"),
            () => (red, "error"),
        };
        out += &format!("{}: {}\n", paint(tone, label), paint(bold, &self.msg));
        if let (Some(p), Some((line, width))) = (&self.place, &self.line) {
            let number = p.line.to_string();
            // Tabs stay tabs below the line, so that the caret lies under its token.
            let indent: String =
                line.chars().take(p.col - 1).map(|c| if c == '\t' { '\t' } else { ' ' }).collect();
            let bar = paint(blue, "|");
            out += &format!("{} {bar} {}\n", paint(blue, &number), line.trim_end());
            out +=
                &format!("{} {bar} {indent}{}\n", " ".repeat(number.len()), paint(red, &"^".repeat(*width)));
        }
        for (i, (name, call)) in self.frames.iter().enumerate() {
            let call = call.as_ref().map_or(String::new(), |p| format!(", called at {}", show(p)));
            // An endless recursion has hundreds of equal frames.
            if i == 3 && self.frames.len() > 5 {
                out += &format!("… {} more calls\n", self.frames.len() - 4);
            }
            if i < 3 || i + 1 == self.frames.len() || self.frames.len() <= 5 {
                out += &format!("in {name}{call}\n");
            }
        }
        if !self.also.is_empty() {
            let places: Vec<String> = self.also.iter().map(|p| format!("{}:{}", p.line, p.col)).collect();
            out += &format!("also at {}\n", places.join(", "));
        }
        if let Some(hint) = &self.hint {
            out += &format!("{}: {}\n", paint(blue, "hint"), hint.replace('\n', "\n      "));
        }
        out
    }

    /// Prints the message on stderr.
    pub fn report(&self) {
        match json::wanted() {
            true => output::say(&json::diagnostic(self).to_string()),
            false => output::say(self.render(colours()).trim_end_matches('\n')),
        }
    }
}

/// Colours only on a terminal, and not where `NO_COLOR` is set.
pub fn colours() -> bool {
    !no_colour() && std::io::stderr().is_terminal()
}

/// True where the user wants no colours (no-color.org).
pub fn no_colour() -> bool {
    std::env::var_os("NO_COLOR").is_some_and(|v| !v.is_empty())
}

//! What Tab offers: functions of a namespace, methods of the value before the dot, options of the call around,
//! layers of its network, files.

use super::split::offset;
use crate::core::func::FuncKind;
use crate::host::lex::ident;
use crate::host::suggest::builtins;
use crate::host::words::type_word;
use crate::nn::Net;
use crate::registry::paint::KEYWORDS;
use crate::registry::session::Session;
use crate::registry::tokens::{LAST, Tok, tokens};
use crate::registry::{Entry, entries, help};
use rhai::{Dynamic, Engine, LexError, Token};
use rustyline::completion::Pair;

/// Everything with a name, but for what the session defines.
pub struct Names {
    entries: Vec<Entry>,
    /// Functions of the engine itself: name, types of the parameters.
    builtins: Vec<(String, Vec<String>)>,
}

/// What is known of the value before a dot.
enum Known {
    Value(Dynamic),
    Type(String),
}

/// The text before the cursor, read.
struct Before<'a> {
    names: &'a Names,
    engine: &'a Engine,
    session: &'a Session,
    toks: Vec<Tok>,
}

/// The call whose arguments are being written.
struct Call<'a> {
    entries: Vec<&'a Entry>,
    /// The token of its `(`.
    open: usize,
    /// The number of the argument, the receiver not counted.
    arg: usize,
    /// The end of the receiver's tokens, for a method.
    receiver: Option<usize>,
}

impl Names {
    /// All names that `engine` knows.
    pub fn new(engine: &Engine) -> Self {
        Self { entries: entries(), builtins: builtins(engine) }
    }

    /// Where the word at the end of `before` begins (in bytes), and how it may go on.
    pub fn complete(&self, engine: &Engine, session: &Session, before: &str) -> (usize, Vec<Pair>) {
        let mut text = Before { names: self, engine, session, toks: tokens(engine, before) };
        if let Some(Tok { token: Token::LexError(e), line, col }) = text.toks.last()
            && matches!(**e, LexError::UnterminatedString)
        {
            let start = offset(before, *line, *col) + 1;
            text.toks.pop();
            return (start, text.string(before.get(start..).unwrap_or_default()));
        }
        let part = |c: char| c.is_alphanumeric() || matches!(c, '_' | ':');
        let start = before.trim_end_matches(part).len();
        let word = &before[start..];
        let here = before[..start].chars().count();
        // The word itself is no token before the cursor.
        text.toks.retain(|t| before[..offset(before, t.line, t.col)].chars().count() < here);
        let found = match text.toks.last().map(|t| &t.token) {
            Some(Token::Period | Token::Elvis) => text.members(word),
            Some(Token::MapStart | Token::Comma) if matches!(text.open().last(), Some(i) if text.is_map(*i)) => {
                text.options(word)
            }
            _ if word.is_empty() => Vec::new(),
            _ => text.words(word),
        };
        (start, found)
    }

    /// What the call around the end of `before` still takes, where an argument is to begin.
    pub fn takes(&self, engine: &Engine, session: &Session, before: &str) -> Option<String> {
        if !before.trim_end().ends_with(['(', ',']) {
            return None;
        }
        let text = Before { names: self, engine, session, toks: tokens(engine, before) };
        let call = text.call().filter(|c| text.open().last() == Some(&c.open))?;
        let skip = call.arg + usize::from(call.receiver.is_some());
        let longest = call.entries.iter().max_by_key(|e| e.params.len());
        let rest: Vec<String> = match longest {
            Some(e) => e
                .params
                .iter()
                .skip(skip)
                .map(|p| {
                    let mark = if p.optional { "?" } else { "" };
                    if p.ty.is_empty() { p.name.clone() } else { format!("{}{mark}: {}", p.name, p.ty) }
                })
                .collect(),
            None => {
                let name = ident(text.token(call.open.checked_sub(1)?)?)?;
                let (_, params) = session.functions().into_iter().find(|(f, _)| *f == name)?;
                params.into_iter().skip(call.arg).collect()
            }
        };
        let gap = if before.ends_with(',') { " " } else { "" };
        Some(format!("{gap}{})", rest.join(", ")))
    }
}

/// Those of `names` that begin with `word`, in order, once.
pub fn starting<S: AsRef<str>>(word: &str, names: impl IntoIterator<Item = S>) -> Vec<Pair> {
    let mut all: Vec<String> =
        names.into_iter().map(|n| n.as_ref().to_string()).filter(|n| n.starts_with(word)).collect();
    all.sort();
    all.dedup();
    all.into_iter().map(|n| Pair { display: n.clone(), replacement: n }).collect()
}

impl<'a> Before<'a> {
    fn token(&self, i: usize) -> Option<&Token> {
        self.toks.get(i).map(|t| &t.token)
    }

    fn is_map(&self, i: usize) -> bool {
        matches!(self.token(i), Some(Token::MapStart))
    }

    /// The brackets still open, outermost first.
    fn open(&self) -> Vec<usize> {
        let mut open = Vec::new();
        for (i, t) in self.toks.iter().enumerate() {
            match t.token {
                Token::LeftParen | Token::LeftBracket | Token::LeftBrace | Token::MapStart => open.push(i),
                Token::RightParen | Token::RightBracket | Token::RightBrace => drop(open.pop()),
                _ => {}
            }
        }
        open
    }

    /// The bracket that the one at `close` closes.
    fn opening(&self, close: usize) -> Option<usize> {
        let mut depth = 0;
        (0..=close).rev().find(|&i| {
            match self.toks[i].token {
                Token::RightParen | Token::RightBracket | Token::RightBrace => depth += 1,
                Token::LeftParen | Token::LeftBracket | Token::LeftBrace | Token::MapStart => depth -= 1,
                _ => {}
            }
            depth == 0
        })
    }

    /// The functions that a `(` at `open` calls, and the end of the receiver.
    fn callee(&self, open: usize) -> Option<(Vec<&'a Entry>, Option<usize>)> {
        let name = ident(self.token(open.checked_sub(1)?)?)?;
        let before = open.checked_sub(2).and_then(|i| self.token(i));
        let all = self.names.entries.iter().filter(|e| e.name == name && e.kind != FuncKind::Getter);
        Some(match before {
            Some(Token::DoubleColon) => {
                let home = ident(self.token(open.checked_sub(3)?)?)?;
                (all.filter(|e| e.home == home && e.kind == FuncKind::Function).collect(), None)
            }
            Some(Token::Period | Token::Elvis) => {
                let receiver = open.checked_sub(3)?;
                let ty = self.known(receiver).map(|k| self.type_of(&k));
                let fits = |e: &&&Entry| ty.as_ref().is_none_or(|t| e.home == *t);
                (all.filter(|e| e.kind == FuncKind::Method).filter(|e| fits(&e)).collect(), Some(receiver))
            }
            _ => (all.filter(|e| e.home.is_empty()).collect(), None),
        })
    }

    /// The call around the cursor, through lists and maps inside it.
    fn call(&self) -> Option<Call<'a>> {
        let around = self.open();
        let open = *around.iter().rev().find(|&&i| matches!(self.token(i), Some(Token::LeftParen)))?;
        if around.iter().any(|&i| i > open && matches!(self.token(i), Some(Token::LeftBrace))) {
            return None;
        }
        let (entries, receiver) = self.callee(open)?;
        let mut depth = 0;
        let mut arg = 0;
        for t in &self.toks[open + 1..] {
            match t.token {
                Token::LeftParen | Token::LeftBracket | Token::LeftBrace | Token::MapStart => depth += 1,
                Token::RightParen | Token::RightBracket | Token::RightBrace => depth -= 1,
                Token::Comma if depth == 0 => arg += 1,
                _ => {}
            }
        }
        Some(Call { entries, open, arg, receiver })
    }

    fn type_of(&self, known: &Known) -> String {
        match known {
            Known::Value(v) => type_word(self.engine.map_type_name(v.type_name())),
            Known::Type(t) => t.clone(),
        }
    }

    /// What the expression is whose last token is `end`.
    fn known(&self, end: usize) -> Option<Known> {
        let before = end.checked_sub(1).and_then(|i| self.token(i));
        let result = |entries: Vec<&Entry>| {
            let ty = entries.first()?.result();
            (!["", "any value"].contains(&ty)).then(|| Known::Type(ty.to_string()))
        };
        match self.token(end)? {
            Token::StringConstant(_) | Token::InterpolatedString(_) => Some(Known::Type("string".into())),
            Token::Underscore => self.session.value(LAST).cloned().map(Known::Value),
            Token::Identifier(name) => match before {
                Some(Token::DoubleColon) => None,
                Some(Token::Period | Token::Elvis) => {
                    let of = self.known(end.checked_sub(2)?)?;
                    if let Known::Value(v) = &of
                        && let Ok(map) = v.as_map_ref()
                    {
                        return map.get(name.as_str()).cloned().map(Known::Value);
                    }
                    let ty = self.type_of(&of);
                    let getter =
                        |e: &&Entry| e.kind == FuncKind::Getter && e.home == ty && e.name == name.as_str();
                    result(self.names.entries.iter().filter(getter).collect())
                }
                _ => self.session.value(name).cloned().map(Known::Value),
            },
            Token::RightParen => result(self.callee(self.opening(end)?)?.0),
            Token::RightBracket => {
                let of = self.opening(end)?.checked_sub(1).and_then(|i| self.known(i));
                match of {
                    None => Some(Known::Type("list".into())),
                    Some(Known::Value(v)) if v.is_array() => {
                        v.as_array_ref().ok().and_then(|a| a.first().cloned()).map(Known::Value)
                    }
                    Some(of) => Some(self.type_of(&of)).filter(|t| t == "Tensor").map(Known::Type),
                }
            }
            _ => None,
        }
    }

    /// Methods, properties and keys of the value before the dot that ends the tokens.
    fn members(&self, word: &str) -> Vec<Pair> {
        let known = self.toks.len().checked_sub(2).and_then(|end| self.known(end));
        let of = |e: &&Entry| e.kind != FuncKind::Function;
        let Some(known) = known else {
            return starting(word, self.names.entries.iter().filter(of).map(|e| &e.name));
        };
        let ty = self.type_of(&known);
        let mut names: Vec<String> =
            self.names.entries.iter().filter(of).filter(|e| e.home == ty).map(|e| e.name.clone()).collect();
        let own = self.names.builtins.iter().filter(|(_, types)| types.first() == Some(&ty));
        names.extend(own.map(|(n, _)| n.clone()));
        if let Known::Value(v) = &known
            && let Ok(map) = v.as_map_ref()
        {
            names.extend(map.keys().map(ToString::to_string));
        }
        starting(word, names)
    }

    /// Options of the call around, with their defaults, those already written left out.
    fn options(&self, word: &str) -> Vec<Pair> {
        let Some(call) = self.call() else { return Vec::new() };
        let start = self.open().last().copied().unwrap_or(0);
        let written: Vec<String> = self.toks[start..]
            .windows(2)
            .filter(|w| matches!(w[1].token, Token::Colon))
            .filter_map(|w| ident(&w[0].token))
            .collect();
        let mut found: Vec<Pair> = Vec::new();
        for f in call.entries.iter().flat_map(|e| e.options()) {
            let replacement = format!("{}: ", f.name);
            let new =
                !written.iter().any(|w| w == f.name) && found.iter().all(|p| p.replacement != replacement);
            if new && f.name.starts_with(word) {
                let display = format!("{}: {}", f.name, help::default(f.default));
                found.push(Pair { display, replacement });
            }
        }
        found
    }

    /// Names that stand alone, and those of a namespace.
    fn words(&self, word: &str) -> Vec<Pair> {
        let functions = self.names.entries.iter().filter(|e| e.kind == FuncKind::Function);
        if word.contains(':') {
            return starting(word, functions.map(|e| &e.path));
        }
        let mut names: Vec<String> = functions
            .map(|e| if e.home.is_empty() { e.name.clone() } else { format!("{}::", e.home) })
            .collect();
        names.extend(self.session.variables().map(|(n, _)| n.to_string()));
        names.extend(self.session.functions().into_iter().map(|(n, _)| n));
        names.extend(KEYWORDS.map(str::to_string));
        starting(word, names)
    }

    /// How the string that began with `word` may go on: layers where a layer is asked for, else files for a path.
    fn string(&self, word: &str) -> Vec<Pair> {
        let Some(call) = self.call() else { return Vec::new() };
        let at = call.arg + usize::from(call.receiver.is_some());
        let name = call.entries.first().and_then(|e| e.params.get(at)).map_or("", |p| p.name.as_str());
        match name {
            "layer" | "layers" => {
                self.net(&call).map_or(Vec::new(), |n| starting(word, n.layer_names(false)))
            }
            "path" | "folder" | "file" => files(word),
            _ => Vec::new(),
        }
    }

    /// The network a call is about: its receiver, or its first argument.
    fn net(&self, call: &Call) -> Option<Net> {
        let end = match call.receiver {
            Some(end) => end,
            None => {
                let mut rest = call.open + 1..self.toks.len();
                rest.find(|&i| matches!(self.token(i + 1), Some(Token::Comma)))?
            }
        };
        match self.known(end)? {
            Known::Value(v) => v.try_cast::<Net>(),
            Known::Type(_) => None,
        }
    }
}

/// Files and folders that begin with `word`.
pub fn files(word: &str) -> Vec<Pair> {
    let (folder, start) = word.rsplit_once('/').map_or(("", word), |(f, s)| (&word[..=f.len()], s));
    let from = if folder.is_empty() { "." } else { folder };
    let entries = std::fs::read_dir(from).into_iter().flatten().flatten();
    let names = entries.filter_map(|e| {
        let name = e.file_name().into_string().ok()?;
        let hidden = name.starts_with('.') && !start.starts_with('.');
        let slash = if e.path().is_dir() { "/" } else { "" };
        (!hidden).then(|| format!("{folder}{name}{slash}"))
    });
    starting(word, names)
}

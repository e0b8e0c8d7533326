//! A script's tokens again, for messages: how wide a caret is, what is called, which names there are.

use crate::registry::tokens::{Tok, position, tokens};
use rhai::{Engine, Position, Token};

/// A script's text and tokens.
pub struct Lexed<'a> {
    text: &'a str,
    /// All tokens up to the first that cannot be read.
    pub toks: Vec<Tok>,
    /// Variables there are before the text begins.
    pub known: Vec<String>,
}

/// A name a script gives, and the lines it is seen on.
struct Def {
    name: String,
    line: usize,
}

impl<'a> Lexed<'a> {
    /// The tokens of `text`.
    pub fn new(engine: &Engine, text: &'a str) -> Self {
        Self { text, toks: tokens(engine, text), known: Vec::new() }
    }

    /// The token at `pos`.
    pub fn at(&self, pos: Position) -> Option<usize> {
        let (line, col) = (pos.line()?, pos.position()?);
        self.toks.iter().position(|t| t.line == line && t.col == col)
    }

    /// The token `by` places after (or before) token `i`.
    pub fn near(&self, i: usize, by: isize) -> Option<&Token> {
        self.toks.get(i.checked_add_signed(by)?).map(|t| &t.token)
    }

    /// How many characters the token at `pos` takes in its line, `a::b::c` taken whole.
    pub fn width(&self, pos: Position) -> usize {
        let Some(mut i) = self.at(pos) else { return 1 };
        let first = i;
        while matches!(self.near(i, 1), Some(Token::DoubleColon)) && self.toks.len() > i + 2 {
            i += 2;
        }
        let (start, last) = (&self.toks[first], &self.toks[i]);
        let line: Vec<char> = self.text.lines().nth(start.line - 1).unwrap_or("").chars().collect();
        let end = match self.toks.get(i + 1) {
            _ if last.line != start.line => line.len(),
            Some(next) if next.line == last.line => next.col - 1,
            _ => line.len(),
        };
        let mut text: String = line.get(start.col - 1..end).unwrap_or(&[]).iter().collect();
        if !matches!(last.token, Token::StringConstant(_) | Token::InterpolatedString(_)) {
            for mark in ["//", "/*"] {
                text.truncate(text.find(mark).unwrap_or(text.len()));
            }
        }
        text.trim_end().chars().count().max(1)
    }

    /// Where the qualified name around `pos` begins: the engine points at its last part.
    pub fn start(&self, pos: Position) -> Position {
        let Some(mut i) = self.at(pos) else { return pos };
        while i >= 2 && matches!(self.near(i, -1), Some(Token::DoubleColon)) {
            i -= 2;
        }
        self.position(i)
    }

    fn position(&self, i: usize) -> Position {
        self.toks.get(i).map_or(Position::NONE, position)
    }

    /// Behind the token before `pos`, if that stands on an earlier line: where something is missing.
    pub fn behind(&self, pos: Position) -> Option<Position> {
        let i = self.at(pos).unwrap_or(self.toks.len()).checked_sub(1)?;
        let before = self.position(i);
        let width = u16::try_from(self.width(before)).unwrap_or(1);
        let col = u16::try_from(before.position()?).ok()?.saturating_add(width);
        let line = before.line().filter(|l| pos.line().is_none_or(|p| *l < p))?;
        Some(Position::new(u16::try_from(line).ok()?, col))
    }

    /// Where the word `name` stands, if it stands in the script once.
    pub fn only(&self, name: &str) -> Option<Position> {
        let mut all = (0..self.toks.len()).filter(|&i| ident(&self.toks[i].token).as_deref() == Some(name));
        let first = all.next()?;
        all.next().is_none().then(|| self.position(first))
    }

    /// The property behind the dot at `pos`.
    pub fn property(&self, pos: Position) -> Option<String> {
        let i = self.at(pos).filter(|&i| matches!(self.near(i, 0), Some(Token::Period | Token::Elvis)))?;
        ident(self.near(i, 1)?)
    }

    /// The qualified name around `pos`: `tensor::zeroes`.
    pub fn path(&self, pos: Position) -> Option<String> {
        let mut i = self.at(self.start(pos))?;
        let mut path = ident(self.near(i, 0)?)?;
        while matches!(self.near(i, 1), Some(Token::DoubleColon)) {
            i += 2;
            path += &format!("::{}", ident(self.near(i, 0)?)?);
        }
        Some(path)
    }

    /// True when what is at `pos` follows a dot.
    pub fn is_method(&self, pos: Position) -> bool {
        let before = self.at(pos).and_then(|i| self.near(i, -1));
        matches!(before, Some(Token::Period | Token::Elvis))
    }

    /// Functions the script defines: name, parameters.
    pub fn functions(&self) -> Vec<(String, Vec<String>)> {
        let fns = (0..self.toks.len()).filter(|&i| matches!(self.toks[i].token, Token::Fn));
        fns.filter_map(|i| {
            let name = ident(self.near(i, 1)?)?;
            let params = self.toks[i + 2..].iter().take_while(|t| !matches!(t.token, Token::RightParen));
            Some((name, params.filter_map(|t| ident(&t.token)).collect()))
        })
        .collect()
    }

    /// Tokens of the function body around token `i`, if it is in one: `fn` to `}`.
    fn body_around(&self, i: usize) -> Option<std::ops::Range<usize>> {
        let start = (0..i).rev().find(|&k| matches!(self.toks[k].token, Token::Fn))?;
        let mut depth = 0;
        for k in start..self.toks.len() {
            match self.toks[k].token {
                Token::LeftBrace | Token::MapStart => depth += 1,
                Token::RightBrace => {
                    depth -= 1;
                    if depth == 0 {
                        return (k > i).then_some(start..k);
                    }
                }
                _ => {}
            }
        }
        None
    }

    /// Names given by `let`, `const`, `for` and parameters among the tokens `range`.
    fn names(&self, range: std::ops::Range<usize>) -> Vec<Def> {
        let mut out = Vec::new();
        let mut params = false;
        for i in range {
            let tok = &self.toks[i];
            let Some(name) = ident(&tok.token) else {
                params = match tok.token {
                    Token::Fn => true,
                    Token::LeftBrace => false,
                    _ => params,
                };
                continue;
            };
            let before = self.near(i, -1);
            let listed = matches!(before, Some(Token::Comma | Token::Pipe))
                && matches!(self.near(i, 1), Some(Token::Comma | Token::Pipe));
            let given = matches!(before, Some(Token::Let | Token::Const | Token::For))
                || (matches!(self.near(i, 1), Some(Token::In | Token::RightParen | Token::Comma)) && params)
                || listed;
            if given {
                out.push(Def { name, line: tok.line });
            }
        }
        out
    }

    /// Names seen at `pos`, and whether `pos` is in a function while the script itself has a `name`.
    pub fn scope(&self, pos: Position, name: &str) -> (Vec<String>, bool) {
        let i = self.at(pos).unwrap_or(self.toks.len());
        let body = self.body_around(i);
        let inside = self.names(body.clone().unwrap_or(0..i));
        let line = pos.line().unwrap_or(usize::MAX);
        let given = |d: &Def| d.name == name && d.line <= line;
        let hidden = body.is_some()
            && (self.names(0..self.toks.len()).iter().any(given) || self.known.iter().any(|k| k == name));
        let mut seen: Vec<String> = inside.into_iter().map(|d| d.name).collect();
        if body.is_none() {
            seen.extend(self.known.iter().cloned());
        }
        (seen, hidden)
    }
}

/// The word a token is.
pub fn ident(token: &Token) -> Option<String> {
    match token {
        Token::Identifier(s) | Token::Reserved(s) | Token::Custom(s) => Some(s.to_string()),
        _ => None,
    }
}

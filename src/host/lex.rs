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

    /// Where token `i` begins.
    pub fn position(&self, i: usize) -> Position {
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

    /// Keys that maps of the text have.
    pub fn keys(&self) -> Vec<String> {
        let key = |w: &[Tok]| {
            let begins = matches!(w[0].token, Token::MapStart | Token::Comma);
            ident(&w[1].token).filter(|_| begins && matches!(w[2].token, Token::Colon))
        };
        self.toks.windows(3).filter_map(key).collect()
    }

    /// The innermost bracket that is open before `pos`, and its line.
    pub fn open_before(&self, pos: Position) -> Option<(&'static str, usize)> {
        let end = self.at(pos).unwrap_or(self.toks.len());
        let mut open = Vec::new();
        for t in &self.toks[..end] {
            match t.token {
                Token::LeftParen => open.push(("(", t.line)),
                Token::LeftBracket => open.push(("[", t.line)),
                Token::LeftBrace => open.push(("{", t.line)),
                Token::MapStart => open.push(("#{", t.line)),
                Token::RightParen | Token::RightBracket | Token::RightBrace => drop(open.pop()),
                _ => {}
            }
        }
        open.pop()
    }

    /// True when the name at `pos` is assigned to.
    pub fn is_assigned(&self, pos: Position) -> bool {
        self.at(pos).is_some_and(|i| matches!(self.near(i, 1), Some(Token::Equals)))
    }

    /// Where `name` is called as a method with a closure that uses the variable before it, if that is once.
    pub fn captured(&self, name: &str) -> Option<Position> {
        let mut all = (1..self.toks.len()).filter(|&i| {
            ident(&self.toks[i].token).as_deref() == Some(name) && self.uses_receiver(i).is_some()
        });
        let first = all.next()?;
        all.next().is_none().then(|| self.position(first))
    }

    /// The variable that the chain of calls before token `i` begins with, if a closure among the arguments uses it.
    fn uses_receiver(&self, i: usize) -> Option<String> {
        let mut at = i.checked_sub(2).filter(|_| matches!(self.near(i, -1), Some(Token::Period)))?;
        let root = loop {
            match &self.toks[at].token {
                Token::RightParen | Token::RightBracket => at = self.opening(at)?.checked_sub(1)?,
                t => match (ident(t), at.checked_sub(1).map(|b| &self.toks[b].token)) {
                    (Some(_), Some(Token::Period)) => at = at.checked_sub(2)?,
                    (Some(name), _) => break name,
                    _ => return None,
                },
            }
        };
        let inside = &self.toks[i + 1..self.closing(i + 1)?];
        let closure = inside.iter().position(|t| matches!(t.token, Token::Pipe | Token::Or))?;
        inside[closure..].iter().any(|t| ident(&t.token).as_ref() == Some(&root)).then_some(root)
    }

    fn depth(t: &Token) -> i32 {
        match t {
            Token::LeftParen | Token::LeftBracket | Token::LeftBrace | Token::MapStart => 1,
            Token::RightParen | Token::RightBracket | Token::RightBrace => -1,
            _ => 0,
        }
    }

    /// The bracket that the one at token `close` closes.
    fn opening(&self, close: usize) -> Option<usize> {
        let mut depth = 0;
        (0..=close).rev().find(|&i| {
            depth += Self::depth(&self.toks[i].token);
            depth == 0
        })
    }

    /// The bracket that closes the one at token `open`.
    pub fn closing(&self, open: usize) -> Option<usize> {
        let mut depth = 0;
        (open..self.toks.len()).find(|&i| {
            depth += Self::depth(&self.toks[i].token);
            depth == 0
        })
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

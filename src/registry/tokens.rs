//! A text's tokens with their places: for messages, for completion, and for `_` at the prompt.

use rhai::{Engine, Position, Token};
use std::cell::RefCell;

/// One token and where it begins (1-based, in characters).
pub struct Tok {
    /// The token.
    pub token: Token,
    /// Its line.
    pub line: usize,
    /// Its column.
    pub col: usize,
}

/// The tokens of `text`, up to the first that cannot be read.
pub fn tokens(engine: &Engine, text: &str) -> Vec<Tok> {
    let texts = [text];
    let (tokens, control) = engine.lex(&texts);
    let mut toks = Vec::new();
    // The engine's parser leads the tokenizer through `text ${ code } text`; so do we.
    let mut depths: Vec<usize> = Vec::new();
    for (token, pos) in tokens {
        match &token {
            Token::EOF => break,
            Token::InterpolatedString(_) => depths.push(0),
            Token::LeftBrace | Token::MapStart => depths.iter_mut().for_each(|d| *d += 1),
            Token::RightBrace => {
                depths.iter_mut().for_each(|d| *d = d.saturating_sub(1));
                if depths.last() == Some(&0) {
                    depths.pop();
                    control.borrow_mut().is_within_text = true;
                }
            }
            _ => {}
        }
        let bad = matches!(token, Token::LexError(_));
        toks.push(Tok { token, line: pos.line().unwrap_or(0), col: pos.position().unwrap_or(0) });
        if bad {
            break;
        }
    }
    toks
}

/// The name of the last value shown at the prompt. The language keeps the word for the default of `switch`.
pub const LAST: &str = "_";

thread_local! {
    /// Where the text being compiled says `_` and means a value.
    static PLACES: RefCell<Vec<(usize, usize)>> = const { RefCell::new(Vec::new()) };
}

/// Lets `engine` read `_` as a variable where [`with_last`] says so.
#[allow(deprecated)] // the engine's way to say that the function may change with a release
pub fn teach(engine: &mut Engine) {
    engine.on_parse_token(|token, pos, _| match (&token, pos.line(), pos.position()) {
        (Token::Underscore, Some(line), Some(col)) if PLACES.with_borrow(|p| p.contains(&(line, col))) => {
            Token::Identifier(Box::new(LAST.into()))
        }
        _ => token,
    });
}

/// Runs `compile` on `text`, in which `_` is the last value.
pub fn with_last<T>(engine: &Engine, text: &str, compile: impl FnOnce() -> T) -> T {
    if text.contains(LAST) {
        PLACES.replace(places(&tokens(engine, text)));
    }
    let out = compile();
    PLACES.take();
    out
}

/// Where `text` says `_` and means the last value: line and column.
pub fn last_places(engine: &Engine, text: &str) -> Vec<(usize, usize)> {
    places(&tokens(engine, text))
}

/// Where `_` stands for a value: not before `=>` in a `switch`, and not where a name is given.
fn places(toks: &[Tok]) -> Vec<(usize, usize)> {
    let value = |i: usize| {
        let before = i.checked_sub(1).and_then(|i| toks.get(i)).map(|t| &t.token);
        let after = toks.get(i + 1).map(|t| &t.token);
        let arm = matches!(after, Some(Token::DoubleArrow));
        let named = matches!(before, Some(Token::Let | Token::Const | Token::For | Token::Period));
        let listed = matches!(
            (before, after),
            (Some(Token::Pipe), Some(Token::Pipe | Token::Comma)) | (Some(Token::Comma), Some(Token::Pipe))
        );
        !(arm || named || listed)
    };
    let all = toks.iter().enumerate().filter(|(_, t)| matches!(t.token, Token::Underscore));
    all.filter(|(i, _)| value(*i)).map(|(_, t)| (t.line, t.col)).collect()
}

/// Where `tok` begins.
pub fn position(tok: &Tok) -> Position {
    let at = |n: usize| u16::try_from(n).unwrap_or(u16::MAX);
    Position::new(at(tok.line.max(1)), at(tok.col))
}

//! A script's statements, one by one: what `:watch` runs again, and what of a failed input did run.

use crate::registry::tokens::{Tok, tokens};
use rhai::{Engine, Token};
use std::ops::Range;

/// One statement of a text's top level.
pub struct Piece {
    /// Its bytes, from the end of the statement before it: comments above it are its own.
    pub range: Range<usize>,
    /// The line its first token stands on.
    pub line: usize,
    /// What it says, without comments and blanks.
    pub tokens: Vec<String>,
}

/// The byte at a place (1-based, in characters).
pub fn offset(text: &str, line: usize, col: usize) -> usize {
    let above: usize = text.split_inclusive('\n').take(line.saturating_sub(1)).map(str::len).sum();
    above + text[above..].chars().take(col.saturating_sub(1)).map(char::len_utf8).sum::<usize>()
}

/// Statements that end with a block, without `;`.
fn blocky(t: &Token) -> bool {
    use Token as T;
    matches!(t, T::If | T::For | T::While | T::Loop | T::Switch | T::Fn | T::Private | T::Try | T::LeftBrace)
}

/// The statements of `text`; what cannot be read is the last of them.
pub fn pieces(engine: &Engine, text: &str) -> Vec<Piece> {
    let toks = tokens(engine, text);
    let mut out = Vec::new();
    let (mut first, mut from) = (0, 0);
    let mut open: Vec<bool> = Vec::new(); // true: `${` in a text
    let push = |first: usize, last: usize, from: usize, to: usize, out: &mut Vec<Piece>| {
        let said = |t: &Tok| format!("{:?}", t.token);
        let tokens = toks[first..=last].iter().map(said).collect();
        out.push(Piece { range: from..to, line: toks[first].line, tokens });
    };
    for (i, t) in toks.iter().enumerate() {
        let mut ends = false;
        match t.token {
            Token::LeftParen | Token::LeftBracket | Token::MapStart => open.push(false),
            Token::LeftBrace => {
                let text =
                    i.checked_sub(1).is_some_and(|b| matches!(toks[b].token, Token::InterpolatedString(_)));
                open.push(text);
            }
            Token::RightParen | Token::RightBracket => drop(open.pop()),
            Token::RightBrace => {
                let text = open.pop().unwrap_or(false);
                let goes_on = matches!(
                    toks.get(i + 1).map(|t| &t.token),
                    Some(Token::Else | Token::Catch | Token::Period | Token::SemiColon)
                );
                ends = open.is_empty() && !text && blocky(&toks[first].token) && !goes_on;
            }
            Token::SemiColon => ends = open.is_empty(),
            _ => {}
        }
        if ends {
            let to = offset(text, t.line, t.col) + 1;
            push(first, i, from, to, &mut out);
            (first, from) = (i + 1, to);
        }
    }
    if first < toks.len() {
        push(first, toks.len() - 1, from, text.len(), &mut out);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statements_are_told_apart() {
        let engine = crate::registry::session::engine().unwrap();
        let text = "// a\nlet x = #{a: [1; 2]};if x { 1 } else { `${2;}` }\nfn f(a) { a; }\nfor i in 0..2 { i; } x.y\n\
                    + 1; let s = `é ${ if true { 1 } else { 2 } }`; s";
        let text = text.replace("[1; 2]", "[1, 2]");
        let all = pieces(&engine, &text);
        let said: Vec<&str> = all.iter().map(|p| text[p.range.clone()].trim()).collect();
        assert_eq!(
            said,
            [
                "// a\nlet x = #{a: [1, 2]};",
                "if x { 1 } else { `${2;}` }",
                "fn f(a) { a; }",
                "for i in 0..2 { i; }",
                "x.y\n+ 1;",
                "let s = `é ${ if true { 1 } else { 2 } }`;",
                "s"
            ]
        );
        assert_eq!(all.iter().map(|p| p.line).collect::<Vec<_>>(), [2, 2, 3, 4, 4, 5, 5]);
        assert_eq!(all.iter().map(|p| p.range.len()).sum::<usize>(), text.len());
    }
}

//! What runs, but hardly as it is meant: whole numbers divided, closures that share a loop's variable. These do not keep
//! a script from running.

use crate::core::Error;
use crate::host::lex::{Lexed, ident};
use crate::host::render::{Diagnostic, Source};
use rhai::{Engine, Position, Token};

/// What is doubtful in a script that can be read.
pub fn doubts(engine: &Engine, source: &Source) -> Vec<Diagnostic> {
    let lexed = Lexed::new(engine, source.text);
    let mut found = divisions(&lexed);
    found.extend(shared(&lexed));
    let say = |(pos, e)| Diagnostic { warning: true, ..Diagnostic::at(engine, source, pos, e) };
    found.into_iter().map(say).collect()
}

/// `1 / 3`: two whole numbers as they are written, of which one is no multiple of the other.
fn divisions(lexed: &Lexed) -> Vec<(Position, Error)> {
    let inexact = |(i, w): (usize, &[crate::registry::tokens::Tok])| {
        let [Token::IntegerConstant(a), Token::Divide, Token::IntegerConstant(b)] =
            [&w[0].token, &w[1].token, &w[2].token]
        else {
            return None;
        };
        // In `x * 3 / 4` it is a product that is divided.
        let before = i.checked_sub(1).map(|b| &lexed.toks[b].token);
        if let Some(Token::Multiply | Token::Divide | Token::Modulo | Token::PowerOf) = before {
            return None;
        }
        let e = Error::new(format!("{a} / {b} of whole numbers is the whole number {}", a / b.max(&1)));
        (*b > 0 && a % b != 0).then(|| (lexed.position(i + 1), e.hint(format!("{a}.0 / {b} is a number"))))
    };
    lexed.toks.windows(3).enumerate().filter_map(inexact).collect()
}

/// Closures kept in a loop that use its variable.
fn shared(lexed: &Lexed) -> Vec<(Position, Error)> {
    let mut out = Vec::new();
    let toks = &lexed.toks;
    for i in (0..toks.len()).filter(|&i| matches!(toks[i].token, Token::For)) {
        let Some(begin) = (i..toks.len()).find(|&k| matches!(toks[k].token, Token::LeftBrace)) else {
            continue;
        };
        let Some(end) = lexed.closing(begin) else { continue };
        let named = toks[i..begin].iter().take_while(|t| !matches!(t.token, Token::In));
        let vars: Vec<String> = named.filter_map(|t| ident(&t.token)).collect();
        for k in begin..end {
            // `list.push(|x| …)`, `map.key = |x| …`
            let kept = match (&toks[k].token, k.checked_sub(1).map(|b| &toks[b].token)) {
                (Token::LeftParen, Some(Token::Identifier(name))) => name.as_str() == "push",
                (Token::Equals, Some(_)) => {
                    !matches!(toks.get(k.wrapping_sub(2)).map(|t| &t.token), Some(Token::Let))
                }
                _ => false,
            };
            let closure = matches!(toks.get(k + 1).map(|t| &t.token), Some(Token::Pipe | Token::Or));
            if !kept || !closure {
                continue;
            }
            let last = match toks[k].token {
                Token::LeftParen => lexed.closing(k),
                _ => (k..end).find(|&s| matches!(toks[s].token, Token::SemiColon)),
            };
            let mut body = toks[k + 1..last.unwrap_or(end)].iter().enumerate();
            let is = |t: &Token| ident(t).is_some_and(|n| vars.contains(&n));
            if let Some((n, t)) = body.find(|(_, t)| is(&t.token)) {
                let name = ident(&t.token).unwrap_or_default();
                let e = Error::new(format!(
                    "all closures made in this loop share `{name}`: they will see its last value"
                ));
                let hint = format!(
                    "give each its own: `let own = {name};` before it in the loop, and `own` in the closure"
                );
                out.push((lexed.position(k + 1 + n), e.hint(hint)));
            }
        }
    }
    out
}

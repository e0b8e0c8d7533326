//! What is wrong with a script that cannot be read.

use super::habits;
use super::lex::{Lexed, ident};
use crate::core::Error;
use rhai::{LexError, ParseErrorType as P, Position, Token};

/// Message and hint for a parse error at `pos`.
pub fn say(lexed: &Lexed, kind: &P, pos: Position) -> Error {
    let token = lexed.at(pos).and_then(|i| lexed.near(i, 0));
    if let Some(e) = habits::python(lexed, kind, pos) {
        return e;
    }
    match kind {
        P::Reserved(word) => reserved(word),
        P::MissingToken(wanted, _) if wanted == "]" && matches!(token, Some(Token::Comma)) => {
            Error::new("an index is one value")
                .hint("several axes are indexed with a list: `x[[0, 1]]`, `x[[0, .., 1..3]]`")
        }
        P::MissingToken(..) | P::VariableExpected if matches!(token, Some(Token::Underscore)) => {
            Error::new("`_` is not a name").hint("give it a name, also where the value is not used")
        }
        P::MissingToken(wanted, why) => match token {
            Some(Token::Reserved(word)) if !(wanted == ";" && CALLED.contains(&word.as_str())) => {
                reserved(word)
            }
            _ => {
                let e = Error::new(format!("`{wanted}` is missing {why}").trim_end().to_string());
                unclosed(lexed, pos, e, Some(wanted))
            }
        },
        P::UnexpectedEOF => {
            let e = Error::new("the script ends in the middle of something");
            unclosed(lexed, pos, e, None).hint("a bracket, a brace or a quote is not closed")
        }
        P::BadInput(LexError::UnexpectedInput(_)) => unclosed(lexed, pos, Error::new(small(kind)), None),
        P::BadInput(LexError::UnterminatedString) => {
            Error::new("the string is not closed").hint("texts of several lines are written in `back-ticks`")
        }
        P::BadInput(LexError::ImproperSymbol(symbol, words)) if !words.is_empty() => {
            Error::new(format!("`{symbol}` is not used here")).hint(words.clone())
        }
        P::PropertyExpected | P::VariableExpected | P::FnMissingName => match token.and_then(keyword) {
            Some(word) => reserved(&word),
            None => Error::new(small(kind)),
        },
        P::AssignmentToInvalidLHS(_) => Error::new("this cannot be assigned to")
            .hint("`==` compares, `=` assigns to a variable, a property or an index"),
        P::WrongFnDefinition => Error::new("a function cannot be defined inside another or inside a block")
            .hint("use a closure: `let f = |x| …;`"),
        P::AssignmentToConstant(name) => {
            Error::new(format!("`{name}` is a constant")).hint("declare it with `let` to change it")
        }
        P::ExprTooDeep => Error::new("the expression is nested too deeply")
            .hint("give parts of it names with `let`; data belongs in a file (`data::csv`, `tensor::load`)"),
        other => Error::new(small(other)),
    }
}

/// Reserved words that are functions: they may begin a statement.
const CALLED: [&str; 8] = ["print", "debug", "type_of", "call", "curry", "eval", "is_def_var", "is_def_fn"];

/// The same error; if a bracket above is open, and it is not this one that is said to be missing, it is named.
fn unclosed(lexed: &Lexed, pos: Position, e: Error, wanted: Option<&str>) -> Error {
    match lexed.open_before(pos) {
        Some((open, line)) if pos.line().is_none_or(|l| l > line) && wanted.is_none_or(|w| w == ";") => {
            e.hint(format!("the `{open}` of line {line} is not closed"))
        }
        _ => e,
    }
}

/// The word, where a token is a word of the language.
fn keyword(token: &Token) -> Option<String> {
    match token {
        Token::Reserved(_) => ident(token),
        t if t.is_standard_keyword() => Some(t.literal_syntax().to_string()),
        _ => None,
    }
}

fn reserved(word: &str) -> Error {
    match word {
        "#" => Error::new("`#` is not used in this language").hint("comments begin with `//`"),
        w if !w.starts_with(char::is_alphabetic) => Error::new(format!("`{w}` is not used in this language")),
        _ => Error::new(format!("`{word}` is a reserved word"))
            .hint(format!("choose another name; as a key of a map it stands in quotes: #{{\"{word}\": …}}")),
    }
}

fn small(kind: &P) -> String {
    let text = kind.to_string();
    let mut chars = text.chars();
    chars.next().map_or(String::new(), |c| c.to_lowercase().chain(chars).collect())
}

//! What people write who come from Python and PyTorch, and how it is written here.

use super::lex::{Lexed, ident};
use crate::core::Error;
use rhai::{LexError, ParseErrorType as P, Position, Token};

/// A text that cannot be read because it is Python.
pub fn python(lexed: &Lexed, kind: &P, pos: Position) -> Option<Error> {
    if let P::BadInput(LexError::MalformedChar(_)) = kind {
        return Some(
            Error::new("a text stands in double quotes").hint("single quotes are for one character: 'a'"),
        );
    }
    let P::MissingToken(wanted, _) = kind else { return None };
    let i = lexed.at(pos).unwrap_or(lexed.toks.len());
    let word = |by: isize| {
        i.checked_add_signed(by).and_then(|_| lexed.near(i, by)).and_then(ident).unwrap_or_default()
    };
    let (here, before) = (word(0), word(-1));
    let said = match (here.as_str(), before.as_str()) {
        ("and", _) => ("`and` is written `&&`", "both: a && b"),
        ("or", _) => ("`or` is written `||`", "one of both: a || b"),
        (_, "not") => ("`not` is written `!`", "if !done { … }"),
        (_, "def") => ("a function is written `fn`", "fn double(x) { x * 2 }"),
        (_, "lambda") => ("a closure is written `|x| …`", "let f = |x| x * 2;"),
        (_, "elif") => ("`elif` is written `else if`", "if a { … } else if b { … } else { … }"),
        (_, "class") => (
            "there are no classes",
            "a map holds values and functions; a network of your own is `nn::custom`",
        ),
        _ => match (lexed.near(i, 0), wanted.as_str()) {
            (Some(Token::Colon), "{") => ("a block stands in braces", "if x > 1 { … }, for i in 0..3 { … }"),
            (Some(Token::Colon), "]") => {
                ("a part of a list is `list.extract(0..2)`", "of a tensor `x[0..2]`")
            }
            (Some(Token::Equals), ",") => (
                "arguments have no names",
                "options stand in a map at the end: nn::conv2d(3, 8, 3, #{padding: 1})",
            ),
            (Some(Token::StringConstant(_)), _) if before == "f" => {
                ("a text with values stands in back-ticks", "print(`lr is ${lr}`)")
            }
            _ if matches!(i.checked_sub(2).and_then(|_| lexed.near(i, -2)), Some(Token::Import)) => (
                "what is imported is a script in quotes",
                "import \"lib\" as lib; functions of cs385 need no import",
            ),
            _ => return None,
        },
    };
    Some(Error::new(said.0).hint(said.1))
}

/// Words of Python that are values here.
pub fn value(name: &str) -> Option<Error> {
    let here = match name {
        "True" | "False" => name.to_lowercase(),
        "None" | "nil" | "null" | "undefined" => "()".to_string(),
        _ => return None,
    };
    Some(Error::new(format!("`{name}` is written `{here}` here")))
}

/// PyTorch's names of what is ours.
pub fn home(name: &str) -> Option<&'static str> {
    Some(match name {
        "torch" | "np" | "numpy" => "tensor::",
        "F" => "loss:: or a method of Tensor",
        "torchvision" => "models::",
        "transforms" => "augment::",
        "plt" => "plot::",
        _ => return None,
    })
}

/// How a function or method of another language is written here.
pub fn function(receiver: &str, name: &str) -> Option<&'static str> {
    Some(match (receiver, name) {
        ("list" | "string" | "map", "length" | "size" | "count") => "its length is `.len()`",
        ("list", "append") => "`push` adds an item, `append` another list",
        ("list", "sum" | "mean" | "max" | "min" | "std") => {
            "numbers in a list are counted as a tensor: tensor::of(list).float()"
        }
        ("list", "join") => "report::join(list, \", \")",
        ("list", "sorted") => "`sort` sorts in place",
        ("string", "upper") => "`to_upper()`",
        ("string", "lower") => "`to_lower()`",
        ("string", "strip") => "`trim()` trims in place",
        ("string", "format") => "a text with values: `lr is ${lr}` in back-ticks",
        ("map", "items") => "for key in map.keys() { map[key] }",
        ("", "range") => "for i in 0..3 { … }",
        ("", "len") => "x.len()",
        ("", "str") => "x.to_string(), or `${x}` in back-ticks",
        ("", "int") => "x.to_int()",
        ("", "float") => "x.to_float()",
        ("", "enumerate") => "for (x, i) in list { … }",
        ("", "zip") => "for (x, i) in a { b[i] }",
        ("", "open") => "image::open, data::csv, tensor::load read files",
        _ => return None,
    })
}

//! What a piece of code is made of, for colours: at the prompt and in the manual. Unlike the language's own tokenizer
//! it keeps every character, comments too, and reads what is not finished.

use super::entries;
use crate::core::func::FuncKind;
use std::collections::HashSet;

/// Words of the language that begin something.
pub const KEYWORDS: [&str; 21] = [
    "let", "const", "fn", "if", "else", "for", "in", "while", "loop", "do", "until", "break", "continue",
    "return", "switch", "throw", "try", "catch", "import", "true", "false",
];

/// What a stretch of code is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// A word of the language.
    Keyword,
    /// A string.
    Text,
    /// A number.
    Number,
    /// A comment.
    Comment,
    /// A function or a namespace there is.
    Known,
}

/// One stretch of code.
pub struct Stretch<'a>(pub &'a str, pub Option<Class>);

/// What is told by name.
pub struct Words {
    /// Functions and namespaces: `cam::grad_cam`, `cam::`, `param`.
    pub known: HashSet<String>,
    /// Words of the language.
    pub keywords: HashSet<&'static str>,
}

impl Words {
    /// The whole language.
    pub fn all() -> Self {
        let functions = entries().into_iter().filter(|e| e.kind == FuncKind::Function);
        let known = functions.flat_map(|e| [format!("{}::", e.home), e.path]).collect();
        Self { known, keywords: KEYWORDS.into_iter().collect() }
    }

    /// True for a function that is called, and for a namespace: variables may have the same names.
    fn is_known(&self, name: &str, behind: &str) -> bool {
        match (name.contains("::"), behind.starts_with("::")) {
            (_, true) => self.known.contains(&format!("{name}::")),
            (true, false) => self.known.contains(name),
            (false, false) => behind.starts_with('(') && self.known.contains(name),
        }
    }

    /// `line` cut into stretches; together they are the line.
    pub fn stretches<'a>(&self, line: &'a str) -> Vec<Stretch<'a>> {
        let mut runs = Vec::new();
        let mut rest = line;
        let mut dotted = false; // a name behind a dot is a method
        while let Some(first) = rest.chars().next() {
            let word = |c: char| c.is_alphanumeric() || c == '_';
            let (len, class) = match first {
                '"' | '`' => (string(rest, first), Some(Class::Text)),
                '/' if rest.starts_with("//") => {
                    (rest.find('\n').unwrap_or(rest.len()), Some(Class::Comment))
                }
                '/' if rest.starts_with("/*") => {
                    (rest.find("*/").map_or(rest.len(), |i| i + 2), Some(Class::Comment))
                }
                c if c.is_ascii_digit() => (number(rest), Some(Class::Number)),
                c if word(c) => {
                    let path = |c: char| word(c) || c == ':';
                    let len = rest.find(|c| !path(c)).unwrap_or(rest.len());
                    let name = rest[..len].trim_end_matches(':');
                    let class = match name {
                        _ if dotted => None,
                        n if self.keywords.contains(n) => Some(Class::Keyword),
                        n if self.is_known(n, &rest[n.len()..]) => Some(Class::Known),
                        _ => None,
                    };
                    (name.len().max(1), class)
                }
                c => (c.len_utf8(), None),
            };
            dotted = first == '.' && !rest.starts_with("..");
            runs.push(Stretch(&rest[..len], class));
            rest = &rest[len..];
        }
        runs
    }
}

/// The length of a string from its quote on.
fn string(text: &str, quote: char) -> usize {
    let mut escaped = false;
    for (i, c) in text.char_indices().skip(1) {
        match c {
            c if c == quote && !escaped => return i + 1,
            '\\' => escaped = !escaped && quote == '"',
            _ => escaped = false,
        }
    }
    text.len()
}

/// The length of a number: `1`, `2.5`, `1e-3`, but not the dots of `0..3`.
fn number(text: &str) -> usize {
    let bytes = text.as_bytes();
    let mut i = 0;
    while let Some(b) = bytes.get(i) {
        let sign = matches!(b, b'-' | b'+') && matches!(bytes.get(i.wrapping_sub(1)), Some(b'e' | b'E'));
        let point = *b == b'.' && bytes.get(i + 1).is_none_or(u8::is_ascii_digit);
        if !(b.is_ascii_alphanumeric() || *b == b'_' || sign || point) {
            break;
        }
        i += 1;
    }
    i
}

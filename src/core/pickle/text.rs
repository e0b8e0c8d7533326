//! Text as the pickle protocols write it.

use std::borrow::Cow;

use crate::core::{Error, Result};

/// Bytes as text in latin-1, as Python 2's strings are read.
pub(super) fn latin1(bytes: &[u8]) -> Cow<'_, str> {
    match std::str::from_utf8(bytes) {
        Ok(text) if bytes.is_ascii() => Cow::Borrowed(text),
        _ => Cow::Owned(bytes.iter().map(|&b| char::from(b)).collect()),
    }
}

pub(super) fn odd(what: &str, text: &str) -> Error {
    let shown: String = text.escape_debug().take(60).collect();
    Error::new(format!("`{shown}` is no {what}"))
}

/// A Python 2 string from its `repr`.
pub(super) fn unquoted(line: &[u8]) -> Result<Cow<'_, [u8]>> {
    match line {
        [open @ (b'\'' | b'"'), inner @ .., close] if open == close => {
            Ok(if inner.contains(&b'\\') { Cow::Owned(byte_escapes(inner)) } else { Cow::Borrowed(inner) })
        }
        _ => Err(odd("string", &latin1(line))),
    }
}

/// Undoes `repr` of a byte string.
fn byte_escapes(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((&b, after)) = rest.split_first() {
        rest = after;
        let (b'\\', Some((&e, after))) = (b, after.split_first()) else {
            out.push(b);
            continue;
        };
        let code =
            |s: &[u8], radix| std::str::from_utf8(s).ok().and_then(|s| u8::from_str_radix(s, radix).ok());
        let (byte, used) = match e {
            b'n' => (b'\n', 1),
            b'r' => (b'\r', 1),
            b't' => (b'\t', 1),
            b'x' => match after.get(..2).and_then(|s| code(s, 16)) {
                Some(byte) => (byte, 3),
                None => (b'x', 1),
            },
            b'0'..=b'3' => match rest.get(..3).and_then(|s| code(s, 8)) {
                Some(byte) => (byte, 3),
                None => (e - b'0', 1),
            },
            other => (other, 1),
        };
        out.push(byte);
        rest = rest.get(used..).unwrap_or_default();
    }
    out
}

/// Undoes Python's raw-unicode-escape: `\uXXXX` and `\UXXXXXXXX`, everything else as it is.
pub(super) fn unicode_escapes(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('\\') {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        let digits = match rest.as_bytes().get(1) {
            Some(b'u') => 4,
            Some(b'U') => 8,
            _ => 0,
        };
        match rest.get(2..2 + digits).filter(|h| !h.is_empty()).and_then(|h| u32::from_str_radix(h, 16).ok())
        {
            Some(code) => {
                out.push(char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER));
                rest = &rest[2 + digits..];
            }
            None => {
                out.push('\\');
                rest = &rest[1..];
            }
        }
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_are_undone() {
        assert_eq!(byte_escapes(br"a\\\x00\n\'\377\q\x"), b"a\\\x00\n'\xffqx");
        let text = unicode_escapes(r"a\u00e9\u000a\U0001f600\ud800\z\");
        assert_eq!(text, "a\u{e9}\n\u{1f600}\u{fffd}\\z\\");
        assert_eq!(latin1(b"caf\xe9"), "caf\u{e9}");
    }
}

//! Colours of the language, as it is typed.

use crate::registry::paint::{Class, Stretch, Words};

const COMMAND: &str = "1";
/// The bracket that goes with the one at the cursor.
const PARTNER: &str = "1;4";

fn code(class: Class) -> &'static str {
    match class {
        Class::Keyword => "35",
        Class::Text => "32",
        Class::Number => "36",
        Class::Comment => "90",
        Class::Known => "34",
    }
}

/// Colours a line of what is typed.
pub struct Palette(pub Words);

impl Palette {
    /// `line` in colours; `cursor` is a byte in it.
    pub fn paint(&self, line: &str, cursor: usize) -> String {
        if line.starts_with([':', '?']) {
            let end = line.find(char::is_whitespace).unwrap_or(line.len());
            let rest = &line[end..];
            let code = line.starts_with(":time");
            let rest = if code { self.paint(rest, cursor.saturating_sub(end)) } else { rest.to_string() };
            return format!("\x1b[{COMMAND}m{}\x1b[0m{rest}", &line[..end]);
        }
        let runs = self.0.stretches(line);
        let partner = partner(&runs, cursor);
        let (mut out, mut at) = (String::with_capacity(line.len() * 2), 0);
        for Stretch(text, class) in runs {
            let code = if partner == Some(at) { Some(PARTNER) } else { class.map(code) };
            match code {
                Some(code) => out += &format!("\x1b[{code}m{text}\x1b[0m"),
                None => out += text,
            }
            at += text.len();
        }
        out
    }
}

/// The byte of the bracket that goes with the one at the cursor, or before it.
fn partner(runs: &[Stretch], cursor: usize) -> Option<usize> {
    let mut at = 0;
    let mut brackets = Vec::new();
    for Stretch(text, class) in runs {
        if class.is_none() && text.len() == 1 && "()[]{}".contains(text) {
            brackets.push((at, text.as_bytes()[0]));
        }
        at += text.len();
    }
    let here = |p: usize| brackets.iter().position(|(at, _)| *at == p);
    let i = here(cursor).or_else(|| here(cursor.checked_sub(1)?))?;
    let mut depth = 0i32;
    let up = b"([{".contains(&brackets[i].1);
    let mut step = |(_, b): &&(usize, u8)| {
        depth += if b"([{".contains(b) == up { 1 } else { -1 };
        depth == 0
    };
    let found =
        if up { brackets[i..].iter().find(&mut step) } else { brackets[..=i].iter().rev().find(&mut step) };
    found.map(|(at, _)| *at)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn painted(line: &str, cursor: usize) -> String {
        let known = ["cam::grad_cam", "cam::", "param"].map(str::to_string).into();
        let palette = Palette(Words { known, keywords: ["let", "if"].into() });
        let out = palette.paint(line, cursor);
        // The line editor relies on it: nothing but colours is added.
        let mut plain = String::new();
        let mut rest = out.as_str();
        while let Some(at) = rest.find("\x1b[") {
            plain += &rest[..at];
            rest = &rest[at..][rest[at..].find('m').unwrap() + 1..];
        }
        assert_eq!(plain + rest, line);
        out.replace("\x1b[0m", ">").replace("\x1b[", "<")
    }

    #[test]
    fn words_texts_numbers_and_comments() {
        assert_eq!(painted("let x = 1e-3; // é", 99), "<35mlet> x = <36m1e-3>; <90m// é>");
        assert_eq!(painted("cam::grad_cam(net, \"a\\\"b\")", 99), "<34mcam::grad_cam>(net, <32m\"a\\\"b\">)");
        assert_eq!(painted("x.param + param(0..3)", 99), "x.param + <34mparam>(<36m0>..<36m3>)");
        assert_eq!(painted("cam::", 99), "<34mcam>::");
        assert_eq!(painted("`open ${x", 99), "<32m`open ${x>");
        assert_eq!(painted(":time let x", 99), "<1m:time> <35mlet> x");
        assert_eq!(painted("é/*", 99), "é<90m/*>");
    }

    #[test]
    fn the_other_bracket_is_marked() {
        assert_eq!(painted("f([1])", 1), "f([<36m1>]<1;4m)>");
        assert_eq!(painted("f(a)", 4), "f<1;4m(>a)");
        assert_eq!(painted("f(\")\")", 1), "f(<32m\")\"><1;4m)>");
        assert_eq!(painted(")", 0), ")");
    }
}

//! What a test script says about itself in comments: `//@ seed: 3` above, `//~ ERROR 7 text` where it must fail.

use crate::core::{Error, Result};

/// The `//@` lines.
pub struct Directives {
    /// `--set` pairs of `//@ args: --set a=1`.
    pub set: Vec<(String, String)>,
    /// Seed of the run.
    pub seed: i64,
    /// Threads of libtorch.
    pub threads: i32,
    /// Tolerance of printed numbers, relative and absolute.
    pub rtol: f64,
    /// The largest difference of a channel that a picture may show.
    pub image_tol: u8,
    /// Pictures the script draws and a golden is kept of.
    pub images: Vec<String>,
}

/// A `//~ ERROR` with its `//~ HINT`.
pub struct Expected {
    /// The line that must fail.
    pub line: usize,
    /// The column, if given.
    pub col: Option<usize>,
    /// The message, `[..]` for anything.
    pub msg: String,
    /// The hint, if given.
    pub hint: Option<String>,
    /// The line of the comment and the carets in it.
    comment: (usize, usize),
}

/// Reads the `//@` lines of `text`.
///
/// # Errors
/// An unknown or malformed one.
pub fn directives(text: &str) -> Result<Directives> {
    let mut d = Directives { set: vec![], seed: 0, threads: 1, rtol: 1e-4, image_tol: 1, images: vec![] };
    for line in text.lines().filter_map(|l| l.trim().strip_prefix("//@")) {
        let (key, value) = line.split_once(':').unwrap_or((line, ""));
        let (key, value) = (key.trim(), value.trim());
        let bad = || Error::new(format!("`//@{line}` cannot be read"));
        match key {
            "args" => {
                let mut words = value.split_whitespace();
                while let Some(word) = words.next() {
                    let pair =
                        (word == "--set").then(|| words.next()).flatten().and_then(|w| w.split_once('='));
                    let (name, value) = pair.ok_or_else(bad)?;
                    d.set.push((name.to_string(), value.to_string()));
                }
            }
            "seed" => d.seed = value.parse().map_err(|_| bad())?,
            "threads" => d.threads = value.parse().map_err(|_| bad())?,
            "rtol" => d.rtol = value.parse().map_err(|_| bad())?,
            "image-tol" => d.image_tol = value.parse().map_err(|_| bad())?,
            "image" => d.images.push(value.to_string()),
            _ => {
                return Err(Error::unknown(
                    "directive",
                    key,
                    ["args", "seed", "threads", "rtol", "image-tol", "image"],
                ));
            }
        }
    }
    Ok(d)
}

/// Reads the `//~` comments of `text`: `//~ ERROR [COLUMN] message` on the line that fails (each `^` after the
/// mark leads one line up), `//~ HINT hint` below.
///
/// # Errors
/// A malformed one, or more than one error: a script fails once.
pub fn expected(text: &str) -> Result<Option<Expected>> {
    let mut out: Option<Expected> = None;
    for (i, line) in text.lines().enumerate() {
        let Some((_, mark)) = line.split_once("//~") else { continue };
        let carets = mark.chars().take_while(|c| *c == '^').count();
        let (kind, words) = mark[carets..].trim().split_once(' ').unwrap_or((mark[carets..].trim(), ""));
        match (kind, &mut out) {
            ("ERROR", None) => {
                let number = words.split_once(' ').and_then(|(n, rest)| n.parse().ok().map(|n| (n, rest)));
                let (col, msg) = number.map_or((None, words), |(n, rest)| (Some(n), rest));
                let line = (i + 1).saturating_sub(carets);
                out = Some(Expected { line, col, msg: msg.trim().into(), hint: None, comment: (i, carets) });
            }
            ("HINT", Some(e)) => {
                let hint = e.hint.take().map_or(String::new(), |h| h + "\n") + words.trim();
                e.hint = Some(hint);
            }
            ("ERROR", Some(_)) => {
                return Err(Error::new(format!("line {}: a script fails only once", i + 1)));
            }
            _ => return Err(Error::new(format!("line {}: `//~{mark}` cannot be read", i + 1))),
        }
    }
    Ok(out)
}

impl Expected {
    /// `text` with this comment saying what came instead; the lines keep their numbers.
    pub fn blessed(&self, text: &str, col: usize, msg: &str, hint: Option<&str>) -> String {
        let mut out = String::new();
        for (i, line) in text.lines().enumerate() {
            let (code, mark) = line.split_once("//~").map_or((line, None), |(c, m)| (c, Some(m)));
            match mark {
                Some(_) if i == self.comment.0 => {
                    out += &format!("{code}//~{} ERROR {col} {msg}\n", "^".repeat(self.comment.1));
                    hint.iter().flat_map(|h| h.lines()).for_each(|h| out += &format!("//~ HINT {h}\n"));
                }
                Some(m) if m.trim().starts_with("HINT") => {}
                _ => out += &format!("{line}\n"),
            }
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn directives_are_read() {
        let d = directives("//@ args: --set a=1 --set b=x\n//@ seed: 3\nlet x = 1;\n//@ rtol: 1e-2").unwrap();
        assert_eq!((d.set.len(), d.seed, d.rtol, d.threads), (2, 3, 1e-2, 1));
        assert!(directives("//@ sed: 3").is_err());
        assert!(directives("//@ args: --device cuda").is_err());
    }

    #[test]
    fn errors_are_read_and_blessed() {
        let text = "let a = 1;\nb //~ ERROR 1 unknown\n//~ HINT no\n";
        let e = expected(text).unwrap().unwrap();
        assert_eq!((e.line, e.col, e.msg.as_str(), e.hint.as_deref()), (2, Some(1), "unknown", Some("no")));
        assert_eq!(e.blessed(text, 2, "new", Some("yes")), "let a = 1;\nb //~ ERROR 2 new\n//~ HINT yes\n");
        assert_eq!(expected("a\n//~^ ERROR x y").unwrap().unwrap().line, 1);
        assert!(expected("//~ WARN x").is_err());
        assert!(expected("a").unwrap().is_none());
    }
}

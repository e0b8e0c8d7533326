//! Self-contained pages: one HTML file with its styles, scripts and data inside, which opens from a disk without a
//! server and loads nothing from anywhere. Data of the user's is never markup and never code: JSON and binary data lie
//! in data blocks, and the page's own policy lets no script run but the one it was written with.

use super::error::{Error, Result};
use super::{atomic, paths};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Serialize;
use sha2::{Digest, Sha256};
use std::fmt::Write;
use std::path::Path;

const CSS: &str = include_str!("page/base.css");
const JS: &str = include_str!("page/base.js");

/// A page in the making.
pub struct Page {
    title: String,
    css: Vec<&'static str>,
    scripts: Vec<&'static str>,
    body: String,
    data: String,
    /// Hashes of the scripts of pages inside this one.
    inside: Vec<String>,
}

impl Page {
    /// A page with this title and nothing in it but the shared styles and helpers (`cs`).
    pub fn new(title: &str) -> Self {
        let (css, scripts) = (vec![CSS], vec![JS]);
        let (body, data, inside) = (String::new(), String::new(), Vec::new());
        Self { title: title.to_string(), css, scripts, body, data, inside }
    }

    /// Adds styles.
    #[must_use]
    pub fn css(mut self, text: &'static str) -> Self {
        self.css.push(text);
        self
    }

    /// Adds a script. All scripts of a page share one scope, in the order they were added, and run when the body is there.
    #[must_use]
    pub fn script(mut self, text: &'static str) -> Self {
        self.scripts.push(text);
        self
    }

    /// Adds markup of ours to the body; words of the user's belong into [`Page::json`], or through [`escaped`].
    #[must_use]
    pub fn body(mut self, markup: &str) -> Self {
        self.body += markup;
        self
    }

    /// Adds data, which scripts read as `cs.json(name)`.
    ///
    /// # Errors
    /// A map whose keys are no strings.
    pub fn json(mut self, name: &str, value: &impl Serialize) -> Result<Self> {
        let text = serde_json::to_string(value).map_err(|e| Error::new(format!("data of the page: {e}")))?;
        let name = escaped(name);
        let text = inert(&text);
        // Writing to a string does not fail.
        let _ = writeln!(self.data, "<script type=\"application/json\" id=\"data-{name}\">{text}</script>");
        Ok(self)
    }

    /// Adds bytes, which scripts read as `cs.bytes(name)`.
    #[must_use]
    pub fn bytes(mut self, name: &str, bytes: &[u8]) -> Self {
        let _ = write!(self.data, "<script type=\"application/octet-stream\" id=\"data-{}\">", escaped(name));
        STANDARD.encode_string(bytes, &mut self.data);
        self.data += "</script>\n";
        self
    }

    /// Adds numbers, which scripts read as `cs.floats(name)`.
    #[must_use]
    pub fn floats(self, name: &str, values: impl IntoIterator<Item = f32>) -> Self {
        let bytes: Vec<u8> = values.into_iter().flat_map(f32::to_le_bytes).collect();
        self.bytes(name, &bytes)
    }

    /// Adds whole numbers, which scripts read as `cs.ints(name)`.
    #[must_use]
    pub fn ints(self, name: &str, values: impl IntoIterator<Item = i32>) -> Self {
        let bytes: Vec<u8> = values.into_iter().flat_map(i32::to_le_bytes).collect();
        self.bytes(name, &bytes)
    }

    /// Lets another page of ours be opened in a frame of this one: a frame obeys the policy of both.
    ///
    /// # Errors
    /// A page that was not made here.
    pub fn inside(mut self, html: &str) -> Result<Self> {
        let hash = html.split_once("script-src 'sha256-").and_then(|(_, rest)| rest.split_once('\''));
        match hash.filter(|_| html.contains("<meta name=\"generator\" content=\"cs385 ")) {
            Some((hash, _)) if hash.bytes().all(|b| b.is_ascii_alphanumeric() || b"+/=".contains(&b)) => {
                self.inside.push(hash.to_string());
                Ok(self)
            }
            _ => Err(Error::new("not a page that cs385 wrote")),
        }
    }

    /// The page as text.
    pub fn html(&self) -> String {
        let script = format!("(() => {{\n\"use strict\";\n{}}})();\n", self.scripts.concat());
        let hash = STANDARD.encode(Sha256::digest(&script));
        // The hash lets this one script run (and those of pages inside), and nothing that came with the data.
        let inside: String = self.inside.iter().map(|h| format!(" 'sha256-{h}'")).collect();
        let policy = format!(
            "default-src 'none'; script-src 'sha256-{hash}'{inside}; style-src 'unsafe-inline'; \
             img-src data: blob:; connect-src blob: data:; base-uri 'none'; form-action 'none'"
        );
        let (title, body, data, css) = (escaped(&self.title), &self.body, &self.data, self.css.concat());
        format!(
            "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
             <meta http-equiv=\"Content-Security-Policy\" content=\"{policy}\">\n\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
             <meta name=\"generator\" content=\"cs385 {version}\">\n\
             <link rel=\"icon\" href=\"data:,\">\n<title>{title}</title>\n\
             <style>\n{css}</style>\n</head>\n<body>\n{body}\n{data}<script>{script}</script>\n</body>\n</html>\n",
            version = env!("CARGO_PKG_VERSION"),
        )
    }

    /// Writes the page where scripts may write; gives its bytes.
    ///
    /// # Errors
    /// A path outside of what scripts may write, a disk without space; an older file is then as it was.
    pub fn write(&self, path: impl AsRef<Path>) -> Result<usize> {
        let html = self.html();
        atomic::write(paths::writable(path)?, html.as_bytes())?;
        Ok(html.len())
    }
}

/// Text as markup shows it, also inside attributes.
pub fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out += "&amp;",
            '<' => out += "&lt;",
            '>' => out += "&gt;",
            '"' => out += "&quot;",
            '\'' => out += "&#39;",
            c => out.push(c),
        }
    }
    out
}

/// JSON that ends no script element and opens no comment: `<`, `>`, `&` and the line ends of JavaScript stand in JSON's
/// strings alone, where they may be written by number.
fn inert(json: &str) -> String {
    let mut out = String::with_capacity(json.len() + json.len() / 16);
    for c in json.chars() {
        match c {
            '<' | '>' | '&' | '\u{2028}' | '\u{2029}' => {
                let _ = write!(out, "\\u{:04x}", c as u32);
            }
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_the_user_end_no_element() {
        let bad = "</script><script>alert(1)</script><!-- <b>&amp;\u{2028}\u{2029}\"'";
        let html = Page::new(bad).json("words", &[bad]).unwrap().html();
        assert!(!html.contains("alert(1)</script>") && !html.contains("<!--"));
        let json = html.split("id=\"data-words\">").nth(1).unwrap().split("</script>").next().unwrap();
        assert!(!json.contains(['\u{2028}', '\u{2029}', '<', '&']));
        assert_eq!(serde_json::from_str::<Vec<String>>(json).unwrap(), [bad]);
        // Shared styles and scripts hold nothing that ends them either.
        assert_eq!(html.matches("</script>").count(), 2);
        assert_eq!(html.matches("</style>").count(), 1);
    }

    #[test]
    fn the_policy_names_the_script() {
        let html = Page::new("t").script("cs.x = 1;\n").floats("f", [1.5, -2.0]).ints("i", [7]).html();
        let script = html.rsplit_once("<script>").unwrap().1.split("</script>").next().unwrap();
        assert!(script.contains("cs.x = 1;"));
        assert!(html.contains(&format!("'sha256-{}'", STANDARD.encode(Sha256::digest(script)))));
        assert!(html.contains("id=\"data-f\">AADAPwAAAMA=</script>"));
    }
}

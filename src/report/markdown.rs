//! The report as Markdown; its figures are copied beside it.

use super::{ReportOptions, Section, bytes};
use crate::core::{Error, Opts, Result, atomic, paths};
use std::fmt::Write;
use std::path::Path;

/// Writes `<name>.md` and the folder `<name>/` of figures and pages.
///
/// # Errors
/// A figure that is not there; a place where nothing can be written.
pub fn write(name: &str, sections: &[Section], o: &ReportOptions) -> Result<()> {
    let mut out = format!("# {}\n", o.title);
    let mut say = |text: &str| {
        if !text.is_empty() {
            let _ = writeln!(out, "\n{}", text.trim());
        }
    };
    say(&o.text);
    for (i, s) in sections.iter().enumerate() {
        say(&format!("{} {}", if s.is_chapter() { "##" } else { "###" }, s.title));
        say(&s.text);
        s.tables.iter().for_each(|t| say(t));
        say(&claims(s));
        let mut taken = Vec::new();
        for Opts(f) in &s.figures {
            let file = beside(name, i, &f.path, &mut taken)?;
            say(&format!("![{}]({file})", f.caption.replace(['[', ']', '\n'], " ")));
            say(&f.caption);
        }
        for page in &s.pages {
            let file = beside(name, i, page, &mut taken)?;
            say(&format!("[A page to walk through]({file})"));
        }
        if !s.name.is_empty() {
            let settings = if s.settings.is_empty() { String::new() } else { format!(", {}", s.settings) };
            say(&format!("`{}`{settings}, {}", s.name, super::page::duration(s.seconds)));
        }
    }
    atomic::write(paths::writable(format!("{name}.md"))?, out.as_bytes())
}

fn claims(s: &Section) -> String {
    if s.claims.is_empty() {
        return String::new();
    }
    let cell = |t: &str| t.replace('|', "\\|").replace('\n', " ");
    let mut out =
        "| statement | measured | holds if | verdict | on |\n| --- | --- | --- | --- | --- |".to_string();
    for Opts(c) in &s.claims {
        let measured = format!("{}: {}", c.measure, c.value);
        let cells = [&c.statement, &measured, &c.threshold, &c.verdict, &c.data].map(|t| cell(t));
        let _ = write!(out, "\n| {} |", cells.join(" | "));
    }
    out
}

/// Copies a file into the report's folder, numbered where its name is `taken` in the section; gives its link.
fn beside(name: &str, section: usize, path: &str, taken: &mut Vec<String>) -> Result<String> {
    let file = Path::new(path).file_name().ok_or_else(|| Error::new(format!("{path}: no file")))?;
    let folder = Path::new(name).file_name().unwrap_or_default().to_string_lossy().into_owned();
    let file = file.to_string_lossy().into_owned();
    taken.push(file.clone());
    let file = match taken.iter().filter(|f| **f == file).count() {
        1 => format!("{:02}-{file}", section + 1),
        n => format!("{:02}-{n}-{file}", section + 1),
    };
    atomic::write(paths::writable(Path::new(name).join(&file))?, &bytes(path)?)?;
    Ok(format!("{folder}/{file}").replace(' ', "%20"))
}

//! A part of a greater script as a section of its report: title, words and captions are those of the part's own head.

use crate::core::value::record;
use crate::core::{Map, Result, Value};
use std::fs;
use std::path::Path;

/// What a script's first comment says.
#[derive(Debug, Default, PartialEq)]
pub struct Head {
    /// Its first sentence.
    title: String,
    /// The paragraphs below, without those that say how to start it and what it leaves.
    text: String,
    /// Files it leaves and what they show.
    leaves: Vec<(String, String)>,
}

/// True for what a run leaves behind and a report shows.
fn shown(file: &str) -> bool {
    ["png", "gif", "md", "html"].contains(&file.rsplit('.').next().unwrap_or_default()) && file.contains('.')
}

impl Head {
    /// Reads the head of `script`.
    fn of(script: &str) -> Self {
        let lines = script.lines().skip_while(|l| l.starts_with("#!")).take_while(|l| l.starts_with("//"));
        let lines: Vec<&str> = lines.map(|l| l.trim_start_matches(['/', '!'])).collect();
        let mut head = Self::default();
        let (mut paragraphs, mut leaving) = (vec![String::new()], false);
        for line in &lines {
            let words = line.trim();
            let starts_files = line.starts_with("   ") || line.starts_with("\t");
            if let Some((before, after)) = words.split_once("It leaves in ") {
                leaving = true;
                add(&mut paragraphs, before);
                let list = after.split_once(": ").map_or("", |(_, l)| l);
                head.leaves.extend(names(list).map(|n| (n, String::new())));
            } else if words.is_empty() {
                leaving = false;
                paragraphs.push(String::new());
            } else if leaving && starts_files {
                head.file(words);
            } else if !starts_files && !words.starts_with("cs385 run") && !words.starts_with("… --set") {
                add(&mut paragraphs, words);
            }
        }
        let mut all = paragraphs.into_iter().filter(|p| !p.is_empty());
        head.title = all.next().unwrap_or_default();
        head.text = all.collect::<Vec<_>>().join("\n\n");
        head
    }

    /// A line of the list: names, two spaces, words; or more words of the file above.
    fn file(&mut self, line: &str) {
        match line.split_once("  ") {
            Some((files, words)) if names(files).next().is_some() => {
                self.leaves.extend(names(files).map(|n| (n, words.trim().to_string())));
            }
            // A file that a report does not show.
            _ if line.split([' ', ',']).next().is_some_and(|w| w.trim_end_matches('.').contains('.')) => {}
            _ => {
                if let Some((_, words)) = self.leaves.last_mut() {
                    *words = format!("{words} {line}").trim().to_string();
                }
            }
        }
    }
}

fn add(paragraphs: &mut [String], words: &str) {
    if let Some(last) = paragraphs.last_mut() {
        *last = format!("{last} {}", words.trim()).trim().to_string();
    }
}

fn names(list: &str) -> impl Iterator<Item = String> + '_ {
    list.split([',', ' ']).map(|n| n.trim().trim_end_matches('.')).filter(|n| shown(n)).map(str::to_string)
}

/// The first letter large, a full stop at the end.
fn sentence(words: &str) -> String {
    let mut letters = words.chars();
    let first = letters.next().map(|c| c.to_uppercase().to_string()).unwrap_or_default();
    let stop = if words.is_empty() || words.ends_with(['.', '?', '!']) { "" } else { "." };
    format!("{first}{}{stop}", letters.as_str())
}

fn text_of(part: &Map, key: &str) -> String {
    match part.get(key) {
        Some(Value::Str(s)) => s.clone(),
        _ => String::new(),
    }
}

fn section(part: &Map) -> Result<Value> {
    let (folder, script) = (text_of(part, "folder"), text_of(part, "script"));
    let head = Head::of(&script);
    let (mut figures, mut tables, mut pages) = (Vec::new(), Vec::new(), Vec::new());
    for (file, words) in &head.leaves {
        let path = Path::new(&folder).join(file);
        let there = path.display().to_string();
        match file.rsplit('.').next() {
            _ if !path.exists() => {}
            Some("md") => tables.push(Value::Str(fs::read_to_string(&path).unwrap_or_default())),
            Some("html") => pages.push(Value::Str(there)),
            _ => {
                figures.push(record([("path", Value::Str(there)), ("caption", Value::Str(sentence(words)))]))
            }
        }
    }
    let settings = match part.get("params") {
        Some(Value::Map(all)) => {
            let one = |(k, v): (&String, &Value)| {
                format!("{k}={}", crate::core::run::to_json(v).to_string().replace('"', ""))
            };
            all.iter()
                .filter(|(_, v)| !matches!(v, Value::Str(s) if s.is_empty()))
                .map(one)
                .collect::<Vec<_>>()
                .join(" ")
        }
        _ => String::new(),
    };
    Ok(record([
        ("title", Value::Str(head.title)),
        ("text", Value::Str(head.text)),
        ("figures", Value::List(figures)),
        ("tables", Value::List(tables)),
        ("pages", Value::List(pages)),
        ("script", Value::Str(script)),
        ("name", Value::Str(format!("{}.rhai", text_of(part, "name")))),
        ("settings", Value::Str(settings)),
        ("seconds", part.get("seconds").cloned().unwrap_or(Value::Float(0.0))),
    ]))
}

functions! {
    in "report";
    /// The section of a report that tells of a part which `experiment::run` gave.
    ///
    /// Title and text are the script's first comment; figures, tables and pages are the files it says it leaves, with the
    /// words it says of them. Add what it lacks: `report::part(p) + #{claims: […]}`.
    /// ```rhai
    /// "//! A curve.\n//!\n//! It goes up. It leaves in outputs/c/latest/:\n//!   c.png   the curve\nplot::curves([#{name: \"a\", y: [1, 2]}], #{}).save(\"c.png\");".save("c.rhai");
    /// let section = report::part(experiment::run("c.rhai", #{}));
    /// [section.title, section.text, section.figures[0].caption] // => ["A curve.", "It goes up.", "The curve."]
    /// ```
    fn part(part: Map) -> Value { section(&part)? }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heads_are_read_as_scripts_write_them() {
        let head = Head::of(
            "//! Title, with: a colon.\n//!\n//! What one sees\n//! over two lines. A minute. It leaves in outputs/x/latest/:\n\
             //!   a.png, a.svg   the map,\n//!                  turned\n//!   t.md    a table\n//!   best.safetensors\n//!\n\
             //!   cs385 run scripts/x.rhai [--set a=b]\nlet x = 1; // It leaves in y: z.png\n",
        );
        assert_eq!(head.title, "Title, with: a colon.");
        assert_eq!(head.text, "What one sees over two lines. A minute.");
        let leaves = [("a.png", "the map, turned"), ("t.md", "a table")];
        let given: Vec<_> = head.leaves.iter().map(|(a, b)| (a.as_str(), b.as_str())).collect();
        assert_eq!(given, leaves);
        let inline =
            Head::of("//! T.\n//! It leaves in outputs/x/latest/: curves.png, table.md, run-1/ (weights).\n");
        assert_eq!(inline.leaves.len(), 2);
    }
}

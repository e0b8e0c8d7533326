//! `docs/reference.md`: the manual, made from the words in the source.

use super::help::default;
use super::{Entry, entries};
use crate::core::func::FuncKind;
use std::collections::BTreeMap;

/// The manual as Markdown: global functions, namespaces, types; each sorted by name.
pub fn reference() -> String {
    let all = entries();
    let mut homes: BTreeMap<(u8, &str), Vec<&Entry>> = BTreeMap::new();
    for e in &all {
        let rank = match (e.home.as_str(), e.kind) {
            ("", _) => 0,
            (_, FuncKind::Function) => 1,
            _ => 2,
        };
        homes.entry((rank, &e.home)).or_default().push(e);
    }
    let title = |rank: u8, home: &str| match rank {
        0 => "Functions without namespace".to_string(),
        1 => format!("`{home}::`"),
        _ => format!("Values of type {home}"),
    };
    let mut out = String::from(
        "# Reference\n\nEvery function of the language, made from the words in its source by `cs385 docs --write`.\n\
         A parameter marked `?` may be left out; options are written `#{name: value}`. Integers are accepted\n\
         wherever a number is. The examples are tests: `// =>` shows the printed value.\n",
    );
    for (&(rank, home), members) in &homes {
        out += &format!("\n- {}: ", title(rank, home));
        let links: Vec<String> = members.iter().map(|e| format!("`{}`", e.name)).collect();
        out += &links.join(" ");
    }
    out.push('\n');
    for (&(rank, home), members) in &homes {
        out += &format!("\n## {}\n", title(rank, home));
        members.iter().for_each(|e| out += &section(e));
    }
    out
}

fn section(e: &Entry) -> String {
    let mut out = format!("\n### `{}`\n\n{}\n", e.signature, e.summary());
    if !e.text().is_empty() {
        out += &format!("\n{}\n", e.text());
    }
    let mut options = e.options().peekable();
    if options.peek().is_some() {
        out += "\n| option | type | default | |\n| --- | --- | --- | --- |\n";
    }
    for f in options {
        let words = f.doc.split_whitespace().collect::<Vec<_>>().join(" ");
        let cell = |s: &str| s.replace('|', "\\|");
        out += &format!(
            "| `{}` | {} | `{}` | {} |\n",
            f.name,
            cell(f.ty),
            cell(&default(f.default)),
            cell(&words)
        );
    }
    for example in e.examples() {
        out += &format!("\n```rhai\n{}\n```\n", example.code.trim_end());
    }
    out
}

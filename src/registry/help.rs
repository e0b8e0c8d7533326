//! What `?name` and `cs385 docs NAME` print.

use super::{Entry, entries};
use crate::core::Error;
use std::collections::BTreeMap;

/// Help on a function (`cam::grad_cam`, `Tensor.mean`, `grad_cam`), a namespace or a type; `None` if there is no
/// such name.
pub fn help(name: &str) -> Option<String> {
    let all = entries();
    let name = name.trim().trim_end_matches("()").trim_end_matches("::");
    let exact: Vec<&Entry> = all.iter().filter(|e| e.path == name).collect();
    if !exact.is_empty() {
        return Some(pages(&exact, &all));
    }
    let home: Vec<&Entry> = all.iter().filter(|e| e.home == name && !name.is_empty()).collect();
    if !home.is_empty() {
        return Some(list(&home));
    }
    let named: Vec<&Entry> = all.iter().filter(|e| e.name == name).collect();
    (!named.is_empty()).then(|| pages(&named, &all))
}

/// One line for every function whose name or words contain `word`.
pub fn search(word: &str) -> String {
    let (all, word) = (entries(), word.to_lowercase());
    let found = all.iter().filter(|e| {
        e.path.to_lowercase().contains(&word) || e.docs.iter().any(|l| l.to_lowercase().contains(&word))
    });
    list(&found.collect::<Vec<_>>())
}

/// Namespaces and types, with the number of their functions.
pub fn overview() -> String {
    let mut homes: BTreeMap<String, usize> = BTreeMap::new();
    for e in entries() {
        *homes.entry(e.home).or_default() += 1;
    }
    let line = |(home, n): (&String, &usize)| match home.as_str() {
        "" => format!("  {:<12} {n} functions\n", "(global)"),
        h if h.starts_with(char::is_uppercase) => format!("  {h:<12} {n} methods and properties\n"),
        h => format!("  {:<12} {n} functions\n", format!("{h}::")),
    };
    homes.iter().map(line).collect()
}

/// Every name that has help, sorted.
pub fn names() -> Vec<String> {
    let mut names: Vec<String> =
        entries().into_iter().flat_map(|e| [e.path, e.home]).filter(|n| !n.is_empty()).collect();
    names.sort_unstable();
    names.dedup();
    names
}

/// The error for a name that has no help.
pub fn unknown(name: &str) -> Error {
    let all = entries();
    let mut names: Vec<&str> =
        all.iter().flat_map(|e| [e.path.as_str(), e.name.as_str(), e.home.as_str()]).collect();
    names.sort_unstable();
    names.dedup();
    let mut e = Error::unknown("name", name, &names);
    let found = search(name);
    e.hint = Some(match found.is_empty() {
        true => "`cs385 docs` lists the namespaces and types".to_string(),
        false => format!("found in the words of:\n{}", found.trim_end()),
    });
    e
}

fn list(entries: &[&Entry]) -> String {
    entries.iter().map(|e| format!("  {}\n      {}\n", e.signature, e.summary())).collect()
}

fn pages(entries: &[&Entry], all: &[Entry]) -> String {
    entries.iter().map(|e| page(e, all)).collect::<Vec<_>>().join("\n")
}

fn page(e: &Entry, all: &[Entry]) -> String {
    let mut out = format!("{}\n\n{}\n", e.signature, e.summary());
    let indent = |text: &str| text.lines().map(|l| format!("    {l}\n")).collect::<String>();
    if !e.text().is_empty() {
        out += &format!("\n{}\n", e.text());
    }
    let options: String = e
        .options()
        .map(|f| {
            let words = f.doc.split_whitespace().collect::<Vec<_>>().join(" ");
            format!("    {}: {} = {}\n        {words}\n", f.name, f.ty, default(f.default))
        })
        .collect();
    if !options.is_empty() {
        out += &format!("\nOptions\n{options}");
    }
    for example in e.examples() {
        out += &format!("\nExample\n{}", indent(example.code.trim_end()));
    }
    let family: Vec<&str> = all
        .iter()
        .filter(|o| o.home == e.home && o.path != e.path && !e.home.is_empty())
        .map(|o| o.path.as_str())
        .take(12)
        .collect();
    if !family.is_empty() {
        out += &format!("\nSee also {}\n", family.join(", "));
    }
    out
}

/// A default as a script would write it, from its Rust source.
pub fn default(source: &str) -> String {
    let s = source.trim();
    let s = s.strip_prefix("Some(").and_then(|s| s.strip_suffix(')')).unwrap_or(s);
    let s = s.strip_prefix("vec!").unwrap_or(s);
    let s = s.strip_suffix(".into()").or_else(|| s.strip_suffix(".to_string()")).unwrap_or(s);
    match s {
        "None" | "Value::Nil" => "()".to_string(),
        "String::new()" => "\"\"".to_string(),
        "Vec::new()" => "[]".to_string(),
        "Map::new()" => "#{}".to_string(),
        _ => s.to_string(),
    }
}

//! The language for editors: `.d.rhai` files, which language servers of Rhai read.

use super::{Entry, entries};
use crate::core::func::FuncKind;
use std::collections::BTreeMap;

/// A type as these files say it: `?` is any value.
fn ty(words: &str) -> String {
    match words {
        "" | "any value" => "?".into(),
        "()" => "()".into(),
        "bool" => "bool".into(),
        "integer" | "positive integer" => "int".into(),
        "number" => "float".into(),
        "string" => "String".into(),
        "list" => "Array".into(),
        "map" | "map of options" => "Map".into(),
        "function" => "FnPtr".into(),
        w if w.starts_with("list of") => "Array".into(),
        w if w.starts_with(char::is_uppercase) && w.chars().all(char::is_alphanumeric) => w.into(),
        _ => "?".into(),
    }
}

fn definition(e: &Entry) -> Vec<String> {
    let params: Vec<String> = e.params.iter().map(|p| format!("{}: {}", p.name, ty(&p.ty))).collect();
    let get = if e.kind == FuncKind::Getter { "get " } else { "" };
    let result = if e.signature.contains(" -> ") || e.kind == FuncKind::Getter {
        ty(e.result())
    } else if e.params.iter().any(|p| p.ty.is_empty()) {
        "?".to_string() // a function of the library does not say
    } else {
        "()".to_string()
    };
    // There are no optional parameters: a function is there once for every number of them.
    let required = e.params.iter().rposition(|p| !p.optional).map_or(0, |i| i + 1);
    (required..=params.len())
        .map(|n| format!("fn {get}{}({}) -> {result};\n", e.name, params[..n].join(", ")))
        .collect()
}

fn words(e: &Entry) -> String {
    let mut lines = e.docs.clone();
    let options: Vec<String> = e
        .options()
        .map(|f| {
            format!(
                "- `{}` = `{}`: {}",
                f.name,
                super::help::default(f.default),
                f.doc.split_whitespace().collect::<Vec<_>>().join(" ")
            )
        })
        .collect();
    if !options.is_empty() {
        lines.extend([String::new(), "Options:".to_string()]);
        lines.extend(options);
    }
    lines.iter().map(|l| format!("/// {l}").trim_end().to_string() + "\n").collect()
}

/// File names and texts: one file a namespace, and one for what stands in none, methods among it.
pub fn definitions() -> Vec<(String, String)> {
    let mut files: BTreeMap<String, String> = BTreeMap::new();
    for e in entries() {
        let module = if e.kind == FuncKind::Function { e.home.clone() } else { String::new() };
        let (file, head) = match module.as_str() {
            "" => ("cs385.d.rhai".to_string(), "module static;\n".to_string()),
            name => (format!("{name}.d.rhai"), format!("module {name};\n")),
        };
        let text = files.entry(file).or_insert(head);
        for line in definition(&e) {
            *text += &format!("\n{}{line}", words(&e));
        }
    }
    files.into_iter().collect()
}

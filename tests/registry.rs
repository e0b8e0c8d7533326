//! What every public name of the language must be: documented, with an example, and not a word of Rhai's own.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use cs385::core::func::FuncKind;
use cs385::registry::{Entry, entries, examples, help, reference, session};
use std::collections::BTreeSet;

/// Fails with all faults, not with the first.
fn none(faults: Vec<String>) {
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
}

fn each(fault: impl Fn(&Entry) -> Option<String>) {
    none(entries().iter().filter_map(|e| fault(e).map(|f| format!("{}: {f}", e.path))).collect());
}

#[test]
fn summaries_are_one_short_sentence() {
    each(|e| {
        let s = e.summary();
        let one = s.ends_with('.') && !s.trim_end_matches('.').contains(". ");
        let fits = s.chars().count() <= 80;
        (!one || !fits).then(|| format!("its summary is not one sentence of at most 80 letters: {s:?}"))
    });
}

#[test]
fn every_function_has_an_example() {
    each(|e| e.examples().is_empty().then(|| "it has no ```rhai example".to_string()));
}

#[test]
fn every_option_has_words() {
    each(|e| {
        e.options().find(|f| f.doc.trim().is_empty()).map(|f| format!("option `{}` has no words", f.name))
    });
}

#[test]
fn defaults_are_shown_as_a_script_writes_them() {
    each(|e| {
        let plain =
            |s: &str| ["()", "#{}"].contains(&s) || serde_json::from_str::<serde_json::Value>(s).is_ok();
        let bad = e.options().find(|f| !plain(&help::default(f.default)))?;
        Some(format!("option `{}` shows Rust's `{1}`: write `= {1} => …`", bad.name, bad.default))
    });
}

#[test]
fn names_are_in_snake_case() {
    let snake = |s: &str| {
        !s.is_empty() && s.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
    };
    each(|e| {
        let mut names = vec![e.name.clone()];
        names.extend(e.params.iter().map(|p| p.name.clone()));
        names.extend(e.options().map(|f| f.name.to_string()));
        if e.kind == FuncKind::Function && !e.home.is_empty() {
            names.push(e.home.clone());
        }
        // PyTorch's names of the transposes.
        let known = |n: &str| e.home == "Tensor" && ["T", "mT"].contains(&n);
        names.into_iter().find(|n| !snake(n) && !known(n)).map(|n| format!("`{n}` is not in snake_case"))
    });
}

#[test]
fn nothing_is_defined_twice() {
    let all = entries();
    let twice = all.windows(2).filter(|w| w[0].path == w[1].path && w[0].params.len() == w[1].params.len());
    none(twice.map(|w| w[0].path.clone()).collect());
}

#[test]
fn library_namespaces_are_their_own() {
    let own: BTreeSet<&str> = cs385::core::func::Func::all().iter().map(|f| f.home).collect();
    none(
        cs385::registry::stdlib::FILES
            .iter()
            .filter(|f| own.contains(f.0))
            .map(|f| f.0.to_string())
            .collect(),
    );
}

#[test]
fn no_name_is_a_word_of_the_language() {
    let engine = session::engine().unwrap();
    let mut faults = Vec::new();
    for e in entries() {
        let call = match e.kind {
            FuncKind::Function if e.home.is_empty() => format!("{}()", e.name),
            FuncKind::Function => format!("{}::{}()", e.home, e.name),
            FuncKind::Method => format!("let x = 1; x.{}()", e.name),
            FuncKind::Getter => format!("let x = 1; x.{}", e.name),
        };
        let params = e.params.iter().map(|p| format!("let {} = 1;", p.name));
        let options = e.options().map(|f| format!("let x = #{{{}: 1}};", f.name));
        for code in std::iter::once(call).chain(params).chain(options) {
            if let Err(err) = engine.compile(&code) {
                faults.push(format!("{}: `{code}` does not parse: {err}", e.path));
            }
        }
    }
    none(faults);
}

#[test]
fn names_of_tests_are_unique() {
    let names: Vec<String> = examples::all().into_iter().map(|e| e.0).collect();
    assert_eq!(names.iter().collect::<BTreeSet<_>>().len(), names.len());
}

#[test]
fn the_manual_is_fresh() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/reference.md");
    let stored = std::fs::read_to_string(path).unwrap_or_default();
    assert!(stored == reference::reference(), "docs/reference.md is stale: run `cs385 docs --write`");
}

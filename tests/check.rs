//! `cs385 check`: what it must find, how it says it, and that it never cries wolf.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use cs385::host::check::{Finding, examine};
use cs385::host::test::{find, test_engine};
use cs385::registry::{examples, stdlib};
use std::cell::OnceCell;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

thread_local!(static ENGINE: OnceCell<rhai::Engine> = const { OnceCell::new() });

fn check(name: &str, text: &str) -> Vec<Finding> {
    ENGINE.with(|e| examine(e.get_or_init(|| test_engine().unwrap()), name, text))
}

/// `line:col message` of every fault.
fn found(text: &str) -> Vec<String> {
    check("x.rhai", text).iter().map(|f| format!("{}:{} {}", f.line, f.col, f.msg)).collect()
}

#[track_caller]
fn finds(text: &str, wanted: &[&str]) {
    assert_eq!(found(text), wanted, "{text}");
}

#[track_caller]
fn fine(text: &str) {
    finds(text, &[]);
}

/// A script and where it is from.
fn scripts_that_run() -> Vec<(String, String)> {
    let folders: Vec<PathBuf> = ["scripts", "tests/scripts"].map(PathBuf::from).into();
    let files = find(&folders)
        .unwrap()
        .into_iter()
        .map(|p| (p.display().to_string(), fs::read_to_string(p).unwrap()));
    let library = stdlib::FILES.iter().map(|f| (f.1.to_string(), f.2.to_string()));
    let documented = examples::all().into_iter().map(|(name, e)| (name, e.code));
    let all = files.chain(library).chain(documented);
    all.filter(|(_, text)| !text.contains("//~") && !text.contains("// error:")).collect()
}

#[test]
fn scripts_that_run_have_no_fault() {
    let all = scripts_that_run();
    assert!(all.len() > 400, "{}", all.len());
    let wrong: Vec<String> = all.iter().flat_map(|(name, text)| check(name, text)).map(|f| f.text).collect();
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

/// Golden errors that only the run can find.
const ONLY_IN_THE_RUN: &[&str] = &[];

#[test]
fn golden_errors_are_found_before_the_run_in_the_same_words() {
    let mut wrong = Vec::new();
    for path in find(&[PathBuf::from("tests/scripts/errors")]).unwrap() {
        let (name, text) =
            (path.file_stem().unwrap().to_string_lossy().into_owned(), fs::read_to_string(&path).unwrap());
        let line = text.lines().position(|l| l.contains("//~")).unwrap();
        let mark = text.lines().nth(line).unwrap().split_once("//~").unwrap().1;
        let carets = mark.chars().take_while(|c| *c == '^').count();
        let wanted =
            format!("{}:{}", line + 1 - carets, mark[carets..].trim().strip_prefix("ERROR ").unwrap());
        let got: Vec<String> =
            check(&name, &text).iter().map(|f| format!("{}:{} {}", f.line, f.col, f.msg)).collect();
        let expected = if ONLY_IN_THE_RUN.contains(&name.as_str()) { vec![] } else { vec![wanted] };
        if got != expected {
            wrong.push(format!("{name}\n  expected {expected:?}\n       got {got:?}"));
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

//! The invariants of ARCHITECTURE.md that machines can see.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::fs;
use std::path::{Path, PathBuf};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn files(folder: &str, ending: &str) -> Vec<PathBuf> {
    fn walk(folder: &Path, ending: &str, all: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                walk(&path, ending, all);
            } else if path.to_string_lossy().ends_with(ending) {
                all.push(path);
            }
        }
    }
    let mut all = Vec::new();
    walk(&root().join(folder), ending, &mut all);
    assert!(!all.is_empty(), "{folder}");
    all
}

/// The part of a file before its unit tests.
fn code(path: &Path) -> String {
    let text = fs::read_to_string(path).unwrap();
    text.split("#[cfg(test)]").next().unwrap().to_string()
}

const RANKS: &[&[&str]] = &[
    &["core"],
    &["tensor", "report"],
    &["nn", "image"],
    &["augment", "plot"],
    &["data"],
    &["models", "train", "explain", "embed"],
    &["bindings"],
    &["registry"],
    &["host"],
];

fn rank(room: &str) -> Option<usize> {
    RANKS.iter().position(|r| r.contains(&room))
}

fn room_of(path: &Path) -> String {
    let inside = path.strip_prefix(root().join("src")).unwrap();
    inside.components().next().unwrap().as_os_str().to_string_lossy().into_owned()
}

/// Every room named after `crate::` in a line, also in `crate::{a, b::c}`.
fn named(line: &str) -> Vec<String> {
    let mut rooms = Vec::new();
    for rest in line.split("crate::").skip(1) {
        let list =
            rest.strip_prefix('{').map_or(vec![rest], |r| r.split('}').next().unwrap().split(',').collect());
        for item in list {
            let word: String = item.trim().chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
            rooms.push(word);
        }
    }
    rooms
}

#[test]
fn arrows_point_down() {
    let mut wrong = Vec::new();
    for path in files("src", ".rs") {
        let room = room_of(&path);
        let Some(mine) = rank(&room) else { continue };
        for (i, line) in code(&path).lines().enumerate().filter(|(_, l)| !l.trim_start().starts_with("//")) {
            for other in named(line) {
                if rank(&other).is_some_and(|r| other != room && r >= mine) {
                    wrong.push(format!("{}:{}: {room} sees {other}", path.display(), i + 1));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn named_finds_every_room() {
    assert_eq!(named("use crate::{data, nn::Net}; crate::plot::x"), ["data", "nn", "plot"]);
}

#[test]
fn only_the_upper_rooms_name_the_script_engine() {
    for path in files("src", ".rs") {
        if rank(&room_of(&path)).is_some_and(|r| r < 6) {
            assert!(!code(&path).contains("rhai::"), "{}", path.display());
        }
    }
}

#[test]
fn gradients_are_taken_in_one_place() {
    for path in files("src", ".rs") {
        let ours = path.ends_with("tensor/tape.rs") || path.parent().is_some_and(|p| p.ends_with("core/ffi"));
        let takes = ["f_backward(", "run_backward(", "ffi::Pass"].iter().any(|w| code(&path).contains(w));
        assert!(ours || !takes, "{}: use tensor::tape", path.display());
    }
}

#[test]
fn files_are_short() {
    let long = |path: &PathBuf, most: usize| fs::read_to_string(path).unwrap().lines().count() > most;
    let mut wrong: Vec<PathBuf> = files("src", ".rs").into_iter().filter(|p| long(p, 400)).collect();
    wrong.extend(files("scripts", ".rhai").into_iter().filter(|p| long(p, 120)));
    assert!(wrong.is_empty(), "{wrong:?}");
}

#[test]
fn rooms_below_the_host_do_not_print_and_nothing_panics() {
    let mut wrong = Vec::new();
    for path in files("src", ".rs") {
        let (room, text) = (room_of(&path), code(&path));
        for (i, line) in text.lines().enumerate().filter(|(_, l)| !l.trim_start().starts_with("//")) {
            let prints = !["host", "main.rs"].contains(&room.as_str())
                && ["println!(", "eprintln!("].iter().any(|w| line.contains(w));
            // These panic where stderr cannot be written, and a day's training ends: output::say does not.
            let prints = prints || ["eprint!(", "eprintln!("].iter().any(|w| line.contains(w));
            // The font is part of the program; a test opens it.
            let ours = line.contains("the bundled font is whole");
            let panics = !ours
                && [".unwrap()", ".expect(\"", "panic!(", "todo!(", "unimplemented!("]
                    .iter()
                    .any(|w| line.contains(w));
            let unsafe_code =
                line.contains("unsafe ") && !path.parent().is_some_and(|p| p.ends_with("core/ffi"));
            if prints || panics || unsafe_code {
                wrong.push(format!("{}:{}: {}", path.display(), i + 1, line.trim()));
            }
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn every_dependency_says_why() {
    let text = fs::read_to_string(root().join("Cargo.toml")).unwrap();
    let mut inside = false;
    for line in text.lines() {
        if line.starts_with('[') {
            inside = line.contains("dependencies");
        } else if inside && line.contains('=') {
            assert!(line.contains('#'), "{line}");
        }
    }
}

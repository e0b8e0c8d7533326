//! Messages for programs: editors read what `check --json` and `run --json` write.

use super::render::{Diagnostic, Place};
use serde_json::{Value, json};
use std::sync::atomic::{AtomicBool, Ordering};

static WANTED: AtomicBool = AtomicBool::new(false);

/// From here on messages are written as JSON.
pub fn want() {
    WANTED.store(true, Ordering::Relaxed);
}

/// True when messages are to be JSON.
pub fn wanted() -> bool {
    WANTED.load(Ordering::Relaxed)
}

fn place(p: &Place) -> Value {
    json!({"file": p.source, "line": p.line, "column": p.col})
}

/// A message: `file`, `line` and `column` (from 1, in characters), `end_column` behind the last, `severity`,
/// `message`, `hint`, `calls` (innermost first) and `also` (where the same is wrong again).
pub fn diagnostic(d: &Diagnostic) -> Value {
    let width = d.line.as_ref().map_or(1, |(_, width)| *width);
    let calls = d.frames.iter().map(|(name, at)| {
        let mut call = at.as_ref().map_or_else(|| json!({}), place);
        call["name"] = json!(name.trim_matches('`'));
        call
    });
    json!({
        "file": d.place.as_ref().map(|p| &p.source),
        "line": d.place.as_ref().map(|p| p.line),
        "column": d.place.as_ref().map(|p| p.col),
        "end_column": d.place.as_ref().map(|p| p.col + width),
        "severity": if d.interrupted { "stopped" } else if d.warning { "warning" } else { "error" },
        "message": d.msg,
        "hint": d.hint,
        "calls": calls.collect::<Vec<_>>(),
        "also": d.also.iter().map(place).collect::<Vec<_>>(),
    })
}

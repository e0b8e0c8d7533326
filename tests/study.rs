//! The whole study in its tiny size: every part runs, the report has all of them, and nothing is done twice.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "support/browser.rs"]
mod browser;
#[path = "support/place.rs"]
mod place;

use browser::Browser;
use place::{Place, err, out};
use std::fs;

#[test]
fn the_study_is_whole_and_done_once() {
    let p = Place::new();
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/scripts/study.rhai");
    let go = || {
        let o = p.run(&["run", script, "--set", "size=tiny", "--threads", "1", "--quiet"]);
        assert!(o.status.success(), "{}", err(&o));
        out(&o)
    };
    let first = go();
    let parts: Vec<&str> = first.lines().filter_map(|l| l.strip_prefix("== ")).collect();
    assert!(parts.len() >= 21, "{first}");
    // Every statement has a verdict, and the same command only reads them.
    let verdicts = |text: &str| {
        text.lines()
            .filter(|l| l.ends_with("holds |") || l.ends_with("hold |") || l.ends_with("decided |"))
            .count()
    };
    assert!(verdicts(&first) >= 15, "{first}");
    let again = go();
    let claims = |text: &str| text[text.find("| statement").unwrap()..].to_string();
    assert_eq!(claims(&again), claims(&first));
    assert!(again.lines().count() < parts.len() + verdicts(&first) + 8, "{again}");

    let folder = fs::canonicalize(p.path().join("outputs/study/latest")).unwrap();
    let mut b = Browser::open(folder.join("report.html"));
    let count = |b: &mut Browser, what: &str| {
        b.number(&format!("document.querySelectorAll('{what}').length")) as usize
    };
    assert_eq!(count(&mut b, "details.origin"), parts.len());
    assert!(count(&mut b, "figure img") > 40 && count(&mut b, "[data-page]") >= 3);
    assert_eq!(b.number("[...document.images].filter((i) => i.src && !i.naturalWidth).length"), 0.0);
    assert_eq!(count(&mut b, ".claims tbody tr"), verdicts(&first));
    b.no_errors();
    let markdown = fs::read_to_string(folder.join("report.md")).unwrap();
    for link in markdown.split("](").skip(1).filter_map(|l| l.split(')').next()) {
        assert!(folder.join(link).exists(), "{link}");
    }
}

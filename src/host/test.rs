//! `cs385 test`: scripts with what they must print (`name.stdout`), draw (`name.<picture>.png`) or fail with
//! (`//~ ERROR`, and `name.stderr` for the whole message).

use super::annotations::{Directives, Expected, directives, expected};
use super::engine::{compile, engine, evaluate};
use super::render::{Diagnostic, Source};
use super::run::{FAILED, OK, USAGE, read};
use super::{output, picture};
use crate::core::{Error, Result, params};
use crate::registry::compare::difference;
use crate::registry::session::{Start, scratch};
use rhai::Engine;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Where pictures of differences are left.
const DIFFERENCES: &str = "outputs/test";

/// All scripts among `paths`, folders searched through, sorted.
///
/// # Errors
/// A path that is not there.
pub fn find(paths: &[PathBuf]) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for path in paths {
        if path.is_dir() {
            let entries = fs::read_dir(path).map_err(|e| Error::io(path, &e))?;
            let inner: Vec<PathBuf> = entries.filter_map(|e| Some(e.ok()?.path())).collect();
            let scripts =
                inner.into_iter().filter(|p| p.is_dir() || p.extension().is_some_and(|e| e == "rhai"));
            found.extend(find(&scripts.collect::<Vec<_>>())?);
        } else if path.exists() {
            found.push(path.clone());
        } else {
            return Err(Error::new(format!("{}: no such file or folder", path.display())));
        }
    }
    found.sort();
    found.dedup();
    Ok(found)
}

/// The engine of the tests; one does for all scripts.
///
/// # Errors
/// A library file that does not compile.
pub fn test_engine() -> Result<Engine> {
    engine()
}

/// Runs all tests and prints a closing line.
pub fn main(paths: &[PathBuf], bless: bool) -> ExitCode {
    let (scripts, engine) = match find(paths).and_then(|s| Ok((s, engine()?))) {
        Ok(found) => found,
        Err(e) => {
            Diagnostic::plain(e).report();
            return USAGE.into();
        }
    };
    let mut failed = 0;
    for script in &scripts {
        if let Err(why) = run(&engine, script, bless) {
            failed += 1;
            output::write(&format!("FAILED {}\n{}\n", script.display(), indent(&why)));
        }
    }
    output::write(&format!("{} passed, {failed} failed\n", scripts.len() - failed));
    if failed == 0 { OK.into() } else { FAILED.into() }
}

fn indent(text: &str) -> String {
    text.lines().map(|l| format!("    {l}\n")).collect()
}

/// Runs one script as a test: a folder of its own, seed, threads, device and settings reset.
///
/// # Errors
/// Everything that differs from what is expected, in words.
pub fn run(engine: &Engine, script: &Path, bless: bool) -> Result<(), String> {
    let say = |e: Error| e.to_string();
    let text = read(script).map_err(say)?;
    let d = directives(&text).map_err(say)?;
    let wanted = expected(&text).map_err(say)?;
    let folder = scratch().map_err(say)?;
    let mut start = Start::test(folder.path().into());
    (start.seed, start.threads, start.set) = (d.seed, d.threads, d.set.clone());
    start.begin().map_err(say)?;

    let file = script.file_name().map_or(String::new(), |n| n.to_string_lossy().into_owned());
    let source = Source { name: &file, text: &text, known: &[] };
    let work = || compile(engine, &source).and_then(|ast| evaluate(engine, &source, &ast));
    let (outcome, printed) = output::capture(work);

    let test = Test { script, d: &d, bless };
    let mut faults = Vec::new();
    match (&outcome, &wanted) {
        (Ok(()), None) => {}
        (Err(e), None) => faults.push(format!("it failed:\n{}", e.render(false))),
        (Ok(()), Some(w)) => faults.push(format!("line {}: no error, expected: {}", w.line, w.msg)),
        (Err(e), Some(w)) => faults.extend(test.error(e, w, &text)),
    }
    if outcome.is_ok() {
        faults.extend(params::all_known().err().map(|e| e.to_string()));
    }
    faults.extend(test.text("stdout", &printed, !printed.is_empty()));
    if let Err(e) = &outcome {
        faults.extend(test.text("stderr", &e.render(false), false));
    }
    faults.extend(test.pictures(folder.path()));
    if faults.is_empty() { Ok(()) } else { Err(faults.join("\n")) }
}

struct Test<'a> {
    script: &'a Path,
    d: &'a Directives,
    bless: bool,
}

impl Test<'_> {
    fn golden(&self, ending: &str) -> PathBuf {
        self.script.with_extension(ending)
    }

    /// The error against its `//~` comments.
    fn error(&self, e: &Diagnostic, w: &Expected, text: &str) -> Option<String> {
        let (line, col) = e.place.as_ref().map_or((0, 0), |p| (p.line, p.col));
        let same = |expected: &str, got: &str| difference(expected, got, 0.0).is_none();
        let hint = e.hint.as_deref().unwrap_or("");
        let hint_fits = w.hint.as_ref().is_none_or(|h| same(h, hint));
        if line == w.line && w.col.is_none_or(|c| c == col) && same(&w.msg, &e.msg) && hint_fits {
            return None;
        }
        if self.bless && line == w.line {
            let new = w.blessed(text, col, &e.msg, e.hint.as_deref());
            return fs::write(self.script, new).err().map(|e| Error::io(self.script, &e).to_string());
        }
        let at = w.col.map_or(String::new(), |c| format!(":{c}"));
        let wanted_hint = w.hint.as_ref().map_or(String::new(), |h| format!("\n     hint {h}"));
        Some(format!(
            "expected {}{at} {}{wanted_hint}\n     got {line}:{col} {}\n     hint {hint}",
            w.line, w.msg, e.msg
        ))
    }

    /// Printed text against its golden file.
    fn text(&self, ending: &str, got: &str, needed: bool) -> Option<String> {
        let golden = self.golden(ending);
        let there = golden.exists();
        if !there && !needed {
            return None;
        }
        let wanted = fs::read_to_string(&golden).unwrap_or_default();
        let different = difference(&wanted, got, self.d.rtol)?;
        if self.bless {
            return fs::write(&golden, got).err().map(|e| Error::io(&golden, &e).to_string());
        }
        let (line, wanted, got) = different;
        let name = golden.display();
        Some(match there {
            true => format!("{name}, line {line}:\nexpected {wanted}\n     got {got}"),
            false => format!("{name} is not there; `cs385 test --bless {}` writes it", self.script.display()),
        })
    }

    /// Pictures with a golden file, or named by `//@ image`.
    fn pictures(&self, folder: &Path) -> Vec<String> {
        let stem = self.script.file_stem().map_or(String::new(), |s| format!("{}.", s.to_string_lossy()));
        let beside =
            fs::read_dir(self.script.parent().unwrap_or(Path::new("."))).into_iter().flatten().flatten();
        let kept = beside.filter_map(|e| e.file_name().into_string().ok());
        let mut names: Vec<String> = kept
            .filter(|n| n.ends_with(".png"))
            .filter_map(|n| n.strip_prefix(&stem).map(str::to_string))
            .collect();
        names.extend(self.d.images.iter().cloned());
        names.sort();
        names.dedup();
        names.iter().filter_map(|n| self.picture(folder, n).err()).collect()
    }

    fn picture(&self, folder: &Path, name: &str) -> Result<(), String> {
        let (golden, got) = (self.golden(name), folder.join(name));
        if !got.exists() {
            return Err(format!("the script did not write {name}"));
        }
        let copy = || fs::copy(&got, &golden).map(drop).map_err(|e| Error::io(&golden, &e).to_string());
        if !golden.exists() {
            let hint = format!("`cs385 test --bless {}` writes it", self.script.display());
            return if self.bless {
                copy()
            } else {
                Err(format!("{} is not there; {hint}", golden.display()))
            };
        }
        let d = match picture::compare(&golden, &got) {
            Ok(d) if d.max <= self.d.image_tol => return Ok(()),
            _ if self.bless => return copy(),
            Ok(d) => d,
            Err(e) => return Err(format!("{name}: {e}")),
        };
        let to =
            Path::new(DIFFERENCES).join(golden.file_name().unwrap_or_default()).with_extension("diff.png");
        let saved = fs::create_dir_all(DIFFERENCES).is_ok() && d.picture.save(&to).is_ok();
        let share = d.share * 100.0;
        let seen = if saved { format!("; see {}", to.display()) } else { String::new() };
        Err(format!(
            "{name}: {share:.2} % of the pixels differ, by up to {} of 255 (allowed {}){seen}",
            d.max, self.d.image_tol
        ))
    }
}

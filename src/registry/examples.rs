//! The examples of the documentation are tests: `expr // => value` compares the printed form, `// ~> value` its
//! numbers within 1e-4, `// error: text` wants an error with that text. Lines below a value that are comments
//! continue it.

use super::compare::same_words;
use super::session::{Session, Start, scratch, show};
use super::{Entry, Example, entries};
use crate::bindings::guard::ScriptError;
use crate::image::Picture;
use rhai::{Engine, EvalAltResult};
use std::rc::Rc;

/// How far a number may lie from the documented one, relative and absolute.
const TOLERANCE: f64 = 1e-4;

enum Check {
    Value(String, f64),
    Error(String),
}

/// A piece of code and what it must give.
struct Step {
    code: String,
    check: Option<Check>,
}

/// Every example with a name for the test: `tensor::zeros`, `Tensor.mean#2`.
pub fn all() -> Vec<(String, Example)> {
    let named = |e: &Entry| {
        let path = format!("{}/{}", e.path, e.params.len());
        let name = move |(i, x)| (if i == 0 { path.clone() } else { format!("{path}#{}", i + 1) }, x);
        e.examples().into_iter().enumerate().map(name).collect::<Vec<_>>()
    };
    entries().iter().flat_map(named).collect()
}

fn steps(code: &str) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    let mut open = String::new();
    let mut continues = false;
    for line in code.lines() {
        let marker = [("// => ", 0), ("// ~> ", 1), ("// error: ", 2)]
            .into_iter()
            .find_map(|(m, kind)| line.find(m).map(|at| (kind, &line[..at], line[at + m.len()..].trim())));
        if let Some((kind, before, wanted)) = marker {
            let check = match kind {
                0 => Check::Value(wanted.to_string(), 0.0),
                1 => Check::Value(wanted.to_string(), TOLERANCE),
                _ => Check::Error(wanted.to_string()),
            };
            steps.push(Step { code: std::mem::take(&mut open) + before + "\n", check: Some(check) });
            continues = true;
        } else if let (true, Some(more), Some(Step { check: Some(Check::Value(wanted, _)), .. })) =
            (continues, line.trim_start().strip_prefix("//"), steps.last_mut())
        {
            *wanted += &format!("\n{}", more.trim());
        } else {
            continues = false;
            open += &format!("{line}\n");
        }
    }
    if !open.trim().is_empty() {
        steps.push(Step { code: open, check: None });
    }
    steps
}

/// The message of an error, without its place.
fn message(err: &EvalAltResult) -> String {
    match err {
        EvalAltResult::ErrorInFunctionCall(_, _, inner, _) | EvalAltResult::ErrorInModule(_, inner, _) => {
            message(inner)
        }
        EvalAltResult::ErrorRuntime(d, _) => match d.read_lock::<ScriptError>() {
            Some(e) => e.hint.as_ref().map_or(e.msg.clone(), |h| format!("{} ({h})", e.msg)),
            None => d.to_string(),
        },
        other => other.to_string(),
    }
}

/// Runs one example in a fresh scope: seed 0, one thread, a folder of its own. Gives the last picture among its values.
///
/// # Errors
/// What differs from what the example says.
pub fn run(engine: &Rc<Engine>, example: &Example) -> Result<Option<Picture>, String> {
    if example.no_run {
        return engine.compile(&example.code).map(|_| None).map_err(|e| e.to_string());
    }
    let folder = scratch().map_err(|e| e.to_string())?;
    Start::test(folder.path().into()).begin().map_err(|e| e.to_string())?;
    play(engine, &mut Session::new(engine.clone(), "example"), &example.code)
}

/// What an example of the function `name` draws: one of its values, or, where it only asks the picture something
/// (`plot::hist(…).size`), the picture it asks.
///
/// # Errors
/// What differs from what the example says.
pub fn draws(engine: &Rc<Engine>, example: &Example, name: &str) -> Result<Option<Picture>, String> {
    let drawn = run(engine, example)?;
    if drawn.is_some() || example.no_run {
        return Ok(drawn);
    }
    let folder = scratch().map_err(|e| e.to_string())?;
    Start::test(folder.path().into()).begin().map_err(|e| e.to_string())?;
    let mut session = Session::new(engine.clone(), "example");
    let mut drawn = None;
    for step in steps(&example.code) {
        let asked = call(&step.code, name).and_then(|code| session.eval(code).ok());
        drawn = asked.and_then(|v| v.try_cast::<Picture>()).or(drawn);
        let _ = session.eval(&step.code);
    }
    Ok(drawn)
}

/// `code` up to the end of the last call of `name`.
fn call<'a>(code: &'a str, name: &str) -> Option<&'a str> {
    let open = code.rfind(&format!("{name}("))? + name.len();
    let mut depth = 0;
    let close = code[open..].char_indices().find(|(_, c)| {
        depth += match c {
            '(' => 1,
            ')' => -1,
            _ => 0,
        };
        depth == 0
    })?;
    code.get(..=open + close.0)
}

/// Runs `code` as a part of a conversation. Gives the last picture among its values.
///
/// # Errors
/// What differs from what it says.
pub fn play(engine: &Engine, session: &mut Session, code: &str) -> Result<Option<Picture>, String> {
    let mut picture = None;
    for step in steps(code) {
        let code = step.code.trim();
        match (session.eval(&step.code), step.check) {
            (Ok(v), check) => {
                picture = v.clone().try_cast::<Picture>().or(picture);
                match check {
                    None => {}
                    Some(Check::Value(wanted, tolerance)) => {
                        let got = show(engine, &v);
                        if !same_words(&wanted, &got, tolerance) {
                            return Err(format!("{code}\nexpected {wanted}\n     got {got}"));
                        }
                    }
                    Some(Check::Error(wanted)) => {
                        return Err(format!(
                            "{code}\nexpected error {wanted}\n     got {}",
                            show(engine, &v)
                        ));
                    }
                }
            }
            (Err(e), Some(Check::Error(wanted))) if message(&e).contains(&wanted) => {}
            (Err(e), Some(Check::Error(wanted))) => {
                return Err(format!("{code}\nexpected error {wanted}\n     got error {}", message(&e)));
            }
            (Err(e), _) => return Err(format!("{code}\nfailed: {}", message(&e))),
        }
    }
    Ok(picture)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(code: &str) -> Result<(), String> {
        let engine = Rc::new(crate::registry::session::engine().unwrap());
        run(&engine, &Example { code: code.into(), no_run: false }).map(drop)
    }

    #[test]
    fn the_call_is_cut_out() {
        assert_eq!(call("let a = 1;\nf(g(a), \"x\").size", "f"), Some("let a = 1;\nf(g(a), \"x\")"));
        assert_eq!(call("p.h(1).h(2).w > 3", "h"), Some("p.h(1).h(2)"));
        assert_eq!(call("g(1", "g"), None);
    }

    #[test]
    fn examples_can_fail() {
        check("let a = 1;\na + 1 // => 2\na // => 1").unwrap();
        check("[1,\n 2] // => [1,\n        //     2]").unwrap();
        check("0.33333 // ~> 0.333333").unwrap();
        check("throw \"no way\" // error: no way").unwrap();
        check("fn f(x) { x * 2 }\nf(2) // => 4\nlet g = |x| f(x);\ng.call(3) // => 6").unwrap();
        for bad in
            ["1 // => 2", "0.334 // ~> 0.333333", "1 // error: x", "throw 1 // => 1", "nope()", "1 + // => 1"]
        {
            assert!(check(bad).is_err(), "{bad}");
        }
    }
}

//! The engine's errors in the user's words.

use super::lex::Lexed;
use super::{habits, parse_words, suggest};
use crate::bindings::guard::ScriptError;
use crate::core::{Error, error};
use crate::registry::entries;
use crate::registry::tokens::LAST;
use rhai::{Dynamic, Engine, EvalAltResult as E, Position};

/// A type as the user knows it: no Rust name leaks.
pub fn type_word(name: &str) -> String {
    let name = name.trim().trim_start_matches("&mut ");
    match name {
        "i64" | "INT" => "integer",
        "f64" | "FLOAT" => "number",
        "&str | ImmutableString | String" | "ImmutableString" | "String" | "&str" => "string",
        "array" | "Array" | "&[Dynamic]" => "list",
        "map" | "Map" => "map",
        "Fn" | "FnPtr" => "function",
        _ if name.ends_with("convert::Handle") => "Tensor",
        "char" => "character",
        "range" | "range=" => "range",
        "Dynamic" | "?" | "_" => "any value",
        "()" => "()",
        _ if name.contains("Range") => "range",
        _ => name.rsplit("::").next().unwrap_or(name),
    }
    .to_string()
}

/// Message and hint for `err`, which is innermost; `lexed` is the text its position points into.
pub fn say(engine: &Engine, lexed: &Lexed, err: &E) -> Error {
    let pos = err.position();
    match err {
        E::ErrorParsing(kind, _) => parse_words::say(lexed, kind, pos),
        E::ErrorFunctionNotFound(sig, _) => suggest::function(engine, lexed, sig, pos),
        E::ErrorVariableNotFound(name, _) => variable(lexed, name, pos),
        E::ErrorModuleNotFound(name, _) => suggest::namespace(lexed, name, pos),
        E::ErrorDotExpr(text, _) => property(text),
        E::ErrorPropertyNotFound(name, _) => missing_key(lexed, name),
        E::ErrorRuntime(value, _) => runtime(lexed, value, pos),
        E::ErrorTerminated(..) => Error::interrupted(),
        E::ErrorMismatchDataType(expected, got, _) | E::ErrorMismatchOutputType(expected, got, _) => {
            mismatch(&type_word(engine.map_type_name(expected)), &type_word(engine.map_type_name(got)))
        }
        E::ErrorIndexingType(text, _) => {
            let (what, index) = text.split_once(" [").unwrap_or((text, ""));
            let index = type_word(index.split(']').next().unwrap_or(index));
            Error::new(format!("{} cannot be indexed with {}", article(&type_word(what)), article(&index)))
        }
        E::ErrorIndexNotFound(index, _) => Error::new(format!("the index {index} is not there")),
        E::ErrorArrayBounds(n, i, _) => bounds("list", "item", *n, *i),
        E::ErrorStringBounds(n, i, _) => bounds("string", "character", *n, *i),
        E::ErrorStackOverflow(_) => {
            Error::new("too many calls inside each other").hint("a function calls itself without an end")
        }
        E::ErrorDataRace(..) => Error::new("a method's closure uses the value the method is called on").hint(
            "let the closure take the value as a parameter where the method passes it (`t.fit(|t, e| t.stop())`), \
             or give it a second name before: `let same = t;`",
        ),
        E::ErrorFor(_) => Error::new("`for` cannot go through this value")
            .hint("it goes through lists, ranges (`0..10`), maps (`m.keys()`) and strings (`s.chars()`)"),
        E::ErrorAssignmentToConstant(name, _) => {
            Error::new(format!("`{name}` is a constant")).hint("declare it with `let` to change it")
        }
        E::ErrorUnboundThis(_) => Error::new("`this` has no value here").hint("`this` exists in a function called as a method"),
        E::ErrorArithmetic(text, _) => arithmetic(text),
        E::ErrorSystem(what, inner) if what.is_empty() => Error::new(inner.to_string()),
        E::ErrorSystem(what, inner) => Error::new(format!("{what}: {inner}")),
        other => {
            let text = other.to_string();
            let text = text.rsplit_once(" (line ").map_or(text.as_str(), |(t, _)| t);
            Error::new(lower(text))
        }
    }
}

/// Messages begin small, but for names.
fn lower(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or(String::new(), |c| c.to_lowercase().chain(chars).collect())
}

/// `an integer`, `a list`, `()`.
pub fn article(word: &str) -> String {
    match word.chars().next() {
        None | Some('(') => word.to_string(),
        Some('a' | 'e' | 'i' | 'o' | 'u') => format!("an {word}"),
        _ => format!("a {word}"),
    }
}

fn runtime(lexed: &Lexed, value: &Dynamic, pos: Position) -> Error {
    if let Some(e) = value.read_lock::<ScriptError>() {
        // The engine tries an unknown property of a tensor as an index.
        if let Some(name) = lexed.property(pos).filter(|n| e.msg.ends_with(&format!("got string \"{n}\""))) {
            return suggest::property(&name, "Tensor");
        }
        return helped(Error { hint: e.hint.clone(), ..Error::new(e.msg.clone()) });
    }
    match value.is_unit() {
        true => Error::new("the script gave up (`throw` without a value)"),
        false => Error::new(value.to_string()),
    }
}

/// The engine does not say which map: candidates are keys that the text writes.
fn missing_key(lexed: &Lexed, name: &str) -> Error {
    let mut e = Error::new(format!("the map has no key `{name}`"));
    if let Some(near) = error::nearest(name, &lexed.keys()) {
        e.msg += &format!("; did you mean `{near}`?");
    }
    e.hint(format!(
        "`\"{name}\" in map` tells whether it is there, `map.get(\"{name}\") ?? 0` has a second choice"
    ))
}

fn variable(lexed: &Lexed, name: &str, pos: Position) -> Error {
    if let Some(e) = habits::value(name) {
        return e;
    }
    if name == LAST {
        return Error::new("`_` has no value here")
            .hint("at the prompt it is the last value shown; functions and scripts do not see it");
    }
    let (mut seen, hidden) = lexed.scope(pos, name);
    // A name given earlier and yet unknown is out of scope, or what was to give it failed.
    seen.retain(|n| n != name);
    if hidden {
        return Error::new(format!("functions do not see the script's variables, and `{name}` is one")).hint(
            format!(
                "pass it as a parameter; or make the function a closure (`let f = |x| …`); or declare \
             `const {name}` and write `global::{name}`"
            ),
        );
    }
    if lexed.functions().iter().any(|(f, _)| f == name) {
        return Error::new(format!("`{name}` is a function, not a variable"))
            .hint(format!("call it: `{name}(…)`; to pass it on, write `Fn(\"{name}\")`"));
    }
    let mut e = Error::new(format!("unknown variable `{name}`"));
    match error::nearest(name, &seen) {
        Some(near) => e.msg += &format!("; did you mean `{near}`?"),
        None if lexed.is_assigned(pos) => {
            e.hint = Some(format!("a new variable is declared: `let {name} = …`"));
        }
        None if suggest::homes().iter().any(|h| h == name) => {
            e.hint = Some(format!("`{name}` is a namespace: write `{name}::…`"));
        }
        None => {}
    }
    e
}

/// `e`, with how to go on where its words tell it: what a function takes, what a layer wants.
pub fn helped(e: Error) -> Error {
    let Some((path, rest)) = e.msg.split_once(": ") else { return e };
    let between = |a: &str, b: &str| Some(rest.split_once(a)?.1.split_once(b)?.0.to_string());
    if path.starts_with("tensor::") && rest.starts_with("expected map of options, got integer") {
        return Error { hint: Some(format!("a shape is a list: {path}([2, 3])")), ..e };
    }
    let hint = if rest.starts_with("argument `") {
        let entry = entries().into_iter().find(|f| f.path == path);
        entry.map(|f| format!("it takes {}", f.signature))
    } else if let (Some(takes), Some(shape)) =
        (between("Linear(in_features=", ","), between("given Tensor [", "]"))
    {
        let has = shape.rsplit(", ").next().unwrap_or_default().to_string();
        (takes != has).then(|| {
            format!("the layer takes rows of {takes} numbers and is given {has}: nn::linear({has}, …) fits")
        })
    } else if let (Some(wants), Some(has)) =
        (between("to have ", " channels"), between("but got ", " channels"))
    {
        Some(format!(
            "the layer takes {wants} channels and is given {has}: another first number of nn::conv2d fits"
        ))
    } else if rest.ends_with("no such file or folder") {
        Some("a relative path is looked for in the run's folder, then in the folder you are in".to_string())
    } else if path == "loss::cross_entropy" && rest.contains("must have one shape") {
        Some("class numbers are whole: target.long()".to_string())
    } else {
        None
    };
    match hint {
        Some(hint) => e.hint(hint),
        None => e,
    }
}

fn mismatch(expected: &str, got: &str) -> Error {
    let e = Error::new(format!("expected {}, got {}", article(expected), article(got)));
    match (expected, got) {
        ("bool", "Tensor") => {
            e.hint("a tensor is neither true nor false: `.all()`, `.any()` and `.equal(…)` say what is meant")
        }
        ("function", _) => e.hint("a function is written |x| … or, if it has a name, Fn(\"name\")"),
        _ => e,
    }
}

fn bounds(what: &str, item: &str, n: usize, i: i64) -> Error {
    let items = if n == 1 { format!("1 {item}") } else { format!("{n} {item}s") };
    let e = Error::new(format!("index {i} is outside the {what} of {items}"));
    match n {
        0 => e.hint(format!("the {what} is empty")),
        _ => e.hint(format!("valid: 0 to {}, or -1 to -{n} from the end", n - 1)),
    }
}

fn arithmetic(text: &str) -> Error {
    let e = Error::new(lower(text));
    match text {
        t if t.contains("by zero") => {
            e.hint("test the divisor first, or write a number with a point (1.0 / x): that gives inf or nan")
        }
        t if t.contains("overflow") || t.contains("negative power") => e.hint(
            "integers are whole numbers of 64 bits; with a point (2.0) the calculation is one of numbers",
        ),
        _ => e,
    }
}

/// From `Unknown property 'x' - a getter is not registered for type 'T'`.
fn property(text: &str) -> Error {
    let quoted: Vec<&str> = text.split('\'').skip(1).step_by(2).collect();
    match quoted[..] {
        [name, ty] => suggest::property(name, &type_word(ty)),
        [name, ty, value] => {
            let (ty, value) = (type_word(ty), article(&type_word(value)));
            Error::new(format!("the property `{name}` of {} cannot be set to {value}", article(&ty)))
        }
        _ => Error::new(lower(text)),
    }
}

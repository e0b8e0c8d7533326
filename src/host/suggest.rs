//! Names nobody knows: what was probably meant, and what the known ones take.

use super::habits;
use super::lex::Lexed;
use super::words::{article, type_word};
use crate::core::func::FuncKind;
use crate::core::{Error, error};
use crate::registry::{Entry, entries};
use rhai::{Engine, Position};

/// The type of what may be anything.
const ANY: &str = "any value";

/// Namespaces there are.
pub fn homes() -> Vec<String> {
    let mut all: Vec<String> = entries()
        .into_iter()
        .filter(|e| e.kind == FuncKind::Function && !e.home.is_empty())
        .map(|e| e.home)
        .collect();
    all.dedup();
    all
}

/// A function of the engine itself: name, types of its parameters.
pub fn builtins(engine: &Engine) -> Vec<(String, Vec<String>)> {
    let read = |f: rhai::FuncInfo| {
        let name = f.metadata.name.to_string();
        let public = f.namespace.is_empty() && name.starts_with(char::is_alphabetic) && !name.contains('$');
        let types = f.metadata.params_info.iter().take(f.metadata.num_params);
        let types = types.map(|p| type_word(p.rsplit_once(": ").map_or(p.as_str(), |(_, t)| t))).collect();
        public.then_some((name, types))
    };
    engine.collect_fn_metadata(None, read, true)
}

/// An unknown namespace, or a script to import that is not there.
pub fn namespace(lexed: &Lexed, name: &str, pos: Position) -> Error {
    if lexed.path(pos).is_none() {
        return Error::new(format!("there is no script `{name}` to import"));
    }
    if let Some(home) = habits::home(name) {
        let e = Error::new(format!("unknown namespace `{name}`; here it is `{home}`"));
        return e.hint("`cs385 docs` lists namespaces; the manual has a table PyTorch → cs385");
    }
    Error::unknown("namespace", name.split("::").next().unwrap_or(name), homes())
}

/// From a signature as the engine writes it: `tensor::zeroes (array, i64)`.
pub fn function(engine: &Engine, lexed: &Lexed, sig: &str, pos: Position) -> Error {
    let mut e = unknown_call(engine, lexed, sig, pos);
    let (name, args) = sig.split_once(" (").unwrap_or((sig, ""));
    let first = type_word(args.split([',', ')']).next().unwrap_or_default());
    let receiver = if lexed.is_method(pos) { first.as_str() } else { "" };
    if let Some(here) = habits::function(receiver, name).filter(|_| !e.msg.contains("did you mean")) {
        e.hint = Some(here.to_string());
    }
    e
}

fn unknown_call(engine: &Engine, lexed: &Lexed, sig: &str, pos: Position) -> Error {
    let (name, args) = sig.split_once(" (").unwrap_or((sig, ")"));
    let args: Vec<String> =
        args.trim_end_matches(')').split(", ").filter(|a| !a.is_empty()).map(type_word).collect();
    if !name.starts_with(|c: char| c.is_alphabetic() || c == '_') {
        return operator(name, &args);
    }
    let all = entries();
    if let Some((home, _)) = name.rsplit_once("::") {
        let family: Vec<&Entry> = all.iter().filter(|e| e.home == home).collect();
        return unknown(&all, &family, "function", name, name, &args);
    }
    if lexed.is_method(pos) && !args.is_empty() {
        return method(engine, &all, name, &args);
    }
    let given = Given { name, args: &args };
    if let Some((_, params)) = lexed.functions().iter().find(|(f, _)| f == name) {
        return given.wrong(&[format!("{name}({})", params.join(", "))]);
    }
    let (seen, _) = lexed.scope(pos, name);
    if seen.iter().any(|v| v == name) {
        return Error::new(format!("`{name}` is a variable, not a function")).hint(format!(
            "if it holds a function, call it with `{name}.call(…)`; a network runs with `{name}.forward(…)`"
        ));
    }
    let builtin = builtins(engine);
    let own = signatures(&builtin, name);
    if !own.is_empty() {
        return given.wrong(&own);
    }
    let family: Vec<&Entry> = all.iter().filter(|e| e.home.is_empty()).collect();
    let mut e = unknown(&all, &family, "function", name, name, &args);
    let script: Vec<String> =
        lexed.functions().into_iter().map(|f| f.0).chain(builtin.into_iter().map(|b| b.0)).collect();
    if !e.msg.contains("did you mean")
        && !e.msg.contains("takes")
        && let Some(near) = error::nearest(name, &script)
    {
        e = Error::new(format!("unknown function `{name}`; did you mean `{near}`?"));
    }
    e
}

fn operator(op: &str, args: &[String]) -> Error {
    let e = match args {
        [a] => Error::new(format!("`{op}` cannot be applied to {}", article(a))),
        [a, b] => Error::new(format!("`{op}` cannot be applied to {} and {}", article(a), article(b))),
        _ => Error::new(format!("`{op}` cannot be applied to these values")),
    };
    if op == "*" && args.iter().any(|a| a == "string") {
        return e.hint("a text of one character many times: let line = \"\"; line.pad(20, \"-\");");
    }
    match args.iter().any(|a| a == "Tensor") && args.iter().any(|a| a == "list") {
        true => e.hint("a list becomes a tensor with `tensor::of(list)`"),
        false => e,
    }
}

/// A call of a known name with arguments it does not take.
struct Given<'a> {
    name: &'a str,
    args: &'a [String],
}

impl Given<'_> {
    fn wrong(&self, signatures: &[String]) -> Error {
        // Before the run not all types are known: their number is.
        let given = match self.args {
            [] => "(nothing)".to_string(),
            [one] if one == ANY => "1 argument".to_string(),
            args if args.iter().any(|a| a == ANY) => format!("{} arguments", args.len()),
            args => format!("({})", args.join(", ")),
        };
        let e = Error::new(format!("`{}` does not take {given}", self.name));
        match signatures {
            [one] => e.hint(format!("it takes {one}")),
            many => e.hint(format!("it takes one of\n{}", many.join("\n"))),
        }
    }
}

/// How the engine's own function `name` may be called.
fn signatures(builtin: &[(String, Vec<String>)], name: &str) -> Vec<String> {
    let mut all: Vec<String> = builtin
        .iter()
        .filter(|(n, _)| n == name)
        .map(|(n, types)| format!("{n}({})", types.join(", ")))
        .collect();
    all.sort();
    all.dedup();
    all.truncate(8);
    all
}

/// `shown` is unknown in `family`, or known and called with the wrong number of arguments.
fn unknown(all: &[Entry], family: &[&Entry], what: &str, shown: &str, name: &str, args: &[String]) -> Error {
    let last = name.rsplit("::").next().unwrap_or(name);
    let known: Vec<String> = family.iter().filter(|e| e.name == last).map(|e| e.signature.clone()).collect();
    if !known.is_empty() {
        return Given { name: shown, args }.wrong(&known);
    }
    let names: Vec<&str> = family.iter().map(|e| e.name.as_str()).collect();
    let near = error::nearest(last, &names).and_then(|n| family.iter().find(|e| e.name == n)).copied();
    let elsewhere = || all.iter().find(|e| e.name == last && e.kind == FuncKind::Function);
    let e = Error::new(format!("unknown {what} `{shown}`"));
    match near.or_else(elsewhere) {
        Some(near) => {
            let mut e = Error::new(format!("{}; did you mean `{}`?", e.msg, near.path));
            e.hint = Some(near.signature.clone());
            e
        }
        None if !name.contains("::") || family.is_empty() || names.len() > 60 => e,
        None => {
            let mut names: Vec<&str> = names;
            names.dedup();
            e.hint(format!("valid: {}", names.join(", ")))
        }
    }
}

fn method(engine: &Engine, all: &[Entry], name: &str, args: &[String]) -> Error {
    let (receiver, rest) = (&args[0], &args[1..]);
    let family: Vec<&Entry> =
        all.iter().filter(|e| e.home == *receiver && e.kind != FuncKind::Function).collect();
    let shown = format!("{receiver}.{name}");
    if family.iter().any(|e| e.name == name && e.kind == FuncKind::Getter) {
        return Error::new(format!("`{name}` is a property of {}, not a method", article(receiver)))
            .hint(format!("write it without parentheses: `.{name}`"));
    }
    if family.iter().any(|e| e.name == name) {
        return unknown(all, &family, "method", &shown, name, rest);
    }
    let builtin: Vec<(String, Vec<String>)> = builtins(engine)
        .into_iter()
        .filter(|(_, types)| {
            types.first().is_some_and(|t| t == receiver || (t == "any value" && family.is_empty()))
        })
        .map(|(n, types)| (n, types[1..].to_vec()))
        .collect();
    let own = signatures(&builtin, name);
    if !own.is_empty() {
        return Given { name: &shown, args: rest }.wrong(&own);
    }
    let names: Vec<&str> =
        family.iter().map(|e| e.name.as_str()).chain(builtin.iter().map(|b| b.0.as_str())).collect();
    let msg = format!("{} has no method `{name}`", article(receiver));
    match error::nearest(name, &names) {
        Some(near) => {
            let mut e = Error::new(format!("{msg}; did you mean `{near}`?"));
            e.hint = family.iter().find(|e| e.name == near).map(|e| e.signature.clone());
            e
        }
        None if receiver == "map" => Error::new(format!("the map has no function `{name}`"))
            .hint("a function kept in a map is called with map.name(…)"),
        None if family.is_empty() => Error::new(msg),
        None => Error::new(msg).hint(format!("`cs385 docs {receiver}` lists them")),
    }
}

/// `x.name(…)` with `count` arguments, where no type whatever has that: the type of `x` is known only in the run.
pub fn method_of_none(engine: &Engine, name: &str, count: usize) -> Error {
    let all = entries();
    let family: Vec<&Entry> = all.iter().filter(|e| e.kind != FuncKind::Function).collect();
    let builtin = builtins(engine);
    let mut known: Vec<String> =
        family.iter().filter(|e| e.name == name).map(|e| e.signature.clone()).collect();
    if !known.is_empty() && family.iter().all(|e| e.name != name || e.kind == FuncKind::Getter) {
        return Error::new(format!("`{name}` is a property, not a method"))
            .hint(format!("write it without parentheses: `.{name}`"));
    }
    known.extend(signatures(&builtin, name));
    if !known.is_empty() {
        return Given { name: &format!(".{name}"), args: &vec![ANY.to_string(); count] }.wrong(&known);
    }
    let names: Vec<&str> =
        family.iter().map(|e| e.name.as_str()).chain(builtin.iter().map(|b| b.0.as_str())).collect();
    let msg = format!("no type has a method `{name}`");
    match error::nearest(name, &names) {
        Some(near) => {
            let mut e = Error::new(format!("{msg}; did you mean `{near}`?"));
            let of: Vec<&str> =
                family.iter().filter(|f| f.name == near).map(|f| f.signature.as_str()).take(4).collect();
            e.hint = (!of.is_empty()).then(|| of.join("\n"));
            e
        }
        None => Error::new(msg).hint("`cs385 docs` lists the types, `cs385 docs TYPE` its methods"),
    }
}

/// A property a type lacks.
pub fn property(name: &str, ty: &str) -> Error {
    let all = entries();
    let family: Vec<&Entry> = all.iter().filter(|e| e.home == ty).collect();
    if let Some(m) = family.iter().find(|e| e.name == name && e.kind == FuncKind::Method) {
        return Error::new(format!("`{name}` is a method of {}, not a property", article(ty)))
            .hint(format!("call it: {}", m.signature));
    }
    let names: Vec<&str> = family.iter().map(|e| e.name.as_str()).collect();
    match error::nearest(name, &names) {
        Some(near) => Error::new(format!("{} has no property `{name}`; did you mean `{near}`?", article(ty))),
        None => Error::new(format!("{} has no property `{name}`", article(ty))),
    }
}

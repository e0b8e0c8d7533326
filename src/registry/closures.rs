//! Which closures of a conversation something still holds: the engine keeps the code of all, for ever.

use crate::bindings::convert;
use rhai::{Dynamic, FnPtr, Scope};
use std::collections::HashSet;

/// True for the name the engine gives a closure.
pub fn is_closure(name: &str) -> bool {
    name.starts_with("anon$")
}

/// Names of the closures that variables or native values (hooks, networks, targets) hold.
pub fn held(scope: &Scope) -> HashSet<String> {
    let mut names = HashSet::new();
    scope.iter_raw().for_each(|(_, _, value)| visit(value, &mut names));
    convert::held().iter().for_each(|f| function(f, &mut names));
    names
}

fn visit(value: &Dynamic, names: &mut HashSet<String>) {
    if let Ok(items) = value.as_array_ref() {
        items.iter().for_each(|v| visit(v, names));
    } else if let Ok(map) = value.as_map_ref() {
        map.values().for_each(|v| visit(v, names));
    } else if let Some(f) = value.read_lock::<FnPtr>() {
        function(&f, names);
    }
}

fn function(f: &FnPtr, names: &mut HashSet<String>) {
    // A closure may hold itself, through a variable it shares.
    if names.insert(f.fn_name().to_string()) {
        f.curry().iter().for_each(|v| visit(v, names));
    }
}

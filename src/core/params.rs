//! `param("lr", 1e-3, "Learning rate.")`: a script's own settings, set from the command line with `--set`.

use super::error::{Error, Result};
use super::value::{Map, Value, mismatch};
use std::cell::RefCell;

/// One `param(…)` met while the script ran.
#[derive(Clone)]
pub struct Declared {
    /// Its name.
    pub name: String,
    /// Its words.
    pub doc: String,
    /// The value written in the script.
    pub preset: Value,
    /// The value in force.
    pub value: Value,
}

/// The settings of a run: those given on the command line, and those declared by its script.
#[derive(Default)]
pub struct State {
    given: Vec<(String, String)>,
    declared: Vec<Declared>,
}

thread_local!(static STATE: RefCell<State> = RefCell::default());

/// Forgets all, and takes the `--set name=value` pairs of a new run.
pub fn begin(given: Vec<(String, String)>) {
    exchange(State::given(given));
}

/// Exchanges the settings for those of another run; gives what was.
pub fn exchange(with: State) -> State {
    STATE.replace(with)
}

impl State {
    /// Settings given, and none declared yet.
    pub fn given(given: Vec<(String, String)>) -> Self {
        Self { given, declared: Vec::new() }
    }
}

/// All parameters met so far, in the order of the script.
pub fn declared() -> Vec<Declared> {
    STATE.with_borrow(|s| s.declared.clone())
}

/// Names of the settings given.
pub fn given() -> Vec<String> {
    STATE.with_borrow(|s| s.given.iter().map(|(n, _)| n.clone()).collect())
}

/// An error when `--set` named what the script, which has run, never declared: a typo the user must hear of.
///
/// # Errors
/// That one.
pub fn all_known() -> Result<()> {
    STATE.with_borrow(|s| {
        let known = || s.declared.iter().map(|d| &d.name);
        match s.given.iter().find(|(n, _)| !known().any(|k| k == n)) {
            Some((wrong, _)) => Err(Error::unknown("setting", wrong, known())),
            None => Ok(()),
        }
    })
}

/// The parameters as a map, for run.json.
pub fn as_map() -> Map {
    declared().into_iter().map(|d| (d.name, d.value)).collect()
}

/// Reads `text` as a value of the same type as `preset`.
fn read(text: &str, preset: &Value) -> Result<Value> {
    let number = |t: &str| t.replace('_', "").parse::<f64>().ok();
    match preset {
        Value::Bool(_) => match text {
            "true" | "1" | "yes" => Ok(Value::Bool(true)),
            "false" | "0" | "no" => Ok(Value::Bool(false)),
            _ => mismatch("true or false", &Value::Str(text.into())),
        },
        Value::Int(_) => match (text.replace('_', "").parse::<i64>(), number(text)) {
            (Ok(n), _) => Ok(Value::Int(n)),
            // `1e6`; beyond 2^53 not every whole number is one.
            (_, Some(n)) if n.fract() == 0.0 && n.abs() <= 9_007_199_254_740_992.0 => {
                Ok(Value::Int(n as i64))
            }
            _ => mismatch("integer", &Value::Str(text.into())),
        },
        Value::Float(_) => match number(text) {
            Some(n) => Ok(Value::Float(n)),
            None => mismatch("number", &Value::Str(text.into())),
        },
        Value::Str(_) => Ok(Value::Str(text.to_string())),
        Value::List(items) => {
            let first = items.first().unwrap_or(&Value::Nil);
            let inner = text.trim().trim_start_matches('[').trim_end_matches(']');
            if inner.trim().is_empty() {
                return Ok(Value::List(Vec::new()));
            }
            inner.split(',').map(|t| read(t.trim(), first)).collect::<Result<_>>().map(Value::List)
        }
        Value::Nil => Ok(read(text, &Value::Int(0))
            .or_else(|_| read(text, &Value::Float(0.0)))
            .unwrap_or_else(|_| Value::Str(text.to_string()))),
        other => Err(Error::new(format!("a parameter cannot be a {}", other.type_name()))),
    }
}

functions! {
    in "";
    /// Declares a setting of the script, which `--set name=value` changes.
    ///
    /// The value has the type of the one written here (bool, integer, number, string or list of them; `()` takes
    /// any). `cs385 run SCRIPT --help` lists all settings with their words.
    /// ```rhai
    /// param("lr", 1e-3, "Learning rate of Adam.") // => 0.001
    /// ```
    fn param(name: String, preset: Value, doc: Option<String>) -> Value {
        let given = STATE.with_borrow(|s| s.given.iter().rev().find(|(n, _)| *n == name).map(|(_, v)| v.clone()));
        let value = match given {
            Some(text) => read(&text, &preset).map_err(|e| e.within(format!("--set {name}={text}")))?,
            None => preset.clone(),
        };
        STATE.with_borrow_mut(|s| {
            s.declared.retain(|d| d.name != name);
            s.declared.push(Declared { name, doc: doc.unwrap_or_default(), preset, value: value.clone() });
        });
        value
    }
}

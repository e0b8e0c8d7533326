//! Options of functions that are written in the language.

use super::error::{Error, Result};
use super::value::{Map, Value, mismatch};

/// `given` if it is of the type of `preset`: an integer passes for a number, and `()` takes any.
fn like(given: Value, preset: &Value) -> Result<Value> {
    match (given, preset) {
        (given, Value::Nil) => Ok(given),
        (Value::Nil, preset) => Ok(preset.clone()),
        (Value::Int(i), Value::Float(_)) => Ok(Value::Float(i as f64)),
        (given, preset) if given.type_name() == preset.type_name() => Ok(given),
        (given, preset) => mismatch(preset.type_name(), &given),
    }
}

functions! {
    in "";
    /// Options laid over their defaults, for a function of the script's own.
    ///
    /// An option that has no default is an error that lists those that have one. A value has the type of its default:
    /// an integer passes for a number, `()` stands for the default, and a default `()` takes any value.
    /// ```rhai
    /// with_defaults(#{lr: 1}, #{lr: 1e-3, epochs: 10}) // => #{"epochs": 10, "lr": 1.0}
    /// with_defaults(#{lrr: 1}, #{lr: 1e-3}) // error: did you mean `lr`
    /// with_defaults(#{lr: "high"}, #{lr: 1e-3}) // error: option `lr`: expected number, got string "high"
    /// ```
    fn with_defaults(options: Map, defaults: Map) -> Value {
        let mut all = defaults.clone();
        for (name, given) in options {
            let preset = defaults.get(&name).ok_or_else(|| Error::unknown("option", &name, defaults.keys()))?;
            let value = like(given, preset).map_err(|e| e.within(format!("option `{name}`")))?;
            all.insert(name, value);
        }
        Value::Map(all)
    }
}

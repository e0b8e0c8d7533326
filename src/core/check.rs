//! `assert` and `assert_close`: a script that checks itself.

use super::error::{Error, Result};
use super::value::Value;

/// The largest difference between two values that holds more than `tolerance · (1 + |expected|)`, in words.
fn differs(actual: &Value, expected: &Value, tolerance: f64) -> Result<Option<String>> {
    let number = |v: &Value| match v {
        Value::Int(i) => Some(*i as f64),
        Value::Float(f) => Some(*f),
        _ => None,
    };
    if let (Some(a), Some(e)) = (number(actual), number(expected)) {
        // Written so that NaN differs from everything but NaN.
        let close = (a - e).abs() <= tolerance * (1.0 + e.abs()) || a == e || (a.is_nan() && e.is_nan());
        return Ok((!close).then(|| format!("{a} is not close to {e}")));
    }
    match (actual, expected) {
        (Value::Tensor(a), Value::Tensor(e)) => {
            if a.size() != e.size() {
                return Ok(Some(format!("the shape {:?} is not {:?}", a.size(), e.size())));
            }
            let e = e.f_to_kind(tch::Kind::Double)?.f_to_device(a.device())?;
            let gap = a.f_to_kind(tch::Kind::Double)?.f_sub(&e)?.f_abs()?;
            let close = a.f_to_kind(tch::Kind::Double)?.f_allclose(&e, tolerance, tolerance, true)?;
            if close {
                return Ok(None);
            }
            Ok(Some(format!("the tensors differ by up to {}", gap.f_max()?.f_double_value(&[])?)))
        }
        (Value::Tensor(a), _) if a.numel() == 1 => {
            differs(&Value::Float(a.f_to_kind(tch::Kind::Double)?.f_sum(tch::Kind::Double)?.f_double_value(&[])?), expected, tolerance)
        }
        (Value::List(a), Value::List(e)) if a.len() != e.len() => {
            Ok(Some(format!("a list of {} is not a list of {}", a.len(), e.len())))
        }
        (Value::List(a), Value::List(e)) => {
            for (i, (a, e)) in a.iter().zip(e).enumerate() {
                if let Some(why) = differs(a, e, tolerance)? {
                    return Ok(Some(format!("item {i}: {why}")));
                }
            }
            Ok(None)
        }
        (a, e) => Err(Error::new(format!("{} cannot be compared with {}", a.describe(), e.describe()))),
    }
}

functions! {
    in "";
    /// Fails, with `message` if given, unless `condition` is true.
    /// ```rhai
    /// assert(1 + 1 == 2);
    /// assert(1 > 2, "one is not more than two") // error: one is not more than two
    /// ```
    fn assert(condition: bool, message: Option<String>) {
        if !condition {
            Err(Error::new(message.unwrap_or_else(|| "the condition is false".to_string())))?
        }
    }

    /// Fails unless two numbers, tensors or lists are equal within `tolerance`, relative and absolute; 1e-5 if left out.
    /// ```rhai
    /// assert_close(0.1 + 0.2, 0.3);
    /// assert_close([1.0, 2.0], [1.0, 2.1]) // error: item 1: 2 is not close to 2.1
    /// ```
    fn assert_close(actual: Value, expected: Value, tolerance: Option<f64>) {
        if let Some(why) = differs(&actual, &expected, tolerance.unwrap_or(1e-5))? {
            Err(Error::new(why))?
        }
    }
}

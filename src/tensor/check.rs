//! `assert`, `assert_close` and `assert_shape`: a script that checks itself.

use super::convert::{self, item};
use super::dtype;
use crate::core::value::mismatch;
use crate::core::{Error, Result, Value, progress};
use tch::{Kind, Tensor};

/// How near is near: `|actual - expected| <= atol + rtol · |expected|`.
#[derive(Clone, Copy)]
struct Near {
    rtol: f64,
    atol: f64,
}

impl Near {
    fn holds(self, actual: f64, expected: f64) -> bool {
        // Written so that NaN is near nothing but NaN, and infinity nothing but itself.
        actual == expected
            || (actual.is_nan() && expected.is_nan())
            || ((actual - expected).abs() <= self.atol + self.rtol * expected.abs() && expected.is_finite())
    }
}

/// The position of element `i` of a tensor of shape `size`.
fn position(mut i: usize, size: &[i64]) -> Vec<usize> {
    let mut at = vec![0; size.len()];
    for (at, n) in at.iter_mut().zip(size).rev() {
        (*at, i) = (i % *n as usize, i / *n as usize);
    }
    at
}

fn tensors(actual: &Tensor, expected: &Tensor, near: Near) -> Result<Option<String>> {
    let size = actual.size();
    if size != expected.size() {
        return Ok(Some(format!("the shape {size:?} is not {:?}", expected.size())));
    }
    for t in [actual, expected] {
        if t.f_is_complex()? {
            return Err(Error::new(format!("a {} tensor cannot be compared", dtype::name(t.f_kind()?))));
        }
    }
    let (a, e) = (convert::floats(actual)?, convert::floats(expected)?);
    let off: Vec<usize> = (0..a.len()).filter(|i| !near.holds(a[*i], e[*i])).collect();
    // What is not a number differs most.
    let size_of = |i: &usize| if (a[*i] - e[*i]).is_nan() { f64::INFINITY } else { (a[*i] - e[*i]).abs() };
    let Some(worst) = off.iter().copied().max_by(|i, j| size_of(i).total_cmp(&size_of(j))) else {
        return Ok(None);
    };
    Ok(Some(format!(
        "{} of {} elements differ, most at {:?}: {} is not close to {} (difference {:.3e})",
        off.len(),
        a.len(),
        position(worst, &size),
        a[worst],
        e[worst],
        size_of(&worst)
    )))
}

/// What two values differ in, in words.
fn differs(actual: &Value, expected: &Value, near: Near) -> Result<Option<String>> {
    let number = |v: &Value| match v {
        Value::Int(i) => Some(*i as f64),
        Value::Float(f) => Some(*f),
        Value::Bool(b) => Some(f64::from(u8::from(*b))),
        _ => None,
    };
    if let (Some(a), Some(e)) = (number(actual), number(expected)) {
        return Ok((!near.holds(a, e))
            .then(|| format!("{a} is not close to {e} (difference {:.3e})", (a - e).abs())));
    }
    match (actual, expected) {
        (Value::Tensor(a), Value::Tensor(e)) => tensors(a, e, near),
        (Value::Tensor(a), Value::List(_)) => tensors(a, &convert::from_value(expected, Kind::Double)?, near),
        (Value::List(_), Value::Tensor(e)) => tensors(&convert::from_value(actual, Kind::Double)?, e, near),
        (Value::Tensor(a), e) if number(e).is_some() && a.numel() == 1 => differs(&item(a)?, e, near),
        (a, Value::Tensor(e)) if number(a).is_some() && e.numel() == 1 => differs(a, &item(e)?, near),
        (Value::List(a), Value::List(e)) if a.len() != e.len() => {
            Ok(Some(format!("a list of {} is not a list of {}", a.len(), e.len())))
        }
        (Value::List(a), Value::List(e)) => {
            for (i, (a, e)) in a.iter().zip(e).enumerate() {
                if let Some(why) = differs(a, e, near)? {
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
    ///
    /// The condition is a bool or a bool tensor of one element; of a comparison of tensors take `.all()`.
    /// ```rhai
    /// assert(1 + 1 == 2);
    /// assert((tensor::of([1, 2]) > 0).all());
    /// assert(1 > 2, "one is not more than two") // error: one is not more than two
    /// ```
    fn assert(condition: Value, message: Option<String>) {
        let holds = match &condition {
            Value::Bool(b) => *b,
            Value::Tensor(t) if t.numel() == 1 => !matches!(item(t)?, Value::Bool(false) | Value::Int(0)),
            Value::Tensor(_) => {
                return mismatch("bool", &condition).map_err(|e: Error| e.hint("`.all()` or `.any()` makes one of it"));
            }
            other => return mismatch("bool", other),
        };
        if !holds {
            Err(Error::new(message.unwrap_or_else(|| "the condition is false".to_string())))?
        }
    }

    /// Says a warning on the error output, and goes on.
    /// ```rhai
    /// warn("the last batch was empty")
    /// ```
    fn warn(message: String) {
        progress::say(&format!("warning: {message}"))
    }

    /// Fails unless two numbers, tensors or lists are close.
    ///
    /// Close means `|actual - expected| <= atol + rtol · |expected|`, both 1e-5 unless given; `atol` is `rtol` when
    /// only that is given. The message says how many elements differ, and where most.
    /// ```rhai
    /// assert_close(0.1 + 0.2, 0.3);
    /// assert_close(tensor::of([1.0, 2.0]), [1.0, 2.1], 0.1);
    /// assert_close(tensor::of([1.0, 2.0]), [1.0, 2.5]) // error: 1 of 2 elements differ, most at [1]: 2 is not close to 2.5
    /// assert_close([1.0, 2.0], [1.0, 2.1]) // error: item 1: 2 is not close to 2.1
    /// ```
    fn assert_close(actual: Value, expected: Value, rtol: Option<f64>, atol: Option<f64>) {
        let rtol = rtol.unwrap_or(1e-5);
        if let Some(why) = differs(&actual, &expected, Near { rtol, atol: atol.unwrap_or(rtol) })? {
            Err(Error::new(why))?
        }
    }

    /// Fails unless a tensor has the shape; -1 stands for any size.
    /// ```rhai
    /// assert_shape(tensor::zeros([2, 3]), [-1, 3]);
    /// assert_shape(tensor::zeros([2, 3]), [3, 2]) // error: the shape [2, 3] is not [3, 2]
    /// ```
    fn assert_shape(x: Tensor, shape: Vec<i64>) {
        let size = x.size();
        if size.len() != shape.len() || size.iter().zip(&shape).any(|(n, e)| n != e && *e != -1) {
            Err(Error::new(format!("the shape {size:?} is not {shape:?}")))?
        }
    }
}

//! Which items of a data set: as scripts write it.

use crate::core::value::{FromValue, mismatch};
use crate::core::{Result, Value};
use tch::Kind;

/// Some places of a data set: a list, a range, or a tensor of integers.
pub struct Places(Value);

impl FromValue for Places {
    const TYPE: &'static str = "list of integers or range";
    fn from_value(v: &Value) -> Result<Self> {
        match v {
            Value::List(_) | Value::Range(..) | Value::Tensor(_) => Ok(Places(v.clone())),
            _ => mismatch(Self::TYPE, v),
        }
    }
}

impl Places {
    /// The places one by one, in a data set of `len` items.
    ///
    /// # Errors
    /// What are no integers.
    pub fn list(&self, len: usize) -> Result<Vec<i64>> {
        match &self.0 {
            Value::Range(a, b) => {
                let n = len as i64;
                let at = |i: i64| if i < 0 { i + n } else { i.min(n) };
                Ok((at(*a)..at(*b)).collect())
            }
            Value::Tensor(t) => Ok(Vec::<i64>::try_from(t.f_to_kind(Kind::Int64)?.f_flatten(0, -1)?)?),
            v => Vec::from_value(v),
        }
    }
}

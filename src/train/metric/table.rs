//! Results with several numbers, as maps for scripts.

use crate::core::{Map, Value};

/// A map of names and values.
pub fn row<const N: usize>(cells: [(&str, Value); N]) -> Map {
    cells.into_iter().map(|(n, v)| (n.to_string(), v)).collect()
}

impl From<f64> for Value {
    fn from(v: f64) -> Self {
        Value::Float(v)
    }
}

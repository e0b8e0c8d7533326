//! Metadata: for every point a text or a number, by name.

use crate::core::{Error, Map, Result, Value};
use serde::Serialize;
use tch::Kind;

/// One list.
#[derive(Serialize)]
#[serde(untagged)]
enum Cells {
    Numbers(Vec<f64>),
    Texts(Vec<String>),
}

/// A list with its name; numbers that are not finite become `null` in JSON.
#[derive(Serialize)]
pub struct Column {
    name: String,
    number: bool,
    cells: Cells,
}

/// All lists, in order of their names.
pub struct Columns(pub Vec<Column>);

impl Columns {
    /// Lists or 1-D tensors of `n` items each.
    ///
    /// # Errors
    /// Another length, items that are neither text nor number.
    pub fn new(given: &Map, n: usize) -> Result<Self> {
        let one = |(name, v): (&String, &Value)| {
            let (cells, number) = cells(name, v)?;
            let len = match &cells {
                Cells::Numbers(v) => v.len(),
                Cells::Texts(v) => v.len(),
            };
            if len != n {
                return Err(Error::new(format!("`metadata`, \"{name}\": {len} items for {n} points")));
            }
            Ok(Column { name: name.clone(), number, cells })
        };
        given.iter().map(one).collect::<Result<_>>().map(Self)
    }
}

fn cells(name: &str, v: &Value) -> Result<(Cells, bool)> {
    let list = match v {
        Value::Tensor(t) => {
            let t = t.f_detach()?.f_to_device(tch::Device::Cpu)?.f_to_kind(Kind::Double)?.f_contiguous()?;
            return Ok((Cells::Numbers(Vec::<f64>::try_from(t.f_flatten(0, -1)?)?), true));
        }
        Value::List(list) => list,
        v => {
            return Err(Error::new(format!(
                "`metadata`, \"{name}\": expected a list or a Tensor, got {}",
                v.describe()
            )));
        }
    };
    let number = |v: &Value| match v {
        Value::Int(i) => Some(*i as f64),
        Value::Float(f) => Some(*f),
        _ => None,
    };
    if let Some(all) = list.iter().map(number).collect::<Option<Vec<f64>>>() {
        return Ok((Cells::Numbers(all), true));
    }
    let text = |(i, v): (usize, &Value)| match v {
        Value::Str(s) => Ok(s.clone()),
        Value::Int(i) => Ok(i.to_string()),
        Value::Float(f) => Ok(f.to_string()),
        Value::Bool(b) => Ok(b.to_string()),
        Value::Nil => Ok(String::new()),
        v => Err(Error::new(format!(
            "`metadata`, \"{name}\", item {i}: expected a text or a number, got {}",
            v.describe()
        ))),
    };
    Ok((Cells::Texts(list.iter().enumerate().map(text).collect::<Result<_>>()?), false))
}

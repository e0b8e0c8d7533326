//! Between tensors and nested lists.

use crate::core::value::mismatch;
use crate::core::{Error, Result, Value};
use tch::{Device, Kind, Tensor};

/// Elements of a nested list, flat, with the dtype they ask for.
struct Flat {
    shape: Vec<i64>,
    rank: usize,
    ints: Vec<i64>,
    floats: Vec<f64>,
}

/// `[0][2]`: where in a nested list.
fn place(path: &[usize]) -> String {
    match path {
        [] => "the value".to_string(),
        _ => format!("item {}", path.iter().map(|i| format!("[{i}]")).collect::<String>()),
    }
}

impl Flat {
    fn push(&mut self, rank: usize, int: i64, float: f64) {
        self.rank = self.rank.max(rank);
        self.ints.push(int);
        self.floats.push(float);
    }

    /// Adds the elements of `v`, which lies at `path`.
    fn take(&mut self, v: &Value, path: &mut Vec<usize>) -> Result<()> {
        let expected = self.shape.get(path.len()).copied();
        match (v, expected) {
            (Value::List(items), Some(n)) if items.len() as i64 != n => Err(Error::new(format!(
                "ragged list: {} has {} items, expected {n} as in the first",
                place(path),
                items.len()
            ))),
            (Value::List(items), Some(_)) => items.iter().enumerate().try_for_each(|(i, v)| {
                path.push(i);
                self.take(v, path)?;
                path.pop();
                Ok(())
            }),
            (Value::List(items), None) => Err(Error::new(format!(
                "ragged list: {} is a list of {}, expected a number as in the first",
                place(path),
                items.len()
            ))),
            (v, Some(n)) => Err(Error::new(format!(
                "ragged list: {} is {}, expected a list of {n} as in the first",
                place(path),
                v.describe()
            ))),
            (Value::Bool(b), None) => Ok(self.push(0, i64::from(*b), f64::from(u8::from(*b)))),
            (Value::Int(i), None) => Ok(self.push(1, *i, *i as f64)),
            (Value::Float(f), None) => Ok(self.push(2, *f as i64, *f)),
            (Value::Tensor(t), None) if t.dim() == 0 => match item(t)? {
                Value::Tensor(_) => mismatch("number", v),
                number => self.take(&number, path),
            },
            (Value::Tensor(_), None) => mismatch("number or bool", v)
                .map_err(|e: Error| e.hint("tensor::stack joins tensors of one shape")),
            _ => mismatch::<()>("number or bool", v)
                .map_err(|e| if path.is_empty() { e } else { e.within(place(path)) }),
        }
    }
}

/// A tensor on the CPU from a number, a bool, a range or a nested list; integers become `int64`, numbers
/// `float32` (or `float`, where given), bools `bool`.
///
/// # Errors
/// A ragged list, or something that is no number, with its place.
pub fn from_value(v: &Value, float: Kind) -> Result<Tensor> {
    match v {
        Value::Tensor(t) => return Ok(t.f_detach()?.f_to_dtype(t.f_kind()?, false, true)?),
        Value::Range(a, b) if *b < i64::MAX => {
            return Ok(Tensor::f_arange_start(*a, (*b).max(*a), (Kind::Int64, Device::Cpu))?);
        }
        _ => {}
    }
    let mut shape = Vec::new();
    let mut first = Some(v);
    while let Some(Value::List(items)) = first {
        shape.push(items.len() as i64);
        first = items.first();
    }
    // An empty list says nothing of its type: numbers, as in PyTorch.
    let rank = if shape.contains(&0) { 2 } else { 0 };
    let mut flat = Flat { shape, rank, ints: Vec::new(), floats: Vec::new() };
    flat.take(v, &mut Vec::new())?;
    let made = match flat.rank {
        2 => Tensor::f_from_slice(&flat.floats)?.f_to_kind(float)?,
        1 => Tensor::f_from_slice(&flat.ints)?,
        _ => Tensor::f_from_slice(&flat.ints)?.f_to_kind(Kind::Bool)?,
    };
    Ok(made.f_reshape(&flat.shape)?)
}

/// Elements in row-major order, as numbers.
///
/// # Errors
/// libtorch's.
pub fn floats(x: &Tensor) -> Result<Vec<f64>> {
    Ok(Vec::try_from(x.f_detach()?.f_to(Device::Cpu)?.f_to_kind(Kind::Double)?.f_reshape([-1])?)?)
}

/// Elements in row-major order, as integers.
///
/// # Errors
/// libtorch's.
pub fn ints(x: &Tensor) -> Result<Vec<i64>> {
    Ok(Vec::try_from(x.f_detach()?.f_to(Device::Cpu)?.f_to_kind(Kind::Int64)?.f_reshape([-1])?)?)
}

/// Elements in row-major order, as script values.
fn values(x: &Tensor) -> Result<Vec<Value>> {
    Ok(match x.f_kind()? {
        Kind::Bool => ints(x)?.into_iter().map(|v| Value::Bool(v != 0)).collect(),
        _ if x.f_is_floating_point()? => floats(x)?.into_iter().map(Value::Float).collect(),
        _ => ints(x)?.into_iter().map(Value::Int).collect(),
    })
}

/// The tensor as nested lists, or as a number when it has no axes.
///
/// # Errors
/// libtorch's.
pub fn to_list(x: &Tensor) -> Result<Value> {
    fn nest(shape: &[i64], items: &mut impl Iterator<Item = Value>) -> Value {
        match shape {
            [] => items.next().unwrap_or_default(),
            [n, rest @ ..] => Value::List((0..*n).map(|_| nest(rest, items)).collect()),
        }
    }
    Ok(nest(&x.size(), &mut values(x)?.into_iter()))
}

/// The only element.
///
/// # Errors
/// More or fewer elements than one.
pub fn item(x: &Tensor) -> Result<Value> {
    match values_of_one(x)? {
        Some(v) => Ok(v),
        None => Err(Error::new(format!(
            "expected a tensor of one element, got shape {:?} with {}",
            x.size(),
            x.numel()
        ))
        .hint("reduce it first (`x.mean()`, `x[0]`), or use `to_list()`")),
    }
}

fn values_of_one(x: &Tensor) -> Result<Option<Value>> {
    if x.numel() != 1 { Ok(None) } else { Ok(values(x)?.pop()) }
}

functions! {
    on "Tensor";
    /// The only element, as a number or bool.
    ///
    /// Reads from the device: in a training step, once in a while.
    /// ```rhai
    /// tensor([[2.5]]).item() // => 2.5
    /// tensor([1, 2]).item() // error: expected a tensor of one element, got shape [2] with 2
    /// ```
    fn item(x: Tensor) -> Value { item(&x)? }

    /// The elements as nested lists.
    /// ```rhai
    /// tensor([[1, 2], [3, 4]]).to_list() // => [[1, 2], [3, 4]]
    /// tensor(2.5).to_list() // => 2.5
    /// ```
    fn to_list(x: Tensor) -> Value { to_list(&x)? }
}

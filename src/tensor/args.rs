//! Arguments that tensor functions share: sizes and axes, numbers, operands, lists of tensors.

use crate::core::options::{Options, Opts};
use crate::core::value::{FromValue, Map, mismatch};
use crate::core::{Error, Result, Value};
use tch::{Device, Kind, Scalar, Tensor};

/// One size or axis, or several.
pub struct Dims(pub Vec<i64>);

impl FromValue for Dims {
    const TYPE: &'static str = "integer or list";
    fn from_value(v: &Value) -> Result<Self> {
        match v {
            Value::Int(i) => Ok(Dims(vec![*i])),
            Value::List(_) => Vec::from_value(v).map(Dims),
            _ => mismatch("integer or list of integers", v),
        }
    }
}

/// The axes inside, `None` when all are meant.
pub fn axes(dims: Option<Dims>) -> Option<Vec<i64>> {
    dims.map(|d| d.0)
}

/// One number a spatial axis: `3` means `[3, 3]`.
pub struct Pair(pub [i64; 2]);

impl FromValue for Pair {
    const TYPE: &'static str = "integer or list of 2";
    fn from_value(v: &Value) -> Result<Self> {
        match v {
            Value::Int(i) => Ok(Pair([*i, *i])),
            Value::List(_) => FromValue::from_value(v).map(Pair),
            _ => mismatch(Self::TYPE, v),
        }
    }
}

impl Pair {
    /// The numbers, which must be at least `least`: libtorch divides by some of them unchecked.
    ///
    /// # Errors
    /// A smaller number.
    pub fn at_least(&self, least: i64, what: &str) -> Result<[i64; 2]> {
        match self.0.iter().find(|v| **v < least) {
            Some(v) => Err(Error::new(format!("`{what}` must be at least {least}, got {v}"))),
            None => Ok(self.0),
        }
    }
}

/// A number that remembers whether it was written as an integer: that decides the dtype of results.
#[derive(Clone, Copy)]
pub enum Num {
    /// `2`.
    Int(i64),
    /// `2.0`.
    Float(f64),
    /// `true`.
    Bool(bool),
}

impl FromValue for Num {
    const TYPE: &'static str = "number";
    fn from_value(v: &Value) -> Result<Self> {
        match v {
            Value::Int(i) => Ok(Num::Int(*i)),
            Value::Float(f) => Ok(Num::Float(*f)),
            Value::Bool(b) => Ok(Num::Bool(*b)),
            _ => mismatch(Self::TYPE, v),
        }
    }
}

impl Num {
    /// The dtype PyTorch gives a tensor made of it.
    pub fn kind(self) -> Kind {
        match self {
            Num::Int(_) => Kind::Int64,
            Num::Float(_) => Kind::Float,
            Num::Bool(_) => Kind::Bool,
        }
    }

    /// As libtorch takes it.
    pub fn scalar(self) -> Scalar {
        match self {
            Num::Int(i) => i.into(),
            Num::Float(f) => f.into(),
            Num::Bool(b) => i64::from(b).into(),
        }
    }

    /// As a floating-point number.
    pub fn float(self) -> f64 {
        match self {
            Num::Int(i) => i as f64,
            Num::Float(f) => f,
            Num::Bool(b) => f64::from(u8::from(b)),
        }
    }

    /// A tensor without axes that leaves the dtype of a result to `x` where a plain number would.
    ///
    /// # Errors
    /// libtorch's.
    pub fn like(self, x: &Tensor) -> Result<Tensor> {
        let floating = x.f_is_floating_point()?;
        let kind = match self {
            Num::Bool(_) => Kind::Bool,
            Num::Int(_) if x.f_kind()? == Kind::Bool => Kind::Int64,
            Num::Float(_) if !floating => Kind::Float,
            _ => x.f_kind()?,
        };
        Ok(Tensor::f_scalar_tensor(self.scalar(), (kind, Device::Cpu))?)
    }
}

/// The other side of an operation.
pub enum Operand {
    /// A tensor, broadcast.
    Tensor(Tensor),
    /// A number.
    Num(Num),
}

impl FromValue for Operand {
    const TYPE: &'static str = "Tensor or number";
    fn from_value(v: &Value) -> Result<Self> {
        match v {
            Value::Tensor(t) => Ok(Operand::Tensor(t.shallow_clone())),
            other => match Num::from_value(other) {
                Ok(n) => Ok(Operand::Num(n)),
                Err(_) => mismatch(Self::TYPE, v),
            },
        }
    }
}

impl Operand {
    /// The operand as a tensor, beside `x`.
    ///
    /// # Errors
    /// libtorch's.
    pub fn like(&self, x: &Tensor) -> Result<Tensor> {
        match self {
            Operand::Tensor(t) => Ok(t.shallow_clone()),
            Operand::Num(n) => n.like(x),
        }
    }
}

/// A tensor or a list of tensors.
pub struct Tensors(pub Vec<Tensor>);

impl FromValue for Tensors {
    const TYPE: &'static str = "list of tensors";
    fn from_value(v: &Value) -> Result<Self> {
        match v {
            Value::Tensor(t) => Ok(Tensors(vec![t.shallow_clone()])),
            Value::List(items) if items.is_empty() => {
                Err(Error::new("expected at least one tensor, got an empty list"))
            }
            _ => Vec::from_value(v).map(Tensors),
        }
    }
}

/// Positional arguments that may be left out before the options: the first map among them is the options.
///
/// # Errors
/// A bad option.
pub fn trailing<T: Options>(args: Vec<Value>, options: Opts<T>) -> Result<(Vec<Value>, T)> {
    let mut args: Vec<Value> = args.into_iter().filter(|v| !v.is_nil()).collect();
    match args.last() {
        Some(v @ Value::Map(_)) => {
            let options = Opts::from_value(v)?.0;
            args.pop();
            Ok((args, options))
        }
        _ => Ok((args, options.0)),
    }
}

/// A result of two named parts, as PyTorch's named tuples.
pub fn parts<const N: usize>(names: [&str; N], values: [Tensor; N]) -> Map {
    names.iter().map(|n| n.to_string()).zip(values.into_iter().map(Value::Tensor)).collect()
}

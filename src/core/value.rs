//! What passes between a script and the house, in plain Rust: no room below `bindings` sees the script
//! engine. A [`Value`] is what a script holds; [`FromValue`] reads an argument or an option from one.

use super::error::{Error, Result};
use super::script::Closure;
use std::any::Any;
use std::collections::BTreeMap;
use std::rc::Rc;
use tch::Tensor;

/// A map of options or of results, sorted by key.
pub type Map = BTreeMap<String, Value>;

/// A map of results: names and values.
pub fn record<const N: usize>(cells: [(&str, Value); N]) -> Value {
    Value::Map(cells.map(|(n, v)| (n.to_string(), v)).into())
}

/// A type that scripts hold by handle: cloning it clones the handle, not the thing.
pub trait Object: Any + Clone {
    /// The type's name as scripts see it.
    const NAME: &'static str;

    /// What `print` shows.
    fn show(&self) -> String {
        Self::NAME.to_string()
    }
}

/// A value of a type that implements [`Object`].
#[derive(Clone)]
pub struct Opaque {
    /// The type's name as scripts see it.
    pub name: &'static str,
    /// The handle itself.
    pub any: Rc<dyn Any>,
}

/// What a script holds.
#[derive(Default)]
pub enum Value {
    /// `()`.
    #[default]
    Nil,
    /// A truth value.
    Bool(bool),
    /// An integer.
    Int(i64),
    /// A floating-point number.
    Float(f64),
    /// A text.
    Str(String),
    /// An array.
    List(Vec<Value>),
    /// An object map.
    Map(Map),
    /// A tensor (shared, never copied).
    Tensor(Tensor),
    /// A range of integers `[start, end)`; `end` is `i64::MAX` when open.
    Range(i64, i64),
    /// A script function.
    Func(Closure),
    /// Any other type: a network, a picture, an optimizer …
    Object(Opaque),
}

impl Clone for Value {
    fn clone(&self) -> Self {
        match self {
            Value::Nil => Value::Nil,
            Value::Bool(v) => Value::Bool(*v),
            Value::Int(v) => Value::Int(*v),
            Value::Float(v) => Value::Float(*v),
            Value::Str(v) => Value::Str(v.clone()),
            Value::List(v) => Value::List(v.clone()),
            Value::Map(v) => Value::Map(v.clone()),
            Value::Tensor(v) => Value::Tensor(v.shallow_clone()),
            Value::Range(a, b) => Value::Range(*a, *b),
            Value::Func(v) => Value::Func(v.clone()),
            Value::Object(v) => Value::Object(v.clone()),
        }
    }
}

impl Value {
    /// Wraps a handle.
    pub fn object<T: Object>(v: T) -> Self {
        Value::Object(Opaque { name: T::NAME, any: Rc::new(v) })
    }

    /// The handle inside, if it is a `T`.
    pub fn downcast<T: Object>(&self) -> Option<&T> {
        match self {
            Value::Object(o) => o.any.downcast_ref(),
            _ => None,
        }
    }

    /// The name of this value's type, in the user's words.
    pub fn type_name(&self) -> &'static str {
        match self {
            Value::Nil => "()",
            Value::Bool(_) => "bool",
            Value::Int(_) => "integer",
            Value::Float(_) => "number",
            Value::Str(_) => "string",
            Value::List(_) => "list",
            Value::Map(_) => "map",
            Value::Tensor(_) => "Tensor",
            Value::Range(..) => "range",
            Value::Func(_) => "function",
            Value::Object(o) => o.name,
        }
    }

    /// True for `()`.
    pub fn is_nil(&self) -> bool {
        matches!(self, Value::Nil)
    }

    /// Type and, for short values, the value: `string "abc"`, `integer 3`.
    pub fn describe(&self) -> String {
        match self {
            Value::Nil => "()".to_string(),
            Value::Bool(v) => format!("bool {v}"),
            Value::Int(v) => format!("integer {v}"),
            Value::Float(v) => format!("number {v}"),
            Value::Str(v) if v.chars().count() <= 40 => format!("string {v:?}"),
            Value::List(v) => format!("list of {}", v.len()),
            Value::Tensor(t) => format!("Tensor {:?}", t.size()),
            other => other.type_name().to_string(),
        }
    }
}

/// One option of a call: what help, completion and the manual print.
#[derive(Clone, Debug)]
pub struct Field {
    /// The key in the options map.
    pub name: &'static str,
    /// Its words, one line or more.
    pub doc: &'static str,
    /// Its type in the user's words.
    pub ty: &'static str,
    /// Its default as `options!` declares it.
    pub default: &'static str,
    /// Reads a value as the call would, for its errors alone.
    pub try_read: fn(&Value) -> Result<()>,
}

/// Reads an argument or an option.
pub trait FromValue: Sized {
    /// The type in the user's words: `number`, `Tensor`, `list of integers` …
    const TYPE: &'static str;
    /// May be left out at the end of a call.
    const OPTIONAL: bool = false;
    /// Reading asks the machine (has it a GPU?), which must not be asked before the run has begun.
    const OF_MACHINE: bool = false;

    /// Reads `v`, or says what is wrong with it (without naming the argument: the caller does).
    fn from_value(v: &Value) -> Result<Self>;

    /// The options of a map-typed argument.
    fn fields() -> Vec<Field> {
        Vec::new()
    }

    /// The value of an argument that was left out.
    fn absent() -> Result<Self> {
        Self::from_value(&Value::Nil)
    }
}

/// `expected …, got …`.
pub fn mismatch<T>(expected: &str, v: &Value) -> Result<T> {
    Err(Error::new(format!("expected {expected}, got {}", v.describe())))
}

macro_rules! from_value {
    ($($ty:ty, $name:literal, $($pat:pat $(if $guard:expr)? => $out:expr),+;)*) => {$(
        impl FromValue for $ty {
            const TYPE: &'static str = $name;
            fn from_value(v: &Value) -> Result<Self> {
                match v { $($pat $(if $guard)? => Ok($out),)+ _ => mismatch($name, v) }
            }
        }
    )*};
}

from_value! {
    bool, "bool", Value::Bool(b) => *b;
    i64, "integer", Value::Int(i) => *i, Value::Float(f) if f.fract() == 0.0 && f.abs() < 9e15 => *f as i64;
    f64, "number", Value::Float(f) => *f, Value::Int(i) => *i as f64;
    String, "string", Value::Str(s) => s.clone();
    Tensor, "Tensor", Value::Tensor(t) => t.shallow_clone();
    Closure, "function", Value::Func(f) => f.clone();
    Map, "map", Value::Map(m) => m.clone();
    std::path::PathBuf, "path", Value::Str(s) => s.into();
}

/// A non-negative integer: a count or a size.
impl FromValue for usize {
    const TYPE: &'static str = "non-negative integer";
    fn from_value(v: &Value) -> Result<Self> {
        match i64::from_value(v) {
            Ok(i) if i >= 0 => Ok(i as usize),
            _ => mismatch(<Self as FromValue>::TYPE, v),
        }
    }
}

/// Any value at all.
impl FromValue for Value {
    const TYPE: &'static str = "any value";
    fn from_value(v: &Value) -> Result<Self> {
        Ok(v.clone())
    }
}

/// `()` or nothing at all is `None`.
impl<T: FromValue> FromValue for Option<T> {
    const TYPE: &'static str = T::TYPE;
    const OPTIONAL: bool = true;
    const OF_MACHINE: bool = T::OF_MACHINE;
    fn from_value(v: &Value) -> Result<Self> {
        if v.is_nil() { Ok(None) } else { T::from_value(v).map(Some) }
    }
    fn fields() -> Vec<Field> {
        T::fields()
    }
}

impl<T: FromValue> FromValue for Vec<T> {
    const TYPE: &'static str = "list";
    const OF_MACHINE: bool = T::OF_MACHINE;
    fn from_value(v: &Value) -> Result<Self> {
        match v {
            Value::List(items) => items
                .iter()
                .enumerate()
                .map(|(i, v)| T::from_value(v).map_err(|e| e.within(format!("item {i}"))))
                .collect(),
            _ => Err(Error::new(format!("expected list of {}, got {}", T::TYPE, v.describe()))),
        }
    }
}

impl<T: FromValue, const N: usize> FromValue for [T; N] {
    const TYPE: &'static str = "list";
    fn from_value(v: &Value) -> Result<Self> {
        let Value::List(list) = v else {
            return Err(Error::new(format!("expected list of {N} × {}, got {}", T::TYPE, v.describe())));
        };
        let n = list.len();
        let items = Vec::<T>::from_value(v)?;
        items
            .try_into()
            .map_err(|_| Error::new(format!("expected list of {N} × {}, got list of {n}", T::TYPE)))
    }
}

/// Gives a result back to the script.
pub trait IntoValue {
    /// The type in the user's words.
    const TYPE: &'static str;
    /// The value.
    fn into_value(self) -> Value;
}

macro_rules! into_value {
    ($($ty:ty, $name:literal, $v:ident => $out:expr;)*) => {$(
        impl IntoValue for $ty {
            const TYPE: &'static str = $name;
            fn into_value(self) -> Value { let $v = self; $out }
        }
    )*};
}

into_value! {
    (), "()", _v => Value::Nil;
    bool, "bool", v => Value::Bool(v);
    i64, "integer", v => Value::Int(v);
    usize, "integer", v => Value::Int(v as i64);
    f64, "number", v => Value::Float(v);
    String, "string", v => Value::Str(v);
    &str, "string", v => Value::Str(v.to_string());
    Tensor, "Tensor", v => Value::Tensor(v);
    Map, "map", v => Value::Map(v);
    Value, "any value", v => v;
    std::path::PathBuf, "string", v => Value::Str(v.display().to_string());
}

impl<T: IntoValue> IntoValue for Vec<T> {
    const TYPE: &'static str = "list";
    fn into_value(self) -> Value {
        Value::List(self.into_iter().map(IntoValue::into_value).collect())
    }
}

impl<T: IntoValue> IntoValue for Option<T> {
    const TYPE: &'static str = T::TYPE;
    fn into_value(self) -> Value {
        self.map_or(Value::Nil, IntoValue::into_value)
    }
}

/// Makes a handle type readable as an argument and givable as a result.
macro_rules! object {
    ($ty:ty, $name:literal, |$v:ident| $show:expr) => {
        impl $crate::core::value::Object for $ty {
            const NAME: &'static str = $name;
            fn show(&self) -> String {
                let $v = self;
                $show
            }
        }
        impl $crate::core::value::FromValue for $ty {
            const TYPE: &'static str = $name;
            fn from_value(v: &$crate::core::Value) -> $crate::core::Result<Self> {
                v.downcast::<$ty>().cloned().map_or_else(|| $crate::core::value::mismatch($name, v), Ok)
            }
        }
        impl $crate::core::value::IntoValue for $ty {
            const TYPE: &'static str = $name;
            fn into_value(self) -> $crate::core::Value {
                $crate::core::Value::object(self)
            }
        }
    };
}

//! What arguments of augmentations may be written as, as torchvision takes them.

use crate::core::value::{FromValue, mismatch};
use crate::core::{Error, Result, Value};

/// `[height, width]`, or one number for both.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Size(pub usize, pub usize);

impl FromValue for Size {
    const TYPE: &'static str = "integer or [height, width]";
    fn from_value(v: &Value) -> Result<Self> {
        let read = usize::from_value(v).map(|n| Size(n, n));
        match read.or_else(|_| <[usize; 2]>::from_value(v).map(|[h, w]| Size(h, w))) {
            Ok(Size(h, w)) if h > 0 && w > 0 => Ok(Size(h, w)),
            Ok(_) => Err(Error::new("a size is at least 1 pixel")),
            Err(_) => mismatch(Self::TYPE, v),
        }
    }
}

/// `[height, width]`, or the length of the short side.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Fit {
    /// The short side.
    Short(usize),
    /// Both.
    Both(Size),
}

impl FromValue for Fit {
    const TYPE: &'static str = Size::TYPE;
    fn from_value(v: &Value) -> Result<Self> {
        Size::from_value(v).map(|s| if matches!(v, Value::List(_)) { Fit::Both(s) } else { Fit::Short(s.0) })
    }
}

/// A range `[low, high]`, or a number n for `[-n, n]`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Span(pub f64, pub f64);

fn pair(v: &Value, one: impl Fn(f64) -> [f64; 2], ty: &str) -> Result<[f64; 2]> {
    let read = f64::from_value(v).map(one).or_else(|_| <[f64; 2]>::from_value(v));
    match read {
        Ok([a, b]) if a <= b => Ok([a, b]),
        Ok([a, b]) => Err(Error::new(format!("a range is [low, high], got [{a}, {b}]"))),
        Err(_) => mismatch(ty, v),
    }
}

impl FromValue for Span {
    const TYPE: &'static str = "number or [low, high]";
    fn from_value(v: &Value) -> Result<Self> {
        pair(v, |n| [-n.abs(), n.abs()], Self::TYPE).map(|[a, b]| Span(a, b))
    }
}

/// A range of factors `[low, high]`, or a number n for `[max(0, 1 - n), 1 + n]`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Factor(pub f64, pub f64);

impl FromValue for Factor {
    const TYPE: &'static str = "number or [low, high]";
    fn from_value(v: &Value) -> Result<Self> {
        let [a, b] = pair(v, |n| [(1.0 - n).max(0.0), 1.0 + n.max(-1.0)], Self::TYPE)?;
        if a < 0.0 {
            Err(Error::new(format!("a factor is not negative, got [{a}, {b}]")))
        } else {
            Ok(Factor(a, b))
        }
    }
}

/// Two numbers, or one for both.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Both(pub f64, pub f64);

impl FromValue for Both {
    const TYPE: &'static str = "number or list of two";
    fn from_value(v: &Value) -> Result<Self> {
        let read = f64::from_value(v).map(|n| Both(n, n));
        read.or_else(|_| <[f64; 2]>::from_value(v).map(|[a, b]| Both(a, b)))
            .or_else(|_| mismatch(Self::TYPE, v))
    }
}

/// A probability.
///
/// # Errors
/// A number outside 0..1.
pub fn probability(name: &str, p: f64) -> Result<()> {
    match (0.0..=1.0).contains(&p) {
        true => Ok(()),
        false => Err(Error::new(format!("`{name}` is a probability in 0..1, got {p}"))),
    }
}

//! Options maps: one declaration gives the struct, its defaults, its reader, its help and its completion.

use super::error::{Error, Result};
use super::value::{Field, FromValue, Map, Value, mismatch};

/// A struct read from a script's `#{…}`.
pub trait Options: Sized {
    /// Every option, in the order of declaration.
    fn fields() -> Vec<Field>;
    /// Reads the keys it knows; leaves the others alone.
    fn read(map: &Map) -> Result<Self>;
}

/// The trailing `#{…}` of a call: all keys known, or an error that lists the valid ones.
pub struct Opts<T>(pub T);

impl<T: Options> FromValue for Opts<T> {
    const TYPE: &'static str = "map of options";
    const OPTIONAL: bool = true;

    fn from_value(v: &Value) -> Result<Self> {
        match v {
            Value::Nil => Ok(Opts(T::read(&Map::new())?)),
            Value::Map(map) => {
                let fields = T::fields();
                for key in map.keys() {
                    if !fields.iter().any(|f| f.name == key) {
                        return Err(Error::unknown("option", key, fields.iter().map(|f| f.name)));
                    }
                }
                Ok(Opts(T::read(map)?))
            }
            _ => {
                mismatch("map of options", v).map_err(|e: Error| e.hint("options are written #{name: value}"))
            }
        }
    }

    fn fields() -> Vec<Field> {
        T::fields()
    }
}

/// No options.
impl Options for () {
    fn fields() -> Vec<Field> {
        Vec::new()
    }
    fn read(_: &Map) -> Result<Self> {
        Ok(())
    }
}

/// All options as they were given.
pub struct Given(pub Map);

impl Options for Given {
    fn fields() -> Vec<Field> {
        Vec::new()
    }
    fn read(map: &Map) -> Result<Self> {
        Ok(Given(map.clone()))
    }
}

/// The options of a family and those of one member.
impl<A: Options, B: Options> Options for (A, B) {
    fn fields() -> Vec<Field> {
        let mut all = A::fields();
        all.extend(B::fields());
        all
    }
    fn read(map: &Map) -> Result<Self> {
        Ok((A::read(map)?, B::read(map)?))
    }
}

/// Reads option `key`; errors name it.
pub fn option<T: FromValue>(key: &str, v: &Value) -> Result<T> {
    T::from_value(v).map_err(|e| e.within(format!("option `{key}`")))
}

/// [`option`] for its errors alone.
pub fn try_option<T: FromValue>(key: &str, v: &Value) -> Result<()> {
    if T::OF_MACHINE { Ok(()) } else { option::<T>(key, v).map(drop) }
}

/// Declares an options struct:
/// ```text
/// options! {
///     /// Options of Adam.
///     pub struct AdamOptions {
///         /// Learning rate.
///         lr: f64 = 1e-3,
///         /// "mean" or "sum".
///         reduction: Reduction = MEAN => "mean",
///     }
/// }
/// ```
/// Behind `=>` stands the default as a script writes it, where Rust's words for it are others.
macro_rules! options {
    ($(#[$meta:meta])* $vis:vis struct $name:ident {
        $($(#[doc = $doc:literal])* $key:ident : $ty:ty = $default:expr $(=> $shown:expr)?),* $(,)?
    }) => {
        $(#[$meta])*
        $vis struct $name { $($(#[doc = $doc])* pub $key: $ty),* }

        impl Default for $name {
            fn default() -> Self { Self { $($key: $default),* } }
        }

        impl $crate::core::options::Options for $name {
            fn fields() -> Vec<$crate::core::value::Field> {
                vec![$($crate::core::value::Field {
                    name: stringify!($key),
                    doc: concat!($($doc, "\n"),*),
                    ty: <$ty as $crate::core::value::FromValue>::TYPE,
                    default: [$(stringify!($shown),)? stringify!($default)][0],
                    try_read: |v| $crate::core::options::try_option::<$ty>(stringify!($key), v),
                }),*]
            }

            #[allow(unused_variables)]
            fn read(map: &$crate::core::value::Map) -> $crate::core::Result<Self> {
                Ok(Self { $($key: match map.get(stringify!($key)) {
                    Some(v) => $crate::core::options::option::<$ty>(stringify!($key), v)?,
                    None => $default,
                }),* })
            }
        }
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    options! {
        /// Options of a test.
        struct Sgd {
            /// Learning rate.
            lr: f64 = 0.1,
            /// Momentum.
            momentum: f64 = 0.0,
        }
    }

    fn read(pairs: &[(&str, Value)]) -> Result<Sgd> {
        let map = pairs.iter().map(|(k, v)| (k.to_string(), v.clone())).collect();
        Opts::<Sgd>::from_value(&Value::Map(map)).map(|o| o.0)
    }

    #[test]
    fn integers_are_numbers_and_defaults_hold() {
        let o = read(&[("lr", Value::Int(1))]).unwrap();
        assert_eq!((o.lr, o.momentum), (1.0, 0.0));
    }

    #[test]
    fn unknown_and_mistyped_options_are_named() {
        let e = read(&[("lrr", Value::Int(1))]).err().unwrap();
        assert_eq!(e.msg, "unknown option `lrr`; did you mean `lr`?");
        assert_eq!(e.hint.as_deref(), Some("valid: lr, momentum"));
        let e = read(&[("lr", Value::Str("x".into()))]).err().unwrap();
        assert_eq!(e.msg, "option `lr`: expected number, got string \"x\"");
    }
}

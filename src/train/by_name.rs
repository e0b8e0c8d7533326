//! One thing, or several by name: networks, optimizers, schedules of a run.

use crate::core::value::FromValue;
use crate::core::{Error, Result, Value};

/// One thing, or several by name.
pub struct ByName<T>(pub Vec<(String, T)>);

/// The name of what was given alone.
pub const ONE: &str = "net";

impl<T: FromValue> FromValue for ByName<T> {
    const TYPE: &'static str = T::TYPE;
    fn from_value(v: &Value) -> Result<Self> {
        match v {
            Value::Map(m) => {
                let one = |(n, v): (&String, &Value)| {
                    Ok((n.clone(), T::from_value(v).map_err(|e| e.within(format!("`{n}`")))?))
                };
                m.iter().map(one).collect::<Result<_>>().map(ByName)
            }
            v => Ok(ByName(vec![(ONE.to_string(), T::from_value(v)?)])),
        }
    }
}

impl<T> ByName<T> {
    /// The one for `name`: its own, or the one that was given alone.
    pub fn of(&self, name: &str) -> Option<&T> {
        match &self.0[..] {
            [(one, t)] if one == ONE => Some(t),
            all => all.iter().find(|(n, _)| n == name).map(|(_, t)| t),
        }
    }

    /// An error where a name is none of `known`.
    ///
    /// # Errors
    /// The name, and those there are.
    pub fn check(&self, what: &str, known: &[&str]) -> Result<()> {
        match self.0.iter().find(|(n, _)| n != ONE && !known.contains(&n.as_str())) {
            Some((n, _)) => Err(Error::unknown(what, n, known.iter().copied())),
            None => Ok(()),
        }
    }
}

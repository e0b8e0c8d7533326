//! Mixed precision of networks: they run in bfloat16, what they give is float32. So losses, gradients' sums, weights and
//! whatever a script computes stay in float32.

use crate::core::value::{FromValue, mismatch};
use crate::core::{Error, Result, Value, ffi};
use std::cell::Cell;
use tch::{Device, Kind, Tensor};

/// In what numbers networks run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Precision {
    /// float32.
    #[default]
    Float,
    /// Convolutions and matrix products in bfloat16 (torch.autocast).
    Bf16,
}

thread_local!(static NOW: Cell<Precision> = const { Cell::new(Precision::Float) });

impl FromValue for Precision {
    const TYPE: &'static str = "\"float32\" or \"bf16\"";
    fn from_value(v: &Value) -> Result<Self> {
        match v {
            Value::Str(s) if s == "float32" => Ok(Self::Float),
            Value::Str(s) if s == "bf16" => Ok(Self::Bf16),
            Value::Str(s) => Err(Error::unknown("precision", s, ["float32", "bf16"])),
            _ => mismatch(Self::TYPE, v),
        }
    }
}

/// Puts the precision back that was before.
pub struct Scope(Precision);

impl Drop for Scope {
    fn drop(&mut self) {
        NOW.set(self.0);
    }
}

impl Precision {
    /// Networks of this thread run in this precision until the guard is dropped.
    pub fn scope(self) -> Scope {
        Scope(NOW.replace(self))
    }

    /// `run` in this precision on `device`; numbers that come out are float32.
    ///
    /// # Errors
    /// Those of `run`.
    pub fn around(
        self,
        device: impl FnOnce() -> Device,
        run: impl FnOnce() -> Result<Value>,
    ) -> Result<Value> {
        if self == Self::Float {
            return run();
        }
        let autocast = ffi::Autocast::new(device())?;
        let out = run()?;
        drop(autocast);
        float(out)
    }
}

/// What networks of this thread run in.
pub(super) fn now() -> Precision {
    NOW.get()
}

/// A tensor as networks give it: float32, not bfloat16.
pub(super) fn widened(t: Tensor) -> Result<Tensor> {
    Ok(if t.f_kind()? == Kind::BFloat16 { t.f_to_kind(Kind::Float)? } else { t })
}

fn float(v: Value) -> Result<Value> {
    Ok(match v {
        Value::Tensor(t) => Value::Tensor(widened(t)?),
        Value::List(all) => Value::List(all.into_iter().map(float).collect::<Result<_>>()?),
        Value::Map(all) => {
            Value::Map(all.into_iter().map(|(n, v)| Ok((n, float(v)?))).collect::<Result<_>>()?)
        }
        other => other,
    })
}

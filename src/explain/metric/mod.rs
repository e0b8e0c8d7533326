//! Is a map true? Measures of explanations, in the script's `metrics::`.

mod confidence;
mod curves;
mod impute;
mod localisation;
mod over_data;
mod randomisation;
pub mod rank;
pub mod road;
mod sensitivity;

pub use confidence::{Confidence, drop_and_increase};
pub use curves::{CurveOptions, Curves, curves};
pub use road::{Road, RoadOptions, road};

use super::{Heatmap, heatmap};
use crate::core::value::{FromValue, mismatch};
use crate::core::{Error, Result, Value};
use tch::Tensor;

/// Maps [N, h, w] of pictures.
pub struct Maps(pub Tensor);

impl FromValue for Maps {
    const TYPE: &'static str = "Heatmap or Tensor [N, H, W]";
    fn from_value(v: &Value) -> Result<Self> {
        match v {
            Value::Tensor(t) => match (t.dim(), t.size().get(1)) {
                (2, _) => Ok(Maps(t.f_detach()?.f_unsqueeze(0)?)),
                (3, _) => Ok(Maps(t.f_detach()?)),
                (4, Some(1)) => Ok(Maps(t.f_detach()?.f_squeeze_dim(1)?)),
                _ => Err(Error::new(format!("a map is [N, H, W] or [H, W], got {:?}", t.size()))
                    .hint("attrib::heatmap(attribution) makes one of an attribution [N, C, H, W]")),
            },
            v => match v.downcast::<Heatmap>() {
                Some(h) => Ok(Maps(h.tensor().f_detach()?)),
                None => mismatch(<Self as FromValue>::TYPE, v),
            },
        }
    }
}

impl Maps {
    /// The maps at the size of the pictures `x`, [N, H, W].
    ///
    /// # Errors
    /// Another number of maps than of pictures; a map that holds NaN.
    pub fn on(&self, x: &Tensor) -> Result<Tensor> {
        let (n, _, h, w) = x.size4()?;
        let s = self.0.size();
        if s[0] != n {
            return Err(Error::new(format!("{} map(s) for {n} picture(s)", s[0])));
        }
        let map = self.0.f_type_as(x)?;
        if map.f_isnan()?.f_any()?.f_int64_value(&[])? != 0 {
            return Err(Error::new("the map holds NaN").hint("look at it with map.tensor()"));
        }
        if s[1..] == [h, w] { Ok(map) } else { heatmap::resize(&map, [h, w]) }
    }
}

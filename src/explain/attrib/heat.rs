//! Attributions as maps.

use crate::core::value::FromValue;
use crate::core::{Error, Opts, Result, Value};
use crate::explain::Heatmap;
use crate::explain::cam::{Form, scale};
use tch::{Kind, Tensor};

/// How the channels become one number.
#[derive(Clone, Copy, PartialEq)]
pub enum Channels {
    /// The sum of the magnitudes.
    Abs,
    /// The greatest magnitude.
    Max,
    /// The sum, with its sign.
    Sum,
}

impl FromValue for Channels {
    const TYPE: &'static str = "\"abs\", \"max\" or \"sum\"";
    fn from_value(v: &Value) -> Result<Self> {
        match String::from_value(v)?.as_str() {
            "abs" => Ok(Channels::Abs),
            "max" => Ok(Channels::Max),
            "sum" => Ok(Channels::Sum),
            other => Err(Error::unknown("way", other, ["abs", "max", "sum"])),
        }
    }
}

options! {
    /// Options of `attrib::heatmap`.
    pub struct HeatOptions {
        /// "abs" (sum of magnitudes), "max" (greatest magnitude) or "sum" (with its sign).
        channels: Channels = Channels::Abs => "abs",
        /// "normalized" (0 to 1 in each picture), "signed" (-1 to 1) or "raw".
        form: Form = Form::Normalized => "normalized",
    }
}

/// Maps of an attribution [N, C, H, W] or [C, H, W].
///
/// # Errors
/// Another shape.
pub fn heat(a: &Tensor, o: &HeatOptions) -> Result<Heatmap> {
    let a = match a.dim() {
        3 => a.f_unsqueeze(0)?,
        4 => a.shallow_clone(),
        _ => {
            return Err(Error::new(format!(
                "an attribution is [N, C, H, W] or [C, H, W], got {:?}",
                a.size()
            )));
        }
    };
    let a = a.f_detach()?;
    let map = match o.channels {
        Channels::Abs => a.f_abs()?.f_sum_dim_intlist([1].as_slice(), false, None::<Kind>)?,
        Channels::Max => a.f_abs()?.f_amax([1], false)?,
        Channels::Sum => a.f_sum_dim_intlist([1].as_slice(), false, None::<Kind>)?,
    };
    Ok(Heatmap::new(scale(&map, o.form)?, o.channels == Channels::Sum && o.form != Form::Normalized))
}

functions! {
    in "attrib";
    /// The heatmap of an attribution [N, C, H, W]: one number a place.
    ///
    /// With it attributions are shown, laid over pictures and measured as CAMs are.
    /// ```rhai
    /// attrib::heatmap(tensor::of([[[[0.0, -2.0]], [[1.0, 1.0]]]]), #{form: "raw"}).tensor() // => tensor([[[1., 3.]]])
    /// attrib::heatmap(tensor::of([[[[0.0, -2.0]], [[1.0, 1.0]]]]), #{form: "raw", channels: "sum"}).tensor() // => tensor([[[ 1., -1.]]])
    /// ```
    fn heatmap(attribution: Tensor, options: Opts<HeatOptions>) -> Heatmap {
        heat(&attribution, &options.0)?
    }
}

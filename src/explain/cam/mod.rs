//! Class activation maps: one pipeline, one file a method. The pipeline runs the network, takes the gradient,
//! applies the method's rule, then ReLU, normalisation, resizing and the mean over layers, in the order of
//! pytorch-grad-cam (normalise before resizing; once more after).

/// Declares `cam::name(net, layers, x, target?, #{…})`: its words, its own options, and its rule.
macro_rules! cam {
    ($(#[doc = $doc:literal])* $name:ident, $options:ty, |$o:ident| $rule:expr) => {
        function!("cam", Function, stringify!($name), [$($doc),*],
                  [net: $crate::nn::Net, layers: $crate::nn::net::Names, x: tch::Tensor,
                   target: $crate::explain::cam::MaybeTarget,
                   options: $crate::core::Opts<($crate::explain::cam::CamOptions, $options)>],
                  [$crate::explain::Heatmap], {
            let (common, $o): ($crate::explain::cam::CamOptions, $options) = options.0;
            $crate::explain::cam::run(&net, &layers.0, &x, &target.0, &common, &$rule)?
        });
    };
}

mod grad_cam;
mod hires_cam;

use super::probe::{batch, probe};
use super::{Heatmap, Target, heatmap};
use crate::core::value::FromValue;
use crate::core::{Error, Result, Value};
use crate::nn::Net;
use tch::{Kind, Tensor};

/// How a method makes a map of a layer's activation and gradient, both [N, C, h, w].
pub enum Rule<'a> {
    /// Channel weights [N, C, 1, 1]: the map is their sum over the channels.
    Weights(&'a dyn Fn(&Tensor, &Tensor) -> Result<Tensor>),
    /// The map [N, h, w] itself.
    Map(&'a dyn Fn(&Tensor, &Tensor) -> Result<Tensor>),
}

options! {
    /// Options of every CAM.
    pub struct CamOptions {
        /// Drops what speaks against the target.
        relu: bool = true,
        /// "normalized" (0 to 1 in each picture), "signed" (-1 to 1) or "raw".
        form: Form = Form::Normalized => "normalized",
        /// Enlarges the map to the input's size.
        resize: bool = true,
    }
}

/// The values of a map.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// 0 to 1 in every picture.
    Normalized,
    /// Divided by the largest magnitude, sign kept.
    Signed,
    /// As computed.
    Raw,
}

impl FromValue for Form {
    const TYPE: &'static str = "\"normalized\", \"signed\" or \"raw\"";
    fn from_value(v: &Value) -> Result<Self> {
        match String::from_value(v)?.as_str() {
            "normalized" => Ok(Form::Normalized),
            "signed" => Ok(Form::Signed),
            "raw" => Ok(Form::Raw),
            other => Err(Error::unknown("form", other, ["normalized", "signed", "raw"])),
        }
    }
}

/// A target, or each picture's highest logit where none is given.
pub struct MaybeTarget(pub Target);

impl FromValue for MaybeTarget {
    const TYPE: &'static str = <Target as FromValue>::TYPE;
    const OPTIONAL: bool = true;
    fn from_value(v: &Value) -> Result<Self> {
        Target::from_value(v).map(MaybeTarget)
    }
}

/// The map of `rule` at `layers` (their mean) for every picture of `x`.
///
/// # Errors
/// An unknown layer, one whose output is no feature map, a target that does not fit.
pub fn run(
    net: &Net,
    layers: &[String],
    x: &Tensor,
    target: &Target,
    o: &CamOptions,
    rule: &Rule,
) -> Result<Heatmap> {
    if layers.is_empty() {
        return Err(
            Error::new("no layer given").hint(format!("layers: {}", net.layer_names(true).join(", ")))
        );
    }
    let x = batch(net, x)?;
    let p = probe(net, layers, &x, target)?;
    let relu = o.relu && o.form != Form::Signed;
    let size = [x.size()[2], x.size()[3]];
    let mut maps = Vec::new();
    for ((layer, act), grad) in layers.iter().zip(&p.acts).zip(&p.grads) {
        if act.dim() != 4 {
            return Err(Error::new(format!(
                "layer `{layer}` gives {:?}; a CAM needs a feature map [N, C, h, w]",
                act.size()
            ))
            .hint(format!("layers with feature maps come before: {}", net.layer_names(true).join(", "))));
        }
        let mut map = match rule {
            Rule::Weights(f) => {
                f(act, grad)?.f_mul(act)?.f_sum_dim_intlist([1].as_slice(), false, None::<Kind>)?
            }
            Rule::Map(f) => f(act, grad)?,
        };
        if relu {
            map = map.f_relu()?;
        }
        map = scale(&map, o.form)?;
        maps.push(if o.resize || layers.len() > 1 { heatmap::resize(&map, size)? } else { map });
    }
    let mean = Tensor::f_stack(&maps, 0)?.f_mean_dim([0].as_slice(), false, None::<Kind>)?;
    Ok(Heatmap::new(scale(&mean, o.form)?, o.form == Form::Signed || (o.form == Form::Raw && !relu)))
}

/// Min-max per picture, as pytorch-grad-cam's `scale_cam_image` with its 1e-7; or division by the magnitude.
fn scale(map: &Tensor, form: Form) -> Result<Tensor> {
    Ok(match form {
        Form::Raw => map.shallow_clone(),
        Form::Normalized => {
            let c = map.f_sub(&map.f_amin([1, 2], true)?)?;
            c.f_div(&c.f_amax([1, 2], true)?.f_add_scalar(1e-7)?)?
        }
        Form::Signed => map.f_div(&map.f_abs()?.f_amax([1, 2], true)?.f_add_scalar(1e-7)?)?,
    })
}

//! Class activation maps: one pipeline, one file a method. The pipeline runs the network, takes the gradient where
//! the method's rule wants one, applies the rule, then ReLU, normalisation, resizing and the mean over layers, in the
//! order of pytorch-grad-cam (normalise before resizing; once more after).

/// Declares `cam::name(net, layers, x, target?, #{…})`: its words, its own options, and its rule.
macro_rules! cam {
    ($(#[doc = $doc:literal])* $name:ident, $options:ty, |$o:ident| $rule:expr) => {
        function!("cam", Function, stringify!($name), [$($doc),*],
                  [net: $crate::nn::Net, layers: $crate::nn::net::Names, x: tch::Tensor,
                   target: $crate::explain::cam::MaybeTarget,
                   options: $crate::core::Opts<($crate::explain::cam::CamOptions, $options)>],
                  [$crate::explain::Heatmap], {
            let (common, $o): ($crate::explain::cam::CamOptions, $options) = options.0;
            $crate::explain::cam::run(stringify!($name), &net, &layers.0, &x, &target.0, &common, &$rule)?
        });
    };
}

mod ablation_cam;
mod compare;
mod custom;
mod deep_feature_factorization;
mod eigen_cam;
mod eigen_grad_cam;
mod explore;
mod fem;
mod finer_cam;
mod full_grad;
mod grad_cam;
mod grad_cam_elementwise;
mod grad_cam_pp;
mod hires_cam;
mod is_cam;
mod kpca_cam;
mod layer_cam;
mod layers;
mod random_cam;
mod refine_cam;
mod score_cam;
mod seg_eigen_cam;
mod shapley_cam;
mod smooth_grad_cam_pp;
mod ss_cam;
mod together;
mod xgrad_cam;

mod base;
mod look;
mod nmf;
mod projection;
mod rerun;
mod sheet;

pub use together::{all, as_map};

use super::probe::{batch, glance, probe};
use super::{Heatmap, Target, heatmap};
use crate::core::value::FromValue;
use crate::core::{Error, Map, Result, Value, progress};
use crate::nn::{Count, Net};
use look::Look;
use projection::first_component;
use tch::{Kind, Tensor};

/// How a method makes a map of a layer's activation and gradient, both [N, C, h, w].
pub enum Rule<'a> {
    /// Channel weights [N, C, 1, 1] of activation and gradient: the map is the weighted sum of the channels.
    Weights(&'a dyn Fn(&Tensor, &Tensor) -> Result<Tensor>),
    /// What each channel has at each place, [N, C, h, w], of activation and gradient: the map is their sum.
    Shares(&'a dyn Fn(&Tensor, &Tensor) -> Result<Tensor>),
    /// The map [N, h, w] itself, of activation and gradient.
    Map(&'a dyn Fn(&Tensor, &Tensor) -> Result<Tensor>),
    /// Channel weights [N, C, 1, 1] of an activation without gradient, and of further looks.
    Looks(&'a dyn Fn(&Look) -> Result<Tensor>),
    /// The map [N, h, w] of an activation alone.
    Still(&'a dyn Fn(&Tensor) -> Result<Tensor>),
}

impl Rule<'_> {
    fn gradient(&self) -> bool {
        !matches!(self, Rule::Looks(_) | Rule::Still(_))
    }
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
        /// The first principal component of what the channels have, in place of their sum.
        eigen_smooth: bool = false,
        /// The mean map of the pictures and their mirror images at 0.9, 1 and 1.1 of their brightness (six looks).
        aug_smooth: bool = false,
        /// Rows of one pass of the network, for methods that look many times; the map does not depend on it.
        batch: Count = Count(32) => 32,
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

/// The map of `rule`, called `method`, at `layers` (their mean) for every picture of `x`.
///
/// # Errors
/// An unknown layer, one whose output is no feature map, a target that does not fit.
pub fn run(
    method: &str,
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
    if let (true, Rule::Map(_) | Rule::Still(_)) = (o.eigen_smooth, rule) {
        return Err(Error::new(format!(
            "cam::{method} has no sum over channels that `eigen_smooth` could smooth"
        )));
    }
    let mut lit: Vec<Option<Tensor>> = layers.iter().map(|_| None).collect();
    let maps = smoothed(o.aug_smooth, &batch(net, x)?, target, &mut |x, target| {
        let maps = each_layer(net, layers, x, target, o, rule)?;
        for (seen, map) in lit.iter_mut().zip(&maps) {
            let now = map.f_abs()?.f_amax([1, 2], false)?.f_gt(0.0)?;
            *seen = Some(seen.as_ref().map_or_else(|| Ok(now.shallow_clone()), |s| s.f_logical_or(&now))?);
        }
        let mean = Tensor::f_stack(&maps, 0)?.f_mean_dim([0].as_slice(), false, None::<Kind>)?;
        scale(&mean, o.form)
    })?;
    warn(method, layers.iter().map(|l| format!("at layer `{l}`")).zip(lit.into_iter().flatten()));
    Ok(Heatmap::new(maps, o.form == Form::Signed || (o.form == Form::Raw && !o.relu)))
}

/// Grad-CAM, for methods that stand on it.
///
/// # Errors
/// Those of [`run`].
pub fn by_gradient(
    net: &Net,
    layers: &[String],
    x: &Tensor,
    target: &Target,
    o: &CamOptions,
) -> Result<Heatmap> {
    run("grad_cam", net, layers, x, target, o, &Rule::Weights(&|_, grad| mean_hw(grad)))
}

/// The finished map of every layer.
fn each_layer(
    net: &Net,
    layers: &[String],
    x: &Tensor,
    target: &Target,
    o: &CamOptions,
    rule: &Rule,
) -> Result<Vec<Tensor>> {
    let seen = if rule.gradient() { probe(net, layers, x, target)? } else { glance(net, layers, x, target)? };
    let mut maps = Vec::new();
    for (i, (layer, act)) in layers.iter().zip(&seen.acts).enumerate() {
        if act.dim() != 4 {
            return Err(Error::new(format!(
                "layer `{layer}` gives {:?}; a CAM needs a feature map [N, C, h, w]",
                act.size()
            ))
            .hint(format!("layers with feature maps come before: {}", net.layer_names(true).join(", "))));
        }
        let grad = seen.grads.get(i).unwrap_or(act); // a rule without gradient does not look at it
        let sum = |shares: Tensor| match o.eigen_smooth {
            true => first_component(&shares),
            false => Ok(shares.f_sum_dim_intlist([1].as_slice(), false, None::<Kind>)?),
        };
        let mut map = match rule {
            Rule::Weights(f) => sum(f(act, grad)?.f_mul(act)?)?,
            Rule::Shares(f) => sum(f(act, grad)?)?,
            Rule::Map(f) => f(act, grad)?,
            Rule::Still(f) => f(act)?,
            Rule::Looks(f) => {
                let (target, scores, batch) = (&seen.target, &seen.scores, o.batch.0);
                sum(f(&Look { net, layer, x, act, target, scores, batch, fast: Default::default() })?
                    .f_mul(act)?)?
            }
        };
        if o.relu && o.form != Form::Signed {
            map = map.f_relu()?;
        }
        map = scale_part(&map, o.form)?;
        let resize = o.resize || layers.len() > 1;
        maps.push(if resize { heatmap::resize(&map, [x.size()[2], x.size()[3]])? } else { map });
    }
    Ok(maps)
}

/// `look` at the pictures, or the mean of what it sees at six variants of them: pytorch-grad-cam's test-time
/// augmentation, which does not normalise the mean again.
fn smoothed(
    six: bool,
    x: &Tensor,
    target: &Target,
    look: &mut dyn FnMut(&Tensor, &Target) -> Result<Tensor>,
) -> Result<Tensor> {
    if !six {
        return look(x, target);
    }
    let (turned, mirrored) = (x.f_flip([3])?, target.mirrored());
    let mut maps = Vec::new();
    for factor in [0.9, 1.0, 1.1] {
        maps.push(look(&x.f_mul_scalar(factor)?, target)?);
        maps.push(look(&turned.f_mul_scalar(factor)?, &mirrored)?.f_flip([2])?);
    }
    Ok(Tensor::f_stack(&maps, 0)?.f_mean_dim([0].as_slice(), false, None::<Kind>)?)
}

thread_local!(static QUIET: std::cell::Cell<bool> = const { std::cell::Cell::new(false) });

/// Runs `f` without a word about maps of zeros, for callers that count them.
pub fn quietly<T>(f: impl FnOnce() -> T) -> T {
    struct Before(bool);
    impl Drop for Before {
        fn drop(&mut self) {
            QUIET.set(self.0);
        }
    }
    let _before = Before(QUIET.replace(true));
    f()
}

/// Says which pictures have a map of zeros: where, and by picture whether there is anything, [N].
fn warn(method: &str, maps: impl IntoIterator<Item = (String, Tensor)>) {
    let dark = |lit: Tensor| -> Option<String> {
        let lit = Vec::<bool>::try_from(lit.f_to_device(tch::Device::Cpu).ok()?).ok()?;
        let dark = lit.iter().enumerate().filter(|(_, lit)| !**lit).map(|(i, _)| i.to_string());
        Some(dark.collect::<Vec<_>>().join(", ")).filter(|d| !d.is_empty())
    };
    let say = |(at, lit)| Some(format!("{at} for picture {}", dark(lit)?));
    if QUIET.get() {
        return;
    }
    let parts: Vec<String> = maps.into_iter().filter_map(say).collect();
    if !parts.is_empty() {
        progress::say(&format!(
            "warning: cam::{method} is zero everywhere {}: no place speaks for the target more than another \
             (#{{form: \"signed\"}} also shows what speaks against it)",
            parts.join("; ")
        ));
    }
}

/// The mean over the places of [N, C, h, w], [N, C, 1, 1].
fn mean_hw(t: &Tensor) -> Result<Tensor> {
    Ok(t.f_mean_dim([2, 3].as_slice(), true, None::<Kind>)?)
}

/// The sum over the places of [N, C, h, w], [N, C, 1, 1].
fn sum_hw(t: &Tensor) -> Result<Tensor> {
    Ok(t.f_sum_dim_intlist([2, 3].as_slice(), true, None::<Kind>)?)
}

/// Min-max per picture, or division by the magnitude, with `least` added to what it is divided by.
fn scaled(map: &Tensor, form: Form, least: f64) -> Result<Tensor> {
    let top = |t: &Tensor| t.f_amax([1, 2], true)?.f_add_scalar(least)?.f_clamp_min(1e-37);
    Ok(match form {
        Form::Raw => map.shallow_clone(),
        Form::Signed => map.f_div(&top(&map.f_abs()?)?)?,
        Form::Normalized => {
            let c = map.f_sub(&map.f_amin([1, 2], true)?)?;
            c.f_div(&top(&c)?)?
        }
    })
}

/// A whole map as it is given: exactly, for maps of a saturated target are far below any small number that one could add.
pub(super) fn scale(map: &Tensor, form: Form) -> Result<Tensor> {
    scaled(map, form, 0.0)
}

/// A map that is summed with others, as pytorch-grad-cam's `scale_cam_image`: what is far below 1e-7 weighs little.
fn scale_part(map: &Tensor, form: Form) -> Result<Tensor> {
    scaled(map, form, 1e-7)
}

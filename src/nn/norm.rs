//! Normalisation: batch, layer, group and instance norm.

use super::recipe::Recipe;
use super::{Count, Ctx, Layer, Net, Own, Role, init};
use crate::core::value::FromValue;
use crate::core::{Error, Opts, Result, Value};
use std::rc::Rc;
use tch::{Kind, Tensor};

options! {
    /// Options of the batch and instance norms.
    pub struct BatchNormOptions {
        /// Added to the variance.
        eps: f64 = 1e-5,
        /// Share of the new batch in the running statistics.
        momentum: f64 = 0.1,
        /// Learns a scale and a shift.
        affine: bool = true,
        /// Keeps running statistics for evaluation.
        track_running_stats: bool = true,
    }
}

struct BatchNorm {
    name: &'static str,
    axes: &'static [usize],
    channels: i64,
    affine: Option<[Tensor; 2]>,
    running: Option<[Tensor; 3]>,
    eps: f64,
    momentum: f64,
}

impl BatchNorm {
    fn make(
        name: &'static str,
        axes: &'static [usize],
        channels: i64,
        o: &BatchNormOptions,
    ) -> Result<Rc<dyn Layer>> {
        let affine = match o.affine {
            true => Some([init::constant(&[channels], 1.0)?, init::constant(&[channels], 0.0)?]),
            false => None,
        };
        let running = match o.track_running_stats {
            true => Some([
                init::buffer(&[channels], 0.0, Kind::Float)?,
                init::buffer(&[channels], 1.0, Kind::Float)?,
                init::buffer(&[], 0.0, Kind::Int64)?,
            ]),
            false => None,
        };
        Ok(Rc::new(BatchNorm { name, axes, channels, affine, running, eps: o.eps, momentum: o.momentum }))
    }
}

/// Batch norm of [N, C, H, W].
///
/// # Errors
/// libtorch's.
pub fn batch_norm2d(channels: i64, options: &BatchNormOptions) -> Result<Rc<dyn Layer>> {
    BatchNorm::make("BatchNorm2d", &[4], channels, options)
}

impl Layer for BatchNorm {
    fn forward(&self, x: &Tensor, cx: &Ctx) -> Result<Tensor> {
        if !self.axes.contains(&x.dim()) {
            let axes: Vec<String> = self.axes.iter().map(ToString::to_string).collect();
            return Err(Error::new(format!("expected {} axes, got {}", axes.join(" or "), x.dim())));
        }
        // A frozen norm keeps its statistics: otherwise a frozen backbone would drift with every batch.
        let frozen = self.affine.as_ref().is_some_and(|a| !a[0].requires_grad());
        let train = (cx.train() && !frozen) || self.running.is_none();
        let s = x.size();
        if train && s.iter().product::<i64>() == s[1] {
            return Err(Error::new(format!("expected more than 1 value a channel when training, got {s:?}"))
                .hint("use a larger batch, or #{drop_last: true} to leave an incomplete one out"));
        }
        if let (true, Some([_, _, count])) = (train, &self.running) {
            let _ = count.shallow_clone().f_add_scalar_(1)?;
        }
        let (w, b) = self.affine.as_ref().map_or((None, None), |[w, b]| (Some(w), Some(b)));
        let (mean, var) = self.running.as_ref().map_or((None, None), |[m, v, _]| (Some(m), Some(v)));
        Ok(x.f_batch_norm(w, b, mean, var, train, self.momentum, self.eps, true)?)
    }

    fn scale_and_shift(&self) -> Option<Result<[Tensor; 2]>> {
        let [mean, var, _] = self.running.as_ref()?;
        let both = || {
            let scale = var.f_add_scalar(self.eps)?.f_rsqrt()?;
            Ok(match &self.affine {
                Some([w, b]) => {
                    let scale = scale.f_mul(w)?;
                    let shift = b.f_sub(&mean.f_mul(&scale)?)?;
                    [scale, shift]
                }
                None => [scale.shallow_clone(), mean.f_mul(&scale)?.f_neg()?],
            })
        };
        Some(tch::no_grad(both))
    }

    fn own(&self) -> Vec<Own<'_>> {
        let mut own: Vec<Own<'_>> = Vec::new();
        if let Some([w, b]) = &self.affine {
            own.extend([("weight", w, Role::Parameter), ("bias", b, Role::Parameter)]);
        }
        if let Some([mean, var, count]) = &self.running {
            own.extend([
                ("running_mean", mean, Role::Buffer),
                ("running_var", var, Role::Buffer),
                ("num_batches_tracked", count, Role::Buffer),
            ]);
        }
        own
    }

    fn recipe(&self) -> Option<String> {
        Recipe::new(if self.name == "BatchNorm1d" { "batch_norm1d" } else { "batch_norm2d" })
            .arg(self.channels)
            .option("eps", &self.eps, &1e-5)
            .option("momentum", &self.momentum, &0.1)
            .option("affine", &self.affine.is_some(), &true)
            .option("track_running_stats", &self.running.is_some(), &true)
            .done()
    }

    fn describe(&self) -> String {
        let (affine, track) = (py(self.affine.is_some()), py(self.running.is_some()));
        format!(
            "{}({}, eps={}, momentum={}, affine={affine}, track_running_stats={track})",
            self.name, self.channels, self.eps, self.momentum
        )
    }
}

fn py(b: bool) -> &'static str {
    if b { "True" } else { "False" }
}

/// Layer norm over the last axes, or group norm over groups of channels (instance norm: a group a channel).
struct Norm {
    weight: Option<[Tensor; 2]>,
    eps: f64,
    over: Over,
}

enum Over {
    Shape(Vec<i64>),
    Groups { groups: i64, channels: i64 },
    Instance(i64),
}

impl Layer for Norm {
    fn forward(&self, x: &Tensor, _: &Ctx) -> Result<Tensor> {
        let (w, b) = self.weight.as_ref().map_or((None, None), |[w, b]| (Some(w), Some(b)));
        Ok(match &self.over {
            Over::Shape(shape) => x.f_layer_norm(shape, w, b, self.eps, true)?,
            Over::Groups { groups, .. } => x.f_group_norm(*groups, w, b, self.eps, true)?,
            Over::Instance(c) if x.dim() < 3 || x.size()[1] != *c => {
                return Err(Error::new(format!("expected [N, {c}, ..], got {:?}", x.size())));
            }
            Over::Instance(_) if x.size().iter().skip(2).product::<i64>() == 1 => {
                return Err(Error::new(format!("expected more than 1 pixel a channel, got {:?}", x.size())));
            }
            Over::Instance(_) => {
                x.f_instance_norm(w, b, None::<&Tensor>, None::<&Tensor>, true, 0.0, self.eps, true)?
            }
        })
    }

    fn own(&self) -> Vec<Own<'_>> {
        let both = self.weight.iter().flat_map(|[w, b]| [("weight", w), ("bias", b)]);
        both.map(|(n, t)| (n, t, Role::Parameter)).collect()
    }

    fn recipe(&self) -> Option<String> {
        let (call, affine) = match &self.over {
            Over::Shape(s) => (Recipe::new("layer_norm").arg(s.clone()), true),
            Over::Groups { groups, channels } => {
                (Recipe::new("group_norm").arg(*groups).arg(*channels), true)
            }
            Over::Instance(c) => (Recipe::new("instance_norm2d").arg(*c), false),
        };
        call.option("eps", &self.eps, &1e-5).option("affine", &self.weight.is_some(), &affine).done()
    }

    fn describe(&self) -> String {
        let affine = py(self.weight.is_some());
        match &self.over {
            Over::Shape(s) => format!("LayerNorm({s:?}, eps={}, elementwise_affine={affine})", self.eps),
            Over::Groups { groups, channels } => {
                format!("GroupNorm({groups}, {channels}, eps={}, affine={affine})", self.eps)
            }
            Over::Instance(c) => format!("InstanceNorm2d({c}, eps={}, affine={affine})", self.eps),
        }
    }
}

fn norm(over: Over, shape: &[i64], eps: f64, affine: bool) -> Result<Net> {
    let weight = match affine {
        true => Some([init::constant(shape, 1.0)?, init::constant(shape, 0.0)?]),
        false => None,
    };
    Ok(Net::new(Norm { weight, eps, over }))
}

options! {
    /// Options of layer and group norm.
    pub struct NormOptions {
        /// Added to the variance.
        eps: f64 = 1e-5,
        /// Learns a scale and a shift.
        affine: bool = true,
    }
}

options! {
    /// Options of instance norm.
    pub struct InstanceNormOptions {
        /// Added to the variance.
        eps: f64 = 1e-5,
        /// Learns a scale and a shift.
        affine: bool = false,
    }
}

/// One axis or several.
pub struct Axes(Vec<i64>);

impl FromValue for Axes {
    const TYPE: &'static str = "integer or list of integers";
    fn from_value(v: &Value) -> Result<Self> {
        i64::from_value(v).map(|n| Axes(vec![n])).or_else(|_| Vec::from_value(v).map(Axes))
    }
}

functions! {
    in "nn";
    /// Batch norm of [N, C] or [N, C, L].
    ///
    /// A frozen batch norm keeps its running statistics also while training.
    /// ```rhai
    /// nn::batch_norm1d(4).forward(tensor::ones([2, 4])).shape // => [2, 4]
    /// ```
    fn batch_norm1d(num_features: Count, options: Opts<BatchNormOptions>) -> Net {
        Net::of(BatchNorm::make("BatchNorm1d", &[2, 3], num_features.0, &options.0)?)
    }

    /// Batch norm of [N, C, H, W].
    ///
    /// A frozen batch norm keeps its running statistics also while training.
    /// ```rhai
    /// nn::batch_norm2d(2).forward(tensor::ones([1, 2, 3, 3])).mean() // ~> tensor(1.0000)
    /// ```
    fn batch_norm2d(num_features: Count, options: Opts<BatchNormOptions>) -> Net {
        Net::of(batch_norm2d(num_features.0, &options.0)?)
    }

    /// Layer norm over the last axes, whose sizes are `shape`.
    /// ```rhai
    /// nn::layer_norm(4).forward(tensor::of([[1.0, 2.0, 3.0, 4.0]])).sum() // ~> tensor(0.)
    /// ```
    fn layer_norm(shape: Axes, options: Opts<NormOptions>) -> Net {
        norm(Over::Shape(shape.0.clone()), &shape.0, options.0.eps, options.0.affine)?
    }

    /// Group norm: channels of [N, C, ..] in `groups` groups, each picture on its own.
    /// ```rhai
    /// nn::group_norm(2, 4).forward(tensor::ones([1, 4, 2, 2])).shape // => [1, 4, 2, 2]
    /// ```
    fn group_norm(groups: Count, channels: Count, options: Opts<NormOptions>) -> Net {
        let (groups, channels) = (groups.0, channels.0);
        if channels % groups != 0 {
            Err(Error::new(format!("`groups` must divide the {channels} channels, got {groups}")))?;
        }
        norm(Over::Groups { groups, channels }, &[channels], options.0.eps, options.0.affine)?
    }

    /// Instance norm of [N, C, H, W]: each channel of each picture on its own.
    /// ```rhai
    /// nn::instance_norm2d(3).forward(tensor::ones([1, 3, 2, 2])).shape // => [1, 3, 2, 2]
    /// ```
    fn instance_norm2d(channels: Count, options: Opts<InstanceNormOptions>) -> Net {
        norm(Over::Instance(channels.0), &[channels.0], options.0.eps, options.0.affine)?
    }
}

//! SqueezeNet 1.1 (Iandola et al. 2016, https://arxiv.org/abs/1602.07360).

use super::Spec;
use super::parts::{Part, activation, block, chain, conv_bias, max_pool, restart, sequential};
use super::weights::{Named, Origin, kernel, renamed};
use crate::core::Result;
use crate::image::{IMAGENET_MEAN, IMAGENET_STD};
use crate::nn::init::{Draw, he_uniform};
use crate::nn::{adaptive_avg_pool2d, dropout, flatten};
use tch::Tensor;

options! {
    /// Options of `models::squeezenet1_1`.
    pub struct SqueezeOptions {
        /// Probability of the dropout before the last convolution.
        dropout: f64 = 0.5,
    }
}

const SPEC: Spec = Spec {
    classes: 1000,
    channels: 3,
    stem: "features.0",
    head: "classifier.1",
    imagenet: &[Origin::whole("weights/squeezenet1_1"), Origin::whole("weights/squeezenet1_1_ndf")],
    adapt: from_ndf,
};

/// Figure 1: `squeeze` to few channels, `expand1x1` and `expand3x3` side by side.
fn fire(i: i64, squeeze: i64, expand: i64) -> Result<Part> {
    let parts = vec![
        ("squeeze", conv_bias(i, squeeze, 1, 1, 0)?),
        ("squeeze_activation", activation()),
        ("expand1x1", conv_bias(squeeze, expand, 1, 1, 0)?),
        ("expand1x1_activation", activation()),
        ("expand3x3", conv_bias(squeeze, expand, 3, 1, 1)?),
        ("expand3x3_activation", activation()),
    ];
    Ok(block("Fire", parts, |b, x| {
        let x = b.run_all(["squeeze", "squeeze_activation"], x)?;
        let one = b.run_all(["expand1x1", "expand1x1_activation"], &x)?;
        let three = b.run_all(["expand3x3", "expand3x3_activation"], &x)?;
        Ok(Tensor::f_cat(&[one, three], 1)?)
    }))
}

/// Where the fire modules stand in `features`: fire2 to fire9.
const FIRES: [usize; 8] = [3, 4, 6, 7, 9, 10, 11, 12];
/// What Caffe's networks take from pictures in 0..255, blue first.
const CAFFE_MEAN: [f64; 3] = [103.939, 116.779, 123.68];

/// The layout of the Python package ndf: `fire2/squeeze1x1` with kernel and bias as Keras has them. Its input is
/// Caffe's, blue first; the first convolution, which has no border, is rewritten for pictures normalised as
/// everywhere else.
fn from_ndf(tensors: Named) -> Result<Named> {
    let name = |theirs: &str| {
        let (layer, what) = theirs.rsplit_once('.')?;
        let what = if what == "0" { "weight" } else { "bias" };
        Some(match layer.strip_prefix("fire").and_then(|l| l.split_once('.')) {
            Some((fire, part)) => {
                let place = FIRES.get(fire.parse::<usize>().ok()?.checked_sub(2)?)?;
                format!("features.{place}.{}.{what}", if part == "squeeze1x1" { "squeeze" } else { part })
            }
            None if layer == "conv1" => format!("features.0.{what}"),
            None if layer == "conv10" => format!("classifier.1.{what}"),
            None => return None,
        })
    };
    if !tensors.iter().any(|(n, _)| n == "conv10.0") {
        return Ok(tensors);
    }
    let mut named = renamed(tensors, "conv10.", |n, t| name(n).map(|n| Ok((n, kernel(t)?))).transpose())?;
    let stem = |what: &str| named.iter().position(|(n, _)| *n == format!("features.0.{what}"));
    if let (Some(w), Some(b)) = (stem("weight"), stem("bias")) {
        let (weight, bias) = (named[w].1.f_flip([1])?, &named[b].1);
        let per_channel =
            |v: Vec<f64>| Tensor::f_from_slice(&v)?.f_to_kind(weight.f_kind()?)?.f_view([1, 3, 1, 1]);
        let scale = per_channel(IMAGENET_STD.iter().map(|s| 255.0 * s).collect())?;
        let shift = per_channel((0..3).map(|c| 255.0 * IMAGENET_MEAN[c] - CAFFE_MEAN[2 - c]).collect())?;
        let moved = weight.f_mul(&shift)?.f_sum_dim_intlist([1i64, 2, 3].as_slice(), false, None)?;
        (named[b].1, named[w].1) = (bias.f_add(&moved)?, weight.f_mul(&scale)?);
    }
    Ok(named)
}

model! {
    /// SqueezeNet 1.1, AlexNet with a fiftieth of its parameters, as in torchvision.
    ///
    /// Iandola et al. 2016. Pictures of 17 pixels or more. `features.12` is the layer for CAM, `classifier.1` the
    /// convolution that gives the classes.
    /// ```rhai
    /// models::squeezenet1_1(#{classes: 5}).forward(tensor::zeros([1, 3, 64, 64])).shape // => [1, 5]
    /// models::squeezenet1_1().count_parameters() // => 1235496
    /// ```
    squeezenet1_1, SqueezeOptions, SPEC, |plan, o| {
        let features = sequential(vec![
            conv_bias(plan.channels, 64, 3, 2, 0)?,
            activation(),
            max_pool(3, 2, 0, true)?,
            fire(64, 16, 64)?,
            fire(128, 16, 64)?,
            max_pool(3, 2, 0, true)?,
            fire(128, 32, 128)?,
            fire(256, 32, 128)?,
            max_pool(3, 2, 0, true)?,
            fire(256, 48, 192)?,
            fire(384, 48, 192)?,
            fire(384, 64, 256)?,
            fire(512, 64, 256)?,
        ])?;
        let head = sequential(vec![
            dropout(o.dropout)?,
            conv_bias(512, plan.classes, 1, 1, 0)?,
            activation(),
            adaptive_avg_pool2d(1)?,
        ])?;
        let parts = vec![("features", features), ("classifier", head)];
        let mut all = parts.clone();
        all.push(("flatten", flatten()));
        let net = chain("SqueezeNet", parts, all, |b, x| {
            Ok(b.run_all(["features", "classifier"], x)?.f_flatten(1, -1)?)
        });
        restart(&net, |name, shape| match name {
            _ if name.ends_with(".bias") => Some(Draw::Constant(0.0)),
            "classifier.1.weight" => Some(Draw::Normal(0.01)),
            _ => Some(he_uniform(shape)),
        })?;
        net
    }
}

//! MobileNetV2 (Sandler et al. 2018, https://arxiv.org/abs/1801.04381), table 2.

use super::Spec;
use super::parts::{ConvNorm, Part, block, chain, conv, norm, restart, scaled, sequential, usual_start};
use super::weights::{Named, Origin, renamed};
use crate::core::{Error, Result};
use crate::nn::{LinearOptions, adaptive_avg_pool2d, dropout, flatten, linear};

options! {
    /// Options of `models::mobilenet_v2`.
    pub struct MobileOptions {
        /// Probability of the dropout before the last layer.
        dropout: f64 = 0.2,
        /// Factor on the channels of every layer.
        width_mult: f64 = 1.0,
    }
}

const SPEC: Spec = Spec {
    classes: 1000,
    channels: 3,
    stem: "features.0.0",
    head: "classifier.1",
    imagenet: &[
        Origin::whole("weights/mobilenet_v2"),
        Origin::part("weights/mobilenet_v2_features", "that is `features`, all but the classifier"),
    ],
    adapt: from_tonylins,
};

/// Expansion, channels, blocks, stride.
const STAGES: [(i64, i64, usize, i64); 7] = [
    (1, 16, 1, 1),
    (6, 24, 2, 2),
    (6, 32, 3, 2),
    (6, 64, 4, 2),
    (6, 96, 3, 1),
    (6, 160, 3, 2),
    (6, 320, 1, 1),
];

/// A 3×3 convolution with ReLU6 behind it, or another.
const CHAIN: ConvNorm = ConvNorm { kernel: 3, stride: 1, groups: 1, relu6: true, tf: false };

/// Figure 3: few channels to many, a convolution a channel, back to few; around it a detour where the shape stays.
fn inverted(i: i64, o: i64, stride: i64, expansion: i64) -> Result<Part> {
    let wide = i * expansion;
    let mut layers = Vec::new();
    if expansion != 1 {
        layers.push(ConvNorm { kernel: 1, ..CHAIN }.block(i, wide)?);
    }
    layers.push(ConvNorm { stride, groups: wide, ..CHAIN }.block(wide, wide)?);
    layers.extend([conv(wide, o, 1, 1, 0)?, norm(o)?]);
    let detour = stride == 1 && i == o;
    Ok(block("InvertedResidual", vec![("conv", sequential(layers)?)], move |b, x| {
        let y = b.run("conv", x)?;
        if detour { Ok(x.f_add(&y)?) } else { Ok(y) }
    }))
}

/// Older PyTorch files do not group the layers of a block: `features.2.conv.3` is torchvision's
/// `features.2.conv.1.0`.
fn from_tonylins(tensors: Named) -> Result<Named> {
    if tensors.iter().any(|(n, _)| n.starts_with("features.1.conv.0.0.")) {
        return Ok(tensors);
    }
    let name = |theirs: &str| -> Option<String> {
        let (block, rest) = theirs.strip_prefix("features.")?.split_once(".conv.")?;
        let (place, what) = rest.split_once('.')?;
        let place: usize = place.parse().ok()?;
        // Convolution, norm and ReLU6 of the first block's depthwise part, or of expansion and depthwise part.
        let grouped = if block == "1" { 1 } else { 2 };
        let new = match place {
            p if p < 3 * grouped => format!("{}.{}", p / 3, p % 3),
            p => (p - 2 * grouped).to_string(),
        };
        Some(format!("features.{block}.conv.{new}.{what}"))
    };
    renamed(tensors, "features.1.conv.", |n, t| {
        Ok(Some((name(n).unwrap_or_else(|| n.to_string()), t.shallow_clone())))
    })
}

model! {
    /// MobileNetV2: seventeen inverted residual blocks, as in torchvision.
    ///
    /// Sandler et al. 2018. Pictures of 32 pixels or more. `features.18` is the layer for CAM. Where only a package
    /// registry can be reached, `weights: "imagenet"` fills `features` alone and says so.
    /// ```rhai
    /// models::mobilenet_v2(#{classes: 5}).forward(tensor::zeros([1, 3, 32, 32])).shape // => [1, 5]
    /// models::mobilenet_v2().count_parameters() // => 3504872
    /// ```
    mobilenet_v2, MobileOptions, SPEC, |plan, o| {
        if !(o.width_mult > 0.0 && o.width_mult <= 8.0) {
            Err(Error::new(format!("`width_mult` lies above 0 and not above 8, got {}", o.width_mult)))?;
        }
        let mut channels = scaled(32, o.width_mult);
        let mut layers = vec![ConvNorm { stride: 2, ..CHAIN }.block(plan.channels, channels)?];
        for (expansion, width, count, stride) in STAGES {
            let next = scaled(width, o.width_mult);
            for i in 0..count {
                layers.push(inverted(channels, next, if i == 0 { stride } else { 1 }, expansion)?);
                channels = next;
            }
        }
        let last = scaled(1280, o.width_mult.max(1.0));
        layers.push(ConvNorm { kernel: 1, ..CHAIN }.block(channels, last)?);
        let head = sequential(vec![dropout(o.dropout)?, linear(last, plan.classes, LinearOptions::default())?])?;
        let parts = vec![("features", sequential(layers)?), ("classifier", head)];
        let mut all = parts.clone();
        all.splice(1..1, [("pool", adaptive_avg_pool2d(1)?), ("flatten", flatten())]);
        let net = chain("MobileNetV2", parts, all, |b, x| {
            let pooled = b.run("features", x)?.f_adaptive_avg_pool2d([1, 1])?;
            b.run("classifier", &pooled.f_flatten(1, -1)?)
        });
        restart(&net, usual_start)?;
        net
    }
}

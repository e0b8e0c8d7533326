//! EfficientNet-Lite0 (Google 2020), EfficientNet (Tan and Le 2019, https://arxiv.org/abs/1905.11946) without
//! squeeze-and-excitation and with ReLU6. torchvision has no Lite; the layers are named as in its `efficientnet_b0`.

use super::Spec;
use super::parts::{ConvNorm, Part, block, chain, restart, sequential, usual_start};
use super::weights::{Named, Origin, renamed};
use crate::core::Result;
use crate::image::{IMAGENET_MEAN, IMAGENET_STD};
use crate::nn::init::Draw;
use crate::nn::{Ctx, Layer, LinearOptions, adaptive_avg_pool2d, dropout, flatten, linear};
use std::rc::Rc;
use tch::Tensor;

options! {
    /// Options of `models::efficientnet_lite0`.
    pub struct LiteOptions {
        /// Probability of the dropout before the last layer.
        dropout: f64 = 0.2,
        /// Takes pictures normalised with ImageNet's mean and deviation, as the other models do; otherwise in
        /// (value − 127) / 128, as the authors do.
        imagenet_input: bool = true,
    }
}

const SPEC: Spec = Spec {
    classes: 1000,
    channels: 3,
    stem: "features.0.0",
    head: "classifier.1",
    imagenet: &[Origin::whole("weights/efficientnet_lite0")],
    adapt: from_efficientnet_pytorch,
};

/// Blocks, kernel, stride, expansion, channels.
const STAGES: [(usize, i64, i64, i64, i64); 7] = [
    (1, 3, 1, 1, 16),
    (2, 3, 2, 6, 24),
    (2, 5, 2, 6, 40),
    (3, 3, 2, 6, 80),
    (3, 5, 1, 6, 112),
    (4, 5, 2, 6, 192),
    (1, 3, 1, 6, 320),
];

const CHAIN: ConvNorm = ConvNorm { kernel: 3, stride: 1, groups: 1, relu6: true, tf: true };

fn mbconv(i: i64, o: i64, kernel: i64, stride: i64, expansion: i64) -> Result<Part> {
    let wide = i * expansion;
    let mut layers = Vec::new();
    if expansion != 1 {
        layers.push(ConvNorm { kernel: 1, ..CHAIN }.block(i, wide)?);
    }
    layers.push(ConvNorm { kernel, stride, groups: wide, ..CHAIN }.block(wide, wide)?);
    layers.push(ConvNorm { kernel: 1, relu6: false, ..CHAIN }.block(wide, o)?);
    let detour = stride == 1 && i == o;
    Ok(block("MBConv", vec![("block", sequential(layers)?)], move |b, x| {
        let y = b.run("block", x)?;
        if detour { Ok(x.f_add(&y)?) } else { Ok(y) }
    }))
}

/// The names of efficientnet-pytorch: `_blocks.3._depthwise_conv`.
fn from_efficientnet_pytorch(tensors: Named) -> Result<Named> {
    /// Stage and place in it of block `n`.
    fn place(mut n: usize) -> Option<(usize, usize)> {
        for (stage, (count, ..)) in STAGES.iter().enumerate() {
            if n < *count {
                return Some((stage + 1, n));
            }
            n -= count;
        }
        None
    }
    let name = |theirs: &str| -> Option<String> {
        let (layer, what) = theirs.rsplit_once('.')?;
        let outer = match layer {
            "_conv_stem" => "features.0.0",
            "_bn0" => "features.0.1",
            "_conv_head" => "features.8.0",
            "_bn1" => "features.8.1",
            "_fc" => "classifier.1",
            _ => {
                let (n, part) = layer.strip_prefix("_blocks.")?.split_once('.')?;
                let n: usize = n.parse().ok()?;
                let (stage, i) = place(n)?;
                // Only the first block does not expand.
                let (at, inner) = match part {
                    "_expand_conv" => (0, 0),
                    "_bn0" => (0, 1),
                    "_depthwise_conv" => (1, 0),
                    "_bn1" => (1, 1),
                    "_project_conv" => (2, 0),
                    "_bn2" => (2, 1),
                    _ => return None,
                };
                let at = if n == 0 { at - 1 } else { at };
                return Some(format!("features.{stage}.{i}.block.{at}.{inner}.{what}"));
            }
        };
        Some(format!("{outer}.{what}"))
    };
    renamed(tensors, "_conv_stem.", |n, t| {
        Ok(Some((name(n).unwrap_or_else(|| n.to_string()), t.shallow_clone())))
    })
}

/// Pictures in the authors' range; those of another shape are the first convolution's to refuse.
fn input(x: &Tensor) -> Result<Tensor> {
    if x.size().get(1) == Some(&3) { lite_range(x) } else { Ok(x.shallow_clone()) }
}

/// [`input`] as a layer.
struct ImageNetInput;

impl Layer for ImageNetInput {
    fn forward(&self, x: &Tensor, _: &Ctx) -> Result<Tensor> {
        input(x)
    }
    fn describe(&self) -> String {
        "ImageNetInput()".to_string()
    }
}

/// From pictures normalised with ImageNet's mean and deviation to (value − 127) / 128.
fn lite_range(x: &Tensor) -> Result<Tensor> {
    let channel = |c: usize| -> Result<Tensor> {
        let (scale, shift) = (255.0 * IMAGENET_STD[c] / 128.0, (255.0 * IMAGENET_MEAN[c] - 127.0) / 128.0);
        Ok(x.f_narrow(1, c as i64, 1)?.f_mul_scalar(scale)?.f_add_scalar(shift)?)
    };
    Ok(Tensor::f_cat(&[channel(0)?, channel(1)?, channel(2)?], 1)?)
}

model! {
    /// EfficientNet-Lite0, whose ImageNet weights are complete in a package registry.
    ///
    /// Tan and Le 2019 without squeeze-and-excitation, with ReLU6 and TensorFlow's padding. Pictures of 32 pixels or
    /// more, 224 as a rule. Layers are named as in torchvision's `efficientnet_b0`; `features.8` is the layer for CAM.
    /// It takes pictures normalised as for the other models and converts them itself.
    /// ```rhai
    /// models::efficientnet_lite0(#{classes: 5}).forward(tensor::zeros([1, 3, 32, 32])).shape // => [1, 5]
    /// models::efficientnet_lite0().count_parameters() // => 4652008
    /// ```
    efficientnet_lite0, LiteOptions, SPEC, |plan, o| {
        let mut channels = 32;
        let mut stages = vec![ConvNorm { stride: 2, ..CHAIN }.block(plan.channels, channels)?];
        for (count, kernel, stride, expansion, width) in STAGES {
            let mut blocks = Vec::new();
            for i in 0..count {
                blocks.push(mbconv(channels, width, kernel, if i == 0 { stride } else { 1 }, expansion)?);
                channels = width;
            }
            stages.push(sequential(blocks)?);
        }
        stages.push(ConvNorm { kernel: 1, ..CHAIN }.block(channels, 1280)?);
        let (features, avgpool) = (sequential(stages)?, adaptive_avg_pool2d(1)?);
        let head = sequential(vec![dropout(o.dropout)?, linear(1280, plan.classes, LinearOptions::default())?])?;
        let convert = o.imagenet_input && plan.channels == 3;
        let parts = vec![("features", features), ("avgpool", avgpool), ("classifier", head)];
        let mut all = parts.clone();
        all.insert(2, ("flatten", flatten()));
        if convert {
            all.insert(0, ("input", Rc::new(ImageNetInput)));
        }
        let net = chain("EfficientNet", parts, all, move |b, x| {
            let x = if convert { input(x)? } else { x.shallow_clone() };
            b.run("classifier", &b.run_all(["features", "avgpool"], &x)?.f_flatten(1, -1)?)
        });
        restart(&net, |name, shape| match shape.len() {
            2 => Some(Draw::Uniform(1.0 / (shape[0] as f64).sqrt())),
            _ => usual_start(name, shape),
        })?;
        net
    }
}

//! Fully convolutional networks (Long, Shelhamer and Darrell 2015, https://arxiv.org/abs/1411.4038; Shelhamer et al. 2017,
//! https://arxiv.org/abs/1605.06211): a classifier's convolutions, scores for every place, and a way back to pixels.

use super::encoder::{Encoder, STAGES};
use super::parts::{Inside, Part, activation, block, conv_bias, restart};
use super::weights::{Found, Named};
use super::{Common, Model, Spec, make_from};
use crate::core::value::{FromValue, mismatch};
use crate::core::{Error, Opts, Result, Value};
use crate::nn::init::Draw;
use crate::nn::{Conv2dOptions, Count, Net, Padding, bilinear_upsample, conv2d, dropout, identity};
use tch::Tensor;

/// How scores become a picture.
#[derive(Clone, Copy)]
pub(super) struct Decoder {
    name: &'static str,
    /// Shelhamer's: the classifier's linear layers are there, as convolutions.
    wide: bool,
    /// Stages whose scores are added on the way up.
    skips: usize,
}

const DECODERS: [Decoder; 5] = [
    Decoder { name: "fcn_8", wide: false, skips: 2 },
    Decoder { name: "fcn_32", wide: false, skips: 0 },
    Decoder { name: "fcn_8s", wide: true, skips: 2 },
    Decoder { name: "fcn_16s", wide: true, skips: 1 },
    Decoder { name: "fcn_32s", wide: true, skips: 0 },
];

impl FromValue for Decoder {
    const TYPE: &'static str = "\"fcn_8\", \"fcn_32\", \"fcn_8s\", \"fcn_16s\" or \"fcn_32s\"";
    fn from_value(v: &Value) -> Result<Self> {
        let Value::Str(s) = v else { return mismatch(Self::TYPE, v) };
        let found = DECODERS.into_iter().find(|d| d.name == s);
        found.ok_or_else(|| Error::unknown("decoder", s, DECODERS.map(|d| d.name)))
    }
}

/// Names of the layers: a step up, the scores of the stage it reaches, their sum.
struct Names {
    top: &'static str,
    steps: [[&'static str; 3]; 2],
    /// The last step, to pixels, by number of skips.
    last: [&'static str; 3],
}

const LIGHT: Names = Names {
    top: "score_32",
    steps: [["up_16", "score_16", "sum_16"], ["up_8", "score_8", "sum_8"]],
    last: ["up_1"; 3],
};

/// Those of Shelhamer's files.
const WIDE: Names = Names {
    top: "score_fr",
    steps: [["upscore2", "score_pool4", "fuse_pool4"], ["upscore_pool4", "score_pool3", "fuse_pool3"]],
    last: ["upscore32", "upscore16", "upscore8"],
};

const HEAD: [&str; 6] = ["fc6", "relu6", "drop6", "fc7", "relu7", "drop7"];

impl Decoder {
    const fn names(self) -> &'static Names {
        if self.wide { &WIDE } else { &LIGHT }
    }
}

options! {
    /// Options of `models::fcn`.
    pub struct FcnOptions {
        /// The classifier whose convolutions are used: "alexnet", "vgg16", "vgg16_bn" or "resnet18".
        encoder: Encoder = Encoder::Vgg16 => "vgg16",
        /// The way back to pixels: light "fcn_8", "fcn_32"; Shelhamer's "fcn_8s", "fcn_16s", "fcn_32s".
        decoder: Decoder = DECODERS[0] => "fcn_8",
        /// The kernels that enlarge are learned, from a bilinear start; otherwise they stay bilinear.
        learned: bool = true,
        /// Channels of fc6 and fc7 (Shelhamer's decoders).
        hidden: Count = Count(4096) => 4096,
        /// Probability of the dropouts behind them.
        dropout: f64 = 0.5,
    }
}

/// The rows and columns of `x` from `begin` on, as many as `like` has; its edge repeated where it has none.
pub(super) fn fit(x: &Tensor, like: &Tensor, begin: i64) -> Result<Tensor> {
    let (have, want) = (x.size(), like.size());
    let (first, before) = (begin.max(0), (-begin).max(0));
    let mut x = x.shallow_clone();
    for axis in [2, 3] {
        x = x.f_narrow(axis as i64, first, (have[axis] - first).min(want[axis] - before))?;
    }
    let after = |axis: usize| want[axis] - before - x.size()[axis];
    let sides = [before, after(3), before, after(2)];
    Ok(if sides == [0; 4] { x } else { x.f_replication_pad2d(sides)? })
}

/// That a picture is large enough.
pub(super) fn large_enough(x: &Tensor, least: i64, what: &str) -> Result<()> {
    match x.size()[..] {
        [_, _, h, w] if h < least || w < least => Err(Error::new(format!(
            "pictures of {h} × {w} pixels (height × width) are too small for {what}: at least {least} × {least}"
        ))
        .hint("give the data set another `size`")),
        [_, _, _, _] => Ok(()),
        ref other => Err(Error::new(format!("expected pictures [N, C, H, W], got {other:?}"))),
    }
}

fn build(o: &FcnOptions, channels: i64, classes: i64) -> Result<Part> {
    let (encoder, decoder, n) = (o.encoder, o.decoder, o.decoder.names());
    let widths = encoder.channels();
    let mut parts: Vec<(&str, Part)> = STAGES.into_iter().zip(encoder.stages(channels)?).collect();
    let mut top = widths[2];
    if decoder.wide {
        let Some((_, side)) = encoder.wide() else {
            return Err(Error::new(format!(
                "{} needs two wide linear layers, which {} lacks",
                decoder.name,
                encoder.name()
            ))
            .hint("decoders for it: fcn_8, fcn_32"));
        };
        // As PyTorch's "same", which warns of even windows.
        let same = || Conv2dOptions { padding: Padding::TfSame, ..Conv2dOptions::default() };
        let layers = [
            conv2d(top, o.hidden.0, [side; 2], same())?,
            activation(),
            dropout(o.dropout)?,
            conv2d(o.hidden.0, o.hidden.0, [1, 1], same())?,
            activation(),
            dropout(o.dropout)?,
        ];
        parts.extend(HEAD.into_iter().zip(layers));
        top = o.hidden.0;
    }
    let up = |factor, pixels| bilinear_upsample(classes, encoder.way_up(factor, pixels).0, o.learned);
    parts.push((n.top, conv_bias(top, classes, 1, 1, 0)?));
    for (i, [up_name, score, sum]) in n.steps[..decoder.skips].iter().enumerate() {
        let skip = conv_bias(widths[1 - i], classes, 1, 1, 0)?;
        // A skip begins with nothing to say (section 4.3), so the network begins as one without it.
        restart(&skip, |_, _| Some(Draw::Constant(0.0)))?;
        parts.extend([(*up_name, up(2, false)?), (*score, skip), (*sum, identity())]);
    }
    let last = [32, 16, 8][decoder.skips];
    parts.push((n.last[decoder.skips], up(last, true)?));
    // A window of six has its middle between two places.
    let half = i64::from(decoder.wide && encoder == Encoder::AlexNet);
    // What is enlarged first is the top's.
    let begin = move |factor: i64, pixels: bool, first: bool| {
        encoder.way_up(factor, pixels).1 - if first { half * factor / 2 } else { 0 }
    };
    let pass = move |b: &Inside, x: &Tensor| {
        large_enough(x, encoder.least(), encoder.name())?;
        let eighth = b.run(STAGES[0], x)?;
        let sixteenth = b.run(STAGES[1], &eighth)?;
        let mut y = b.run(STAGES[2], &sixteenth)?;
        if decoder.wide {
            y = b.run_all(HEAD, &y)?;
        }
        y = b.run(n.top, &y)?;
        let stages = [&sixteenth, &eighth];
        for (i, ([up, score, sum], stage)) in n.steps[..decoder.skips].iter().zip(stages).enumerate() {
            let risen = fit(&b.run(up, &y)?, stage, begin(2, false, i == 0))?;
            y = b.run(sum, &risen.f_add(&b.run(score, stage)?)?)?;
        }
        fit(&b.run(n.last[decoder.skips], &y)?, x, begin(last, true, decoder.skips == 0))
    };
    Ok(block("FCN", parts, pass))
}

const fn spec(encoder: Encoder, wide: bool, adapt: fn(Named) -> Result<Named>) -> Spec {
    let stem = if let Encoder::ResNet18 = encoder { "stage_8.conv1" } else { "stage_8.0" };
    let head = if wide { WIDE.top } else { LIGHT.top };
    Spec { classes: 21, channels: 3, stem, head, imagenet: encoder.spec().imagenet, adapt }
}

/// The first is what `models::list` knows.
const SPECS: [(Encoder, bool, Spec); 7] = [
    (Encoder::Vgg16, false, spec(Encoder::Vgg16, false, |t| Encoder::Vgg16.adapt(t, false))),
    (Encoder::Vgg16, true, spec(Encoder::Vgg16, true, |t| Encoder::Vgg16.adapt(t, true))),
    (Encoder::AlexNet, false, spec(Encoder::AlexNet, false, |t| Encoder::AlexNet.adapt(t, false))),
    (Encoder::AlexNet, true, spec(Encoder::AlexNet, true, |t| Encoder::AlexNet.adapt(t, true))),
    (Encoder::Vgg16Bn, false, spec(Encoder::Vgg16Bn, false, |t| Encoder::Vgg16Bn.adapt(t, false))),
    (Encoder::Vgg16Bn, true, spec(Encoder::Vgg16Bn, true, |t| Encoder::Vgg16Bn.adapt(t, true))),
    (Encoder::ResNet18, false, spec(Encoder::ResNet18, false, |t| Encoder::ResNet18.adapt(t, false))),
];

inventory::submit! { Model { name: "fcn", spec: &SPECS[0].2 } }

functions! {
    in "models";
    /// A fully convolutional network: class scores [N, classes, H, W] for every pixel.
    ///
    /// Long, Shelhamer and Darrell 2015. The encoder's stages are `stage_8`, `stage_16` and `stage_32`, by the stride of
    /// their last layer; inside, layers have torchvision's names (`stage_32.28` is VGG16's `features.28`). The light
    /// decoders score the stages with 1×1 convolutions: `score_32`, and for fcn_8 `up_16` + `score_16` = `sum_16`,
    /// `up_8` + `score_8` = `sum_8`; then `up_1`. Shelhamer's have `fc6` and `fc7` between, and the names of his files:
    /// `score_fr`, `upscore2`, `score_pool4`, `fuse_pool4`, `upscore_pool4`, `score_pool3`, `fuse_pool3`, `upscore8`.
    /// The output has the picture's size, which may be any from 32 pixels (63 for AlexNet).
    ///
    /// `weights` fills the encoder from a classifier's ("imagenet" or a file); fc6 and fc7 too, where it is complete.
    /// ```rhai
    /// let net = models::fcn(#{encoder: "alexnet", decoder: "fcn_8", classes: 2});
    /// net.forward(tensor::zeros([1, 3, 64, 96])).shape // => [1, 2, 64, 96]
    /// net.count_parameters() // => 2471822
    /// ```
    fn fcn(options: Opts<(Common, FcnOptions)>) -> Net {
        let (common, o) = options.0;
        let (encoder, decoder) = (o.encoder, o.decoder);
        let is_it = |s: &&(Encoder, bool, Spec)| s.0 == encoder && s.1 == decoder.wide;
        // Without one `build` says why there is none.
        let spec = SPECS.iter().find(is_it).map_or(&SPECS[0].2, |s| &s.2);
        let sort = |found: Found| match found.classes(spec.head) {
            Some(_) => found,
            None => found.into_part(format!("that is {}; the decoder starts anew", encoder.name())),
        };
        make_from("fcn", spec, common, sort, |plan| build(&o, plan.channels, plan.classes))?
    }
}

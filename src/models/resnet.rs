//! Residual networks (He et al. 2016, https://arxiv.org/abs/1512.03385), table 1; the stride of a bottleneck lies in
//! its 3×3 convolution, as in torchvision.

use super::parts::{Part, activation, block, classifier, conv, max_pool, norm, restart, sequential};
use super::weights::Origin;
use super::{Plan, Spec};
use crate::core::Result;
use crate::nn::init::he_fan_out;
use crate::nn::{LinearOptions, adaptive_avg_pool2d, linear};

const fn spec(imagenet: &'static [Origin]) -> Spec {
    Spec { classes: 1000, channels: 3, stem: "conv1", head: "fc", imagenet, adapt: Ok }
}

pub(super) const RESNET18: Spec = spec(&[Origin::whole("weights/resnet18")]);
const RESNET34: Spec = spec(&[Origin::whole("weights/resnet34")]);
const RESNET50: Spec = spec(&[Origin::whole("weights/resnet50")]);

/// The detour's convolution, where a block changes the shape.
fn downsample(i: i64, o: i64, stride: i64) -> Result<Vec<(&'static str, Part)>> {
    match i == o && stride == 1 {
        true => Ok(Vec::new()),
        false => Ok(vec![("downsample", sequential(vec![conv(i, o, 1, stride, 0)?, norm(o)?])?)]),
    }
}

/// Figure 5, left. The last ReLU is the block's own `relu` once more, as in torchvision: what a tap keeps of `relu` is
/// then its last output, the block's.
fn basic(i: i64, width: i64, stride: i64) -> Result<Part> {
    let detour = downsample(i, width, stride)?;
    let mut parts = vec![
        ("conv1", conv(i, width, 3, stride, 1)?),
        ("bn1", norm(width)?),
        ("relu", activation()),
        ("conv2", conv(width, width, 3, 1, 1)?),
        ("bn2", norm(width)?),
    ];
    parts.extend(detour);
    Ok(block("BasicBlock", parts, |b, x| {
        let y = b.run_all(["conv1", "bn1", "relu", "conv2", "bn2"], x)?;
        let around = if b.has("downsample") { b.run("downsample", x)? } else { x.shallow_clone() };
        b.run("relu", &y.f_add(&around)?)
    }))
}

/// Figure 5, right.
fn bottleneck(i: i64, width: i64, stride: i64) -> Result<Part> {
    let detour = downsample(i, 4 * width, stride)?;
    let mut parts = vec![
        ("conv1", conv(i, width, 1, 1, 0)?),
        ("bn1", norm(width)?),
        ("conv2", conv(width, width, 3, stride, 1)?),
        ("bn2", norm(width)?),
        ("conv3", conv(width, 4 * width, 1, 1, 0)?),
        ("bn3", norm(4 * width)?),
        ("relu", activation()),
    ];
    parts.extend(detour);
    Ok(block("Bottleneck", parts, |b, x| {
        let y = b.run_all(["conv1", "bn1", "relu", "conv2", "bn2", "relu", "conv3", "bn3"], x)?;
        let around = if b.has("downsample") { b.run("downsample", x)? } else { x.shallow_clone() };
        b.run("relu", &y.f_add(&around)?)
    }))
}

/// All layers before the pooling, by name, and the channels they give.
pub(super) fn trunk(
    counts: [usize; 4],
    expansion: i64,
    channels: i64,
) -> Result<(Vec<(&'static str, Part)>, i64)> {
    let mut parts = vec![
        ("conv1", conv(channels, 64, 7, 2, 3)?),
        ("bn1", norm(64)?),
        ("relu", activation()),
        ("maxpool", max_pool(3, 2, 1, false)?),
    ];
    let mut channels = 64;
    let names = ["layer1", "layer2", "layer3", "layer4"];
    for ((name, count), (width, stride)) in
        names.into_iter().zip(counts).zip([(64, 1), (128, 2), (256, 2), (512, 2)])
    {
        let mut blocks = Vec::new();
        for i in 0..count {
            let stride = if i == 0 { stride } else { 1 };
            blocks.push(match expansion {
                1 => basic(channels, width, stride)?,
                _ => bottleneck(channels, width, stride)?,
            });
            channels = width * expansion;
        }
        parts.push((name, sequential(blocks)?));
    }
    Ok((parts, channels))
}

fn resnet(counts: [usize; 4], expansion: i64, plan: &Plan) -> Result<Part> {
    let (mut parts, channels) = trunk(counts, expansion, plan.channels)?;
    parts.push(("avgpool", adaptive_avg_pool2d(1)?));
    parts.push(("fc", linear(channels, plan.classes, LinearOptions::default())?));
    let net = classifier("ResNet", parts);
    restart(&net, |_, shape| (shape.len() == 4).then(|| he_fan_out(shape)))?;
    Ok(net)
}

model! {
    /// ResNet18: eight residual blocks of two convolutions, as in torchvision.
    ///
    /// He et al. 2016. Pictures of 32 pixels or more, 224 as a rule. `layer4` is the layer for CAM. A block runs its one
    /// `relu` twice: `net.capture` and CAM keep its last output, which is the block's, and a hook on
    /// `layer4.1.relu` is called for both; `layer4.1.bn1` and `layer4.1.conv2` lie before and behind the first.
    /// `weights: "imagenet"` needs download.pytorch.org, or torchvision's file put by hand where the error says.
    /// ```rhai
    /// let net = models::resnet18(#{classes: 120});
    /// net.forward(tensor::zeros([1, 3, 64, 64])).shape // => [1, 120]
    /// net.freeze_all_but("fc").count_parameters(true) // => 61560
    /// ```
    resnet18, (), RESNET18, |plan, _o| resnet([2, 2, 2, 2], 1, plan)?
}

model! {
    /// ResNet34: sixteen residual blocks of two convolutions, as in torchvision.
    ///
    /// He et al. 2016. Pictures of 32 pixels or more. Layers as in `models::resnet18`.
    /// ```rhai
    /// models::resnet34().count_parameters() // => 21797672
    /// ```
    resnet34, (), RESNET34, |plan, _o| resnet([3, 4, 6, 3], 1, plan)?
}

model! {
    /// ResNet50: sixteen residual blocks of three convolutions, as in torchvision.
    ///
    /// He et al. 2016. Pictures of 32 pixels or more. A block runs its one `relu` three times; see `models::resnet18`.
    /// ```rhai
    /// models::resnet50().count_parameters() // => 25557032
    /// ```
    resnet50, (), RESNET50, |plan, _o| resnet([3, 4, 6, 3], 4, plan)?
}

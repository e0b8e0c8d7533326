//! VGG (Simonyan and Zisserman 2015, https://arxiv.org/abs/1409.1556), table 1, columns A, B, D and E.

use super::alexnet::WideOptions;
use super::parts::{
    Part, activation, classifier, conv_bias, max_pool, norm, restart, sequential, usual_start,
};
use super::weights::{Origin, from_lpips};
use super::{Plan, Spec};
use crate::core::Result;
use crate::nn::{LinearOptions, adaptive_avg_pool2d, dropout, linear};

/// Convolutions of a stage; every stage ends with max pooling.
pub(super) type Stages = [usize; 5];
const A: Stages = [1, 1, 2, 2, 2];
const B: Stages = [2, 2, 2, 2, 2];
pub(super) const D: Stages = [2, 2, 3, 3, 3];
const E: Stages = [2, 2, 4, 4, 4];

const fn spec(imagenet: &'static [Origin]) -> Spec {
    Spec { classes: 1000, channels: 3, stem: "features.0", head: "classifier.6", imagenet, adapt: Ok }
}

const VGG11: Spec = spec(&[Origin::whole("weights/vgg11")]);
const VGG11_BN: Spec = spec(&[Origin::whole("weights/vgg11_bn")]);
const VGG13: Spec = spec(&[Origin::whole("weights/vgg13")]);
const VGG13_BN: Spec = spec(&[Origin::whole("weights/vgg13_bn")]);
pub(super) const VGG16: Spec = Spec {
    adapt: |tensors| from_lpips(tensors, "VGG16_0.", &[0, 2, 5, 7, 10, 12, 14, 17, 19, 21, 24, 26, 28]),
    ..spec(&[
        Origin::whole("weights/vgg16"),
        Origin::part("weights/vgg16_features", "that is `features`, the convolutions"),
    ])
};
pub(super) const VGG16_BN: Spec = spec(&[Origin::whole("weights/vgg16_bn")]);
const VGG19: Spec = spec(&[Origin::whole("weights/vgg19")]);
const VGG19_BN: Spec = spec(&[Origin::whole("weights/vgg19_bn")]);

/// The convolutions, by their places in torchvision's `features`.
pub(super) fn features(stages: Stages, batch_norm: bool, mut channels: i64) -> Result<Vec<Part>> {
    let mut layers = Vec::new();
    for (count, width) in stages.into_iter().zip([64, 128, 256, 512, 512]) {
        for _ in 0..count {
            layers.push(conv_bias(channels, width, 3, 1, 1)?);
            if batch_norm {
                layers.push(norm(width)?);
            }
            layers.push(activation());
            channels = width;
        }
        layers.push(max_pool(2, 2, 0, false)?);
    }
    Ok(layers)
}

fn vgg(stages: Stages, batch_norm: bool, plan: &Plan, o: &WideOptions) -> Result<Part> {
    let features = sequential(features(stages, batch_norm, plan.channels)?)?;
    let (plain, hidden) = (LinearOptions::default, o.hidden.0);
    let head = sequential(vec![
        linear(512 * 7 * 7, hidden, plain())?,
        activation(),
        dropout(o.dropout)?,
        linear(hidden, hidden, plain())?,
        activation(),
        dropout(o.dropout)?,
        linear(hidden, plan.classes, plain())?,
    ])?;
    let parts = vec![("features", features), ("avgpool", adaptive_avg_pool2d(7)?), ("classifier", head)];
    let net = classifier("VGG", parts);
    restart(&net, usual_start)?;
    Ok(net)
}

model! {
    /// VGG11: eight convolutions and three linear layers, as in torchvision.
    ///
    /// Simonyan and Zisserman 2015, column A. Pictures of 32 pixels or more. `features.18` is the last convolution.
    /// `hidden` makes the two wide layers smaller for trials: 4096 of them are nine tenths of the network.
    /// ```rhai
    /// models::vgg11(#{classes: 5, hidden: 8}).forward(tensor::zeros([1, 3, 32, 32])).shape // => [1, 5]
    /// ```
    vgg11, WideOptions, VGG11, |plan, o| vgg(A, false, plan, &o)?
}

model! {
    /// VGG11 with batch norm behind every convolution, as in torchvision.
    ///
    /// Pictures of 32 pixels or more. `features.25` is the last convolution.
    /// ```rhai
    /// models::vgg11_bn(#{hidden: 8}).part("features.1").count_parameters() // => 128
    /// ```
    vgg11_bn, WideOptions, VGG11_BN, |plan, o| vgg(A, true, plan, &o)?
}

model! {
    /// VGG13: ten convolutions and three linear layers, as in torchvision.
    ///
    /// Simonyan and Zisserman 2015, column B. Pictures of 32 pixels or more. `features.22` is the last convolution.
    /// ```rhai
    /// models::vgg13(#{hidden: 8}).part("features").count_parameters() // => 9404992
    /// ```
    vgg13, WideOptions, VGG13, |plan, o| vgg(B, false, plan, &o)?
}

model! {
    /// VGG13 with batch norm behind every convolution, as in torchvision.
    ///
    /// Pictures of 32 pixels or more. `features.31` is the last convolution.
    /// ```rhai
    /// models::vgg13_bn(#{hidden: 8}).part("features").count_parameters() // => 9410880
    /// ```
    vgg13_bn, WideOptions, VGG13_BN, |plan, o| vgg(B, true, plan, &o)?
}

model! {
    /// VGG16: thirteen convolutions and three linear layers, as in torchvision.
    ///
    /// Simonyan and Zisserman 2015, column D. Pictures of 32 pixels or more. `features.28` is the last convolution.
    /// Where only a package registry can be reached, `weights: "imagenet"` fills `features` alone and says so.
    /// ```rhai
    /// let net = models::vgg16(#{classes: 5, hidden: 8});
    /// net.part("classifier").layers() // => ["0", "1", "2", "3", "4", "5", "6"]
    /// net.part("features").count_parameters() // => 14714688
    /// ```
    vgg16, WideOptions, VGG16, |plan, o| vgg(D, false, plan, &o)?
}

model! {
    /// VGG16 with batch norm behind every convolution, as in torchvision.
    ///
    /// Pictures of 32 pixels or more. `features.40` is the last convolution.
    /// ```rhai
    /// models::vgg16_bn(#{hidden: 8}).part("features").count_parameters() // => 14723136
    /// ```
    vgg16_bn, WideOptions, VGG16_BN, |plan, o| vgg(D, true, plan, &o)?
}

model! {
    /// VGG19: sixteen convolutions and three linear layers, as in torchvision.
    ///
    /// Simonyan and Zisserman 2015, column E. Pictures of 32 pixels or more. `features.34` is the last convolution.
    /// ```rhai
    /// models::vgg19(#{hidden: 8}).part("features").count_parameters() // => 20024384
    /// ```
    vgg19, WideOptions, VGG19, |plan, o| vgg(E, false, plan, &o)?
}

model! {
    /// VGG19 with batch norm behind every convolution, as in torchvision.
    ///
    /// Pictures of 32 pixels or more. `features.49` is the last convolution.
    /// ```rhai
    /// models::vgg19_bn(#{hidden: 8}).part("features").count_parameters() // => 20035392
    /// ```
    vgg19_bn, WideOptions, VGG19_BN, |plan, o| vgg(E, true, plan, &o)?
}

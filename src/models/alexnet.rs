//! AlexNet, torchvision's (Krizhevsky 2014, "One weird trick").

use super::Spec;
use super::parts::{Part, activation, classifier, conv_bias, max_pool, sequential};
use super::weights::{Origin, from_lpips};
use crate::core::Result;
use crate::nn::{Count, LinearOptions, adaptive_avg_pool2d, dropout, linear};

options! {
    /// Options of networks with two wide linear layers before the last.
    pub struct WideOptions {
        /// Probability of the two dropouts.
        dropout: f64 = 0.5,
        /// Outputs of the two linear layers before the last.
        hidden: Count = Count(4096) => 4096,
    }
}

pub(super) const SPEC: Spec = Spec {
    classes: 1000,
    channels: 3,
    stem: "features.0",
    head: "classifier.6",
    imagenet: &[
        Origin::whole("weights/alexnet"),
        Origin::part("weights/alexnet_features", "that is `features`, the convolutions"),
    ],
    adapt: |tensors| from_lpips(tensors, "AlexNet_0.", &[0, 3, 6, 8, 10]),
};

/// The convolutions, by their places in torchvision's `features`.
pub(super) fn features(channels: i64) -> Result<Vec<Part>> {
    Ok(vec![
        conv_bias(channels, 64, 11, 4, 2)?,
        activation(),
        max_pool(3, 2, 0, false)?,
        conv_bias(64, 192, 5, 1, 2)?,
        activation(),
        max_pool(3, 2, 0, false)?,
        conv_bias(192, 384, 3, 1, 1)?,
        activation(),
        conv_bias(384, 256, 3, 1, 1)?,
        activation(),
        conv_bias(256, 256, 3, 1, 1)?,
        activation(),
        max_pool(3, 2, 0, false)?,
    ])
}

model! {
    /// AlexNet, five convolutions and three linear layers, as in torchvision.
    ///
    /// Krizhevsky 2014 (arXiv:1404.5997). Pictures of 63 pixels or more, 224 as a rule. `features.10` is the last
    /// convolution. `hidden` makes the two wide layers smaller for trials.
    /// ```rhai
    /// let net = models::alexnet(#{classes: 5, hidden: 16});
    /// net.forward(tensor::zeros([1, 3, 64, 64])).shape // => [1, 5]
    /// ```
    alexnet, WideOptions, SPEC, |plan, o| {
        let (plain, hidden) = (LinearOptions::default, o.hidden.0);
        let features = sequential(features(plan.channels)?)?;
        let head = sequential(vec![
            dropout(o.dropout)?,
            linear(256 * 6 * 6, hidden, plain())?,
            activation(),
            dropout(o.dropout)?,
            linear(hidden, hidden, plain())?,
            activation(),
            linear(hidden, plan.classes, plain())?,
        ])?;
        classifier("AlexNet", vec![("features", features), ("avgpool", adaptive_avg_pool2d(6)?), ("classifier", head)])
    }
}

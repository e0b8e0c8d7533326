//! Four convolutions: the network one begins with.

use super::Spec;
use super::parts::{Part, activation, classifier, conv_bias, max_pool, norm};
use crate::nn::{Count, LinearOptions, adaptive_avg_pool2d, dropout, linear};

options! {
    /// Options of `models::plain_cnn`.
    pub struct PlainOptions {
        /// Channels of the first convolution; each further one has twice as many.
        width: Count = Count(32) => 32,
        /// Batch norm behind every convolution, dropout before the last layer.
        bn_dropout: bool = false,
        /// Probability of that dropout.
        dropout: f64 = 0.5,
    }
}

const SPEC: Spec = Spec { classes: 10, channels: 3, stem: "conv1", head: "fc", imagenet: &[], adapt: Ok };

model! {
    /// A plain CNN of four convolutions, with or without batch norm and dropout.
    ///
    /// Four times a 3×3 convolution, (batch norm,) ReLU and 2×2 max pooling; then global average pooling, (dropout,)
    /// and a linear layer. The layers are `conv1`, `bn1`, `relu1`, `pool1` … `pool4`, `gap`, `dropout`, `fc`; pictures
    /// of 16 pixels or more, of any shape.
    /// ```rhai
    /// let net = models::plain_cnn(#{classes: 120, width: 8});
    /// net.forward(tensor::zeros([2, 3, 32, 32])).shape // => [2, 120]
    /// models::plain_cnn(#{bn_dropout: true, width: 8}).layers().len() // => 19
    /// ```
    plain_cnn, PlainOptions, SPEC, |plan, o| {
        let (mut parts, mut channels, mut next): (Vec<(&str, Part)>, _, _) = (Vec::new(), plan.channels, o.width.0);
        for [conv, bn, relu, pool] in [
            ["conv1", "bn1", "relu1", "pool1"],
            ["conv2", "bn2", "relu2", "pool2"],
            ["conv3", "bn3", "relu3", "pool3"],
            ["conv4", "bn4", "relu4", "pool4"],
        ] {
            parts.push((conv, conv_bias(channels, next, 3, 1, 1)?));
            if o.bn_dropout {
                parts.push((bn, norm(next)?));
            }
            parts.extend([(relu, activation()), (pool, max_pool(2, 2, 0, false)?)]);
            (channels, next) = (next, 2 * next);
        }
        parts.push(("gap", adaptive_avg_pool2d(1)?));
        if o.bn_dropout {
            parts.push(("dropout", dropout(o.dropout)?));
        }
        parts.push(("fc", linear(channels, plan.classes, LinearOptions::default())?));
        classifier("PlainCNN", parts)
    }
}

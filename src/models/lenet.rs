//! LeNet-5 (LeCun et al. 1998), with ReLU and max pooling.

use super::Spec;
use super::parts::{activation, block, conv_bias, max_pool};
use crate::core::Error;
use crate::nn::{LinearOptions, linear};

options! {
    /// Options of `models::lenet`.
    pub struct LenetOptions {
        /// Rows and columns of the pictures.
        size: i64 = 28,
    }
}

const SPEC: Spec = Spec { classes: 10, channels: 1, stem: "conv1", head: "fc3", imagenet: &[], adapt: Ok };

/// The parts before the flat ones.
const BODY: [&str; 6] = ["conv1", "relu1", "pool1", "conv2", "relu2", "pool2"];
const TAIL: [&str; 5] = ["fc1", "relu3", "fc2", "relu4", "fc3"];

model! {
    /// LeNet-5 for grey pictures of 28×28 pixels, with ReLU and max pooling.
    ///
    /// LeCun et al. 1998. Two 5×5 convolutions (the first with a border of 2) of 6 and 16 channels, each with max
    /// pooling, then linear layers of 120 and 84. The layers are `conv1`, `relu1`, `pool1` … `fc1`, `relu3`, `fc2`,
    /// `relu4`, `fc3`.
    /// ```rhai
    /// models::lenet().forward(tensor::zeros([2, 1, 28, 28])).shape // => [2, 10]
    /// models::lenet(#{in_channels: 3, size: 32}).count_parameters() // => 83126
    /// ```
    lenet, LenetOptions, SPEC, |plan, o| {
        let side = (o.size / 2 - 4) / 2;
        if side < 1 {
            Err(Error::new(format!("`size` must be at least 12, got {}", o.size)))?;
        }
        let fc = |i, o| linear(i, o, LinearOptions::default());
        block("LeNet", vec![
            ("conv1", conv_bias(plan.channels, 6, 5, 1, 2)?),
            ("relu1", activation()),
            ("pool1", max_pool(2, 2, 0, false)?),
            ("conv2", conv_bias(6, 16, 5, 1, 0)?),
            ("relu2", activation()),
            ("pool2", max_pool(2, 2, 0, false)?),
            ("fc1", fc(16 * side * side, 120)?),
            ("relu3", activation()),
            ("fc2", fc(120, 84)?),
            ("relu4", activation()),
            ("fc3", fc(84, plan.classes)?),
        ], |b, x| b.run_all(TAIL, &b.run_all(BODY, x)?.f_flatten(1, -1)?))
    }
}

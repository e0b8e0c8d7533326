//! Random channel weights: a control that every method should beat.

use super::Rule;
use crate::core::seed;
use rand::RngCore;
use tch::Tensor;

cam! {
    /// Channels weighted at random, as a control: what a map shows without knowing why.
    ///
    /// `w_c` is uniform in [-1, 1), drawn from the run's seed for each layer, picture and channel; map
    /// `ReLU(Σ_c w_c · A_c)`. It does not depend on the target.
    /// ```rhai
    /// let net = nn::sequential([["conv", nn::conv2d(1, 4, 3)], ["act", nn::relu()], ["gap", nn::adaptive_avg_pool2d(1)],
    ///                           ["flat", nn::flatten()], ["fc", nn::linear(4, 3)]]);
    /// cam::random_cam(net, "act", tensor::ones([2, 1, 8, 8]), 1).shape // => [2, 8, 8]
    /// ```
    random_cam, (), |_o| Rule::Looks(&|look| {
        let (n, channels) = (look.act.size()[0], look.channels());
        let mut weights = Vec::new();
        for i in 0..n {
            let mut rng = seed::stream(&format!("random_cam {}", look.layer), i as u64);
            weights.extend((0..channels).map(|_| (f64::from(rng.next_u32()) / 2147483648.0 - 1.0) as f32));
        }
        Ok(Tensor::f_from_slice(&weights)?.f_view([n, channels, 1, 1])?.f_type_as(look.act)?)
    })
}

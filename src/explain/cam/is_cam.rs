//! IS-CAM, integrated Score-CAM (Naidu et al. 2020, https://arxiv.org/abs/2010.03023).

use super::look::{softmax, unit};
use super::{Rule, heatmap};
use crate::nn::Count;

options! {
    /// Options of `cam::is_cam`.
    pub struct IsOptions {
        /// Steps of the integration.
        samples: Count = Count(10) => 10,
    }
}

cam! {
    /// IS-CAM: Score-CAM with masks that grow step by step, the scores averaged.
    ///
    /// As `cam::score_cam`, the masks of step i being `M · Σ_{j ≤ i} j/N` (as in torchcam they reach
    /// `(N + 1) / 2`); `w` is the softmax of the mean score.
    /// ```rhai
    /// let net = nn::sequential([["conv", nn::conv2d(1, 4, 3)], ["act", nn::relu()], ["gap", nn::adaptive_avg_pool2d(1)],
    ///                           ["flat", nn::flatten()], ["fc", nn::linear(4, 3)]]);
    /// cam::is_cam(net, "act", tensor::ones([2, 1, 8, 8]), 1, #{samples: 2}).shape // => [2, 8, 8]
    /// ```
    is_cam, IsOptions, |o| Rule::Looks(&|look| {
        let steps = o.samples.0;
        let mut sum = look.act.f_zeros_like()?.f_mean_dim([2, 3].as_slice(), false, None::<tch::Kind>)?;
        for i in 1..=steps {
            let grown = (i * (i + 1)) as f64 / (2 * steps) as f64;
            sum = sum.f_add(&look.masked_alike(|planes| {
                let mask = heatmap::resize(&unit(planes)?.f_squeeze_dim(1)?, look.size())?;
                Ok(mask.f_mul_scalar(grown)?.f_unsqueeze(1)?)
            })?)?;
        }
        softmax(&sum.f_div_scalar(steps)?)
    })
}

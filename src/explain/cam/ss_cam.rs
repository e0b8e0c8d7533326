//! SS-CAM, smoothed Score-CAM (Wang et al. 2020, https://arxiv.org/abs/2006.14255).

use super::look::{softmax, unit};
use super::{Rule, heatmap};
use crate::explain::noise::Noise;
use tch::Tensor;

options! {
    /// Options of `cam::ss_cam`.
    pub struct SsOptions {
        /// Noisy looks a channel.
        samples: i64 = 35,
        /// The noise's standard deviation, where masks go from 0 to 1.
        std: f64 = 2.0,
        /// Noise of your own, which broadcasts to [samples, N, C, H, W], in place of the run's seed.
        noise: Option<Tensor> = None,
    }
}

cam! {
    /// SS-CAM: Score-CAM with masks made noisy, the scores averaged.
    ///
    /// As `cam::score_cam`, the masks being `M + δ`, `δ ~ N(0, std²)` for every sample, picture, channel and place
    /// (noise on the activation, the first of the paper's two kinds); `w` is the softmax of the mean score.
    /// ```rhai
    /// let net = nn::sequential([["conv", nn::conv2d(1, 4, 3)], ["act", nn::relu()], ["gap", nn::adaptive_avg_pool2d(1)],
    ///                           ["flat", nn::flatten()], ["fc", nn::linear(4, 3)]]);
    /// cam::ss_cam(net, "act", tensor::ones([2, 1, 8, 8]), 1, #{samples: 2}).shape // => [2, 8, 8]
    /// ```
    ss_cam, SsOptions, |o| Rule::Looks(&|look| {
        let noise = Noise::new("ss_cam", o.samples, o.std, o.noise.as_ref())?;
        let [h, w] = look.size();
        let full = [look.x.size()[0], look.channels(), h, w];
        let mut sum = look.act.f_zeros_like()?.f_mean_dim([2, 3].as_slice(), false, None::<tch::Kind>)?;
        for s in 0..noise.samples {
            sum = sum.f_add(&look.masked(|i, of, planes| {
                let mask = heatmap::resize(&unit(planes)?.f_squeeze_dim(1)?, [h, w])?;
                Ok(mask.f_add(&noise.planes(s, i, of, full, look.x)?)?.f_unsqueeze(1)?)
            })?)?;
        }
        softmax(&sum.f_div_scalar(noise.samples)?)
    })
}

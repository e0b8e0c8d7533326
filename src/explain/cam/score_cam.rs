//! Score-CAM (Wang et al., CVPR workshops 2020, https://arxiv.org/abs/1910.01279).

use super::Rule;
use super::look::{softmax, unit};

cam! {
    /// Score-CAM: channels weighted by the score of the picture seen through them.
    ///
    /// Each channel, enlarged and scaled from 0 to 1, masks the picture; `w` is the softmax of the masked
    /// pictures' scores over the channels, map `ReLU(Σ_c w_c · A_c)`. No gradient; one pass a channel.
    /// ```rhai
    /// let net = nn::sequential([["conv", nn::conv2d(1, 4, 3)], ["act", nn::relu()], ["gap", nn::adaptive_avg_pool2d(1)],
    ///                           ["flat", nn::flatten()], ["fc", nn::linear(4, 3)]]);
    /// cam::score_cam(net, "act", tensor::ones([2, 1, 8, 8]), 1).shape // => [2, 8, 8]
    /// ```
    score_cam, (), |_o| Rule::Looks(&|look| {
        softmax(&look.masked_alike(|planes| {
            unit(&planes.f_upsample_bilinear2d(look.size(), true, None::<f64>, None::<f64>)?)
        })?)
    })
}

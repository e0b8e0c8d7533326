//! Ablation-CAM (Desai and Ramaswamy, WACV 2020, https://doi.org/10.1109/WACV45572.2020.9093360).

use super::Rule;
use super::rerun::Behind;

cam! {
    /// Ablation-CAM: channels weighted by how far the score falls without them.
    ///
    /// `w_c = (s − s_c) / |s|`, `s_c` being the score where channel c of the layer is 0 (the magnitude below keeps the
    /// sign of a fall also where the score is negative), map `ReLU(Σ_c w_c · A_c)`. No gradient; one pass a
    /// channel, of what lies behind the layer alone where layers follow one another, and of what lies behind the next
    /// linear layer where only pooling and the like come between.
    /// ```rhai
    /// let net = nn::sequential([["conv", nn::conv2d(1, 4, 3)], ["act", nn::relu()], ["gap", nn::adaptive_avg_pool2d(1)],
    ///                           ["flat", nn::flatten()], ["fc", nn::linear(4, 3)]]);
    /// cam::ablation_cam(net, "act", tensor::ones([2, 1, 8, 8]), 1).shape // => [2, 8, 8]
    /// ```
    ablation_cam, (), |_o| Rule::Looks(&|look| {
        let behind = Behind::new(look)?;
        let without = look.each_channel(|i, of, target| behind.without(i, of, target))?;
        let fall = look.scores.f_unsqueeze(1)?.f_sub(&without)?;
        let size = look.scores.f_abs()?.f_clamp_min(1e-12)?.f_unsqueeze(1)?;
        Ok(fall.f_div(&size)?.f_unsqueeze(2)?.f_unsqueeze(3)?)
    })
}

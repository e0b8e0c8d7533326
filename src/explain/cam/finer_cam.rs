//! Finer-CAM (Zhang et al., CVPR 2025, https://arxiv.org/abs/2501.11309).

use super::MaybeTarget;
use super::base::{OnTop, map_by};
use crate::explain::{Heatmap, probe};
use crate::nn::{Net, net::Names};

options! {
    /// Options of `cam::finer_cam`.
    pub struct FinerOptions {
        /// The CAM that looks.
        base: String = "grad_cam".to_string() => "grad_cam",
        /// How much of the other classes is taken away.
        alpha: f64 = 1.0,
        /// The other classes, by rank of likeness: 1 has the nearest logit.
        compare: Vec<i64> = vec![1, 2, 3] => [1, 2, 3],
    }
}

functions! {
    in "cam";
    /// Finer-CAM: what sets a class apart from the classes most like it.
    ///
    /// A CAM of `Σ_k p_k (y − α y_k) / Σ_k p_k`, where k goes through the classes whose logits are nearest to that of the
    /// target class and p is the softmax. The target is a class, a list of them, or () for the highest logit.
    /// ```rhai
    /// let net = nn::sequential([["conv", nn::conv2d(1, 4, 3)], ["act", nn::relu()], ["gap", nn::adaptive_avg_pool2d(1)],
    ///                           ["flat", nn::flatten()], ["fc", nn::linear(4, 3)]]);
    /// cam::finer_cam(net, "act", tensor::ones([2, 1, 8, 8]), 1).shape // => [2, 8, 8]
    /// ```
    fn finer_cam(net: Net, layers: Names, x: tch::Tensor, target: MaybeTarget, options: OnTop<FinerOptions>) -> Heatmap {
        let (o, x) = (options.own, probe::batch(&net, &x)?);
        let target = target.0.numbered(|| net.about().classes)?;
        let finer = probe::look_at(&net, &x, |out| target.finer(out, &o.compare, o.alpha))?;
        map_by(&o.base, &net, layers.0, &x, finer, options.rest)?
    }
}

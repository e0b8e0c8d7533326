//! RefineCAM (https://arxiv.org/abs/2605.14641).

use super::base::{OnTop, map_by};
use super::{MaybeTarget, scale, warn};
use crate::core::{Error, Value};
use crate::explain::{Heatmap, probe};
use crate::nn::{Net, net::Names};

options! {
    /// Options of `cam::refine_cam`.
    pub struct RefineOptions {
        /// The CAM that looks.
        base: String = "grad_cam_pp".to_string() => "grad_cam_pp",
    }
}

functions! {
    in "cam";
    /// RefineCAM: the product of the maps of several layers.
    ///
    /// Early layers are sharp and noisy, late ones coarse and sure: a place is shown where all of them show it. The maps
    /// are normalised and enlarged before the product, and it is normalised again.
    /// ```rhai
    /// let net = nn::sequential([["conv", nn::conv2d(1, 4, 3)], ["act", nn::relu()], ["gap", nn::adaptive_avg_pool2d(1)],
    ///                           ["flat", nn::flatten()], ["fc", nn::linear(4, 3)]]);
    /// cam::refine_cam(net, ["conv", "act"], tensor::ones([2, 1, 8, 8]), 1).shape // => [2, 8, 8]
    /// ```
    fn refine_cam(net: Net, layers: Names, x: tch::Tensor, target: MaybeTarget, options: OnTop<RefineOptions>) -> Heatmap {
        let (base, common, x) = (options.own.base, options.common, probe::batch(&net, &x)?);
        let mut rest = options.rest;
        rest.extend([("form", Value::Str("normalized".to_string())), ("resize", Value::Bool(true)), ("relu", Value::Bool(true))]
            .map(|(k, v)| (k.to_string(), v)));
        let mut product: Option<tch::Tensor> = None;
        for layer in &layers.0 {
            let map = map_by(&base, &net, vec![layer.clone()], &x, target.0.clone(), rest.clone())?;
            product = Some(product.map_or_else(|| Ok(map.tensor().shallow_clone()), |p| p.f_mul(map.tensor()))?);
        }
        let product = product.ok_or_else(|| Error::new("no layer given").hint(format!("layers: {}", net.layer_names(true).join(", "))))?;
        let map = scale(&product, common.form)?;
        if layers.0.len() > 1 {
            warn("refine_cam", [(format!("in the product of layers {}", layers.0.join(", ")), map.f_amax([1, 2], false)?.f_gt(0.0)?)]);
        }
        Heatmap::new(map, false)
    }
}

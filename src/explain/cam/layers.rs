//! One method at several layers.

use super::MaybeTarget;
use super::base::{OnTop, map_by};
use crate::core::Result;
use crate::explain::{Heatmap, probe};
use crate::nn::{Net, net::Names};
use tch::Tensor;

options! {
    /// Options of `cam::layers`.
    pub struct LayersOptions {
        /// The CAM, by name.
        method: String = "grad_cam".to_string() => "grad_cam",
    }
}

functions! {
    in "cam";
    /// The map of each layer, not their mean, from one forward and one backward pass.
    ///
    /// Takes the options of every CAM besides its own. `form: "raw"` keeps what a common colour scale needs: normalised maps say
    /// nothing about which layer has more.
    /// ```rhai
    /// let net = nn::sequential([["conv", nn::conv2d(1, 4, 3)], ["act", nn::relu()], ["gap", nn::adaptive_avg_pool2d(1)],
    ///                           ["flat", nn::flatten()], ["fc", nn::linear(4, 3)]]);
    /// let maps = cam::layers(net, ["conv", "act"], tensor::rand([2, 1, 8, 8]), 1, #{method: "hires_cam", form: "raw"});
    /// [maps.len(), maps[0].shape] // => [2, [2, 8, 8]]
    /// ```
    fn layers(net: Net, layers: Names, x: Tensor, target: MaybeTarget, options: OnTop<LayersOptions>) -> Vec<Heatmap> {
        let (names, target, method) = (layers.0, target.0, options.own.method);
        let x = probe::batch(&net, &x)?;
        probe::shared(false, || {
            if !names.is_empty() {
                let _ = probe::probe(&net, &names, &x, &target)?; // so that every layer finds it
            }
            let one = |l: &String| map_by(&method, &net, vec![l.clone()], &x, target.clone(), options.rest.clone());
            names.iter().map(one).collect::<Result<Vec<_>>>()
        })?
    }
}

//! Average drop and increase in confidence (Chattopadhay et al. 2018, https://arxiv.org/abs/1710.11063, section 5.1).

use super::Maps;
use crate::core::{Opts, Result};
use crate::explain::attrib::Look;
use crate::explain::cam::MaybeTarget;
use crate::explain::probe;
use crate::nn::Net;
use tch::{Kind, Tensor};

options! {
    /// Options of `metrics::average_drop`.
    pub struct DropOptions {
        /// Divides by the target's value; without, the drop itself.
        relative: bool = true,
    }
}

/// What becomes of the target when only what a map shows is seen, [N] each.
pub struct Confidence {
    /// What is lost, at least 0.
    pub drop: Tensor,
    /// 1 where the target rises, else 0.
    pub increase: Tensor,
}

/// See [`Confidence`]; with `relative`, of the target's value.
///
/// # Errors
/// A map or target that does not fit.
pub fn drop_and_increase(look: &Look, maps: &Maps, relative: bool) -> Result<Confidence> {
    let maps = maps.on(&look.x)?.f_unsqueeze(1)?;
    let (before, target) = look.settled()?;
    let after = probe::scores(look.net, &look.x.f_mul(&maps)?, &target, &[])?;
    let lost = before.f_sub(&after)?.f_relu()?;
    Ok(Confidence {
        drop: if relative { lost.f_div(&before.f_abs()?.f_clamp_min(1e-7)?)? } else { lost },
        increase: after.f_gt_tensor(&before)?.f_to_kind(Kind::Float)?,
    })
}

functions! {
    in "metrics";
    /// What the target loses when the picture is multiplied by its map, [N].
    ///
    /// `max(0, s(x) − s(x · map)) / |s(x)|`, with `relative: false` without the division; small is good. The map is one of
    /// 0 to 1, the target a probability (`target::softmax`), which is what the paper averages over a data set.
    /// ```rhai
    /// let net = nn::sequential([["conv", nn::conv2d(1, 4, 3)], ["act", nn::relu()], ["gap", nn::adaptive_avg_pool2d(1)],
    ///                           ["flat", nn::flatten()], ["fc", nn::linear(4, 3)]]);
    /// let x = tensor::rand([2, 1, 8, 8]);
    /// let map = cam::grad_cam(net, "act", x, 1, #{form: "raw", relu: false});
    /// metrics::average_drop(net, x, tensor::ones([2, 8, 8]), target::softmax(1)) // ~> tensor([0., 0.])
    /// ```
    fn average_drop(net: Net, x: Tensor, map: Maps, target: MaybeTarget, options: Opts<DropOptions>) -> Tensor {
        drop_and_increase(&Look::new(&net, &x, &target.0)?, &map, options.0.relative)?.drop
    }

    /// 1 for every picture whose target rises when multiplied by its map, else 0.
    /// ```rhai
    /// let net = nn::sequential([["conv", nn::conv2d(1, 4, 3)], ["act", nn::relu()], ["gap", nn::adaptive_avg_pool2d(1)],
    ///                           ["flat", nn::flatten()], ["fc", nn::linear(4, 3)]]);
    /// let x = tensor::rand([2, 1, 8, 8]);
    /// let map = cam::grad_cam(net, "act", x, 1, #{form: "raw", relu: false});
    /// metrics::increase(net, x, tensor::ones([2, 8, 8]), target::softmax(1)) // => tensor([0., 0.])
    /// ```
    fn increase(net: Net, x: Tensor, map: Maps, target: MaybeTarget) -> Tensor {
        drop_and_increase(&Look::new(&net, &x, &target.0)?, &map, false)?.increase
    }
}

//! Deletion and insertion (Petsiuk, Das and Saenko 2018, https://arxiv.org/abs/1806.07421, section 4.3).

use super::Maps;
use crate::core::{Map, Opts, Result, Value};
use crate::explain::attrib::{Baseline, Look};
use crate::explain::cam::MaybeTarget;
use crate::nn::{Count, Net};
use tch::{Kind, Tensor};

options! {
    /// Options of deletion and insertion.
    pub struct CurveOptions {
        /// Into how many steps the places are divided.
        steps: Count = Count(20) => 20,
        /// What stands in a place that is not seen: a number, or a tensor that broadcasts to the pictures.
        baseline: Baseline = Baseline::Number(0.0) => 0,
        /// Pictures of one pass of the network; the result does not depend on it.
        batch: Count = Count(32) => 32,
    }
}

/// The target's value while places are taken or given.
pub struct Curves {
    /// Shares of the places, [K], from 0 to 1.
    pub fractions: Tensor,
    /// Values [N, K].
    pub curve: Tensor,
}

impl Curves {
    /// The area under every curve, [N], by trapezoids.
    ///
    /// # Errors
    /// libtorch's.
    pub fn auc(&self) -> Result<Tensor> {
        Ok(Tensor::f_trapezoid_x(&self.curve, &self.fractions, -1)?)
    }

    fn into_map(self) -> Result<Map> {
        let all = [("auc", self.auc()?), ("curve", self.curve), ("fractions", self.fractions)];
        Ok(all.map(|(k, t)| (k.to_string(), Value::Tensor(t))).into())
    }
}

/// The target's value while the places are taken (`insert`: given) from the map's highest on; among equals the first
/// comes first.
///
/// # Errors
/// A map or target that does not fit.
pub fn curves(look: &Look, maps: &Maps, insert: bool, o: &CurveOptions) -> Result<Curves> {
    let x = &look.x;
    let (n, _, h, w) = x.size4()?;
    let (maps, fill) = (maps.on(x)?.f_view([n, h * w])?, o.baseline.like(x)?);
    let (_, target) = look.settled()?;
    let order = maps.f_sort_stable(true, 1, true)?.1;
    let rank = order.f_argsort(1, false)?.f_view([n, 1, h, w])?;
    let places = h * w;
    let step = (places + o.steps.0 - 1) / o.steps.0;
    let mut counts: Vec<i64> = (0..places).step_by(step as usize).collect();
    counts.push(places);
    let rows = (0..n).map(|i| {
        let (rank, fill) = (rank.f_narrow(0, i, 1)?, fill.f_narrow(0, i, 1)?);
        look.variants(&target, i, counts.len() as i64, o.batch.0, |of, x| {
            let counts =
                Tensor::f_from_slice(&counts[of.start as usize..of.end as usize])?.f_view([-1, 1, 1, 1])?;
            let first = rank.f_lt_tensor(&counts.f_to_device(x.device())?)?;
            Ok(if insert { x.f_where_self(&first, &fill)? } else { fill.f_where_self(&first, x)? })
        })
    });
    let curve = Tensor::f_stack(&rows.collect::<Result<Vec<_>>>()?, 0)?;
    let fractions =
        Tensor::f_from_slice(&counts)?.f_to_kind(Kind::Float)?.f_div_scalar(places)?.f_type_as(&curve)?;
    Ok(Curves { fractions, curve })
}

functions! {
    in "metrics";
    /// How fast the target falls while what the map shows most is taken away first.
    ///
    /// A map `#{auc, curve, fractions}`: the area under the curve [N] (small is good), the target's value [N, K] and the
    /// share of the places taken [K]. Section 4.3 of https://arxiv.org/abs/1806.07421, where the target is a probability.
    /// ```rhai
    /// let net = nn::sequential([["conv", nn::conv2d(1, 4, 3)], ["act", nn::relu()], ["gap", nn::adaptive_avg_pool2d(1)],
    ///                           ["flat", nn::flatten()], ["fc", nn::linear(4, 3)]]);
    /// let x = tensor::rand([2, 1, 8, 8]);
    /// let map = cam::grad_cam(net, "act", x, 1, #{form: "raw", relu: false});
    /// metrics::deletion(net, x, map, target::softmax(1), #{steps: 4}).curve.shape // => [2, 5]
    /// ```
    fn deletion(net: Net, x: Tensor, map: Maps, target: MaybeTarget, options: Opts<CurveOptions>) -> Map {
        curves(&Look::new(&net, &x, &target.0)?, &map, false, &options.0)?.into_map()?
    }

    /// How fast the target rises while what the map shows most is given first.
    ///
    /// As `metrics::deletion`, the other way: from the baseline to the picture; a large area is good.
    /// ```rhai
    /// let net = nn::sequential([["conv", nn::conv2d(1, 4, 3)], ["act", nn::relu()], ["gap", nn::adaptive_avg_pool2d(1)],
    ///                           ["flat", nn::flatten()], ["fc", nn::linear(4, 3)]]);
    /// let x = tensor::rand([2, 1, 8, 8]);
    /// let map = cam::grad_cam(net, "act", x, 1, #{form: "raw", relu: false});
    /// let rise = metrics::insertion(net, x, map, 1, #{steps: 4});
    /// rise.auc.shape // => [2]
    /// rise.fractions // => tensor([0.0000, 0.2500, 0.5000, 0.7500, 1.0000])
    /// ```
    fn insertion(net: Net, x: Tensor, map: Maps, target: MaybeTarget, options: Opts<CurveOptions>) -> Map {
        curves(&Look::new(&net, &x, &target.0)?, &map, true, &options.0)?.into_map()?
    }
}

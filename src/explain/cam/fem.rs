//! FEM, the feature explanation method (Fuad et al., IPTA 2020, https://hal.science/hal-02963298).

use super::{Rule, mean_hw};
use tch::Kind;

options! {
    /// Options of `cam::fem`.
    pub struct FemOptions {
        /// How many standard deviations above its mean a place is strong.
        k: f64 = 2.0,
    }
}

cam! {
    /// FEM: channels weighted by how many of their places are rare and strong.
    ///
    /// `w_c` is the share of places with `A_c > mean + k · std` (the k-sigma rule), map `Σ_c w_c · A_c`. No
    /// gradient: the map does not depend on the target.
    /// ```rhai
    /// let net = nn::sequential([["conv", nn::conv2d(1, 4, 3)], ["act", nn::relu()], ["gap", nn::adaptive_avg_pool2d(1)],
    ///                           ["flat", nn::flatten()], ["fc", nn::linear(4, 3)]]);
    /// cam::fem(net, "act", tensor::ones([2, 1, 8, 8]), 1).shape // => [2, 8, 8]
    /// ```
    fem, FemOptions, |o| Rule::Looks(&|look| {
        let std = look.act.f_std_dim([2, 3].as_slice(), false, true)?;
        let strong = look.act.f_gt_tensor(&mean_hw(look.act)?.f_add(&std.f_mul_scalar(o.k)?)?)?;
        Ok(strong.f_to_kind(look.act.kind())?.f_mean_dim([2, 3].as_slice(), true, None::<Kind>)?)
    })
}

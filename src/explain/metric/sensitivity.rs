//! Sensitivity (Yeh et al., NeurIPS 2019, https://arxiv.org/abs/1901.09392).

use super::rank::explanation;
use crate::core::{Closure, Error, Opts, seed};
use crate::nn::Count;
use rand::RngCore;
use tch::{Kind, Tensor};

options! {
    /// Options of `metrics::sensitivity_max`.
    pub struct SensitivityOptions {
        /// By how much every input number may change.
        radius: f64 = 0.02,
        /// How many changed pictures.
        samples: Count = Count(10) => 10,
        /// Changes of your own, added as they are, which broadcast to [samples, N, C, H, W].
        noise: Option<Tensor> = None,
    }
}

functions! {
    in "metrics";
    /// How much an explanation changes at most when the picture changes a little.
    ///
    /// `max ‖Φ(x + δ) − Φ(x)‖ / ‖Φ(x)‖` (definition 2) over changes δ, uniform in ± `radius`. The closure gets pictures [N, C, H, W]
    /// and gives their attribution or heatmap.
    /// ```rhai
    /// let net = nn::sequential([["conv", nn::conv2d(1, 4, 3)], ["act", nn::relu()], ["gap", nn::adaptive_avg_pool2d(1)],
    ///                           ["flat", nn::flatten()], ["fc", nn::linear(4, 3)]]);
    /// let x = tensor::rand([2, 1, 8, 8]);
    /// metrics::sensitivity_max(|x| attrib::saliency(net, x, 1), x).shape // => [2]
    /// ```
    fn sensitivity_max(explain: Closure, x: Tensor, options: Opts<SensitivityOptions>) -> Tensor {
        let o = options.0;
        if x.dim() != 4 {
            Err(Error::new(format!("pictures are [N, C, H, W], got {:?}", x.size())))?;
        }
        let full: Vec<i64> = [vec![-1], x.size()].concat();
        let noise = match &o.noise {
            Some(t) if t.dim() == 5 => Some(t.f_expand(full.as_slice(), false).map_err(|_| {
                Error::new(format!("option `noise` {:?} does not broadcast to [samples, N, C, H, W]", t.size()))
            })?),
            Some(t) => Err(Error::new(format!("option `noise` is [samples, N, C, H, W], got {:?}", t.size())))?,
            None => None,
        };
        let norm = |t: &Tensor| t.f_flatten(1, -1)?.f_square()?.f_sum_dim_intlist([1].as_slice(), false, None::<Kind>)?.f_sqrt();
        let clean = explanation(&explain, &x)?;
        let own = norm(&clean)?;
        let own = own.f_masked_fill(&own.f_eq(0.0)?, 1.0)?;
        let mut most = own.f_zeros_like()?;
        for s in 0..noise.as_ref().map_or(o.samples.0, |n| n.size()[0]) {
            let change = match &noise {
                Some(n) => n.f_select(0, s)?.f_type_as(&x)?,
                None => {
                    let mut rng = seed::stream("sensitivity", s as u64);
                    let mut unit = || (f64::from(rng.next_u32()) / 2147483647.5 - 1.0) * o.radius;
                    let drawn: Vec<f32> = (0..x.numel()).map(|_| unit() as f32).collect();
                    Tensor::f_from_slice(&drawn)?.f_view_as(&x)?.f_type_as(&x)?
                }
            };
            let off = explanation(&explain, &x.f_add(&change)?)?.f_sub(&clean)?;
            most = most.f_maximum(&norm(&off)?.f_div(&own)?)?;
        }
        most
    }
}

//! Smooth Grad-CAM++ (Omeiza et al. 2019, https://arxiv.org/abs/1908.01224).

use super::grad_cam_pp::alpha;
use super::{Rule, sum_hw};
use crate::explain::noise::Noise;
use crate::explain::probe::probe;
use tch::Tensor;

options! {
    /// Options of `cam::smooth_grad_cam_pp`.
    pub struct SmoothOptions {
        /// Noisy looks.
        samples: i64 = 4,
        /// The noise's standard deviation, in the input's units.
        std: f64 = 0.3,
        /// Noise of your own, which broadcasts to [samples, N, C, H, W], in place of the run's seed.
        noise: Option<Tensor> = None,
    }
}

cam! {
    /// Smooth Grad-CAM++: Grad-CAM++ with derivatives averaged over noisy pictures.
    ///
    /// With `D1, D2, D3` the means of `G, G², G³` over the samples, `α = D2 / (2 D2 + Σ_hw A · D3)` and
    /// `w = Σ_hw α · ReLU(D1)`, A being the activation without noise. torchcam takes the gradient of its last
    /// sample for D1 and sums `A · D3` in the denominator.
    /// ```rhai
    /// let net = nn::sequential([["conv", nn::conv2d(1, 4, 3)], ["act", nn::relu()], ["gap", nn::adaptive_avg_pool2d(1)],
    ///                           ["flat", nn::flatten()], ["fc", nn::linear(4, 3)]]);
    /// cam::smooth_grad_cam_pp(net, "act", tensor::ones([2, 1, 8, 8]), 1, #{samples: 2}).shape // => [2, 8, 8]
    /// ```
    smooth_grad_cam_pp, SmoothOptions, |o| Rule::Looks(&|look| {
        let noise = Noise::new("smooth_grad_cam_pp", o.samples, o.std, o.noise.as_ref())?;
        let s = look.x.size();
        let full = [s[0], s[1], s[2], s[3]];
        let zero = || look.act.f_zeros_like();
        let mut means = [zero()?, zero()?, zero()?];
        for sample in 0..noise.samples {
            let each = (0..s[0]).map(|i| noise.planes(sample, i, 0..s[1], full, look.x));
            let x = Tensor::f_stack(&each.collect::<crate::core::Result<Vec<_>>>()?, 0)?.f_add(look.x)?;
            let seen = probe(look.net, &[look.layer.to_string()], &x, look.target)?;
            for (power, mean) in (1..).zip(&mut means) {
                let part = seen.grads[0].f_pow_tensor_scalar(power)?.f_div_scalar(noise.samples)?;
                *mean = mean.f_add(&part)?;
            }
        }
        let [first, second, third] = means;
        sum_hw(&alpha(look.act, &second, &third, 1e-8)?.f_mul(&first.f_relu()?)?)
    })
}

//! ROAD, remove and debias (Rong et al., ICML 2022, https://arxiv.org/abs/2202.00449).

use super::Maps;
use super::impute::{LANES, Missing};
use crate::core::{Error, Map, Opts, Result, Value, seed};
use crate::explain::attrib::Look;
use crate::explain::cam::MaybeTarget;
use crate::explain::probe;
use crate::nn::Net;
use rand::RngCore;
use rayon::prelude::*;
use tch::{Kind, Tensor};

options! {
    /// Options of `metrics::road`.
    pub struct RoadOptions {
        /// Percentiles of the map at which pixels are taken away.
        percentiles: Vec<f64> = vec![10.0, 20.0, 30.0, 40.0, 50.0, 60.0, 70.0, 80.0, 90.0]
            => "[10, 20, 30, 40, 50, 60, 70, 80, 90]",
        /// The standard deviation of the noise on imputed pixels.
        std: f64 = 0.01,
        /// Noise of your own, which broadcasts to [C, H, W] and is multiplied by `std`, in place of the run's seed.
        noise: Option<Tensor> = None,
    }
}

/// What the target gains where pixels are taken away, [N, percentiles].
pub struct Road {
    /// The most relevant first.
    pub most: Tensor,
    /// The least relevant first.
    pub least: Tensor,
}

impl Road {
    /// `(mean least − mean most) / 2`, [N]: large is good.
    ///
    /// # Errors
    /// libtorch's.
    pub fn combined(&self) -> Result<Tensor> {
        Ok(mean(&self.least)?.f_sub(&mean(&self.most)?)?.f_div_scalar(2.0)?)
    }
}

fn mean(t: &Tensor) -> Result<Tensor> {
    Ok(t.f_mean_dim([1].as_slice(), false, None::<Kind>)?)
}

/// numpy's percentile, by linear interpolation.
fn percentile(sorted: &[f32], p: f64) -> f32 {
    let at = p / 100.0 * (sorted.len() - 1) as f64;
    let (low, part) = (at.floor() as usize, at.fract());
    let (a, b) = (f64::from(sorted[low]), f64::from(sorted[(low + 1).min(sorted.len() - 1)]));
    // As numpy: from the nearer end.
    (if part < 0.5 { a + (b - a) * part } else { b - (b - a) * (1.0 - part) }) as f32
}

/// Normal noise [C, H, W], the same for every picture.
fn drawn(seed: i64, c: usize, places: usize, index: u64) -> Vec<f32> {
    let mut rng = seed::stream_of(seed, "road", index);
    let mut unit = || (f64::from(rng.next_u32()) + 1.0) / 4294967296.0;
    (0..c * places)
        .map(|_| ((-2.0 * unit().ln()).sqrt() * (std::f64::consts::TAU * unit()).cos()) as f32)
        .collect()
}

fn numbers(t: &Tensor) -> Result<Vec<f32>> {
    Ok(Vec::try_from(t.f_to_device(tch::Device::Cpu)?.f_to_kind(Kind::Float)?.f_contiguous()?.f_view([-1])?)?)
}

/// The picture [C, H, W] without the pixels whose value in `map` is at or above its percentile `p`.
fn without(picture: &[f32], map: &[f32], [c, h, w]: [usize; 3], p: f64, std: f64, noise: &[f32]) -> Vec<f32> {
    let mut sorted = map.to_vec();
    sorted.sort_unstable_by(f32::total_cmp);
    let threshold = percentile(&sorted, p);
    let kept: Vec<bool> = map.iter().map(|v| *v < threshold).collect();
    let missing = Missing::new(&kept, h, w);
    let mut out = picture.to_vec();
    let planes: Vec<&[f32]> = picture.chunks(h * w).collect();
    for first in (0..c).step_by(LANES) {
        let some = &planes[first..c.min(first + LANES)];
        for (place, values) in missing.places.iter().zip(missing.solve(some)) {
            for (k, v) in (first..c).zip(values) {
                let at = k * h * w + place;
                out[at] = (v + std * f64::from(noise[at])) as f32;
            }
        }
    }
    out
}

/// See [`Road`].
///
/// # Errors
/// A map or target that does not fit.
pub fn road(look: &Look, maps: &Maps, o: &RoadOptions) -> Result<Road> {
    if o.percentiles.is_empty() || o.percentiles.iter().any(|p| !(0.0..=100.0).contains(p)) {
        return Err(Error::new(format!(
            "`percentiles` are numbers in 0..100, at least one, got {:?}",
            o.percentiles
        )));
    }
    let x = &look.x;
    let (n, c, h, w) = x.size4()?;
    let size = [c as usize, h as usize, w as usize];
    let noise = match &o.noise {
        None => None,
        Some(t) => Some(numbers(&t.f_expand([c, h, w], false).map_err(|_| {
            Error::new(format!("option `noise` {:?} does not broadcast to {:?}", t.size(), [c, h, w]))
        })?)?),
    };
    let maps = maps.on(x)?;
    let (before, target) = look.settled()?;
    let pool = rayon::ThreadPoolBuilder::new().num_threads(tch::get_num_threads().max(1) as usize).build();
    let pool = pool.map_err(|e| Error::new(format!("no threads can be started: {e}")))?;
    let each = |i: i64| Ok((numbers(&x.f_select(0, i)?)?, numbers(&maps.f_select(0, i)?)?));
    let all = (0..n).map(each).collect::<Result<Vec<_>>>()?;
    let std = o.std;
    let (mut gains, run) = ([Vec::new(), Vec::new()], seed::get());
    for p in &o.percentiles {
        let drawn =
            if noise.is_none() { drawn(run, size[0], size[1] * size[2], p.to_bits()) } else { Vec::new() };
        let noise = noise.as_deref().unwrap_or(&drawn);
        let tasks: Vec<_> =
            [false, true].iter().flat_map(|turned| all.iter().map(move |both| (*turned, both))).collect();
        let made: Vec<Vec<f32>> = pool.install(|| {
            tasks
                .par_iter()
                .map(|(turned, (picture, map))| match turned {
                    false => without(picture, map, size, *p, std, noise),
                    true => {
                        // Of numbers about 1, as the reference has them: 1 less a tiny one is 1.
                        let top = map.iter().fold(0.0f32, |m, v| m.max(v.abs()));
                        let unit = if top > 0.0 { (-top.log2().ceil()).exp2() } else { 1.0 };
                        let map: Vec<f32> = map.iter().map(|v| 1.0 - v * unit).collect();
                        without(picture, &map, size, *p, std, noise)
                    }
                })
                .collect()
        });
        for (gains, made) in gains.iter_mut().zip(made.chunks(n as usize)) {
            let pictures = Tensor::f_from_slice(&made.concat())?.f_view([n, c, h, w])?.f_type_as(x)?;
            gains.push(probe::scores(look.net, &pictures, &target, &[])?.f_sub(&before)?);
        }
    }
    let [most, least] = gains;
    Ok(Road { most: Tensor::f_stack(&most, 1)?, least: Tensor::f_stack(&least, 1)? })
}

functions! {
    in "metrics";
    /// What the target gains where pixels are replaced by their neighbours' mean.
    ///
    /// A map `#{combined, most, least, most_curve, least_curve}`: `most` [N] takes the pixels of the map's highest values
    /// (at and above each percentile; low is good), `least` those of the lowest (high is good), the mean over the
    /// percentiles, whose values are the curves [N, percentiles]; `combined` is `(least − most) / 2`. Noisy linear
    /// imputation, section 5 of https://arxiv.org/abs/2202.00449. Only the order of the map's values counts.
    /// ```rhai
    /// let net = nn::sequential([["conv", nn::conv2d(1, 4, 3)], ["act", nn::relu()], ["gap", nn::adaptive_avg_pool2d(1)],
    ///                           ["flat", nn::flatten()], ["fc", nn::linear(4, 3)]]);
    /// let x = tensor::rand([2, 1, 8, 8]);
    /// let map = cam::grad_cam(net, "act", x, 1, #{form: "raw", relu: false});
    /// metrics::road(net, x, map, 1, #{percentiles: [20, 50, 80]}).most_curve.shape // => [2, 3]
    /// ```
    fn road(net: Net, x: Tensor, map: Maps, target: MaybeTarget, options: Opts<RoadOptions>) -> Map {
        let road = road(&Look::new(&net, &x, &target.0)?, &map, &options.0)?;
        let all = [
            ("combined", road.combined()?), ("most", mean(&road.most)?), ("least", mean(&road.least)?),
            ("most_curve", road.most), ("least_curve", road.least),
        ];
        all.map(|(k, t)| (k.to_string(), Value::Tensor(t))).into()
    }
}

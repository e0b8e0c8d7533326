//! New points in an existing map (Poličar, Stražar & Zupan 2019): each is drawn by its neighbours among the map's
//! points and pushed by all of them, while those stay where they are.

use super::{Settings, affinity, array, check, exact, knn, pool, rows};
use crate::core::{Result, interrupt};
use ndarray::{Array2, ArrayView2};
use rayon::prelude::*;

/// Attraction is so much stronger, as openTSNE has it.
const EXAGGERATION: f32 = 1.5;
const RATE: f32 = 0.1;
const STEP: f32 = 0.25;

/// Places for the rows of `x` in the map `places` of the rows of `features`.
///
/// # Errors
/// Numbers that are not finite, rows of another length, Ctrl-C.
pub fn place(
    x: &ArrayView2<f32>,
    features: &ArrayView2<f32>,
    places: &ArrayView2<f32>,
    perplexity: f64,
    iterations: usize,
    s: &Settings,
) -> Result<Array2<f32>> {
    check::finite(x)?;
    let pool = pool(s.threads)?;
    pool.install(|| match places.ncols() {
        1 => run::<1>(x, features, places, perplexity, iterations, s),
        2 => run::<2>(x, features, places, perplexity, iterations, s),
        _ => run::<3>(x, features, places, perplexity, iterations, s),
    })
}

fn run<const D: usize>(
    x: &ArrayView2<f32>,
    features: &ArrayView2<f32>,
    places: &ArrayView2<f32>,
    perplexity: f64,
    iterations: usize,
    s: &Settings,
) -> Result<Array2<f32>> {
    let k = ((3.0 * perplexity) as usize).clamp(1, features.nrows());
    let near = knn::between(x, features, k, s.metric)?;
    let weights = affinity::conditional(&near, &[perplexity.min(k as f64)]);
    let map: Vec<[f32; D]> = rows(places);
    let axes = exact::Axes::new(&map);
    let out: Vec<[f32; D]> = (0..x.nrows())
        .into_par_iter()
        .map(|i| {
            let (index, w) = (near.row(i).0, &weights[i * k..(i + 1) * k]);
            // The mean of the neighbours, by weight.
            let mut y = [0f32; D];
            index.iter().zip(w).for_each(|(j, w)| (0..D).for_each(|c| y[c] += w * map[*j as usize][c]));
            let (mut v, mut gain) = ([0f32; D], [1f32; D]);
            for _ in 0..iterations {
                if interrupt::requested() {
                    break;
                }
                let (push, z) = axes.on(&y);
                let mut pull = [0f32; D];
                for (j, w) in index.iter().zip(w) {
                    let other = &map[*j as usize];
                    let d: [f32; D] = std::array::from_fn(|c| y[c] - other[c]);
                    let q = w / (1.0 + d.iter().map(|v| v * v).sum::<f32>());
                    (0..D).for_each(|c| pull[c] += q * d[c]);
                }
                let mut step = [0f32; D];
                for c in 0..D {
                    let g = EXAGGERATION * pull[c] - push[c] / z.max(f32::MIN_POSITIVE);
                    gain[c] =
                        if (g > 0.0) == (v[c] > 0.0) { (gain[c] * 0.8).max(0.01) } else { gain[c] + 0.2 };
                    step[c] = RATE * gain[c] * g;
                }
                let long = step.iter().map(|v| v * v).sum::<f32>().sqrt();
                let shrink = if long > STEP { STEP / long } else { 1.0 };
                for c in 0..D {
                    v[c] = 0.8 * v[c] - shrink * step[c];
                    y[c] += v[c];
                }
            }
            y
        })
        .collect();
    interrupt::check()?;
    Ok(array(&out))
}

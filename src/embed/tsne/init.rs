//! Where points start.

use super::affinity::Sparse;
use super::{Settings, Start, rows};
use crate::core::{Error, Result};
use crate::embed::pca::{self, Pca};
use ndarray::ArrayView2;
use rand::{RngCore, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rayon::ThreadPool;
use rayon::prelude::*;

/// Standard deviation of the first axis: so small that early forces are all attraction.
const SPREAD: f32 = 1e-4;

/// Numbers from the normal distribution (Box & Muller 1958), the same in every version of the program.
pub fn normal(rng: &mut ChaCha8Rng) -> f32 {
    let mut unit = || (f64::from(rng.next_u32()) + 0.5) / 4_294_967_296.0;
    let (a, b) = (unit(), unit());
    ((-2.0 * a.ln()).sqrt() * (2.0 * std::f64::consts::PI * b).cos()) as f32
}

/// The places points start from.
///
/// # Errors
/// Given places of another shape, or not finite.
pub fn start<const D: usize>(
    x: &ArrayView2<f32>,
    p: &Sparse,
    s: &Settings,
    pool: &ThreadPool,
) -> Result<Vec<[f32; D]>> {
    let n = x.nrows();
    let mut rng = ChaCha8Rng::seed_from_u64(s.seed);
    let mut y: Vec<[f32; D]> = match &s.start {
        Start::Random => (0..n).map(|_| std::array::from_fn(|_| normal(&mut rng) * SPREAD)).collect(),
        Start::Pca => {
            let dims = D.min(x.ncols()).min(n);
            rows(&Pca::fit(x, dims, pca::Method::Auto, s.seed)?.transform(x)?.view())
        }
        Start::Spectral => pool.install(|| spectral(p, &mut rng)),
        Start::At(places) => {
            if places.dim() != (n, D) {
                let (a, b) = places.dim();
                return Err(Error::new(format!(
                    "`start` holds {a} points in {b} dimensions; expected {n} in {D}"
                )));
            }
            crate::embed::check::finite(&places.view())?;
            return Ok(rows(&places.view()));
        }
    };
    if !matches!(s.start, Start::Random) {
        let deviation = (y.iter().map(|p| f64::from(p[0]).powi(2)).sum::<f64>() / n as f64).sqrt().max(1e-30);
        let scale = SPREAD / deviation as f32;
        // Points at one place would stay together: a hundredth of the spread parts them.
        y.iter_mut().flatten().for_each(|v| *v = *v * scale + 0.01 * SPREAD * normal(&mut rng));
    }
    Ok(y)
}

/// The first eigenvectors behind the constant one of the normalised graph, by power iteration on a block.
fn spectral<const D: usize>(p: &Sparse, rng: &mut ChaCha8Rng) -> Vec<[f32; D]> {
    let n = p.len();
    let root: Vec<f64> =
        (0..n).map(|i| p.row(i).1.iter().map(|v| f64::from(*v)).sum::<f64>().max(1e-30).sqrt()).collect();
    let normed = |mut v: Vec<f64>| {
        let long = v.iter().map(|x| x * x).sum::<f64>().sqrt().max(1e-300);
        v.iter_mut().for_each(|x| *x /= long);
        v
    };
    let mut basis = vec![normed(root.clone())];
    basis.extend((0..D).map(|_| (0..n).map(|_| f64::from(normal(rng))).collect()));
    for _ in 0..150 {
        for k in 1..=D {
            let (before, rest) = basis.split_at_mut(k);
            let own = &mut rest[0];
            let mut next: Vec<f64> = (0..n)
                .into_par_iter()
                .with_min_len(256)
                .map(|i| {
                    let (index, value) = p.row(i);
                    let sum: f64 = index
                        .iter()
                        .zip(value)
                        .map(|(j, v)| f64::from(*v) * own[*j as usize] / root[*j as usize])
                        .sum();
                    // Half the identity keeps negative eigenvalues out of the way.
                    f64::midpoint(sum / root[i], own[i])
                })
                .collect();
            for other in before.iter() {
                let dot: f64 = next.iter().zip(other).map(|(a, b)| a * b).sum();
                next.iter_mut().zip(other).for_each(|(a, b)| *a -= dot * b);
            }
            *own = normed(next);
        }
    }
    (0..n).map(|i| std::array::from_fn(|c| (basis[c + 1][i] / root[i]) as f32)).collect()
}

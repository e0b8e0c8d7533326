//! Repulsion from every pair: for small maps, and as the measure of the others.

use crate::core::simd::{LANES, wide};
use rayon::prelude::*;

/// Points by coordinate; what pads the last vector is so far away that it adds nothing.
pub struct Axes<const D: usize> {
    axes: [Vec<f32>; D],
    len: usize,
}

impl<const D: usize> Axes<D> {
    /// Of these points.
    pub fn new(points: &[[f32; D]]) -> Self {
        let len = points.len().div_ceil(LANES) * LANES;
        let axes = std::array::from_fn(|c| {
            let mut axis: Vec<f32> = points.iter().map(|p| p[c]).collect();
            axis.resize(len, 1e18);
            axis
        });
        Self { axes, len }
    }

    /// Force on a point at `p`, and its share of Z.
    pub fn on(&self, p: &[f32; D]) -> ([f32; D], f32) {
        wide(
            #[inline(always)]
            || of_one(p, &self.axes, self.len),
        )
    }
}

/// Σ (yᵢ − yⱼ) / (1 + |yᵢ − yⱼ|²)² over `points` for every one of `at` into `out`; gives Σ 1 / (1 + |yᵢ − yⱼ|²),
/// pairs at the same place included.
pub fn forces<const D: usize>(at: &[[f32; D]], points: &[[f32; D]], out: &mut [[f32; D]]) -> f64 {
    let all = Axes::new(points);
    let parts: Vec<f64> = out
        .par_chunks_mut(64)
        .zip(at.par_chunks(64))
        .map(|(out, at)| {
            let one = |(out, p): (&mut [f32; D], &[f32; D])| {
                let (force, sum) = all.on(p);
                *out = force;
                f64::from(sum)
            };
            out.iter_mut().zip(at).map(one).sum()
        })
        .collect();
    parts.iter().sum()
}

#[inline(always)]
fn of_one<const D: usize>(p: &[f32; D], axes: &[Vec<f32>; D], len: usize) -> ([f32; D], f32) {
    let mut force = [[0f32; LANES]; D];
    let mut sum = [0f32; LANES];
    let mut at = 0;
    while at < len {
        let mut d = [[0f32; LANES]; D];
        let mut q = [1f32; LANES];
        for c in 0..D {
            let axis = &axes[c][at..at + LANES];
            for l in 0..LANES {
                d[c][l] = p[c] - axis[l];
                q[l] += d[c][l] * d[c][l];
            }
        }
        for l in 0..LANES {
            q[l] = 1.0 / q[l];
            sum[l] += q[l];
            q[l] *= q[l];
        }
        for c in 0..D {
            for l in 0..LANES {
                force[c][l] += q[l] * d[c][l];
            }
        }
        at += LANES;
    }
    (force.map(|f| f.iter().sum()), sum.iter().sum())
}

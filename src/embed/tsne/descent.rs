//! The descent: attraction along the sparse affinities fused with the step, momentum and gains (Jacobs 1988).

use super::affinity::{PAD, Sparse};
use super::grid::Grid;
use super::tree::Tree;
use super::{Method, exact};
use crate::core::simd::wide;
use rayon::prelude::*;

/// Points of a task; sums of tasks are added in their order.
const CHUNK: usize = 128;

/// What drives one stretch of iterations.
#[derive(Clone, Copy, Debug)]
pub struct Stretch {
    /// Affinities are so many times larger.
    pub exaggeration: f32,
    /// Share of the last step kept.
    pub momentum: f32,
    /// Length of a step.
    pub rate: f32,
}

/// How repulsion is computed, with what it keeps.
pub enum Repulsion {
    /// All pairs.
    Exact,
    /// Barnes and Hut's tree.
    Tree(Box<Tree>),
    /// Interpolation on a grid.
    Grid(Box<Grid>),
}

impl Repulsion {
    /// The means of `method`.
    pub fn new(method: Method, theta: f32, spacing: f32) -> Self {
        match method {
            Method::Exact => Repulsion::Exact,
            Method::BarnesHut => Repulsion::Tree(Box::new(Tree::new(theta))),
            Method::Fft => Repulsion::Grid(Box::new(Grid::new(spacing))),
        }
    }

    /// Forces of all points on each other into `out`; gives Z.
    pub fn forces<const D: usize>(&mut self, y: &[[f32; D]], out: &mut [[f32; D]]) -> f64 {
        match self {
            Repulsion::Tree(tree) => tree.forces(y, out),
            // A grid is for two dimensions; `Method::choose` sees to it.
            Repulsion::Grid(grid) => {
                match (y.as_flattened().as_chunks().0, out.as_flattened_mut().as_chunks_mut().0) {
                    (y, out) if D == 2 => grid.forces(y, out),
                    _ => 0.0,
                }
            }
            Repulsion::Exact => exact::forces(y, y, out) - y.len() as f64,
        }
    }
}

/// A map on its way.
pub struct Descent<const D: usize> {
    /// Places.
    pub y: Vec<[f32; D]>,
    /// Z of the last iteration.
    pub z: f64,
    /// Length of the last gradient.
    pub gradient: f64,
    next: Vec<[f32; D]>,
    velocity: Vec<[f32; D]>,
    gains: Vec<[f32; D]>,
    push: Vec<[f32; D]>,
}

/// What `pull` sums for one point: Σ p q (yᵢ − yⱼ).
#[inline(always)]
fn pull<const D: usize>(y: &[[f32; D]], at: &[f32; D], index: &[u32], p: &[f32]) -> [f32; D] {
    let mut sum = [[0f32; PAD]; D];
    for (index, p) in index.as_chunks::<PAD>().0.iter().zip(p.as_chunks::<PAD>().0) {
        let mut d = [[0f32; PAD]; D];
        let mut q = [1f32; PAD];
        for l in 0..PAD {
            let other = &y[index[l] as usize];
            for c in 0..D {
                d[c][l] = at[c] - other[c];
            }
        }
        for c in 0..D {
            for l in 0..PAD {
                q[l] += d[c][l] * d[c][l];
            }
        }
        for l in 0..PAD {
            q[l] = p[l] / q[l];
        }
        for c in 0..D {
            for l in 0..PAD {
                sum[c][l] += q[l] * d[c][l];
            }
        }
    }
    sum.map(|s| s.iter().sum())
}

impl<const D: usize> Descent<D> {
    /// From these places.
    pub fn new(y: Vec<[f32; D]>) -> Self {
        let n = y.len();
        Self {
            next: y.clone(),
            velocity: vec![[0.0; D]; n],
            gains: vec![[1.0; D]; n],
            push: vec![[0.0; D]; n],
            y,
            z: 1.0,
            gradient: 0.0,
        }
    }

    /// One iteration.
    pub fn step(&mut self, p: &Sparse, repulsion: &mut Repulsion, s: &Stretch) {
        self.z = repulsion.forces(&self.y, &mut self.push).max(f64::MIN_POSITIVE);
        let (y, push, over_z) = (&self.y, &self.push, (1.0 / self.z) as f32);
        let parts: Vec<([f64; D], f64)> = self
            .next
            .par_chunks_mut(CHUNK)
            .zip(self.velocity.par_chunks_mut(CHUNK))
            .zip(self.gains.par_chunks_mut(CHUNK))
            .enumerate()
            .map(|(task, ((next, velocity), gains))| {
                wide(
                    #[inline(always)]
                    || {
                        let (mut mean, mut norm) = ([0f64; D], 0f64);
                        for (k, ((next, v), gain)) in next.iter_mut().zip(velocity).zip(gains).enumerate() {
                            let i = task * CHUNK + k;
                            let (index, value) = p.row(i);
                            let pull = pull(y, &y[i], index, value);
                            let mut step = [0f32; D];
                            for c in 0..D {
                                let g = s.exaggeration * pull[c] - push[i][c] * over_z;
                                norm += f64::from(g * g);
                                gain[c] = if (g > 0.0) == (v[c] > 0.0) {
                                    (gain[c] * 0.8).max(0.01)
                                } else {
                                    gain[c] + 0.2
                                };
                                step[c] = s.rate * gain[c] * g;
                            }
                            // No point leaps out of the map.
                            let long = step.iter().map(|v| v * v).sum::<f32>().sqrt();
                            let shrink = if long > 5.0 { 5.0 / long } else { 1.0 };
                            for c in 0..D {
                                v[c] = s.momentum * v[c] - shrink * step[c];
                                next[c] = y[i][c] + v[c];
                                mean[c] += f64::from(next[c]);
                            }
                        }
                        (mean, norm)
                    },
                )
            })
            .collect();
        let n = self.y.len() as f64;
        self.gradient = parts.iter().map(|p| p.1).sum::<f64>().sqrt();
        let mean: [f32; D] = std::array::from_fn(|c| (parts.iter().map(|p| p.0[c]).sum::<f64>() / n) as f32);
        self.next.par_chunks_mut(4096).for_each(|next| {
            next.iter_mut().for_each(|y| (0..D).for_each(|c| y[c] -= mean[c]));
        });
        std::mem::swap(&mut self.y, &mut self.next);
    }
}

/// A quarter of the gradient of the divergence at places `y`: what a step goes down along.
pub fn gradient<const D: usize>(p: &Sparse, y: &[[f32; D]], repulsion: &mut Repulsion) -> Vec<[f32; D]> {
    let mut push = vec![[0.0; D]; y.len()];
    let z = repulsion.forces(y, &mut push).max(f64::MIN_POSITIVE) as f32;
    let one = |(i, push): (usize, &[f32; D])| {
        let (index, value) = p.row(i);
        let pull = pull(y, &y[i], index, value);
        std::array::from_fn(|c| pull[c] - push[c] / z)
    };
    push.iter().enumerate().map(one).collect()
}

/// Σ p ln(p / q) for places `y` and normaliser `z`.
pub fn divergence<const D: usize>(p: &Sparse, y: &[[f32; D]], z: f64) -> f64 {
    let parts: Vec<f64> = (0..p.len())
        .into_par_iter()
        .with_min_len(64)
        .map(|i| {
            let (index, value) = p.row(i);
            let terms = index.iter().zip(value).filter(|(_, p)| **p > 0.0);
            terms
                .map(|(j, p)| {
                    let (a, b) = (&y[i], &y[*j as usize]);
                    let d2: f64 = (0..D).map(|c| (f64::from(a[c]) - f64::from(b[c])).powi(2)).sum();
                    let p = f64::from(*p);
                    p * (p.ln() + d2.ln_1p() + z.ln())
                })
                .sum()
        })
        .collect();
    parts.iter().sum()
}

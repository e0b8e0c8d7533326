//! Repulsion in two dimensions by interpolation on a grid and fast Fourier transforms.
//!
//! The idea is FIt-SNE's (Linderman et al. 2019); the means differ. Points are spread onto one regular grid with
//! cubic B-splines whose interpolation filter is divided out in Fourier space, so a spacing of half a unit does what
//! takes FIt-SNE a third. The two components of the force are two odd kernels applied to one density: no
//! differences of large sums, which lets single precision do. The normaliser Z comes from the spectrum (Parseval).
//! A call costs one forward and two inverse transforms. Sums run in a fixed order whatever the number of threads.

use super::kernel::Kernel;
use crate::core::simd::wide;
use rayon::prelude::*;
use rustfft::num_complex::Complex32;
use rustfft::{Fft, FftPlanner};
use std::sync::Arc;

/// Rows of a band: points of one band are spread by one task.
const BAND: usize = 8;
/// Columns (rows) that a task of the transform takes at once: one cache line of complex numbers.
pub const TILE: usize = 8;

/// The most nodes each way: a map that runs away is seen coarsely rather than in all of the memory.
const MOST: f32 = 2000.0;

/// A pair of transforms of one length.
pub struct Plan {
    /// Circular length.
    pub len: usize,
    /// There …
    pub forward: Arc<dyn Fft<f32>>,
    /// … and back.
    pub inverse: Arc<dyn Fft<f32>>,
}

impl Plan {
    fn new(planner: &mut FftPlanner<f32>, len: usize) -> Self {
        Self { len, forward: planner.plan_fft_forward(len), inverse: planner.plan_fft_inverse(len) }
    }

    /// Scratch space for either direction.
    pub fn scratch(&self) -> Vec<Complex32> {
        let need = self.forward.get_inplace_scratch_len().max(self.inverse.get_inplace_scratch_len());
        vec![Complex32::default(); need]
    }
}

/// The least length with small factors that holds `nodes` and their images.
fn circular(nodes: usize) -> usize {
    let smooth = |mut n: usize| {
        for f in [2, 3, 5] {
            while n.is_multiple_of(f) {
                n /= f;
            }
        }
        n == 1
    };
    // Twice the nodes, and room for the tail of the spline's inverse filter (0.27 a node).
    let need = (2 * nodes + 8).div_ceil(16) * 16;
    (need..).step_by(16).find(|n| smooth(*n)).unwrap_or(need)
}

/// Weights of the four nodes around a point whose place between the middle two is `t` (cubic B-spline).
#[inline(always)]
fn spline(t: f32) -> [f32; 4] {
    let (t2, t3, s) = (t * t, t * t * t, 1.0 - t);
    [
        s * s * s / 6.0,
        (3.0 * t3 - 6.0 * t2 + 4.0) / 6.0,
        (-3.0 * t3 + 3.0 * t2 + 3.0 * t + 1.0) / 6.0,
        t3 / 6.0,
    ]
}

/// The grid and all it keeps from call to call.
pub struct Grid {
    spacing: f32,
    /// Spacing of the kernel at hand.
    built: f32,
    planner: FftPlanner<f32>,
    x: Option<Plan>,
    y: Option<Plan>,
    kernel: Kernel,
    density: Vec<f32>,
    rows: Vec<Complex32>,
    columns: Vec<Complex32>,
    field: Vec<Complex32>,
    bands: Vec<u32>,
    sorted: Vec<[f32; 2]>,
}

impl Grid {
    /// A grid of this spacing (units of the map; forces vary over one unit).
    pub fn new(spacing: f32) -> Self {
        Self {
            spacing,
            built: 0.0,
            planner: FftPlanner::new(),
            x: None,
            y: None,
            kernel: Kernel::default(),
            density: Vec::new(),
            rows: Vec::new(),
            columns: Vec::new(),
            field: Vec::new(),
            bands: Vec::new(),
            sorted: Vec::new(),
        }
    }

    /// Plans for so many nodes each way; those at hand do while they fit without much waste.
    fn fit(&mut self, nodes: [usize; 2], h: f32) {
        let fits = |p: &Option<Plan>, n: usize| {
            p.as_ref().is_some_and(|p| p.len >= 2 * n + 8 && p.len * 4 <= circular(n) * 5)
        };
        if self.built == h && fits(&self.x, nodes[0]) && fits(&self.y, nodes[1]) {
            return;
        }
        let x = Plan::new(&mut self.planner, circular(nodes[0]));
        let y = Plan::new(&mut self.planner, circular(nodes[1]));
        self.kernel.build(&x, &y, h);
        self.built = h;
        (self.x, self.y) = (Some(x), Some(y));
    }

    /// Σ (yᵢ − yⱼ) / (1 + |yᵢ − yⱼ|²)² for every point i into `out`; gives Z = Σ 1 / (1 + |yᵢ − yⱼ|²), i ≠ j.
    pub fn forces(&mut self, points: &[[f32; 2]], out: &mut [[f32; 2]]) -> f64 {
        let (low, high) = bounds(points);
        let widest = (high[0] - low[0]).max(high[1] - low[1]);
        if !widest.is_finite() || points.iter().flatten().any(|v| !v.is_finite()) {
            return f64::NAN;
        }
        let mut h = self.spacing;
        while widest > h * MOST {
            h *= 2.0;
        }
        let nodes = [0, 1].map(|c| ((high[c] - low[c]) / h) as usize + 6);
        self.fit(nodes, h);
        let (Some(px), Some(py)) = (self.x.take(), self.y.take()) else { return 0.0 };
        // A point's base node (the first of its four) is at least 1.
        let origin = [low[0] - 2.0 * h, low[1] - 2.0 * h];
        let place = move |p: &[f32; 2]| [(p[0] - origin[0]) / h - 1.0, (p[1] - origin[1]) / h - 1.0];
        self.spread(points, nodes, place);
        let z = self.convolve(&px, &py, nodes);
        let (field, stride) = (&self.field, px.len);
        out.par_chunks_mut(512).zip(points.par_chunks(512)).for_each(|(out, points)| {
            wide(
                #[inline(always)]
                || {
                    for (out, p) in out.iter_mut().zip(points) {
                        *out = gather(field, stride, place(p));
                    }
                },
            );
        });
        (self.x, self.y) = (Some(px), Some(py));
        z - points.len() as f64
    }

    /// Counts of points at nodes.
    fn spread(&mut self, points: &[[f32; 2]], nodes: [usize; 2], place: impl Fn(&[f32; 2]) -> [f32; 2]) {
        let (w, bands) = (nodes[0], nodes[1].div_ceil(BAND));
        // Points sorted by band, in their order.
        let mut start = vec![0u32; bands + 1];
        self.bands.clear();
        self.bands.extend(points.iter().map(|p| (place(p)[1] as u32) / BAND as u32));
        self.bands.iter().for_each(|b| start[*b as usize + 1] += 1);
        (0..bands).for_each(|b| start[b + 1] += start[b]);
        let mut next = start.clone();
        self.sorted.resize(points.len(), [0.0; 2]);
        for (p, b) in points.iter().zip(&self.bands) {
            self.sorted[next[*b as usize] as usize] = place(p);
            next[*b as usize] += 1;
        }
        self.density.clear();
        self.density.resize((bands.div_ceil(2) * 2 + 1) * BAND * w, 0.0);
        let sorted = &self.sorted;
        // Even bands, then odd ones: a band's points reach three rows into the next.
        for odd in 0..2 {
            self.density[odd * BAND * w..].par_chunks_mut(2 * BAND * w).enumerate().for_each(
                |(pair, grid)| {
                    let band = 2 * pair + odd;
                    if band >= bands {
                        return;
                    }
                    let top = (band * BAND) as f32;
                    let own = &sorted[start[band] as usize..start[band + 1] as usize];
                    wide(
                        #[inline(always)]
                        || {
                            for p in own {
                                let (col, row) = (p[0] as usize, (p[1] - top) as usize);
                                let (wx, wy) = (spline(p[0] - p[0].floor()), spline(p[1] - p[1].floor()));
                                for (r, wy) in wy.iter().enumerate() {
                                    let at = (row + r) * w + col;
                                    for (g, wx) in grid[at..at + 4].iter_mut().zip(&wx) {
                                        *g += wx * wy;
                                    }
                                }
                            }
                        },
                    );
                },
            );
        }
    }

    /// Density → field of forces (x as real, y as imaginary part); gives Σ density · K₁ · density.
    fn convolve(&mut self, px: &Plan, py: &Plan, nodes: [usize; 2]) -> f64 {
        let (lx, ly, half) = (px.len, py.len, px.len / 2 + 1);
        let (w, height) = (nodes[0], nodes[1].div_ceil(TILE) * TILE);
        // Rows, two real ones as one complex.
        self.rows.resize(height * half, Complex32::default());
        let density = &self.density;
        self.rows.par_chunks_mut(TILE * half).enumerate().for_each_init(
            || (vec![Complex32::default(); lx], px.scratch()),
            |(line, scratch), (tile, out)| {
                for (pair, out) in out.chunks_mut(2 * half).enumerate() {
                    let at = (tile * TILE + 2 * pair) * w;
                    let row = |k: usize| density.get(at + k * w..at + (k + 1) * w);
                    let (first, second) = out.split_at_mut(half);
                    let (Some(a), Some(b)) = (row(0), row(1)) else {
                        out.fill(Complex32::default());
                        continue;
                    };
                    line[w..].fill(Complex32::default());
                    line.iter_mut().zip(a.iter().zip(b)).for_each(|(c, (a, b))| *c = Complex32::new(*a, *b));
                    px.forward.process_with_scratch(line, scratch);
                    for k in 0..half {
                        let (f, g) = (line[k], line[if k == 0 { 0 } else { lx - k }]);
                        first[k] = Complex32::new(f.re + g.re, f.im - g.im) * 0.5;
                        second[k] = Complex32::new(f.im + g.im, g.re - f.re) * 0.5;
                    }
                }
            },
        );
        // Columns: there, times the kernels, and back.
        self.columns.resize(half.div_ceil(TILE) * TILE * 2 * height, Complex32::default());
        let (rows, kernel) = (&self.rows, &self.kernel);
        let scale = 1.0 / (lx as f64 * ly as f64);
        let parts: Vec<f64> = self
            .columns
            .par_chunks_mut(TILE * 2 * height)
            .enumerate()
            .map_init(
                || (vec![Complex32::default(); 3 * TILE * ly], py.scratch()),
                |(buffer, scratch), (tile, out)| {
                    let first = tile * TILE;
                    let own = TILE.min(half - first);
                    let (d, forces) = buffer.split_at_mut(TILE * ly);
                    for (r, row) in rows.chunks(half).enumerate() {
                        row[first..first + own].iter().enumerate().for_each(|(c, v)| d[c * ly + r] = *v);
                    }
                    d.chunks_mut(ly).for_each(|c| c[height..].fill(Complex32::default()));
                    py.forward.process_with_scratch(&mut d[..own * ly], scratch);
                    let (fx, fy) = forces.split_at_mut(TILE * ly);
                    let mut sum = 0.0;
                    for c in 0..own {
                        let twice = if first + c == 0 || first + c == lx / 2 { 1.0 } else { 2.0 };
                        let (at, own) = ((first + c) * ly..(first + c + 1) * ly, c * ly..(c + 1) * ly);
                        sum += twice
                            * wide(
                                #[inline(always)]
                                || {
                                    kernel.apply(
                                        at,
                                        &d[own.clone()],
                                        &mut fx[own.clone()],
                                        &mut fy[own.clone()],
                                        scale as f32,
                                    )
                                },
                            );
                    }
                    py.inverse.process_with_scratch(&mut fx[..own * ly], scratch);
                    py.inverse.process_with_scratch(&mut fy[..own * ly], scratch);
                    for (c, out) in out.chunks_mut(2 * height).take(own).enumerate() {
                        out[..height].copy_from_slice(&fx[c * ly..c * ly + height]);
                        out[height..].copy_from_slice(&fy[c * ly..c * ly + height]);
                    }
                    sum * scale
                },
            )
            .collect();
        // Rows back: both forces as one complex row.
        self.field.resize(height * lx, Complex32::default());
        let columns = &self.columns;
        self.field.par_chunks_mut(TILE * lx).enumerate().for_each_init(
            || px.scratch(),
            |scratch, (tile, out)| {
                let top = tile * TILE;
                for k in 0..half {
                    let column = &columns[k * 2 * height..(k + 1) * 2 * height];
                    let (fx, fy) = column.split_at(height);
                    for r in 0..TILE {
                        let (x, y) = (fx[top + r], fy[top + r]);
                        out[r * lx + k] = Complex32::new(x.re - y.im, x.im + y.re);
                        if k > 0 && k < lx / 2 {
                            out[r * lx + lx - k] = Complex32::new(x.re + y.im, y.re - x.im);
                        }
                    }
                }
                px.inverse.process_with_scratch(out, scratch);
            },
        );
        parts.iter().sum()
    }
}

/// The field at a place.
#[inline(always)]
fn gather(field: &[Complex32], stride: usize, p: [f32; 2]) -> [f32; 2] {
    let (col, row) = (p[0] as usize, p[1] as usize);
    let (wx, wy) = (spline(p[0] - p[0].floor()), spline(p[1] - p[1].floor()));
    let mut out = [[0f32; 4]; 2];
    for (r, wy) in wy.iter().enumerate() {
        let at = (row + r) * stride + col;
        for (c, f) in field[at..at + 4].iter().enumerate() {
            out[0][c] += wy * wx[c] * f.re;
            out[1][c] += wy * wx[c] * f.im;
        }
    }
    [out[0].iter().sum(), out[1].iter().sum()]
}

/// Corners of the box around all points.
pub fn bounds<const D: usize>(points: &[[f32; D]]) -> ([f32; D], [f32; D]) {
    wide(
        #[inline(always)]
        || {
            points.iter().fold(([f32::INFINITY; D], [f32::NEG_INFINITY; D]), |(mut low, mut high), p| {
                for c in 0..D {
                    low[c] = low[c].min(p[c]);
                    high[c] = high[c].max(p[c]);
                }
                (low, high)
            })
        },
    )
}

//! The kernels of repulsion in Fourier space: 1/(1+d²) for the normaliser, dx/(1+d²)² and dy/(1+d²)² for forces.

use super::grid::Plan;
use rayon::prelude::*;
use rustfft::num_complex::Complex32;
use std::ops::Range;

/// Spectra by columns; the first is real, the others are imaginary.
#[derive(Default)]
pub struct Kernel {
    potential: Vec<f32>,
    x: Vec<f32>,
    y: Vec<f32>,
}

/// What the two splines (spreading and reading) do to frequency `k` at the nodes: divided out.
fn filter(k: usize, len: usize) -> f32 {
    let b = (4.0 + 2.0 * (2.0 * std::f64::consts::PI * k as f64 / len as f64).cos()) / 6.0;
    (1.0 / (b * b)) as f32
}

impl Kernel {
    /// Spectra of the kernels sampled at nodes `h` apart.
    pub fn build(&mut self, px: &Plan, py: &Plan, h: f32) {
        let (lx, ly, half) = (px.len, py.len, px.len / 2 + 1);
        let signed = |i: usize, len: usize| if 2 * i > len { i as f32 - len as f32 } else { i as f32 };
        // One transform for all: K₁ is even, Kx odd in x, and Ky, which is odd in y, goes into the imaginary part.
        let mut rows = vec![Complex32::default(); lx * ly];
        rows.par_chunks_mut(lx).enumerate().for_each_init(
            || px.scratch(),
            |scratch, (j, row)| {
                let dy = signed(j, ly) * h;
                for (i, v) in row.iter_mut().enumerate() {
                    let dx = signed(i, lx) * h;
                    let q = 1.0 / (1.0 + dx * dx + dy * dy);
                    // Halfway round there is no sign; nothing that far is ever read.
                    let fx = if 2 * i == lx { 0.0 } else { dx * q * q };
                    let fy = if 2 * j == ly { 0.0 } else { dy * q * q };
                    *v = Complex32::new(q + fx, fy);
                }
                px.forward.process_with_scratch(row, scratch);
            },
        );
        for part in [&mut self.potential, &mut self.x, &mut self.y] {
            part.clear();
            part.resize(half * ly, 0.0);
        }
        let parts =
            self.potential.par_chunks_mut(ly).zip(self.x.par_chunks_mut(ly)).zip(self.y.par_chunks_mut(ly));
        parts.enumerate().for_each_init(
            || (vec![Complex32::default(); ly], py.scratch()),
            |(column, scratch), (k, ((potential, x), y))| {
                column.iter_mut().zip(rows.chunks(lx)).for_each(|(c, row)| *c = row[k]);
                py.forward.process_with_scratch(column, scratch);
                let across = filter(k, lx);
                for j in 0..ly {
                    let (here, mirror) = (column[j], column[(ly - j) % ly]);
                    let f = across * filter(j, ly);
                    potential[j] = f * (here.re + mirror.re) / 2.0;
                    y[j] = f * (mirror.re - here.re) / 2.0;
                    x[j] = f * here.im;
                }
            },
        );
    }

    /// One column: the spectra of both forces, and Σ |d|² K₁.
    #[inline(always)]
    pub fn apply(
        &self,
        at: Range<usize>,
        d: &[Complex32],
        fx: &mut [Complex32],
        fy: &mut [Complex32],
        scale: f32,
    ) -> f64 {
        let (potential, kx, ky) = (&self.potential[at.clone()], &self.x[at.clone()], &self.y[at]);
        let mut sum = [0f32; 8];
        for (i, ((d, p), (fx, fy))) in d.iter().zip(potential).zip(fx.iter_mut().zip(fy)).enumerate() {
            sum[i % 8] += (d.re * d.re + d.im * d.im) * p;
            let (x, y) = (kx[i] * scale, ky[i] * scale);
            *fx = Complex32::new(-d.im * x, d.re * x);
            *fy = Complex32::new(-d.im * y, d.re * y);
        }
        sum.iter().map(|v| f64::from(*v)).sum()
    }
}

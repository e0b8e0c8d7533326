//! Clusters of near points (k-means on a sample), for searches that look at near clusters only.

use crate::core::{Result, interrupt};
use ndarray::{Array2, ArrayView2, Axis, s};
use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;

/// Points sorted by the cluster they belong to.
pub struct Clusters {
    /// Which point stands at each sorted place.
    pub order: Vec<usize>,
    start: Vec<usize>,
    centres: Array2<f32>,
}

/// Which centre is nearest to each row.
fn assign(x: &ArrayView2<f32>, centres: &Array2<f32>) -> Vec<u32> {
    let half: Vec<f32> =
        centres.axis_iter(Axis(0)).map(|c| c.iter().map(|v| v * v).sum::<f32>() / 2.0).collect();
    let mut out = vec![0u32; x.nrows()];
    out.par_chunks_mut(256).enumerate().for_each(|(task, out)| {
        let rows = x.slice(s![task * 256..task * 256 + out.len(), ..]);
        let products = rows.dot(&centres.t());
        for (row, out) in products.axis_iter(Axis(0)).zip(out) {
            let best = row.iter().zip(&half).map(|(p, h)| h - p).enumerate();
            *out = best.min_by(|a, b| a.1.total_cmp(&b.1)).map_or(0, |(c, _)| c as u32);
        }
    });
    out
}

impl Clusters {
    /// About √n clusters of the rows of `x`.
    ///
    /// # Errors
    /// Ctrl-C.
    pub fn new(x: &Array2<f32>, seed: u64) -> Result<Self> {
        let n = x.nrows();
        let count = ((n as f64).sqrt() as usize).clamp(1, 4096);
        let mut rng = ChaCha8Rng::seed_from_u64(seed ^ 0x6b6d_6561_6e73);
        let mut all: Vec<usize> = (0..n).collect();
        let mut picked = all.partial_shuffle(&mut rng, n.min(count * 64)).0.to_vec();
        let mut centres = x.select(Axis(0), &picked[..count]);
        picked.sort_unstable();
        let some = x.select(Axis(0), &picked);
        for _ in 0..6 {
            interrupt::check()?;
            let of = assign(&some.view(), &centres);
            let (mut sums, mut counts) = (Array2::<f32>::zeros(centres.raw_dim()), vec![0usize; count]);
            for (row, c) in some.axis_iter(Axis(0)).zip(&of) {
                let mut sum = sums.row_mut(*c as usize);
                sum += &row;
                counts[*c as usize] += 1;
            }
            for (c, m) in counts.iter().enumerate() {
                if *m > 0 {
                    centres.row_mut(c).assign(&(&sums.row(c) / *m as f32));
                }
            }
        }
        let of = assign(&x.view(), &centres);
        let mut start = vec![0usize; count + 1];
        of.iter().for_each(|c| start[*c as usize + 1] += 1);
        (0..count).for_each(|c| start[c + 1] += start[c]);
        let (mut next, mut order) = (start.clone(), vec![0usize; n]);
        for (i, c) in of.iter().enumerate() {
            order[next[*c as usize]] = i;
            next[*c as usize] += 1;
        }
        Ok(Self { order, start, centres })
    }

    /// How many clusters.
    pub fn count(&self) -> usize {
        self.start.len() - 1
    }

    /// Sorted places of cluster `c`.
    pub fn range(&self, c: usize) -> (usize, usize) {
        (self.start[c], self.start[c + 1])
    }

    /// Ranges of sorted places around cluster `c`, nearest clusters first, until `look` points are in them.
    pub fn near(&self, c: usize, look: usize) -> Vec<(usize, usize)> {
        let own = self.centres.row(c);
        let far =
            |d: usize| -> f32 { own.iter().zip(self.centres.row(d)).map(|(a, b)| (a - b) * (a - b)).sum() };
        let mut all: Vec<(f32, usize)> = (0..self.count()).map(|d| (far(d), d)).collect();
        all.sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
        let (mut out, mut seen) = (Vec::new(), 0);
        for (_, d) in all {
            let range = self.range(d);
            if range.0 < range.1 {
                out.push(range);
                seen += range.1 - range.0;
            }
            if seen >= look {
                break;
            }
        }
        out
    }
}

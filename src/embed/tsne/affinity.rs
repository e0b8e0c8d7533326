//! How near points are in the space of features: Gaussians whose width each point's neighbours settle
//! (van der Maaten & Hinton 2008, equations 1 and 2, and the symmetric mean).

use crate::embed::knn::Neighbours;
use rayon::prelude::*;

/// Rows are padded to whole vectors, with the row itself and weight 0.
pub const PAD: usize = 16;

/// A sparse matrix by rows.
#[derive(Clone, Debug)]
pub struct Sparse {
    /// Where each row begins; one more than rows.
    pub start: Vec<usize>,
    /// Columns.
    pub index: Vec<u32>,
    /// Values; 0 in the padding.
    pub value: Vec<f32>,
}

impl Sparse {
    /// How many rows.
    pub fn len(&self) -> usize {
        self.start.len() - 1
    }

    /// True when there is no row.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Columns and values of row `i`.
    #[inline(always)]
    pub fn row(&self, i: usize) -> (&[u32], &[f32]) {
        let at = self.start[i]..self.start[i + 1];
        (&self.index[at.clone()], &self.value[at])
    }
}

/// Weights of one point's neighbours at squared distances `d2` (ascending), whose entropy is ln `perplexity`.
fn gaussian(d2: &[f64], perplexity: f64, out: &mut [f64]) {
    let target = perplexity.min(d2.len() as f64).ln();
    let least = d2.first().copied().unwrap_or(0.0);
    let mean = d2.iter().map(|d| d - least).sum::<f64>() / d2.len().max(1) as f64;
    // Newton's steps in the logarithm of the width, inside brackets; equal distances have one solution only.
    let (mut log, mut low, mut high) = (-mean.max(1e-300).ln(), f64::NEG_INFINITY, f64::INFINITY);
    let mut sum = 1.0;
    for _ in 0..100 {
        let beta = log.exp();
        let (mut first, mut second) = (0.0, 0.0);
        sum = 0.0;
        for (w, d) in out.iter_mut().zip(d2) {
            let d = d - least;
            *w = (-beta * d).exp();
            sum += *w;
            first += *w * d;
            second += *w * d * d;
        }
        let (m1, m2) = (first / sum, second / sum);
        let off = sum.ln() + beta * m1 - target;
        if off.abs() < 1e-10 || mean == 0.0 {
            break;
        }
        if off > 0.0 {
            low = log
        } else {
            high = log
        }
        let slope = -beta * beta * (m2 - m1 * m1);
        let newton = log - off / slope;
        log = match (low.is_finite(), high.is_finite()) {
            _ if newton.is_finite() && newton > low && newton < high && (newton - log).abs() < 4.0 => newton,
            (true, true) => f64::midpoint(low, high),
            (true, false) => log + 2.0,
            _ => log - 2.0,
        };
        if high - low < 1e-13 {
            break;
        }
    }
    out.iter_mut().for_each(|w| *w /= sum);
}

/// Each point's weights of its neighbours; with several perplexities, the mean of their weights.
pub fn conditional(near: &Neighbours, perplexities: &[f64]) -> Vec<f32> {
    let k = near.k;
    let mut out = vec![0f32; near.index.len()];
    out.par_chunks_mut(k * 64).zip(near.distance.par_chunks(k * 64)).for_each(|(out, far)| {
        let (mut d2, mut w) = (vec![0f64; k], vec![0f64; k]);
        for (out, far) in out.chunks_mut(k).zip(far.chunks(k)) {
            d2.iter_mut().zip(far).for_each(|(d, f)| *d = f64::from(*f).powi(2));
            for perplexity in perplexities {
                gaussian(&d2, *perplexity, &mut w);
                out.iter_mut().zip(&w).for_each(|(o, w)| *o += (*w / perplexities.len() as f64) as f32);
            }
        }
    });
    out
}

/// Joint probabilities: (p(j|i) + p(i|j)) / 2n, which sum to 1.
pub fn joint(near: Neighbours, perplexities: &[f64]) -> Sparse {
    let (n, k) = (near.len(), near.k);
    let weights = conditional(&near, perplexities);
    let mut own: Vec<(u32, f32)> = near.index.iter().copied().zip(weights).collect();
    drop(near);
    own.par_chunks_mut(k).for_each(|row| row.sort_unstable_by_key(|e| e.0));
    // The transpose: counting sort, so that each row's sources ascend.
    let mut begin = vec![0usize; n + 1];
    own.iter().for_each(|(j, _)| begin[*j as usize + 1] += 1);
    (0..n).for_each(|i| begin[i + 1] += begin[i]);
    let mut next = begin.clone();
    let mut back = vec![(0u32, 0f32); n * k];
    for (at, (j, p)) in own.iter().enumerate() {
        back[next[*j as usize]] = ((at / k) as u32, *p);
        next[*j as usize] += 1;
    }
    let both = |i: usize| Merged { a: &own[i * k..(i + 1) * k], b: &back[begin[i]..begin[i + 1]] };
    // Rows are measured first and then written where they stay: memory is what bounds the number of points.
    let lengths: Vec<usize> = (0..n).into_par_iter().map(|i| both(i).count().div_ceil(PAD) * PAD).collect();
    let mut out = Sparse { start: vec![0; n + 1], index: Vec::new(), value: Vec::new() };
    (0..n).for_each(|i| out.start[i + 1] = out.start[i] + lengths[i]);
    (out.index, out.value) = (vec![0; out.start[n]], vec![0.0; out.start[n]]);
    let (mut index, mut value) = (&mut out.index[..], &mut out.value[..]);
    let mut rows = Vec::with_capacity(n);
    for length in lengths {
        let (own, others) = std::mem::take(&mut index).split_at_mut(length);
        let (weight, weights) = std::mem::take(&mut value).split_at_mut(length);
        (index, value) = (others, weights);
        rows.push((own, weight));
    }
    rows.into_par_iter().enumerate().for_each(|(i, (index, value))| {
        index.fill(i as u32);
        for ((index, value), (j, p)) in index.iter_mut().zip(value).zip(both(i)) {
            (*index, *value) = (j, p / (2.0 * n as f32));
        }
    });
    out
}

/// The sum of two rows sorted by column.
struct Merged<'a> {
    a: &'a [(u32, f32)],
    b: &'a [(u32, f32)],
}

impl Iterator for Merged<'_> {
    type Item = (u32, f32);
    fn next(&mut self) -> Option<Self::Item> {
        let (x, y) = (self.a.first(), self.b.first());
        let least = x.iter().chain(&y).map(|e| e.0).min()?;
        let mut sum = 0.0;
        if let Some(x) = x.filter(|x| x.0 == least) {
            sum += x.1;
            self.a = &self.a[1..];
        }
        if let Some(y) = y.filter(|y| y.0 == least) {
            sum += y.1;
            self.b = &self.b[1..];
        }
        Some((least, sum))
    }
}

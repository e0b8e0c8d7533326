//! How much a map keeps of the space it shows.

use super::knn::{self, Metric, Neighbours};
use crate::core::simd::{LANES, wide};
use crate::core::{Error, Result, interrupt};
use ndarray::{ArrayView2, Axis};
use rayon::prelude::*;

/// Share of each point's `k` nearest neighbours that are among its `k` nearest in the map.
pub fn preservation(features: &Neighbours, map: &Neighbours) -> f64 {
    let n = features.len();
    let kept = |i: usize| {
        let own = map.row(i).0;
        features.row(i).0.iter().filter(|j| own.contains(j)).count()
    };
    (0..n).map(kept).sum::<usize>() as f64 / (n * features.k) as f64
}

/// Squared length of the difference, in vectors.
#[inline(always)]
fn squared(a: &[f32], b: &[f32]) -> f32 {
    let ((a, a_rest), (b, b_rest)) = (a.as_chunks::<LANES>(), b.as_chunks::<LANES>());
    let mut sum = [0f32; LANES];
    for (a, b) in a.iter().zip(b) {
        for l in 0..LANES {
            sum[l] += (a[l] - b[l]) * (a[l] - b[l]);
        }
    }
    let rest: f32 = a_rest.iter().zip(b_rest).map(|(a, b)| (a - b) * (a - b)).sum();
    sum.iter().sum::<f32>() + rest
}

/// Trustworthiness (Venna & Kaski 2001): 1 less a penalty for each of the map's `k` neighbours that was farther in
/// the features, by how much farther it ranks there.
///
/// # Errors
/// `k` at least half the number of points; Ctrl-C.
pub fn trustworthiness(x: &ArrayView2<f32>, map: &Neighbours, metric: Metric) -> Result<f64> {
    let (n, k) = (x.nrows(), map.k);
    if 2 * k >= n {
        return Err(Error::new(format!(
            "trustworthiness of {k} neighbours needs more than {} points",
            2 * k
        )));
    }
    let x = knn::prepared(x, metric, x.mean_axis(Axis(0)).as_ref());
    let dead: Vec<bool> =
        x.rows().into_iter().map(|r| metric == Metric::Cosine && r.iter().all(|v| *v == 0.0)).collect();
    let far = |i: usize, j: usize| -> f32 {
        if dead[i] || dead[j] {
            return 2.0; // a cosine of 0, as knn has it
        }
        let (a, b) = (x.row(i), x.row(j));
        match (a.as_slice(), b.as_slice()) {
            (Some(a), Some(b)) => squared(a, b),
            _ => f32::NAN,
        }
    };
    let penalty = |i: usize| -> f64 {
        if interrupt::requested() {
            return 0.0;
        }
        let all: Vec<f32> = wide(
            #[inline(always)]
            || (0..n).map(|j| far(i, j)).collect(),
        );
        let rank = |j: usize| (0..n).filter(|m| *m != i && (all[*m], *m) < (all[j], j)).count() + 1;
        map.row(i).0.iter().map(|j| (rank(*j as usize) as f64 - k as f64).max(0.0)).sum()
    };
    let sum: Vec<f64> = (0..n).into_par_iter().map(penalty).collect();
    interrupt::check()?;
    let (n, k) = (n as f64, k as f64);
    Ok(1.0 - sum.iter().sum::<f64>() * 2.0 / (n * k * (2.0 * n - 3.0 * k - 1.0)))
}

/// Share of the points `chosen` whose neighbours' most frequent label (the nearest's of equals) is their own.
pub fn accuracy(map: &Neighbours, labels: &[i64], chosen: &[usize]) -> f64 {
    let right = |i: usize| {
        let mut votes: Vec<(i64, usize)> = Vec::new();
        for j in map.row(i).0 {
            let label = labels[*j as usize];
            match votes.iter_mut().find(|v| v.0 == label) {
                Some(v) => v.1 += 1,
                None => votes.push((label, 1)),
            }
        }
        let most = votes.iter().map(|v| v.1).max();
        votes.iter().find(|v| Some(v.1) == most).is_some_and(|v| v.0 == labels[chosen[i]])
    };
    (0..map.len()).filter(|i| right(*i)).count() as f64 / map.len() as f64
}

/// Mean silhouette (Rousseeuw 1987): how much nearer a point's own class is than the next, −1 to 1; none where there are
/// fewer than two classes.
///
/// # Errors
/// Ctrl-C.
pub fn silhouette(x: &ArrayView2<f32>, labels: &[i64]) -> Result<Option<f64>> {
    let mut classes = labels.to_vec();
    classes.sort_unstable();
    classes.dedup();
    if classes.len() < 2 {
        return Ok(None);
    }
    let of: Vec<usize> = labels.iter().map(|l| classes.binary_search(l).unwrap_or(0)).collect();
    let mut size = vec![0usize; classes.len()];
    of.iter().for_each(|c| size[*c] += 1);
    let one = |i: usize| -> f64 {
        if size[of[i]] < 2 || interrupt::requested() {
            return 0.0;
        }
        let mut sums = vec![0f64; classes.len()];
        let own = x.row(i);
        for (row, c) in x.axis_iter(Axis(0)).zip(&of) {
            let d2: f64 = own.iter().zip(row).map(|(a, b)| (f64::from(*a) - f64::from(*b)).powi(2)).sum();
            sums[*c] += d2.sqrt();
        }
        let inner = sums[of[i]] / (size[of[i]] - 1) as f64;
        let others = (0..classes.len()).filter(|c| *c != of[i]).map(|c| sums[c] / size[c] as f64);
        let outer = others.fold(f64::INFINITY, f64::min);
        let larger = inner.max(outer);
        if larger > 0.0 { (outer - inner) / larger } else { 0.0 }
    };
    let all: Vec<f64> = (0..x.nrows()).into_par_iter().map(one).collect();
    interrupt::check()?;
    Ok(Some(all.iter().sum::<f64>() / all.len() as f64))
}

/// Neighbours of the points `chosen` among all: what measures of large maps are taken from.
///
/// # Errors
/// As [`knn::between`].
pub fn neighbours_of_some(
    x: &ArrayView2<f32>,
    k: usize,
    metric: Metric,
    chosen: &[usize],
) -> Result<Neighbours> {
    if chosen.len() >= x.nrows() {
        return knn::exact(x, k, metric);
    }
    let near = knn::between(&x.select(Axis(0), chosen).view(), x, k + 1, metric)?;
    let mut out = Neighbours { k, index: Vec::new(), distance: Vec::new() };
    for (i, point) in chosen.iter().enumerate() {
        let (index, far) = near.row(i);
        // Itself, or, if a copy of it took its place, the last one.
        let own = index.iter().position(|j| *j as usize == *point).unwrap_or(k);
        out.index.extend(index.iter().enumerate().filter(|(p, _)| *p != own).map(|(_, j)| *j));
        out.distance.extend(far.iter().enumerate().filter(|(p, _)| *p != own).map(|(_, d)| *d));
    }
    Ok(out)
}

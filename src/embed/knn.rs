//! Nearest neighbours: all pairs by blocks of matrix products, or the same blocks among near clusters only.

use super::clusters::Clusters;
use crate::core::simd::wide;
use crate::core::{Error, Result, interrupt};
use ndarray::linalg::general_mat_mul;
use ndarray::{Array2, ArrayView1, ArrayView2, Axis, s};
use rayon::prelude::*;

/// How far apart two points are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Metric {
    /// Length of the difference.
    Euclidean,
    /// 1 − cosine of the angle; 1 from and to a point of zeros.
    Cosine,
}

/// The `k` nearest of every point, nearest first.
#[derive(Clone, Debug)]
pub struct Neighbours {
    /// How many of each point.
    pub k: usize,
    /// [n, k]: which points.
    pub index: Vec<u32>,
    /// [n, k]: how far.
    pub distance: Vec<f32>,
}

impl Neighbours {
    /// Neighbours of point `i`.
    pub fn row(&self, i: usize) -> (&[u32], &[f32]) {
        let at = i * self.k..(i + 1) * self.k;
        (&self.index[at.clone()], &self.distance[at])
    }

    /// How many points have neighbours here.
    pub fn len(&self) -> usize {
        self.index.len() / self.k.max(1)
    }

    /// True when there is none.
    pub fn is_empty(&self) -> bool {
        self.index.is_empty()
    }
}

/// Queries of a task and references of a block: the block of products stays in the second cache.
const QUERIES: usize = 128;
const BLOCK: usize = 512;

/// The metric's points as Euclid sees them: centred (products in f32 lose less), or of length 1.
pub fn prepared(x: &ArrayView2<f32>, metric: Metric, mean: Option<&ndarray::Array1<f32>>) -> Array2<f32> {
    let mut out = x.to_owned();
    match (metric, mean) {
        (Metric::Euclidean, Some(mean)) => out -= mean,
        (Metric::Euclidean, None) => {}
        (Metric::Cosine, _) => out.axis_iter_mut(Axis(0)).for_each(|mut row| {
            let norm = row.iter().map(|v| f64::from(*v).powi(2)).sum::<f64>().sqrt();
            if norm > 0.0 {
                row.mapv_inplace(|v| (f64::from(v) / norm) as f32);
            }
        }),
    }
    out
}

/// The nearest so far of one query: everything nearer than `limit` is kept, and thinned out when full.
struct Nearest {
    want: usize,
    limit: f32,
    found: Vec<(f32, u32)>,
}

impl Nearest {
    fn new(want: usize) -> Self {
        Self { want, limit: f32::INFINITY, found: Vec::with_capacity(3 * want + BLOCK) }
    }

    /// Takes the distances `d` of the points from `first` on.
    #[inline(always)]
    fn take(&mut self, d: &[f32], first: u32, skip: u32) {
        for (chunk, part) in d.chunks(16).enumerate() {
            // Whole chunks without a near point are the rule.
            let least = part.iter().fold(f32::INFINITY, |a, b| if *b < a { *b } else { a });
            if least >= self.limit {
                continue;
            }
            for (lane, v) in part.iter().enumerate() {
                let id = first + (chunk * 16 + lane) as u32;
                if *v < self.limit && id != skip {
                    self.found.push((*v, id));
                }
            }
            if self.found.len() >= 2 * self.want + 32 {
                self.thin();
            }
        }
    }

    fn thin(&mut self) {
        if self.found.len() > self.want {
            self.found.select_nth_unstable_by(self.want - 1, order);
            self.found.truncate(self.want);
            self.limit = self.found[self.want - 1].0;
        }
    }
}

fn order(a: &(f32, u32), b: &(f32, u32)) -> std::cmp::Ordering {
    a.0.total_cmp(&b.0).then(a.1.cmp(&b.1))
}

/// What a search works on.
struct Search<'a> {
    queries: &'a Array2<f32>,
    points: &'a Array2<f32>,
    norms: Vec<f32>,
    metric: Metric,
    k: usize,
    /// Queries are the points: none is its own neighbour.
    same: bool,
}

impl Search<'_> {
    /// The nearest of queries `from..to` among the points of `ranges`.
    fn block(&self, from: usize, to: usize, ranges: &[(usize, usize)], index: &mut [u32], far: &mut [f32]) {
        let mut found: Vec<Nearest> = (from..to).map(|_| Nearest::new(self.k + 8)).collect();
        let mut products = Array2::<f32>::zeros((to - from, BLOCK));
        let queries = self.queries.slice(s![from..to, ..]);
        for (first, last) in ranges {
            let mut a = *first;
            while a < *last {
                let b = (a + BLOCK).min(*last);
                let mut out = products.slice_mut(s![.., ..b - a]);
                general_mat_mul(-2.0, &queries, &self.points.slice(s![a..b, ..]).t(), 0.0, &mut out);
                let norms = &self.norms[a..b];
                for (i, nearest) in found.iter_mut().enumerate() {
                    let mut row = out.row_mut(i);
                    let Some(row) = row.as_slice_mut() else { continue };
                    let skip = if self.same { (from + i) as u32 } else { u32::MAX };
                    wide(
                        #[inline(always)]
                        || {
                            row.iter_mut().zip(norms).for_each(|(v, n)| *v += n);
                            nearest.take(row, a as u32, skip);
                        },
                    );
                }
                a = b;
            }
        }
        for (i, mut nearest) in found.into_iter().enumerate() {
            nearest.thin();
            self.settle(from + i, &mut nearest.found);
            let at = i * self.k..(i + 1) * self.k;
            for (((d, j), index), far) in
                nearest.found.iter().zip(&mut index[at.clone()]).zip(&mut far[at.clone()])
            {
                (*index, *far) = (*j, *d);
            }
        }
    }

    /// Exact distances instead of differences of large products, in order.
    fn settle(&self, i: usize, found: &mut [(f32, u32)]) {
        let q = self.queries.row(i);
        let dead = |r: &ArrayView1<f32>| r.iter().all(|v| *v == 0.0);
        for (d, j) in found.iter_mut() {
            let p = self.points.row(*j as usize);
            if self.metric == Metric::Cosine && (dead(&q) || dead(&p)) {
                *d = 1.0; // nothing has no direction: the cosine is taken to be 0
                continue;
            }
            let sum: f64 = q.iter().zip(p).map(|(a, b)| (f64::from(*a) - f64::from(*b)).powi(2)).sum();
            *d = match self.metric {
                Metric::Euclidean => sum.sqrt() as f32,
                Metric::Cosine => (sum / 2.0) as f32,
            };
        }
        found.sort_unstable_by(order);
    }
}

/// Squared lengths; of a cosine all are 1, that of nothing too.
fn norms(x: &Array2<f32>, metric: Metric) -> Vec<f32> {
    match metric {
        Metric::Euclidean => x.axis_iter(Axis(0)).map(|r| r.iter().map(|v| v * v).sum()).collect(),
        Metric::Cosine => vec![1.0; x.nrows()],
    }
}

/// Error: more neighbours than other points.
fn enough(n: usize, k: usize) -> Result<()> {
    if k == 0 || k > n {
        return Err(Error::new(format!("cannot find {k} neighbours among {n} points"))
            .hint(format!("ask for 1..{n} neighbours")));
    }
    Ok(())
}

/// The `k` nearest others of every point, by comparing all pairs.
///
/// # Errors
/// `k` is 0 or not less than the number of points; Ctrl-C.
pub fn exact(x: &ArrayView2<f32>, k: usize, metric: Metric) -> Result<Neighbours> {
    enough(x.nrows().saturating_sub(1), k)?;
    let mean = x.mean_axis(Axis(0));
    let x = prepared(x, metric, mean.as_ref());
    let all = [(0, x.nrows())];
    run(&Search { queries: &x, points: &x, norms: norms(&x, metric), metric, k, same: true }, |_| &all)
}

/// The `k` nearest of `points` for every row of `queries`.
///
/// # Errors
/// As [`exact`]; rows of unequal length.
pub fn between(
    queries: &ArrayView2<f32>,
    points: &ArrayView2<f32>,
    k: usize,
    metric: Metric,
) -> Result<Neighbours> {
    enough(points.nrows(), k)?;
    if queries.ncols() != points.ncols() {
        return Err(Error::new(format!(
            "new points have {} features, those of the map {}",
            queries.ncols(),
            points.ncols()
        )));
    }
    let mean = points.mean_axis(Axis(0));
    let (queries, points) =
        (prepared(queries, metric, mean.as_ref()), prepared(points, metric, mean.as_ref()));
    let all = [(0, points.nrows())];
    run(
        &Search { queries: &queries, points: &points, norms: norms(&points, metric), metric, k, same: false },
        |_| &all,
    )
}

fn run<'a>(search: &Search, ranges: impl Fn(usize) -> &'a [(usize, usize)] + Sync) -> Result<Neighbours> {
    let (n, k) = (search.queries.nrows(), search.k);
    let (mut index, mut distance) = (vec![0u32; n * k], vec![0f32; n * k]);
    index.par_chunks_mut(QUERIES * k).zip(distance.par_chunks_mut(QUERIES * k)).enumerate().for_each(
        |(task, (index, far))| {
            let from = task * QUERIES;
            if !interrupt::requested() {
                search.block(from, from + index.len() / k, ranges(task), index, far);
            }
        },
    );
    interrupt::check()?;
    Ok(Neighbours { k, index, distance })
}

/// The `k` nearest others of every point among the points of near clusters: most of the true ones, much sooner.
/// `share` of all points is looked at.
///
/// # Errors
/// As [`exact`].
pub fn approximate(
    x: &ArrayView2<f32>,
    k: usize,
    metric: Metric,
    share: f64,
    seed: u64,
) -> Result<Neighbours> {
    let n = x.nrows();
    enough(n.saturating_sub(1), k)?;
    let mean = x.mean_axis(Axis(0));
    let x = prepared(x, metric, mean.as_ref());
    let clusters = Clusters::new(&x, seed)?;
    let sorted = x.select(Axis(0), &clusters.order);
    drop(x);
    let look = ((share * n as f64) as usize).max(4 * k).max(1000).min(n);
    let near: Vec<Vec<(usize, usize)>> = (0..clusters.count()).map(|c| clusters.near(c, look)).collect();
    let search =
        Search { queries: &sorted, points: &sorted, norms: norms(&sorted, metric), metric, k, same: true };
    let (mut index, mut distance) = (vec![0u32; n * k], vec![0f32; n * k]);
    let mut tasks = Vec::new();
    let (mut index_left, mut distance_left) = (&mut index[..], &mut distance[..]);
    for c in 0..clusters.count() {
        let (mut from, to) = clusters.range(c);
        while from < to {
            let end = (from + QUERIES).min(to);
            let (i, rest) = std::mem::take(&mut index_left).split_at_mut((end - from) * k);
            let (d, others) = std::mem::take(&mut distance_left).split_at_mut((end - from) * k);
            (index_left, distance_left) = (rest, others);
            tasks.push((c, from, end, i, d));
            from = end;
        }
    }
    tasks.into_par_iter().for_each(|(c, from, to, index, far)| {
        if !interrupt::requested() {
            search.block(from, to, &near[c], index, far);
        }
    });
    interrupt::check()?;
    // Back to the order of the points.
    let (mut out, mut far) = (vec![0u32; n * k], vec![0f32; n * k]);
    for (row, place) in clusters.order.iter().enumerate() {
        let at = row * k..(row + 1) * k;
        let to = place * k..(place + 1) * k;
        out[to.clone()]
            .iter_mut()
            .zip(&index[at.clone()])
            .for_each(|(o, j)| *o = clusters.order[*j as usize] as u32);
        far[to].copy_from_slice(&distance[at]);
    }
    Ok(Neighbours { k, index: out, distance: far })
}

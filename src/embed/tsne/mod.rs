//! t-SNE (van der Maaten & Hinton 2008) in one, two or three dimensions: affinities of near points, an early phase
//! in which they are exaggerated, then the descent proper. Rate n / exaggeration (Belkina et al. 2019), start from
//! PCA (Kobak & Berens 2019). The bits of a map depend on data, settings and machine, not on the number of threads.

pub mod affinity;
pub mod descent;
pub mod exact;
pub mod grid;
pub mod init;
mod kernel;
pub mod place;
pub mod tree;

use super::check;
use super::knn::{self, Metric, Neighbours};
use crate::core::{Error, Result, interrupt, progress};
use descent::{Descent, Repulsion, Stretch, divergence};
use ndarray::{Array2, ArrayView2};
use rayon::{ThreadPool, ThreadPoolBuilder};

/// How repulsion is computed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// All pairs.
    Exact,
    /// Barnes and Hut's tree.
    BarnesHut,
    /// Interpolation on a grid, for two dimensions.
    Fft,
}

impl Method {
    /// What is fastest for `n` points: measured by benches/tsne.py.
    pub fn choose(n: usize, dims: usize) -> Self {
        match (n, dims) {
            (..400, _) => Method::Exact,
            (12_000.., 2) => Method::Fft,
            _ => Method::BarnesHut,
        }
    }
}

/// Where points start.
#[derive(Clone, Debug)]
pub enum Start {
    /// At their first principal components.
    Pca,
    /// At the eigenvectors of the graph of neighbours.
    Spectral,
    /// At random, by the seed.
    Random,
    /// Here.
    At(Array2<f32>),
}

/// What a map is made by.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Dimensions of the map: 1, 2 or 3.
    pub dims: usize,
    /// Effective number of neighbours; of several, affinities are the mean.
    pub perplexity: Vec<f64>,
    /// Where points start.
    pub start: Start,
    /// Affinities are so many times larger in the early phase.
    pub exaggeration: f64,
    /// Iterations of the early phase.
    pub early: usize,
    /// Iterations after it.
    pub iterations: usize,
    /// Length of a step; n / exaggeration if none.
    pub rate: Option<f64>,
    /// Share of the last step kept.
    pub momentum: f64,
    /// How repulsion is computed; by size if none.
    pub method: Option<Method>,
    /// The tree's cells count as one when their side is less than this times their distance.
    pub theta: f64,
    /// Spacing of the grid.
    pub spacing: f64,
    /// All pairs are compared for neighbours; by size if none.
    pub exact_neighbours: Option<bool>,
    /// How far apart points are.
    pub metric: Metric,
    /// Of what is random.
    pub seed: u64,
    /// Threads; 0: libtorch's number.
    pub threads: usize,
    /// How often the callback hears of it, in iterations.
    pub every: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            dims: 2,
            perplexity: vec![30.0],
            start: Start::Pca,
            exaggeration: 12.0,
            early: 250,
            iterations: 500,
            rate: None,
            momentum: 0.8,
            method: None,
            theta: 0.5,
            spacing: 0.5,
            exact_neighbours: None,
            metric: Metric::Euclidean,
            seed: 0,
            threads: 0,
            every: 50,
        }
    }
}

/// A map in the making, as the callback sees it.
pub struct Progress {
    /// Iterations done, early ones included.
    pub iteration: usize,
    /// Kullback-Leibler divergence, without exaggeration.
    pub kl: f64,
    /// Length of the gradient.
    pub gradient: f64,
    /// Places [n, dims].
    pub places: Array2<f32>,
}

/// A finished map.
#[derive(Clone, Debug)]
pub struct Map {
    /// Places [n, dims].
    pub places: Array2<f32>,
    /// Kullback-Leibler divergence of the affinities used.
    pub kl: f64,
    /// Iterations done.
    pub iterations: usize,
    /// Stopped before its end, by Ctrl-C or the callback.
    pub stopped: bool,
}

/// Above this many points neighbours are searched for among near clusters.
const EXACT_NEIGHBOURS: usize = 25_000;

/// A pool of `threads`; 0: as many as libtorch has.
///
/// # Errors
/// The system gives no threads.
pub fn pool(threads: usize) -> Result<ThreadPool> {
    let threads = if threads == 0 { tch::get_num_threads().max(1) as usize } else { threads };
    ThreadPoolBuilder::new()
        .num_threads(threads)
        .build()
        .map_err(|e| Error::new(format!("cannot start {threads} threads: {e}")))
}

/// The neighbours that affinities are made of.
///
/// # Errors
/// Ctrl-C.
pub fn neighbours(x: &ArrayView2<f32>, perplexity: &[f64], s: &Settings) -> Result<Neighbours> {
    let n = x.nrows();
    let most = perplexity.iter().copied().fold(1.0, f64::max);
    let k = ((3.0 * most) as usize).clamp(1, n - 1);
    match s.exact_neighbours.unwrap_or(n <= EXACT_NEIGHBOURS) {
        true => knn::exact(x, k, s.metric),
        // A fifth of 60,000 points holds 99.8 % of their neighbours (Fashion-MNIST).
        false => knn::approximate(x, k, s.metric, (12_000.0 / n as f64).max(0.1), s.seed),
    }
}

/// Perplexities that `n` points can have: a third of the others at most.
fn possible(s: &Settings, n: usize) -> Vec<f64> {
    let most = ((n - 1) as f64 / 3.0).max(1.0);
    if s.perplexity.iter().any(|p| *p > most) {
        progress::say(&format!(
            "t-SNE of {n} points: the perplexity is lowered to {most:.1}, a third of them"
        ));
    }
    s.perplexity.iter().map(|p| p.min(most)).collect()
}

fn validate(x: &ArrayView2<f32>, s: &Settings) -> Result<()> {
    check::finite(x)?;
    let range = |what: &str, v: f64, ok: bool, expected: &str| match ok {
        true => Ok(()),
        false => Err(Error::new(format!("`{what}` is {v}; expected {expected}"))),
    };
    range("dims", s.dims as f64, (1..=3).contains(&s.dims), "1, 2 or 3")?;
    for p in &s.perplexity {
        range("perplexity", *p, *p >= 1.0 && p.is_finite(), "a number of at least 1 (5 to 50 is usual)")?;
    }
    range("exaggeration", s.exaggeration, s.exaggeration >= 1.0 && s.exaggeration.is_finite(), "at least 1")?;
    range("momentum", s.momentum, (0.0..1.0).contains(&s.momentum), "0 or more and less than 1")?;
    range("theta", s.theta, s.theta > 0.0 && s.theta <= 2.0, "more than 0 and at most 2")?;
    range("spacing", s.spacing, (0.1..=1.5).contains(&s.spacing), "0.1 to 1.5")?;
    let rate = s.rate.unwrap_or(1.0);
    range(
        "learning_rate",
        rate,
        rate > 0.0 && rate <= 1e9,
        "more than 0 and at most 1e9, or none for automatic",
    )?;
    if s.perplexity.is_empty() {
        return Err(Error::new("no perplexity was given"));
    }
    if s.method == Some(Method::Fft) && s.dims != 2 {
        return Err(Error::new(format!("the grid of method \"fft\" has 2 dimensions, not {}", s.dims))
            .hint("use \"barnes_hut\", or leave the method out"));
    }
    let n = x.nrows();
    if n < 4 {
        return Err(
            Error::new(format!("t-SNE needs at least 4 points, got {n}")).hint("embed::pca takes any number")
        );
    }
    check::some_variance(x)
}

/// Makes a map of the rows of `x`. `each` hears of it every so often; `false` ends it there, as Ctrl-C does.
///
/// # Errors
/// Numbers that are not finite, points that are all the same, settings out of range; Ctrl-C before the descent.
pub fn fit(x: &ArrayView2<f32>, s: &Settings, each: &mut dyn FnMut(Progress) -> Result<bool>) -> Result<Map> {
    validate(x, s)?;
    match s.dims {
        1 => run::<1>(x, s, each),
        2 => run::<2>(x, s, each),
        _ => run::<3>(x, s, each),
    }
}

fn run<const D: usize>(
    x: &ArrayView2<f32>,
    s: &Settings,
    each: &mut dyn FnMut(Progress) -> Result<bool>,
) -> Result<Map> {
    let (n, pool) = (x.nrows(), pool(s.threads)?);
    let perplexity = possible(s, n);
    let p = pool.install(|| neighbours(x, &perplexity, s).map(|near| affinity::joint(near, &perplexity)))?;
    let start = init::start::<D>(x, &p, s, &pool)?;
    let method = s.method.unwrap_or_else(|| Method::choose(n, D));
    let mut repulsion = Repulsion::new(method, s.theta as f32, s.spacing as f32);
    let (total, mut done, mut stopped) = (s.early + s.iterations, 0, false);
    let mut descent = Descent::new(start);
    progress::begin("t-SNE", total as u64);
    'all: for (iterations, exaggeration) in [(s.early, s.exaggeration), (s.iterations, 1.0)] {
        descent = Descent::new(descent.y);
        let rate = s.rate.unwrap_or(n as f64 / exaggeration);
        let stretch =
            Stretch { exaggeration: exaggeration as f32, momentum: s.momentum as f32, rate: rate as f32 };
        for _ in 0..iterations {
            pool.install(|| descent.step(&p, &mut repulsion, &stretch));
            done += 1;
            progress::advance(done as u64, || format!("gradient {:.1e}", descent.gradient));
            if s.every > 0 && (done % s.every == 0 || done == total) {
                let kl = pool.install(|| divergence(&p, &descent.y, descent.z));
                let told =
                    Progress { iteration: done, kl, gradient: descent.gradient, places: array(&descent.y) };
                match each(told) {
                    Ok(true) => {}
                    // The callback was what Ctrl-C stopped.
                    Err(_) if interrupt::requested() => {}
                    Err(e) => return Err(e),
                    Ok(false) => {
                        stopped = true;
                        break 'all;
                    }
                }
            }
            if interrupt::requested() {
                interrupt::answered();
                progress::say("t-SNE stopped; the map so far is kept (Ctrl-C again stops the script)");
                stopped = true;
                break 'all;
            }
        }
    }
    let kl = pool.install(|| {
        let z = repulsion.forces(&descent.y, &mut vec![[0.0; D]; n]);
        divergence(&p, &descent.y, z.max(f64::MIN_POSITIVE))
    });
    progress::finish(&format!("t-SNE of {n} points: {done} iterations, KL {kl:.4}"));
    if !kl.is_finite() {
        return Err(Error::new("the map ran away: its places are no longer finite")
            .hint("leave `learning_rate` out, or give a smaller one"));
    }
    Ok(Map { places: array(&descent.y), kl, iterations: done, stopped })
}

/// Places as an array [n, D].
pub fn array<const D: usize>(y: &[[f32; D]]) -> Array2<f32> {
    Array2::from_shape_fn((y.len(), D), |(i, c)| y[i][c])
}

/// The other way round; what a row lacks is 0.
pub fn rows<const D: usize>(x: &ArrayView2<f32>) -> Vec<[f32; D]> {
    x.rows().into_iter().map(|r| std::array::from_fn(|c| r.get(c).copied().unwrap_or(0.0))).collect()
}

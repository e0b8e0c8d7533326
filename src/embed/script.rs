//! What scripts can do with embeddings.

use super::embedding::{About, Embedding, Made, rows_of, tensor_of};
use super::features::FeaturesOptions;
use super::knn::{self, Metric};
use super::pca::{self, Pca};
use super::tsne::{self, Method, Settings, Start};
use crate::core::value::{FromValue, mismatch};
use crate::core::{Closure, Error, Map, Opts, Result, Value, seed};
use crate::data::Dataset;
use crate::image::Picture;
use crate::nn::Net;
use tch::Tensor;

/// Points: an embedding, or a tensor whose first axis counts them.
pub struct Points(pub Embedding);

impl FromValue for Points {
    const TYPE: &'static str = "Embedding or Tensor";
    fn from_value(v: &Value) -> Result<Self> {
        match v {
            Value::Tensor(t) => {
                let made = Made::Given(format!("a tensor {:?}", t.size()));
                Ok(Points(Embedding::new(rows_of(t)?, About::default(), made)?))
            }
            v => {
                v.downcast::<Embedding>().cloned().map_or_else(|| mismatch(Self::TYPE, v), |e| Ok(Points(e)))
            }
        }
    }
}

/// One of some names.
fn named<T: Copy>(what: &str, v: &Value, all: &[(&str, T)]) -> Result<T> {
    let name = String::from_value(v)?;
    let found = all.iter().find(|(n, _)| *n == name).map(|(_, t)| *t);
    found.ok_or_else(|| Error::unknown(what, &name, all.iter().map(|(n, _)| *n)))
}

impl FromValue for Metric {
    const TYPE: &'static str = "euclidean or cosine";
    fn from_value(v: &Value) -> Result<Self> {
        named("metric", v, &[("euclidean", Metric::Euclidean), ("cosine", Metric::Cosine)])
    }
}

impl FromValue for pca::Method {
    const TYPE: &'static str = "auto, exact or randomised";
    fn from_value(v: &Value) -> Result<Self> {
        use pca::Method::{Auto, Exact, Randomised};
        named("method", v, &[("auto", Auto), ("exact", Exact), ("randomised", Randomised)])
    }
}

/// How repulsion is computed; none: by size.
pub struct Repulsion(Option<Method>);

impl FromValue for Repulsion {
    const TYPE: &'static str = "auto, exact, barnes_hut or fft";
    fn from_value(v: &Value) -> Result<Self> {
        let all = [
            ("auto", None),
            ("exact", Some(Method::Exact)),
            ("barnes_hut", Some(Method::BarnesHut)),
            ("fft", Some(Method::Fft)),
        ];
        named("method", v, &all).map(Repulsion)
    }
}

/// How neighbours are found; none: by size.
pub struct Finding(Option<bool>);

impl FromValue for Finding {
    const TYPE: &'static str = "auto, exact or approximate";
    fn from_value(v: &Value) -> Result<Self> {
        let all = [("auto", None), ("exact", Some(true)), ("approximate", Some(false))];
        named("search", v, &all).map(Finding)
    }
}

impl FromValue for Start {
    const TYPE: &'static str = "pca, spectral, random, or places [N, dims]";
    fn from_value(v: &Value) -> Result<Self> {
        match v {
            Value::Str(_) => {
                named("start", v, &[("pca", 0), ("spectral", 1), ("random", 2)]).map(|k| match k {
                    0 => Start::Pca,
                    1 => Start::Spectral,
                    _ => Start::Random,
                })
            }
            v => match Points::from_value(v) {
                Ok(p) => Ok(Start::At(p.0.points().clone())),
                Err(_) => mismatch(Self::TYPE, v),
            },
        }
    }
}

/// One number or several.
pub struct Several(Vec<f64>);

impl FromValue for Several {
    const TYPE: &'static str = "number or list of numbers";
    fn from_value(v: &Value) -> Result<Self> {
        f64::from_value(v)
            .map(|p| Several(vec![p]))
            .or_else(|_| Vec::from_value(v).map(Several))
            .or_else(|_| mismatch(Self::TYPE, v))
    }
}

options! {
    /// Options of `embed::of`.
    pub struct OfOptions {
        /// Class of each point.
        labels: Vec<i64> = Vec::new(),
        /// Names of the classes.
        names: Vec<String> = Vec::new(),
        /// A small picture of each point.
        thumbnails: Vec<Picture> = Vec::new(),
    }
}

options! {
    /// Options of `embed::pca`.
    pub struct PcaOptions {
        /// How many components.
        dims: usize = 2,
        /// exact: eigenvectors; randomised: a sketch; auto: exact up to 2,000 features or points.
        method: pca::Method = pca::Method::Auto => "auto",
    }
}

options! {
    /// Options of `embed::tsne`.
    pub struct TsneOptions {
        /// Dimensions of the map: 1, 2 or 3.
        dims: usize = 2,
        /// Effective number of neighbours; of a list, affinities are the mean.
        perplexity: Several = Several(vec![30.0]) => 30,
        /// euclidean or cosine.
        metric: Metric = Metric::Euclidean => "euclidean",
        /// Where points start: pca, spectral, random, or places [N, dims].
        start: Start = Start::Pca => "pca",
        /// Iterations after the early phase.
        iterations: usize = 500,
        /// Iterations of the early phase.
        early: usize = 250,
        /// How many times larger affinities are in the early phase.
        exaggeration: f64 = 12.0,
        /// Length of a step; number of points / exaggeration if left out.
        learning_rate: Option<f64> = None,
        /// Share of the last step kept.
        momentum: f64 = 0.8,
        /// Repulsion: exact, barnes_hut, fft (2 dimensions), or auto: by size.
        method: Repulsion = Repulsion(None) => "auto",
        /// Accuracy of barnes_hut: smaller is more exact.
        theta: f64 = 0.5,
        /// Accuracy of fft: spacing of its grid; smaller is more exact.
        spacing: f64 = 0.5,
        /// Neighbours: exact, approximate, or auto: by size.
        search: Finding = Finding(None) => "auto",
        /// Another seed, another map; the run's if left out.
        seed: Option<i64> = None,
        /// Called with #{iteration, kl, gradient, points}; false ends the descent.
        on_iteration: Option<Closure> = None,
        /// How often it is called, in iterations.
        every: usize = 50,
    }
}

options! {
    /// Options of `embed::knn`.
    pub struct KnnOptions {
        /// euclidean or cosine.
        metric: Metric = Metric::Euclidean => "euclidean",
        /// exact, or approximate: near clusters only.
        search: Finding = Finding(Some(true)) => "exact",
    }
}

/// Neighbours as scripts see them: `index` and `distance`, [N, k].
fn neighbours_map(near: &knn::Neighbours) -> Result<Value> {
    let shape = [near.len() as i64, near.k as i64];
    let index: Vec<i64> = near.index.iter().map(|i| i64::from(*i)).collect();
    Ok(Value::Map(Map::from([
        ("index".to_string(), Value::Tensor(Tensor::f_from_slice(&index)?.f_reshape(shape)?)),
        ("distance".to_string(), Value::Tensor(Tensor::f_from_slice(&near.distance)?.f_reshape(shape)?)),
    ])))
}

/// A map of the points by t-SNE.
fn tsne(from: &Embedding, o: TsneOptions) -> Result<Embedding> {
    let settings = Settings {
        dims: o.dims,
        perplexity: o.perplexity.0,
        start: o.start,
        exaggeration: o.exaggeration,
        early: o.early,
        iterations: o.iterations,
        rate: o.learning_rate,
        momentum: o.momentum,
        method: o.method.0,
        theta: o.theta,
        spacing: o.spacing,
        exact_neighbours: o.search.0,
        metric: o.metric,
        seed: o.seed.unwrap_or_else(seed::get) as u64,
        threads: 0,
        every: if o.on_iteration.is_some() { o.every } else { 0 },
    };
    let mut each = |p: tsne::Progress| -> Result<bool> {
        let Some(f) = &o.on_iteration else { return Ok(true) };
        let told = Map::from([
            ("iteration".to_string(), Value::Int(p.iteration as i64)),
            ("kl".to_string(), Value::Float(p.kl)),
            ("gradient".to_string(), Value::Float(p.gradient)),
            ("points".to_string(), Value::Tensor(tensor_of(&p.places)?)),
        ]);
        Ok(!matches!(f.call(vec![Value::Map(told)])?, Value::Bool(false)))
    };
    let map = tsne::fit(&from.points().view(), &settings, &mut each)?;
    let made = Made::Tsne {
        settings: Box::new(settings),
        kl: map.kl,
        iterations: map.iterations,
        stopped: map.stopped,
    };
    Ok(from.derived(map.places, made))
}

functions! {
    in "embed";
    /// Points from a tensor [N, ..], with labels, names and thumbnails.
    /// ```rhai
    /// embed::of(tensor::zeros([3, 4]), #{labels: [0, 1, 0]}).len() // => 3
    /// ```
    fn of(points: Tensor, options: Opts<OfOptions>) -> Embedding {
        let (o, made) = (options.0, Made::Given(format!("a tensor {:?}", points.size())));
        let about = About { labels: o.labels, classes: o.names, thumbnails: o.thumbnails };
        Embedding::new(rows_of(&points)?, about, made)?
    }

    /// What a layer says of every item of a data set, as points.
    ///
    /// Runs the network batch by batch, without gradients and in evaluation mode. Layer "" is the output. Outputs
    /// [N, C, ..] are averaged over all but N and C unless `pool` says otherwise. Labels, names of classes and
    /// thumbnails come along.
    /// ```rhai
    /// let net = nn::sequential([["conv", nn::conv2d(1, 4, 3)], ["act", nn::relu()]]);
    /// let data = data::from_tensors(tensor::rand([6, 1, 8, 8]), tensor::of([0, 1, 0, 1, 0, 1]));
    /// embed::features(net, "act", data).points.shape // => [6, 4]
    /// ```
    fn features(net: Net, layer: String, data: Dataset, options: Opts<FeaturesOptions>) -> Embedding {
        super::features::features(&net, &layer, &data, &options.0)?
    }

    /// Principal components: the directions of the greatest variance.
    ///
    /// Components have length 1, and the largest entry of each is positive, as in scikit-learn.
    /// ```rhai
    /// let e = embed::pca(tensor::of([[0.0, 0.0], [1.0, 1.0], [2.0, 2.0], [3.0, 3.0]]), #{dims: 1});
    /// e.variance_ratio // ~> [1.0]
    /// ```
    fn pca(points: Points, options: Opts<PcaOptions>) -> Embedding {
        let (from, o) = (points.0, options.0);
        let fit = Pca::fit(&from.points().view(), o.dims, o.method, seed::get() as u64)?;
        from.derived(fit.transform(&from.points().view())?, Made::Pca(fit))
    }

    /// A map in which near points stay near (van der Maaten & Hinton 2008).
    ///
    /// Up to 400 points all pairs repel each other exactly, then by Barnes and Hut's tree, and from 12,000 in two
    /// dimensions by interpolation on a grid and fast Fourier transforms. The same seed gives the same bits, whatever
    /// the number of threads. Ctrl-C ends the descent and keeps the map so far. Reduce wide features first:
    /// `embed::tsne(embed::pca(x, #{dims: 50}))`.
    /// ```rhai
    /// let x = tensor::cat([tensor::randn([20, 5]), tensor::randn([20, 5]) + 10], 0);
    /// embed::tsne(x, #{perplexity: 5, iterations: 50}).points.shape // => [40, 2]
    /// ```
    fn tsne(points: Points, options: Opts<TsneOptions>) -> Embedding {
        tsne(&points.0, options.0)?
    }

    /// The k nearest others of every point, nearest first.
    ///
    /// A map of `index` and `distance`, both [N, k].
    /// ```rhai
    /// embed::knn(tensor::of([[0.0], [1.0], [3.0]]), 1).index.flatten() // => tensor([1, 0, 1])
    /// ```
    fn knn(points: Points, k: usize, options: Opts<KnnOptions>) -> Value {
        let (x, o) = (points.0.points().view(), options.0);
        super::check::finite(&x)?;
        let near = tsne::pool(0)?.install(|| match o.search.0 {
            Some(false) => knn::approximate(&x, k, o.metric, 0.1, 0),
            _ => knn::exact(&x, k, o.metric),
        })?;
        neighbours_map(&near)?
    }
}

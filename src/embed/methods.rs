//! What scripts can ask of an embedding: new points, neighbours, how much a map keeps.

use super::embedding::{Embedding, Made};
use super::script::Points;
use super::tsne;
use super::{check, knn};
use crate::core::{Error, Map, Opts, Result, Value};

options! {
    /// Options of measures.
    pub struct MeasureOptions {
        /// So many points, evenly spaced among all, stand for all.
        points: usize = 2000,
    }
}

/// New points on the axes, or in the map.
fn place(map: &Embedding, new: &Embedding) -> Result<Embedding> {
    let x = new.points().view();
    let places = match map.made() {
        Made::Pca(p) => p.transform(&x)?,
        Made::Tsne { settings, .. } => {
            tsne::place::place(&x, &map.source()?.points().view(), &map.points().view(), 5.0, 250, settings)?
        }
        Made::Given(_) => Err(Error::new("these points are no map: nothing can be placed in it")
            .hint("make one: embed::pca(points) or embed::tsne(points)"))?,
    };
    Ok(new.derived(places, Made::Given("new points in a map".to_string())))
}

functions! {
    on "Embedding";
    /// How many points there are.
    /// ```rhai
    /// embed::of(tensor::zeros([3, 4])).len() // => 3
    /// ```
    fn len(points: Embedding) -> usize {
        points.points().nrows()
    }

    /// Places new points in the map, or on the axes, without moving the old ones.
    ///
    /// In a map of t-SNE each new point is drawn by its 15 neighbours among the old features (Poličar et al. 2019).
    /// ```rhai
    /// let map = embed::pca(tensor::of([[0.0, 0.0], [2.0, 0.0]]), #{dims: 1});
    /// map.place(tensor::of([[1.0, 5.0]])).points // => tensor([[0.]])
    /// ```
    fn place(map: Embedding, points: Points) -> Embedding {
        place(&map, &points.0)?
    }

    /// The k nearest of point i among the features a map was made from.
    ///
    /// A list of `#{index, distance}`, nearest first.
    /// ```rhai
    /// embed::of(tensor::of([[0.0], [1.0], [3.0]])).neighbours(2, 1) // => [#{"distance": 2.0, "index": 1}]
    /// ```
    fn neighbours(points: Embedding, i: i64, k: usize) -> Vec<Value> {
        let x = points.origin().points();
        let n = x.nrows() as i64;
        if !(0..n).contains(&i) {
            Err(Error::new(format!("there is no point {i}; points are 0..{n}")))?;
        }
        check::finite(&x.view())?;
        let own = x.slice(ndarray::s![i as usize..=i as usize, ..]);
        let near = knn::between(&own, &x.view(), (k + 1).min(x.nrows()), points.metric())?;
        let others = near.index.iter().zip(&near.distance).filter(|(j, _)| i64::from(**j) != i).take(k);
        let one = |(j, d): (&u32, &f32)| Value::Map(Map::from([
            ("index".to_string(), Value::Int(i64::from(*j))),
            ("distance".to_string(), Value::Float(f64::from(*d))),
        ]));
        others.map(one).collect::<Vec<_>>()
    }

    /// Share of the k nearest features of a point that stay among its k nearest.
    /// ```rhai
    /// embed::pca(tensor::rand([30, 2])).preservation(5) // ~> 1.0
    /// ```
    fn preservation(map: Embedding, k: Option<usize>, options: Opts<MeasureOptions>) -> f64 {
        map.preservation(k.unwrap_or(10), options.0.points)?
    }

    /// Trustworthiness (Venna & Kaski 2001): 1 when none is near that was far.
    /// ```rhai
    /// embed::pca(tensor::rand([30, 2])).trustworthiness(5) // ~> 1.0
    /// ```
    fn trustworthiness(map: Embedding, k: Option<usize>, options: Opts<MeasureOptions>) -> f64 {
        map.trustworthiness(k.unwrap_or(10), options.0.points)?
    }

    /// Share of points whose k neighbours here vote for their own label.
    /// ```rhai
    /// embed::of(tensor::of([[0.0], [1.0], [8.0], [9.0]]), #{labels: [0, 0, 1, 1]}).accuracy(1) // => 1.0
    /// ```
    fn accuracy(points: Embedding, k: Option<usize>, options: Opts<MeasureOptions>) -> f64 {
        points.accuracy(k.unwrap_or(10), options.0.points)?
    }

    /// Mean silhouette of the classes (Rousseeuw 1987), −1 to 1.
    /// ```rhai
    /// embed::of(tensor::of([[0.0], [1.0], [8.0], [9.0]]), #{labels: [0, 0, 1, 1]}).silhouette() // ~> 0.8745
    /// ```
    fn silhouette(points: Embedding, options: Opts<MeasureOptions>) -> f64 {
        points.silhouette(options.0.points)?.ok_or_else(|| {
            Error::new("a silhouette compares classes; all these points are of one")
        })?
    }

    /// All measures of a map.
    ///
    /// Preservation and trustworthiness at k neighbours; with labels accuracy and silhouette; of t-SNE its KL.
    /// ```rhai
    /// embed::pca(tensor::rand([40, 3])).measures(5).keys() // => ["preservation", "trustworthiness"]
    /// ```
    fn measures(map: Embedding, k: Option<usize>, options: Opts<MeasureOptions>) -> Map {
        let (k, some) = (k.unwrap_or(10), options.0.points);
        let mut out = Map::from([
            ("preservation".to_string(), Value::Float(map.preservation(k, some)?)),
            ("trustworthiness".to_string(), Value::Float(map.trustworthiness(k, some)?)),
        ]);
        if !map.about().labels.is_empty() {
            out.insert("accuracy".to_string(), Value::Float(map.accuracy(k, some)?));
            out.extend(map.silhouette(some)?.map(|v| ("silhouette".to_string(), Value::Float(v))));
        }
        if let Made::Tsne { kl, .. } = map.made() {
            out.insert("kl".to_string(), Value::Float(*kl));
        }
        out
    }
}

//! What an embedding tells of itself.

use super::embedding::{Embedding, Made, tensor_of};
use crate::core::{Error, Result};
use crate::image::Picture;
use tch::Tensor;

fn components(e: &Embedding) -> Result<&super::pca::Pca> {
    match e.made() {
        Made::Pca(p) => Ok(p),
        _ => Err(Error::new("these points were not made by embed::pca: they have no components")),
    }
}

fn kl(e: &Embedding) -> Result<(f64, usize, bool)> {
    match e.made() {
        Made::Tsne { kl, iterations, stopped, .. } => Ok((*kl, *iterations, *stopped)),
        _ => Err(Error::new("these points were not made by embed::tsne: they have no divergence")),
    }
}

functions! {
    get "Embedding";
    /// The points as a tensor [N, D].
    /// ```rhai
    /// embed::of(tensor::zeros([3, 4])).points.shape // => [3, 4]
    /// ```
    fn points(e: Embedding) -> Tensor {
        tensor_of(e.points())?
    }

    /// Class number of every point.
    /// ```rhai
    /// embed::of(tensor::zeros([3, 4]), #{labels: [0, 1, 0]}).labels // => [0, 1, 0]
    /// ```
    fn labels(e: Embedding) -> Vec<i64> {
        e.labels()?.to_vec()
    }

    /// Names of the classes.
    /// ```rhai
    /// embed::of(tensor::zeros([1, 4]), #{labels: [0], names: ["cat"]}).names // => ["cat"]
    /// ```
    fn names(e: Embedding) -> Vec<String> {
        e.about().classes.clone()
    }

    /// The small pictures of the points.
    /// ```rhai
    /// embed::of(tensor::zeros([1, 4])).thumbnails.len() // => 0
    /// ```
    fn thumbnails(e: Embedding) -> Vec<Picture> {
        e.about().thumbnails.clone()
    }

    /// The points a map was made from.
    /// ```rhai
    /// embed::pca(tensor::rand([5, 4])).source.points.shape // => [5, 4]
    /// ```
    fn source(e: Embedding) -> Embedding {
        e.source()?.clone()
    }

    /// Kullback-Leibler divergence of a map of t-SNE from its features.
    /// ```rhai
    /// embed::tsne(tensor::randn([20, 3]), #{perplexity: 3, iterations: 5}).kl > 0 // => true
    /// ```
    fn kl(e: Embedding) -> f64 {
        kl(&e)?.0
    }

    /// Iterations a map of t-SNE was given.
    /// ```rhai
    /// embed::tsne(tensor::randn([20, 3]), #{perplexity: 3, early: 5, iterations: 5}).iterations // => 10
    /// ```
    fn iterations(e: Embedding) -> usize {
        kl(&e)?.1
    }

    /// Whether the map was stopped before its end.
    /// ```rhai
    /// embed::tsne(tensor::randn([20, 3]), #{perplexity: 3, on_iteration: |s| false}).stopped // => true
    /// ```
    fn stopped(e: Embedding) -> bool {
        kl(&e)?.2
    }

    /// Share of the whole variance along each principal component.
    /// ```rhai
    /// embed::pca(tensor::of([[0.0, 1.0], [2.0, 1.0]]), #{dims: 2}).variance_ratio // ~> [1.0, 0.0]
    /// ```
    fn variance_ratio(e: Embedding) -> Vec<f64> {
        components(&e)?.ratio.clone()
    }

    /// Variance along each principal component.
    /// ```rhai
    /// embed::pca(tensor::of([[0.0, 1.0], [2.0, 1.0]]), #{dims: 2}).variance // ~> [2.0, 0.0]
    /// ```
    fn variance(e: Embedding) -> Vec<f64> {
        components(&e)?.variance.clone()
    }

    /// The principal components [dims, D], each of length 1.
    /// ```rhai
    /// embed::pca(tensor::of([[0.0, 1.0], [2.0, 1.0]]), #{dims: 1}).components // => tensor([[1., 0.]])
    /// ```
    fn components(e: Embedding) -> Tensor {
        tensor_of(&components(&e)?.components.mapv(|v| v as f32))?
    }
}

//! Points as scripts hold them: features of a network, a map of them, or any table; with labels, names, thumbnails,
//! and the points they were made from.

use super::knn::{self, Metric};
use super::pca::Pca;
use super::tsne::{Settings, pool};
use super::{check, measures};
use crate::core::{Error, Result, device};
use crate::image::Picture;
use ndarray::{Array2, Axis};
use std::rc::Rc;
use tch::{Kind, Tensor};

/// What made the points.
pub enum Made {
    /// A network's layer, or a tensor: their words.
    Given(String),
    /// Principal components.
    Pca(Pca),
    /// t-SNE with these settings: KL, iterations, stopped early.
    Tsne {
        /// By these.
        settings: Box<Settings>,
        /// Kullback-Leibler divergence.
        kl: f64,
        /// Iterations done.
        iterations: usize,
        /// Ctrl-C or the callback ended it.
        stopped: bool,
    },
}

/// What belongs to the points, whatever space they lie in.
#[derive(Default)]
pub struct About {
    /// Class of each; empty: none.
    pub labels: Vec<i64>,
    /// Names of the classes; empty: none.
    pub classes: Vec<String>,
    /// A small picture of each; empty: none.
    pub thumbnails: Vec<Picture>,
}

/// Points [N, D]. A handle: cloning is free.
#[derive(Clone)]
pub struct Embedding(Rc<Inner>);

struct Inner {
    points: Array2<f32>,
    about: Rc<About>,
    made: Made,
    source: Option<Embedding>,
}

object!(Embedding, "Embedding", |e| {
    let (n, d) = e.points().dim();
    let how = match e.made() {
        Made::Given(what) => what.clone(),
        Made::Pca(p) => format!("PCA, {:.1} % of the variance", 100.0 * p.ratio.iter().sum::<f64>()),
        Made::Tsne { kl, iterations, stopped, .. } => {
            format!(
                "t-SNE, KL {kl:.3} after {iterations} iterations{}",
                if *stopped { ", stopped" } else { "" }
            )
        }
    };
    format!("Embedding of {n} points in {d} dimensions: {how}")
});

/// A tensor's rows; everything behind the first axis is one row.
///
/// # Errors
/// A tensor without axes.
pub fn rows_of(t: &Tensor) -> Result<Array2<f32>> {
    let n = t
        .size()
        .first()
        .copied()
        .ok_or_else(|| Error::new("a number is no table: expected a Tensor [N, D]"))?;
    let width = if n == 0 { 0 } else { t.numel() as i64 / n };
    let flat = t.f_detach()?.f_to_device(tch::Device::Cpu)?.f_to_kind(Kind::Float)?.f_contiguous()?;
    let flat = Vec::<f32>::try_from(flat.f_flatten(0, -1)?)?;
    Array2::from_shape_vec((n as usize, width as usize), flat).map_err(|e| Error::new(e.to_string()))
}

/// A table as a tensor on the current device.
///
/// # Errors
/// libtorch's.
pub fn tensor_of(x: &Array2<f32>) -> Result<Tensor> {
    let flat: Vec<f32> = x.iter().copied().collect();
    let t = Tensor::f_from_slice(&flat)?.f_reshape([x.nrows() as i64, x.ncols() as i64])?;
    Ok(t.f_to_device(device::current())?)
}

impl Embedding {
    /// These points.
    ///
    /// # Errors
    /// Labels or thumbnails of another number.
    pub fn new(points: Array2<f32>, about: About, made: Made) -> Result<Self> {
        let n = points.nrows();
        let counts = [("labels", about.labels.len()), ("thumbnails", about.thumbnails.len())];
        for (what, count) in counts {
            if count != 0 && count != n {
                return Err(Error::new(format!("{count} {what} for {n} points; expected as many, or none")));
            }
        }
        Ok(Self(Rc::new(Inner { points, about: Rc::new(about), made, source: None })))
    }

    /// Other places of the same points.
    pub fn derived(&self, points: Array2<f32>, made: Made) -> Self {
        Self(Rc::new(Inner { points, about: self.0.about.clone(), made, source: Some(self.clone()) }))
    }

    /// The points.
    pub fn points(&self) -> &Array2<f32> {
        &self.0.points
    }

    /// Labels, names, thumbnails.
    pub fn about(&self) -> &About {
        &self.0.about
    }

    /// What made them.
    pub fn made(&self) -> &Made {
        &self.0.made
    }

    /// What they were made from.
    ///
    /// # Errors
    /// Nothing.
    pub fn source(&self) -> Result<&Embedding> {
        self.0.source.as_ref().ok_or_else(|| {
            Error::new("these points were not made from others: there is nothing to compare them with")
                .hint("ask a map: embed::tsne(points), embed::pca(points)")
        })
    }

    /// The features everything began with.
    pub fn origin(&self) -> &Embedding {
        self.0.source.as_ref().map_or(self, Embedding::origin)
    }

    /// Class of each point.
    ///
    /// # Errors
    /// There are none.
    pub fn labels(&self) -> Result<&[i64]> {
        match self.about().labels.as_slice() {
            [] => Err(Error::new("these points have no labels")
                .hint("embed::of(points, #{labels: [...]}), or embed::features of a data set with classes")),
            labels => Ok(labels),
        }
    }

    /// The name of class `k`.
    pub fn class(&self, k: i64) -> String {
        let named = usize::try_from(k).ok().and_then(|k| self.about().classes.get(k));
        named.cloned().unwrap_or_else(|| k.to_string())
    }

    /// The metric of the map, for its source.
    pub fn metric(&self) -> Metric {
        match self.made() {
            Made::Tsne { settings, .. } => settings.metric,
            _ => Metric::Euclidean,
        }
    }

    /// `some` points evenly spaced among all, which stand for all: data are often sorted by class.
    fn chosen(&self, some: usize) -> Vec<usize> {
        let n = self.points().nrows();
        let some = some.min(n);
        (0..some).map(|i| i * n / some).collect()
    }

    /// Share of the `k` nearest features that the map keeps, over `some` points.
    ///
    /// # Errors
    /// No source; more neighbours than points.
    pub fn preservation(&self, k: usize, some: usize) -> Result<f64> {
        let source = self.source()?.origin();
        let (x, y) = (source.points().view(), self.points().view());
        let (metric, chosen) = (self.metric(), self.chosen(some));
        pool(0)?.install(|| {
            let features = measures::neighbours_of_some(&x, k, metric, &chosen)?;
            Ok(measures::preservation(
                &features,
                &measures::neighbours_of_some(&y, k, Metric::Euclidean, &chosen)?,
            ))
        })
    }

    /// Trustworthiness at `k` neighbours, over `some` points and among them.
    ///
    /// # Errors
    /// No source; more neighbours than half the points.
    pub fn trustworthiness(&self, k: usize, some: usize) -> Result<f64> {
        let (source, chosen) = (self.source()?.origin(), self.chosen(some));
        let of = |e: &Embedding| e.points().select(Axis(0), &chosen);
        let (x, y, metric) = (of(source), of(self), self.metric());
        pool(0)?.install(|| {
            measures::trustworthiness(&x.view(), &knn::exact(&y.view(), k, Metric::Euclidean)?, metric)
        })
    }

    /// Share of `some` points whose `k` neighbours vote for their label.
    ///
    /// # Errors
    /// No labels; more neighbours than points; numbers that are not finite.
    pub fn accuracy(&self, k: usize, some: usize) -> Result<f64> {
        let (labels, chosen, x) = (self.labels()?, self.chosen(some), self.points().view());
        check::finite(&x)?;
        let near = pool(0)?.install(|| measures::neighbours_of_some(&x, k, Metric::Euclidean, &chosen))?;
        Ok(measures::accuracy(&near, labels, &chosen))
    }

    /// Mean silhouette of the classes over `some` points; none where these are of one class.
    ///
    /// # Errors
    /// No labels; numbers that are not finite.
    pub fn silhouette(&self, some: usize) -> Result<Option<f64>> {
        let (labels, chosen) = (self.labels()?, self.chosen(some));
        let x = self.points().select(Axis(0), &chosen);
        check::finite(&x.view())?;
        let labels: Vec<i64> = chosen.iter().map(|i| labels[*i]).collect();
        pool(0)?.install(|| measures::silhouette(&x.view(), &labels))
    }
}

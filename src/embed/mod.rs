//! Embeddings: principal components, t-SNE, neighbours, and how much a map keeps. Arrays of ndarray are the currency.

#![allow(clippy::needless_range_loop)] // loops over lanes and axes, which the compiler turns into vectors

mod check;
pub mod clusters;
mod embedding;
mod features;
mod getters;
pub mod knn;
pub mod measures;
mod methods;
pub mod pca;
mod picture;
pub mod projector;
mod script;
pub mod tsne;

pub use embedding::{About, Embedding, Made, rows_of, tensor_of};
pub use script::Points;

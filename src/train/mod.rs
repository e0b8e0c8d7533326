//! Training: optimizers, losses, metrics, and the one loop engine.

pub mod engine;
mod estimate;
mod fit;
pub mod history;
pub mod loss;
pub mod metric;
pub mod optim;
mod state;
pub mod trainer;

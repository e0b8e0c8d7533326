//! Training: optimizers, losses, metrics, and the one loop engine.

pub mod loss;
pub mod optim;

//! Training: optimizers, schedules, losses, metrics, and the one loop engine.

mod aside;
mod backbone;
mod by_name;
mod dry_run;
mod ema;
pub mod engine;
mod estimate;
pub mod experiment;
mod fit;
pub mod history;
pub mod loss;
mod lr_find;
pub mod metric;
pub mod optim;
mod predict;
pub mod sched;
mod state;
mod supervised;
mod tensorboard;
pub mod trainer;

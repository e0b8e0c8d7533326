//! What every room stands on: errors, values, options, devices, seeds, readers of arrays.

pub mod error;

pub use error::{Error, Kind, Result};

//! What every room stands on: errors, values, options, devices, seeds, readers of arrays.

pub mod archive;
pub mod arrays;
pub mod atomic;
pub mod bytes;
pub mod error;
pub mod idx;
pub mod npy;
pub mod pickle;
pub mod safetensors;
pub mod torch_file;

pub use error::{Error, Kind, Result};

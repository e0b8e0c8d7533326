//! What every room stands on: errors, values, options, devices, seeds, readers of arrays.

pub mod colormap;
pub mod colour;
pub mod error;
pub mod font;
pub mod picture_file;
pub mod raster;
pub mod resample;
pub mod stroke;

pub use error::{Error, Kind, Result};

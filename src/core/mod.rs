//! What every room stands on: errors, values, options, functions as data, devices, seeds, readers of arrays.

// The modules whose macros the others use come first.
#[macro_use]
pub mod value;
#[macro_use]
pub mod options;
#[macro_use]
pub mod func;

pub mod archive;
pub mod arrays;
pub mod atomic;
pub mod bytes;
pub mod canvas;
pub mod colormap;
pub mod colour;
mod defaults;
pub mod device;
pub mod error;
pub mod ffi;
pub mod font;
pub mod idx;
pub mod interrupt;
pub mod memory;
pub mod npy;
pub mod number;
pub mod page;
pub mod params;
pub mod paths;
pub mod pickle;
pub mod picture_file;
pub mod progress;
pub mod raster;
pub mod recipe;
pub mod resample;
pub mod run;
pub mod safetensors;
pub mod screen;
pub mod script;
pub mod seed;
pub mod simd;
pub mod stroke;
pub mod svg;
pub mod torch_file;

pub use error::{Error, Kind, Result};
pub use options::Opts;
pub use script::Closure;
pub use value::{Map, Value};

//! What every room stands on: errors, values, options, functions as data, devices, seeds, readers of arrays.

pub mod device;
pub mod error;
pub mod func;
pub mod interrupt;
pub mod options;
pub mod params;
pub mod script;
pub mod seed;
pub mod value;

pub use error::{Error, Kind, Result};
pub use options::Opts;
pub use script::Closure;
pub use value::{Map, Value};

//! What every room stands on: errors, values, options, functions as data, devices, seeds, readers of arrays.

// The modules whose macros the others use come first.
#[macro_use]
pub mod value;
#[macro_use]
pub mod options;
#[macro_use]
pub mod func;

pub mod arrays;
pub mod check;
pub mod device;
pub mod error;
pub mod ffi;
pub mod interrupt;
pub mod params;
pub mod paths;
pub mod progress;
pub mod run;
pub mod script;
pub mod seed;

pub use error::{Error, Kind, Result};
pub use options::Opts;
pub use script::Closure;
pub use value::{Map, Value};

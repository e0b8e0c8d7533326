//! Measures of how good an output is.

pub mod accuracy;

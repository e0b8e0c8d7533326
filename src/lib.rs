//! cs385: a scripting workbench for looking at how neural networks look at pictures.

pub mod core;
pub mod image;
pub mod plot;

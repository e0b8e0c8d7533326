//! cs385: a scripting workbench for looking at how neural networks look at pictures.
//! Rooms in dependency order; ARCHITECTURE.md says which may see which.

#[macro_use]
pub mod core;

pub mod report;
pub mod tensor;

pub mod image;

#[macro_use]
pub mod augment;

pub mod data;
#[macro_use]
pub mod nn;
pub mod plot;

pub mod embed;
pub mod explain;
pub mod models;
pub mod train;

pub mod bindings;
pub mod registry;

pub mod host;

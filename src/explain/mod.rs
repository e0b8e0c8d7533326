//! Why a network says what it says: targets, class activation maps, attributions of the input.

pub mod attrib;
pub mod cam;
pub mod heatmap;
pub mod metric;
mod noise;
pub mod probe;
pub mod target;
mod variants;

pub use heatmap::Heatmap;
pub use target::Target;

//! What is asked of features before anything is made of them.

use crate::core::{Error, Result};
use ndarray::{ArrayView2, Axis};

/// Error: a number that is not finite, or no number at all.
pub fn finite(x: &ArrayView2<f32>) -> Result<()> {
    if x.is_empty() {
        return Err(Error::new(format!("{} points with {} features hold nothing", x.nrows(), x.ncols())));
    }
    match x.indexed_iter().find(|(_, v)| !v.is_finite()) {
        None => Ok(()),
        Some(((i, j), v)) => {
            Err(Error::new(format!("feature {j} of point {i} is {v}; expected finite numbers"))
                .hint("look for NaN in the network's output: x.isnan().any()"))
        }
    }
}

/// Error: all points at one place.
pub fn some_variance(x: &ArrayView2<f32>) -> Result<()> {
    let first = x.index_axis(Axis(0), 0);
    match x.rows().into_iter().any(|r| r != first) {
        true => Ok(()),
        false => Err(Error::new(format!("all {} points are the same: there is nothing to map", x.nrows()))
            .hint("is the layer's output constant? look at its values")),
    }
}

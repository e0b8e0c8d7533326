//! `augment::resize`.

use super::args::{Fit, Size};
use crate::core::resample::Filter;

options! {
    /// Options of `augment::resize`.
    pub struct ResizeOptions {
        /// "nearest", "bilinear", "bicubic" or "lanczos".
        interpolation: Filter = Filter::Bilinear => "bilinear",
    }
}

augment! {
    /// Resizes to [height, width], or the short side to one number.
    ///
    /// With antialias, as torchvision's `Resize`.
    /// ```rhai
    /// augment::resize([24, 32]).apply(image::filled(64, 64, "red")) // => Picture of 32 × 24 pixels
    /// ```
    resize, (size: Fit; ResizeOptions),
    random false,
    size |me| match me.size {
        Fit::Short(_) => None,
        Fit::Both(Size(h, w)) => Some([h, w]),
    },
    draw |me, size, rng| Vec::new(),
    run |me, s, d| match me.size {
        Fit::Short(n) => s.resize_short(n, me.o.interpolation)?,
        Fit::Both(Size(h, w)) => s.resize(w, h, me.o.interpolation)?,
    },
}

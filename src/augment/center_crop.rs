//! `augment::center_crop`.

use super::args::Size;

augment! {
    /// Cuts the middle out, with black where the picture is smaller.
    /// ```rhai
    /// augment::center_crop(20).apply(image::filled(40, 30, "red")) // => Picture of 20 × 20 pixels
    /// ```
    center_crop, (size: Size),
    random false,
    size |me| Some([me.size.0, me.size.1]),
    draw |me, size, rng| Vec::new(),
    run |me, s, d| s.center(me.size.1, me.size.0)?,
}

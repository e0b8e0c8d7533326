//! `augment::random_resized_crop`.

use super::args::{Both, Size};
use super::draws::{below, uniform};
use crate::core::Error;
use crate::core::raster::Rect;
use crate::core::resample::Filter;

options! {
    /// Options of `augment::random_resized_crop`.
    pub struct RandomResizedCropOptions {
        /// Least and greatest share of the picture's area.
        scale: Both = Both(0.08, 1.0) => [0.08, 1.0],
        /// Least and greatest ratio of width to height.
        ratio: Both = Both(3.0 / 4.0, 4.0 / 3.0) => [0.75, 1.3333333333333333],
        /// "nearest", "bilinear", "bicubic" or "lanczos".
        interpolation: Filter = Filter::Bilinear => "bilinear",
    }
}

augment! {
    /// Cuts a part of random area and shape out and resizes it.
    ///
    /// Szegedy et al. 2015.
    /// ```rhai
    /// augment::random_resized_crop(24).apply(image::filled(40, 30, "red")) // => Picture of 24 × 24 pixels
    /// ```
    random_resized_crop, (size: Size; RandomResizedCropOptions),
    check |me| {
        let (Both(a, b), Both(c, d)) = (me.o.scale, me.o.ratio);
        if !(0.0 < a && a <= b && 0.0 < c && c <= d) {
            Err(Error::new(format!("`scale` and `ratio` are [least, greatest] above 0, got [{a}, {b}] and [{c}, {d}]")))?;
        }
    },
    size |me| Some([me.size.0, me.size.1]),
    draw |me, size, rng| {
        let [h, w] = size.map(|n| n as f64);
        for _ in 0..10 {
            let area = h * w * uniform(rng, me.o.scale.0, me.o.scale.1);
            let ratio = uniform(rng, me.o.ratio.0.ln(), me.o.ratio.1.ln()).exp();
            let cw = (area * ratio).sqrt().round_ties_even();
            let ch = (area / ratio).sqrt().round_ties_even();
            if (1.0..=w).contains(&cw) && (1.0..=h).contains(&ch) {
                return vec![below(rng, (h - ch) as usize + 1), below(rng, (w - cw) as usize + 1), ch, cw];
            }
        }
        // The middle, as near to the shapes wanted as it goes.
        let ratio = (w / h).clamp(me.o.ratio.0, me.o.ratio.1);
        let (cw, ch) = if w / h > ratio {
            ((h * ratio).round_ties_even(), h)
        } else {
            (w, (w / ratio).round_ties_even())
        };
        vec![((h - ch) / 2.0).floor(), ((w - cw) / 2.0).floor(), ch, cw]
    },
    run |me, s, d| {
        let at = Rect::new(d[1] as i64, d[0] as i64, d[3] as usize, d[2] as usize);
        s.zoom(at, me.size.1, me.size.0, me.o.interpolation)?;
    },
}

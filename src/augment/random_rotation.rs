//! `augment::random_rotation`.

use super::args::Span;
use super::draws::uniform;
use super::geometry::affine;
use crate::core::colour::Colour;
use crate::core::resample::Filter;

options! {
    /// Options of `augment::random_rotation`.
    pub struct RandomRotationOptions {
        /// "nearest" or "bilinear".
        interpolation: Filter = Filter::Nearest => "nearest",
        /// Enlarges the picture so that all of it stays.
        expand: bool = false,
        /// The place [x, y] about which it is turned; the middle if left out.
        center: Option<[f64; 2]> = None => (),
        /// Colour of what was outside.
        fill: Colour = Colour([0; 3]) => "black",
    }
}

augment! {
    /// Turns the picture counter-clockwise by random degrees.
    ///
    /// `degrees` is [least, greatest], or a number n for [-n, n].
    /// ```rhai
    /// augment::random_rotation(30).apply(image::filled(4, 3, "red")) // => Picture of 4 × 3 pixels
    /// ```
    random_rotation, (degrees: Span; RandomRotationOptions),
    draw |me, size, rng| vec![uniform(rng, me.degrees.0, me.degrees.1)],
    run |me, s, d| {
        let [h, w] = s.size();
        let center = me.o.center.unwrap_or([w as f64 / 2.0, h as f64 / 2.0]);
        let mut back = affine(-d[0], [0.0; 2], 1.0, [0.0; 2], center);
        let mut size = [h, w];
        if me.o.expand {
            let (sin, cos) = d[0].to_radians().sin_cos();
            let (fh, fw) = (h as f64, w as f64);
            // Whole pixels at both sides, as Pillow counts; a hair's breadth of rounding makes no new row.
            let whole = |side: f64, wide: f64| {
                let (low, high) = ((side - wide) / 2.0 + 1e-4, (side + wide) / 2.0 - 1e-4);
                (high.ceil() - low.floor()).max(1.0)
            };
            let eh = whole(fh, (fw * sin).abs() + (fh * cos).abs());
            let ew = whole(fw, (fw * cos).abs() + (fh * sin).abs());
            // About the middle: a turn about another place and a larger canvas differ by a shift only.
            back = affine(-d[0], [0.0; 2], 1.0, [0.0; 2], [fw / 2.0, fh / 2.0]);
            let (dx, dy) = ((fw - ew) / 2.0, (fh - eh) / 2.0);
            back[2] += back[0] * dx + back[1] * dy;
            back[5] += back[3] * dx + back[4] * dy;
            size = [eh as usize, ew as usize];
        }
        s.warp(back, size, me.o.interpolation, me.o.fill.0)?;
    },
}

//! `augment::color_jitter`.

use super::args::{Factor, Span};
use super::draws::{order, uniform};
use super::tone;
use crate::core::Error;

augment! {
    /// Changes brightness, contrast, saturation and hue at random, in random order.
    ///
    /// A number n stands for factors in [1 - n, 1 + n] (hue: shifts in [-n, n], at most 0.5), a list for the range
    /// itself; what is left out stays.
    /// ```rhai
    /// augment::color_jitter(0.2, 0.2, 0.2, 0.05).apply(image::filled(4, 3, "red")) // => Picture of 4 × 3 pixels
    /// ```
    color_jitter, (brightness: Option<Factor>, contrast: Option<Factor>, saturation: Option<Factor>,
                   hue: Option<Span>),
    check |me| if let Some(Span(a, b)) = me.hue && (a < -0.5 || b > 0.5) {
        Err(Error::new(format!("`hue` is in -0.5..0.5, got [{a}, {b}]")))?;
    },
    draw |me, size, rng| {
        let mut out = order(rng, 4);
        for f in [me.brightness, me.contrast, me.saturation] {
            out.push(f.map_or(1.0, |Factor(a, b)| uniform(rng, a, b)));
        }
        out.push(me.hue.map_or(0.0, |Span(a, b)| uniform(rng, a, b)));
        out
    },
    run |me, s, d| for step in &d[..4] {
        match *step as usize {
            0 if d[4] != 1.0 => tone::brightness(&mut s.picture, d[4]),
            1 if d[5] != 1.0 => tone::contrast(&mut s.picture, d[5]),
            2 if d[6] != 1.0 => tone::saturation(&mut s.picture, d[6]),
            3 if d[7] != 0.0 => tone::hue(&mut s.picture, d[7]),
            _ => {}
        }
    },
}

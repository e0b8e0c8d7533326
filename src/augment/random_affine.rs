//! `augment::random_affine`.

use super::args::{Both, Span};
use super::draws::uniform;
use super::geometry::affine;
use crate::core::colour::Colour;
use crate::core::resample::Filter;
use crate::core::value::{FromValue, mismatch};
use crate::core::{Error, Result, Value};

/// Shear: a number n for [-n, n] in x, `[low, high]` in x, or `[low, high, low, high]` in x and y.
#[derive(Clone, Copy, Debug)]
pub struct Shear([f64; 4]);

impl FromValue for Shear {
    const TYPE: &'static str = "number or list of 2 or 4";
    fn from_value(v: &Value) -> Result<Self> {
        let both = <[f64; 4]>::from_value(v).map(Shear);
        both.or_else(|_| Span::from_value(v).map(|Span(a, b)| Shear([a, b, 0.0, 0.0])))
            .or_else(|_| mismatch(Self::TYPE, v))
    }
}

options! {
    /// Options of `augment::random_affine`.
    pub struct RandomAffineOptions {
        /// Degrees of the turn: [least, greatest], or n for [-n, n].
        degrees: Span = Span(0.0, 0.0) => 0,
        /// Greatest shift as a share of width and height.
        translate: Option<Both> = None => (),
        /// Least and greatest factor.
        scale: Option<Both> = None => (),
        /// Degrees: n for [-n, n] in x, [low, high] in x, or [low, high, low, high] in x and y.
        shear: Option<Shear> = None => (),
        /// "nearest" or "bilinear".
        interpolation: Filter = Filter::Nearest => "nearest",
        /// The place [x, y] about which it is turned; the middle if left out.
        center: Option<[f64; 2]> = None => (),
        /// Colour of what was outside.
        fill: Colour = Colour([0; 3]) => "black",
    }
}

augment! {
    /// Turns, shifts, scales and shears the picture at random.
    /// ```rhai
    /// let aug = augment::random_affine(#{degrees: 15, translate: 0.1, scale: [0.9, 1.1]});
    /// aug.apply(image::filled(4, 3, "red")) // => Picture of 4 × 3 pixels
    /// ```
    random_affine, (; RandomAffineOptions),
    check |me| {
        if let Some(Both(a, b)) = me.o.translate && !((0.0..=1.0).contains(&a) && (0.0..=1.0).contains(&b)) {
            Err(Error::new(format!("option `translate` is in 0..1, got [{a}, {b}]")))?;
        }
        if let Some(Both(a, b)) = me.o.scale && !(0.0 < a && a <= b) {
            Err(Error::new(format!("option `scale` is [least, greatest] above 0, got [{a}, {b}]"))
                .hint("for example #{scale: [0.9, 1.1]}"))?;
        }
    },
    draw |me, size, rng| {
        let o = &me.o;
        let angle = uniform(rng, o.degrees.0, o.degrees.1);
        let mut shift = |share: f64, side: usize| {
            let most = share * side as f64;
            uniform(rng, -most, most).round_ties_even()
        };
        let [x, y] = o.translate.map_or([0.0; 2], |Both(a, b)| [shift(a, size[1]), shift(b, size[0])]);
        let scale = o.scale.map_or(1.0, |Both(a, b)| uniform(rng, a, b));
        let [sx, sy] = o.shear.map_or([0.0; 2], |Shear([a, b, c, d])| [uniform(rng, a, b), uniform(rng, c, d)]);
        vec![angle, x, y, scale, sx, sy]
    },
    run |me, s, d| {
        let [h, w] = s.size();
        let center = me.o.center.unwrap_or([w as f64 / 2.0, h as f64 / 2.0]);
        let back = affine(d[0], [d[1], d[2]], d[3], [d[4], d[5]], center);
        s.warp(back, [h, w], me.o.interpolation, me.o.fill.0)?;
    },
}

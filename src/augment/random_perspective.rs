//! `augment::random_perspective`.

use super::args::probability;
use super::draws::{below, coin};
use super::geometry::{inverse, quadrangle};
use crate::core::colour::Colour;
use crate::core::resample::Filter;

options! {
    /// Options of `augment::random_perspective`.
    pub struct RandomPerspectiveOptions {
        /// How far corners move, 0 to 1: at 1 up to the middle.
        distortion_scale: f64 = 0.5,
        /// How often it is applied.
        p: f64 = 0.5,
        /// "nearest" or "bilinear".
        interpolation: Filter = Filter::Bilinear => "bilinear",
        /// Colour of what was outside.
        fill: Colour = Colour([0; 3]) => "black",
    }
}

augment! {
    /// Looks at the picture from another side: its corners move inwards at random.
    /// ```rhai
    /// augment::random_perspective(#{p: 1}).apply(image::filled(40, 30, "red")) // => Picture of 40 × 30 pixels
    /// ```
    random_perspective, (; RandomPerspectiveOptions),
    check |me| {
        probability("p", me.o.p)?;
        probability("distortion_scale", me.o.distortion_scale)?;
    },
    draw |me, size, rng| {
        let [h, w] = size;
        let most = |n: usize| (me.o.distortion_scale * (n / 2) as f64) as usize + 1;
        let on = coin(rng, me.o.p);
        let mut at = |far: bool, n: usize| {
            let inwards = below(rng, most(n));
            if far { n as f64 - 1.0 - inwards } else { inwards }
        };
        let mut out = vec![on];
        for (right, low) in [(false, false), (true, false), (true, true), (false, true)] {
            out.extend([at(right, w), at(low, h)]);
        }
        out
    },
    run |me, s, d| if d[0] > 0.0 {
        let [h, w] = s.size();
        let (x, y) = (w as f64 - 1.0, h as f64 - 1.0);
        let to = [[d[1], d[2]], [d[3], d[4]], [d[5], d[6]], [d[7], d[8]]];
        let from = [[0.0, 0.0], [x, 0.0], [x, y], [0.0, y]];
        // Corners that squeeze it to a line leave the picture as it is; small pictures have some at any scale.
        if let Some(back) = quadrangle(to, from).filter(|b| inverse(b).is_some()) {
            s.warp(back, [h, w], me.o.interpolation, me.o.fill.0)?;
        }
    },
}

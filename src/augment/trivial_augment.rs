//! `augment::trivial_augment`.

use super::draws::{below, coin};
use super::geometry::affine;
use super::tone;
use crate::core::Error;
use crate::core::colour::Colour;
use crate::core::resample::Filter;

/// torchvision's wide space, in its order.
const OPS: [&str; 14] = [
    "identity",
    "shear_x",
    "shear_y",
    "translate_x",
    "translate_y",
    "rotate",
    "brightness",
    "color",
    "contrast",
    "sharpness",
    "posterize",
    "solarize",
    "auto_contrast",
    "equalize",
];

options! {
    /// Options of `augment::trivial_augment`.
    pub struct TrivialAugmentOptions {
        /// How many strengths there are.
        num_magnitude_bins: usize = 31,
        /// "nearest" or "bilinear".
        interpolation: Filter = Filter::Nearest => "nearest",
        /// Colour of what was outside.
        fill: Colour = Colour([0; 3]) => "black",
    }
}

augment! {
    /// One random operation of random strength.
    ///
    /// TrivialAugmentWide (Müller and Hutter 2021).
    /// ```rhai
    /// augment::trivial_augment().apply(image::filled(40, 30, "red")) // => Picture of 40 × 30 pixels
    /// ```
    trivial_augment, (; TrivialAugmentOptions),
    check |me| if me.o.num_magnitude_bins < 2 {
        Err(Error::new("option `num_magnitude_bins` is at least 2"))?;
    },
    draw |me, size, rng| {
        let op = below(rng, OPS.len());
        let bins = me.o.num_magnitude_bins;
        let (bin, sign) = (below(rng, bins), 1.0 - 2.0 * coin(rng, 0.5));
        let t = bin / (bins - 1) as f64;
        let strength = match op as usize {
            1 | 2 | 6..=9 => sign * 0.99 * t,
            3 | 4 => sign * 32.0 * t,
            5 => sign * 135.0 * t,
            10 => 8.0 - (6.0 * t).round_ties_even(),
            11 => 255.0 * (1.0 - t),
            _ => 0.0,
        };
        vec![op, strength]
    },
    run |me, s, d| {
        let [h, w] = s.size();
        let middle = [w as f64 / 2.0, h as f64 / 2.0];
        let still = [0.0; 2];
        let (strength, p) = (d[1], &mut s.picture);
        let back = match d[0] as usize {
            1 => Some(affine(0.0, still, 1.0, [strength.atan().to_degrees(), 0.0], still)),
            2 => Some(affine(0.0, still, 1.0, [0.0, strength.atan().to_degrees()], still)),
            3 => Some(affine(0.0, [strength.trunc(), 0.0], 1.0, still, middle)),
            4 => Some(affine(0.0, [0.0, strength.trunc()], 1.0, still, middle)),
            5 => Some(affine(-strength, still, 1.0, still, middle)),
            op => {
                match op {
                    6 => tone::brightness(p, 1.0 + strength),
                    7 => tone::saturation(p, 1.0 + strength),
                    8 => tone::contrast(p, 1.0 + strength),
                    9 => tone::sharpness(p, 1.0 + strength),
                    10 => tone::posterize(p, strength as u32),
                    11 => tone::solarize(p, strength),
                    12 => tone::autocontrast(p),
                    13 => tone::equalize(p),
                    _ => {}
                }
                None
            }
        };
        if let Some(back) = back {
            s.warp(back, [h, w], me.o.interpolation, me.o.fill.0)?;
        }
    },
}

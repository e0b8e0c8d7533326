//! `augment::random_erasing`.

use super::args::{Both, probability};
use super::draws::{below, coin, uniform};
use crate::core::Error;
use crate::core::colour::Colour;
use crate::core::raster::Rect;
use rand::{Rng as _, SeedableRng};

options! {
    /// Options of `augment::random_erasing`.
    pub struct RandomErasingOptions {
        /// How often it is applied.
        p: f64 = 0.5,
        /// Least and greatest share of the picture's area.
        scale: Both = Both(0.02, 0.33) => [0.02, 0.33],
        /// Least and greatest ratio of height to width.
        ratio: Both = Both(0.3, 3.3) => [0.3, 3.3],
        /// Colour of the rectangle.
        value: Colour = Colour([0; 3]) => "black",
        /// Noise instead of a colour.
        noise: bool = false,
    }
}

augment! {
    /// Paints a rectangle over the picture.
    ///
    /// Zhong et al. 2017. Masks and boxes stay.
    /// ```rhai
    /// augment::random_erasing(#{p: 1}).apply(image::filled(40, 30, "red")) // => Picture of 40 × 30 pixels
    /// ```
    random_erasing, (; RandomErasingOptions),
    check |me| {
        probability("p", me.o.p)?;
        let (Both(a, b), Both(c, d)) = (me.o.scale, me.o.ratio);
        if !(0.0 <= a && a <= b && b <= 1.0 && 0.0 < c && c <= d) {
            Err(Error::new(format!("`scale` lies in 0..1 and `ratio` above 0, got [{a}, {b}] and [{c}, {d}]")))?;
        }
    },
    draw |me, size, rng| {
        let [h, w] = size;
        let on = coin(rng, me.o.p);
        for _ in 0..10 {
            let area = (h * w) as f64 * uniform(rng, me.o.scale.0, me.o.scale.1);
            let ratio = uniform(rng, me.o.ratio.0.ln(), me.o.ratio.1.ln()).exp();
            let eh = (area * ratio).sqrt().round_ties_even() as usize;
            let ew = (area / ratio).sqrt().round_ties_even() as usize;
            if eh < h && ew < w {
                let at = [below(rng, h - eh + 1), below(rng, w - ew + 1)];
                return vec![on, at[0], at[1], eh as f64, ew as f64, f64::from(rng.random::<u32>())];
            }
        }
        vec![0.0; 6]
    },
    run |me, s, d| if d[0] > 0.0 {
        let at = Rect::new(d[2] as i64, d[1] as i64, d[4] as usize, d[3] as usize);
        s.picture.fill(at, me.o.value.0);
        if me.o.noise {
            let mut rng = super::Rng::seed_from_u64(d[5] as u64);
            let line = s.picture.width * 3;
            for y in at.y as usize..at.y as usize + at.h {
                let from = y * line + at.x as usize * 3;
                s.picture.rgb[from..from + at.w * 3].iter_mut().for_each(|v| *v = rng.random());
            }
        }
    },
}

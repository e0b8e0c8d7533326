//! `augment::random_grayscale`.

use super::args::probability;
use super::draws::coin;
use super::tone;

augment! {
    /// Makes the picture grey with probability p (0.1).
    /// ```rhai
    /// augment::random_grayscale(0.5).apply(image::filled(4, 3, "red")) // => Picture of 4 × 3 pixels
    /// ```
    random_grayscale, (p: Option<f64>),
    check |me| probability("p", me.p.unwrap_or(0.1))?,
    draw |me, size, rng| vec![coin(rng, me.p.unwrap_or(0.1))],
    run |me, s, d| if d[0] > 0.0 { tone::grey(&mut s.picture) },
}

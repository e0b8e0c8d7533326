//! `augment::random_vertical_flip`.

use super::args::probability;
use super::draws::coin;

augment! {
    /// Exchanges Top and bottom with probability p (0.5).
    /// ```rhai
    /// augment::random_vertical_flip().apply(image::filled(4, 3, "red")) // => Picture of 4 × 3 pixels
    /// ```
    random_vertical_flip, (p: Option<f64>),
    check |me| probability("p", me.p.unwrap_or(0.5))?,
    draw |me, size, rng| vec![coin(rng, me.p.unwrap_or(0.5))],
    run |me, s, d| if d[0] > 0.0 { s.flip() },
}

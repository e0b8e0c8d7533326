//! `augment::grayscale`.

use super::tone;

augment! {
    /// Makes the picture grey; it keeps three channels.
    /// ```rhai
    /// augment::grayscale().apply(image::filled(1, 1, [255, 0, 0])).to_tensor().flatten() // ~> tensor([0.2980, 0.2980, 0.2980])
    /// ```
    grayscale, (),
    random false,
    draw |me, size, rng| Vec::new(),
    run |me, s, d| tone::grey(&mut s.picture),
}

//! `augment::normalize`.

use crate::core::Error;

augment! {
    /// Takes the mean off each channel and divides by the deviation.
    ///
    /// Both are for values in 0..1. It is done when the picture becomes a tensor, so its place among the other
    /// augmentations does not matter, and masks, previews and pictures stay as they are.
    /// ```rhai
    /// let data = data::critters(#{size: 16, train: 2, test: 1}).train;
    /// data.augment(augment::normalize([0.5], [0.5])).get(0).input.min().item() < 0 // => true
    /// ```
    normalize, (mean: Vec<f64>, std: Vec<f64>),
    random false,
    check |me| if me.mean.len() != me.std.len() || ![1, 3].contains(&me.mean.len()) || me.std.contains(&0.0) {
        Err(Error::new(format!(
            "mean and std are lists of 3 numbers (or 1), std not 0; got {:?} and {:?}", me.mean, me.std
        )))?;
    },
    draw |me, size, rng| Vec::new(),
    run |me, s, d| s.normalize(&me.mean, &me.std),
}

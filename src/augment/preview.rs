//! Looking at augmentations: applied to one picture, or many times in a grid.

use super::{Aug, Sample};
use crate::core::{Error, Result, seed};
use crate::image::{self, GridOptions, Picture};

/// One application; `n` numbers them.
fn once(aug: &Aug, picture: &Picture, n: u64) -> Result<Picture> {
    if super::compose::flat(aug).iter().any(|a| a.0.mixes()) {
        return Err(Error::new("mixup and cutmix need a whole batch")
            .hint("look at batches: data.augment(aug).batches(8)"));
    }
    let sample = Sample::from(picture.raster().clone());
    Ok(Picture::from(aug.0.apply(sample, &mut seed::stream("preview", n))?.picture))
}

functions! {
    in "augment";
    /// A grid: the picture, and n - 1 times (7) what the augmentation makes of it.
    /// ```rhai
    /// augment::preview(augment::random_rotation(30), image::filled(32, 32, "red"), 4).width > 64 // => true
    /// ```
    fn preview(augmentation: Aug, picture: Picture, n: Option<usize>) -> Picture {
        let n = n.unwrap_or(8).max(1);
        let mut all = vec![picture.clone()];
        for i in 1..n {
            all.push(once(&augmentation, &picture, i as u64)?);
        }
        image::grid(&all, 0, &[], &GridOptions::default())?
    }

    on "Augmentation";
    /// The picture, augmented.
    ///
    /// `n` numbers the application: another number gives another result.
    /// ```rhai
    /// augment::random_vertical_flip(1).apply(image::filled(4, 3, "red")) // => Picture of 4 × 3 pixels
    /// ```
    fn apply(augmentation: Aug, picture: Picture, n: Option<usize>) -> Picture {
        once(&augmentation, &picture, n.unwrap_or(0) as u64)?
    }
}

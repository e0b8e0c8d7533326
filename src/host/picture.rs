//! Pictures that scripts draw against the ones they are to draw.

use crate::core::{Error, Result};
use image::RgbaImage;
use std::path::Path;

/// How two pictures of one size differ.
pub struct Difference {
    /// The largest difference of any channel, 0 to 255.
    pub max: u8,
    /// The share of pixels that differ at all, 0 to 1.
    pub share: f64,
    /// The difference of each pixel, black where there is none.
    pub picture: RgbaImage,
}

fn open(path: &Path) -> Result<RgbaImage> {
    let file = image::open(path).map_err(|e| Error::new(format!("{}: {e}", path.display())))?;
    Ok(file.to_rgba8())
}

/// Compares two PNG files channel by channel.
///
/// # Errors
/// A file that cannot be read, or pictures of different size.
pub fn compare(expected: &Path, actual: &Path) -> Result<Difference> {
    let (e, a) = (open(expected)?, open(actual)?);
    if e.dimensions() != a.dimensions() {
        let (e, a) = (e.dimensions(), a.dimensions());
        return Err(Error::new(format!("the picture is {}×{}, expected {}×{}", a.0, a.1, e.0, e.1)));
    }
    let (mut max, mut differ) = (0, 0u64);
    let mut picture = RgbaImage::new(e.width(), e.height());
    for ((e, a), out) in e.pixels().zip(a.pixels()).zip(picture.pixels_mut()) {
        let d = [0, 1, 2, 3].map(|c| e.0[c].abs_diff(a.0[c]));
        let most = d.into_iter().max().unwrap_or(0);
        max = max.max(most);
        differ += u64::from(most > 0);
        out.0 = [d[0].max(d[3]), d[1].max(d[3]), d[2].max(d[3]), 255];
    }
    let share = differ as f64 / f64::from(e.width() * e.height()).max(1.0);
    Ok(Difference { max, share, picture })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn differences_are_measured() {
        let folder = tempfile::tempdir().unwrap();
        let save = |name: &str, value| {
            let mut p = RgbaImage::from_pixel(2, 2, image::Rgba([10, 10, 10, 255]));
            p.get_pixel_mut(0, 0).0[1] = value;
            p.save(folder.path().join(name)).unwrap();
            folder.path().join(name)
        };
        let (a, b) = (save("a.png", 10), save("b.png", 13));
        let d = compare(&a, &b).unwrap();
        assert_eq!((d.max, d.share), (3, 0.25));
        assert_eq!(compare(&a, &a).unwrap().max, 0);
        let small = folder.path().join("c.png");
        RgbaImage::new(1, 2).save(&small).unwrap();
        assert!(compare(&a, &small).is_err());
    }
}

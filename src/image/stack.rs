//! Pictures beside and above each other, and one after the other.

use std::path::Path;

use super::Picture;
use crate::core::canvas::Canvas;
use crate::core::picture_file;
use crate::core::raster::{Raster, Rgb};
use crate::core::{Error, Result};

/// The pictures side by side, `gap` pixels apart, centred on `background` where heights differ. Error: none given.
pub fn hstack(pictures: &[Picture], gap: usize, background: Rgb) -> Result<Picture> {
    let total = pictures.iter().map(Picture::width).sum::<usize>() + gap.saturating_mul(count(pictures)? - 1);
    let height = pictures.iter().map(Picture::height).max().unwrap_or(0);
    let mut out = Canvas::new(total, height, background)?;
    let mut x = 0;
    for p in pictures {
        out.paste(p.figure(), x, ((height - p.height()) / 2) as i64, 1)?;
        x += (p.width() + gap) as i64;
    }
    Ok(out.into())
}

/// The pictures one above the other, as [`hstack`].
pub fn vstack(pictures: &[Picture], gap: usize, background: Rgb) -> Result<Picture> {
    let total =
        pictures.iter().map(Picture::height).sum::<usize>() + gap.saturating_mul(count(pictures)? - 1);
    let width = pictures.iter().map(Picture::width).max().unwrap_or(0);
    let mut out = Canvas::new(width, total, background)?;
    let mut y = 0;
    for p in pictures {
        out.paste(p.figure(), ((width - p.width()) / 2) as i64, y, 1)?;
        y += (p.height() + gap) as i64;
    }
    Ok(out.into())
}

/// An animated gif of the pictures, each shown for `delay_ms`, repeated for ever.
pub fn gif(frames: &[Picture], delay_ms: u32, path: impl AsRef<Path>) -> Result<()> {
    let frames: Vec<&Raster> = frames.iter().map(Picture::raster).collect();
    picture_file::write_gif(&frames, delay_ms, path)
}

fn count(pictures: &[Picture]) -> Result<usize> {
    match pictures.len() {
        0 => Err(Error::new("no picture was given; expected at least one")),
        n => Ok(n),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stacks_are_centred() {
        let a = Picture::filled(2, 1, [1; 3]).unwrap();
        let b = Picture::filled(1, 3, [2; 3]).unwrap();
        let h = hstack(&[a.clone(), b.clone()], 1, [0; 3]).unwrap();
        assert_eq!(h.size(), [3, 4]);
        let reds = |p: &Picture| p.raster().rgb.iter().step_by(3).copied().collect::<Vec<u8>>();
        assert_eq!(reds(&h), [0, 0, 0, 2, 1, 1, 0, 2, 0, 0, 0, 2]);
        assert_eq!(reds(&vstack(&[a, b], 0, [0; 3]).unwrap()), [1, 1, 2, 0, 2, 0, 2, 0]);
        assert!(hstack(&[], 0, [0; 3]).is_err() && gif(&[], 10, "x.gif").is_err());
    }
}

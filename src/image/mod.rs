//! Pictures: read, cut, drawn on, turned into tensors and back; overlays, grids, animations.

mod bar;
mod draw;
mod files;
mod grid;
mod heat;
mod key;
mod script;
mod segments;
mod stack;
mod tensor;

use std::path::{Path, PathBuf};

pub use bar::ColorBar;
pub use grid::{GridOptions, grid, strip};
pub use heat::{HeatOptions, color_bar, heatmap};
pub use script::HeatmapOptions;
pub use stack::{gif, hstack, vstack};
pub use tensor::{FromTensor, IMAGENET_MEAN, IMAGENET_STD};

use crate::core::canvas::{Canvas, Figure};
use crate::core::raster::{Raster, Rect, Rgb};
use crate::core::resample::{self, Filter};
use crate::core::{Error, Result, atomic, picture_file, svg};

/// A picture, RGB with 8 bits a channel. A handle: cloning is free, every operation makes a new one.
#[derive(Clone, Debug)]
pub struct Picture {
    figure: Figure,
    source: Option<PathBuf>,
}

impl From<Raster> for Picture {
    fn from(raster: Raster) -> Self {
        Self { figure: raster.into(), source: None }
    }
}

impl From<Canvas> for Picture {
    fn from(canvas: Canvas) -> Self {
        Self { figure: canvas.into(), source: None }
    }
}

impl PartialEq for Picture {
    /// Equal pixels, wherever they came from.
    fn eq(&self, other: &Self) -> bool {
        self.raster() == other.raster()
    }
}

impl Picture {
    /// Reads a picture file; see [`picture_file::read`] for formats and errors.
    pub fn open(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        Ok(Self { figure: picture_file::read(path)?.into(), source: Some(path.to_path_buf()) })
    }

    /// A picture of one colour. Error: no pixel, or too many.
    pub fn filled(width: usize, height: usize, colour: Rgb) -> Result<Self> {
        Ok(Raster::new(width, height, colour)?.into())
    }

    /// Writes it in the format of the extension: png, jpg, bmp, gif, webp or svg.
    ///
    /// # Errors
    /// Another extension, a file that cannot be written.
    pub fn save(&self, path: impl AsRef<Path>) -> Result<()> {
        let path = path.as_ref();
        if path.extension().is_some_and(|e| e.eq_ignore_ascii_case("svg")) {
            return atomic::write(path, svg::document(&self.figure)?.as_bytes());
        }
        picture_file::write(self.raster(), path)
    }

    /// `[H, W]` in pixels.
    pub fn size(&self) -> [usize; 2] {
        [self.raster().height, self.raster().width]
    }

    /// Width in pixels.
    pub fn width(&self) -> usize {
        self.raster().width
    }

    /// Height in pixels.
    pub fn height(&self) -> usize {
        self.raster().height
    }

    /// The file it was read from; kept by every operation on one picture.
    pub fn source(&self) -> Option<&Path> {
        self.source.as_deref()
    }

    /// Its pixels.
    pub fn raster(&self) -> &Raster {
        &self.figure.raster
    }

    /// Its pixels and, if it is a figure, what was drawn in it.
    pub fn figure(&self) -> &Figure {
        &self.figure
    }

    /// `[red, green, blue]` at column `x`, row `y`. Error: outside.
    pub fn pixel(&self, x: usize, y: usize) -> Result<Rgb> {
        if x >= self.width() || y >= self.height() {
            return Err(Error::new(format!(
                "pixel ({x}, {y}) lies outside the picture of {}",
                self.extent()
            )));
        }
        Ok(self.raster().get(x, y))
    }

    /// The same picture with other pixels, or with more drawn on it.
    fn with(&self, figure: impl Into<Figure>) -> Self {
        Self { figure: figure.into(), source: self.source.clone() }
    }

    fn extent(&self) -> String {
        format!("{} x {} pixels", self.width(), self.height())
    }

    /// `width` times `height` pixels, to the byte as Pillow resizes (with antialias).
    pub fn resize(&self, width: usize, height: usize, filter: Filter) -> Result<Self> {
        Ok(self.with(resample::resize(self.raster(), width, height, filter)?))
    }

    /// The short side `n` pixels long and the other in proportion (rounded down), as torchvision's `Resize(n)`.
    pub fn resize_short(&self, n: usize, filter: Filter) -> Result<Self> {
        let (w, h) = (self.width(), self.height());
        let long = |long: usize, short: usize| n.saturating_mul(long) / short;
        if w <= h { self.resize(n, long(h, w), filter) } else { self.resize(long(w, h), n, filter) }
    }

    /// The middle `width` times `height` pixels, with black where the picture is smaller, as torchvision's `CenterCrop`.
    pub fn center_crop(&self, width: usize, height: usize) -> Result<Self> {
        // torchvision pads with the smaller half first, and rounds the offset half to even.
        let first = |side: usize, n: usize| {
            if n > side {
                -(((n - side) / 2) as i64)
            } else {
                ((side - n) as f64 / 2.0).round_ties_even() as i64
            }
        };
        let at = Rect::new(first(self.width(), width), first(self.height(), height), width, height);
        Ok(self.with(self.raster().cut(at, [0; 3])?))
    }

    /// The part of `width` times `height` pixels whose top left corner is (`x`, `y`). Error: not all of it lies inside.
    pub fn crop(&self, x: usize, y: usize, width: usize, height: usize) -> Result<Self> {
        if x.saturating_add(width) > self.width() || y.saturating_add(height) > self.height() {
            return Err(Error::new(format!(
                "crop ({x}, {y}, {width}, {height}) reaches outside the picture of {}",
                self.extent()
            ))
            .hint("the arguments are x, y, width, height; pad() enlarges a picture"));
        }
        Ok(self.with(self.raster().cut(Rect::new(x as i64, y as i64, width, height), [0; 3])?))
    }

    /// A border of `colour`, in pixels at each side.
    pub fn pad(&self, left: usize, top: usize, right: usize, bottom: usize, colour: Rgb) -> Result<Self> {
        let side = |a: usize, n: usize, b: usize| a.saturating_add(n).saturating_add(b);
        let (w, h) = (side(left, self.width(), right), side(top, self.height(), bottom));
        let mut out = Raster::new(w, h, colour)?;
        out.paste(self.raster(), left as i64, top as i64);
        Ok(self.with(out))
    }

    /// Left and right exchanged.
    pub fn flip_horizontal(&self) -> Self {
        let w = self.width();
        self.with(self.raster().remap(w, self.height(), |x, y| (w - 1 - x, y)))
    }

    /// Top and bottom exchanged.
    pub fn flip_vertical(&self) -> Self {
        let h = self.height();
        self.with(self.raster().remap(self.width(), h, |x, y| (x, h - 1 - y)))
    }

    /// Turned counter-clockwise by `quarters` times 90 degrees, as `torch.rot90`.
    pub fn rot90(&self, quarters: i64) -> Self {
        let (w, h) = (self.width(), self.height());
        match quarters.rem_euclid(4) {
            1 => self.with(self.raster().remap(h, w, |x, y| (w - 1 - y, x))),
            2 => self.with(self.raster().remap(w, h, |x, y| (w - 1 - x, h - 1 - y))),
            3 => self.with(self.raster().remap(h, w, |x, y| (y, h - 1 - x))),
            _ => self.clone(),
        }
    }

    /// In shades of grey (ITU-R BT.601 luma, as Pillow's `convert("L")`).
    pub fn grayscale(&self) -> Self {
        let mut out = self.raster().clone();
        for p in out.rgb.chunks_exact_mut(3) {
            let luma =
                (u32::from(p[0]) * 19595 + u32::from(p[1]) * 38470 + u32::from(p[2]) * 7471 + 0x8000) >> 16;
            p.fill(luma as u8);
        }
        self.with(out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbered(width: usize, height: usize) -> Picture {
        let rgb = (0..width * height).flat_map(|i| [i as u8, 0, 0]).collect();
        Raster::from_rgb(width, height, rgb).unwrap().into()
    }

    fn reds(p: &Picture) -> Vec<u8> {
        p.raster().rgb.chunks_exact(3).map(|p| p[0]).collect()
    }

    #[test]
    fn turning_and_cutting_move_the_right_pixels() {
        let p = numbered(3, 2);
        assert_eq!(reds(&p.flip_horizontal()), [2, 1, 0, 5, 4, 3]);
        assert_eq!(reds(&p.flip_vertical()), [3, 4, 5, 0, 1, 2]);
        assert_eq!((reds(&p.rot90(1)), p.rot90(1).size()), (vec![2, 5, 1, 4, 0, 3], [3, 2]));
        assert_eq!(reds(&p.rot90(-1)), [3, 0, 4, 1, 5, 2]);
        assert_eq!(p.rot90(1).rot90(1), p.rot90(2));
        assert_eq!(reds(&p.crop(1, 0, 2, 2).unwrap()), [1, 2, 4, 5]);
        assert_eq!(reds(&p.center_crop(1, 4).unwrap()), [0, 1, 4, 0]);
        assert_eq!(reds(&p.pad(1, 0, 0, 1, [9; 3]).unwrap()), [9, 0, 1, 2, 9, 3, 4, 5, 9, 9, 9, 9]);
    }

    #[test]
    fn bounds_are_told() {
        let p = numbered(3, 2);
        let e = p.crop(2, 0, 2, 2).unwrap_err();
        assert_eq!(e.msg, "crop (2, 0, 2, 2) reaches outside the picture of 3 x 2 pixels");
        assert!(
            p.crop(usize::MAX, 0, 2, 2).is_err() && p.crop(0, 0, 0, 1).is_err() && p.pixel(3, 0).is_err()
        );
        assert!(
            p.pad(usize::MAX, 0, 1, 0, [0; 3]).is_err()
                && p.resize_short(usize::MAX, Filter::Bilinear).is_err()
        );
        assert!(p.resize(0, 4, Filter::Nearest).is_err());
    }
}

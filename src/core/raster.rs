//! A picture in memory, RGB8 row by row: what `image` and `plot` both draw on.

use crate::core::{Error, Result};

/// A colour: red, green, blue in 0..=255.
pub type Rgb = [u8; 3];

/// The most pixels a picture may have, read or drawn: 128 Mpx is 384 MB.
pub const MAX_PIXELS: usize = 1 << 27;

/// A rectangle of pixels: `x`, `y` of its top left corner, width, height. May lie outside a picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rect {
    /// Left edge.
    pub x: i64,
    /// Top edge.
    pub y: i64,
    /// Width.
    pub w: usize,
    /// Height.
    pub h: usize,
}

impl Rect {
    /// The rectangle at (`x`, `y`) of `w` times `h` pixels.
    pub fn new(x: i64, y: i64, w: usize, h: usize) -> Self {
        Self { x, y, w, h }
    }

    /// The columns and rows shared with a picture of `width` times `height`.
    fn within(&self, width: usize, height: usize) -> (std::ops::Range<usize>, std::ops::Range<usize>) {
        let cut = |at: i64, n: usize, max: usize| {
            let end = at.saturating_add(i64::try_from(n).unwrap_or(i64::MAX)).clamp(0, max as i64) as usize;
            (at.clamp(0, max as i64) as usize).min(end)..end
        };
        (cut(self.x, self.w, width), cut(self.y, self.h, height))
    }
}

/// `width` times `height` pixels, `rgb` holding 3 bytes a pixel, row by row.
#[derive(Clone, PartialEq, Eq)]
pub struct Raster {
    /// Columns.
    pub width: usize,
    /// Rows.
    pub height: usize,
    /// Red, green, blue of each pixel.
    pub rgb: Vec<u8>,
}

impl std::fmt::Debug for Raster {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Raster({}x{})", self.width, self.height)
    }
}

impl Raster {
    /// A picture of one colour. Error: no pixel, or more than [`MAX_PIXELS`].
    pub fn new(width: usize, height: usize, colour: Rgb) -> Result<Self> {
        check_size(width, height)?;
        Ok(Self { width, height, rgb: colour.repeat(width * height) })
    }

    /// A picture of the given bytes. Error: not 3 bytes a pixel.
    pub fn from_rgb(width: usize, height: usize, rgb: Vec<u8>) -> Result<Self> {
        check_size(width, height)?;
        if rgb.len() != width * height * 3 {
            return Err(Error::new(format!(
                "{} bytes do not make a picture of {width} x {height}; expected {}",
                rgb.len(),
                width * height * 3
            )));
        }
        Ok(Self { width, height, rgb })
    }

    /// The colour at (`x`, `y`); black outside the picture.
    pub fn get(&self, x: usize, y: usize) -> Rgb {
        if x >= self.width || y >= self.height {
            return [0; 3];
        }
        let i = (y * self.width + x) * 3;
        [self.rgb[i], self.rgb[i + 1], self.rgb[i + 2]]
    }

    /// Lays `colour` over the pixel with opacity `alpha` in 0..1; nothing outside the picture.
    pub fn blend(&mut self, x: i64, y: i64, colour: Rgb, alpha: f32) {
        if x < 0 || y < 0 || x >= self.width as i64 || y >= self.height as i64 {
            return;
        }
        let i = (y as usize * self.width + x as usize) * 3;
        for (p, c) in self.rgb[i..i + 3].iter_mut().zip(colour) {
            let old = f32::from(*p);
            *p = ((f32::from(c) - old).mul_add(alpha, old) + 0.5) as u8;
        }
    }

    /// Fills a rectangle, as far as it lies inside the picture.
    pub fn fill(&mut self, rect: Rect, colour: Rgb) {
        let (cols, rows) = rect.within(self.width, self.height);
        for y in rows {
            let row = &mut self.rgb[(y * self.width + cols.start) * 3..(y * self.width + cols.end) * 3];
            row.chunks_exact_mut(3).for_each(|p| p.copy_from_slice(&colour));
        }
    }

    /// Lays `colour` over a rectangle with opacity `alpha` in 0..1.
    pub fn tint(&mut self, rect: Rect, colour: Rgb, alpha: f32) {
        let (cols, rows) = rect.within(self.width, self.height);
        for y in rows {
            cols.clone().for_each(|x| self.blend(x as i64, y as i64, colour, alpha));
        }
    }

    /// Draws the border of a rectangle, `line` pixels wide, inwards.
    pub fn frame(&mut self, r: Rect, colour: Rgb, line: usize) {
        let line = line.min(r.w.div_ceil(2)).min(r.h.div_ceil(2));
        let n = line as i64;
        self.fill(Rect::new(r.x, r.y, r.w, line), colour);
        self.fill(Rect::new(r.x, r.y.saturating_add(r.h as i64) - n, r.w, line), colour);
        self.fill(Rect::new(r.x, r.y, line, r.h), colour);
        self.fill(Rect::new(r.x.saturating_add(r.w as i64) - n, r.y, line, r.h), colour);
    }

    /// Copies `other` so that its top left corner comes to (`x`, `y`), as far as it fits.
    pub fn paste(&mut self, other: &Raster, x: i64, y: i64) {
        let (cols, rows) = Rect::new(x, y, other.width, other.height).within(self.width, self.height);
        let from = (cols.start as i64 - x) as usize;
        for row in rows {
            let source = ((row as i64 - y) as usize * other.width + from) * 3;
            let target = (row * self.width + cols.start) * 3;
            let n = cols.len() * 3;
            self.rgb[target..target + n].copy_from_slice(&other.rgb[source..source + n]);
        }
    }

    /// The part inside `rect`; what lies outside the picture is `fill`.
    pub fn cut(&self, rect: Rect, fill: Rgb) -> Result<Self> {
        let mut out = Self::new(rect.w, rect.h, fill)?;
        out.paste(self, rect.x.saturating_neg(), rect.y.saturating_neg());
        Ok(out)
    }

    /// A new picture of `width` times `height` whose pixel (x, y) is this one's pixel `from(x, y)`.
    pub fn remap(&self, width: usize, height: usize, from: impl Fn(usize, usize) -> (usize, usize)) -> Self {
        let mut rgb = Vec::with_capacity(width * height * 3);
        for y in 0..height {
            for x in 0..width {
                let (sx, sy) = from(x, y);
                rgb.extend_from_slice(&self.get(sx, sy));
            }
        }
        Self { width, height, rgb }
    }

    /// Every pixel as a block of `n` times `n`.
    pub fn enlarge(&self, n: usize) -> Result<Self> {
        check_size(self.width.saturating_mul(n), self.height.saturating_mul(n))?;
        let mut rgb = Vec::with_capacity(self.rgb.len() * n * n);
        for row in self.rgb.chunks_exact(self.width * 3) {
            let start = rgb.len();
            row.chunks_exact(3).for_each(|p| (0..n).for_each(|_| rgb.extend_from_slice(p)));
            let end = rgb.len();
            (1..n).for_each(|_| rgb.extend_from_within(start..end));
        }
        Ok(Self { width: self.width * n, height: self.height * n, rgb })
    }
}

/// Error: a side is 0, or the picture exceeds [`MAX_PIXELS`].
pub fn check_size(width: usize, height: usize) -> Result<()> {
    if width == 0 || height == 0 {
        return Err(Error::new(format!(
            "a picture of {width} x {height} has no pixels; expected sides of at least 1"
        )));
    }
    if width.saturating_mul(height) > MAX_PIXELS {
        return Err(Error::new(format!(
            "a picture of {width} x {height} is too large; at most {} megapixels",
            MAX_PIXELS >> 20
        )));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paste_and_cut_respect_every_edge() {
        let mut r = Raster::new(4, 3, [0; 3]).unwrap();
        let s = Raster::new(3, 3, [9, 8, 7]).unwrap();
        r.paste(&s, -2, 2);
        r.paste(&s, 3, -2);
        r.paste(&s, 100, 100);
        let lit: Vec<_> = (0..12).filter(|i| r.get(i % 4, i / 4) == [9, 8, 7]).collect();
        assert_eq!(lit, [3, 8]);
        let c = r.cut(Rect::new(3, -1, 2, 2), [1; 3]).unwrap();
        assert_eq!(c.rgb, [1, 1, 1, 1, 1, 1, 9, 8, 7, 1, 1, 1]);
    }

    #[test]
    fn rectangles_outside_or_huge_do_no_harm() {
        let mut r = Raster::new(4, 4, [0; 3]).unwrap();
        r.fill(Rect::new(i64::MIN, i64::MAX, usize::MAX, usize::MAX), [1; 3]);
        r.frame(Rect::new(-5, -5, 3, 3), [1; 3], 9);
        assert!(r.rgb.iter().all(|v| *v == 0));
        r.fill(Rect::new(-10, -10, usize::MAX, usize::MAX), [1; 3]);
        assert!(r.rgb.iter().all(|v| *v == 1));
        r.frame(Rect::new(0, 0, 4, 4), [2; 3], 1);
        assert_eq!((r.get(0, 3), r.get(1, 1), r.get(3, 3)), ([2; 3], [1; 3], [2; 3]));
    }

    #[test]
    fn sizes_are_checked() {
        assert!(Raster::new(0, 4, [0; 3]).unwrap_err().msg.contains("no pixels"));
        assert!(Raster::new(1 << 40, 1 << 40, [0; 3]).unwrap_err().msg.contains("too large"));
        assert!(Raster::from_rgb(2, 2, vec![0; 11]).unwrap_err().msg.contains("expected 12"));
        let e = Raster::from_rgb(2, 1, vec![1, 2, 3, 4, 5, 6]).unwrap().enlarge(2).unwrap();
        assert_eq!(e.rgb, [[1, 2, 3, 1, 2, 3, 4, 5, 6, 4, 5, 6]; 2].concat());
    }
}

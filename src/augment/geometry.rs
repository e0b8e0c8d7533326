//! Geometry of samples: cutting, resizing, warping; picture, mask and boxes alike.

use super::{Mask, Sample};
use crate::core::raster::{Raster, Rect, Rgb, check_size};
use crate::core::resample::{self, Filter};
use crate::core::simd::{whole, wide};
use crate::core::{Error, Result};
use fast_image_resize::images::{Image, ImageRef};
use fast_image_resize::{FilterType, PixelType, ResizeAlg, ResizeOptions, Resizer};
use std::cell::RefCell;

/// Pixels whose places are reckoned at once.
const BLOCK: usize = 64;

/// A projective map of the plane, row by row.
pub type Matrix = [f64; 9];

thread_local!(static RESIZER: RefCell<Resizer> = RefCell::new(Resizer::new()));

/// The part `at` of a picture at `w` times `h` pixels, with antialias; within 1/255 of Pillow.
fn resized(src: &Raster, at: Rect, w: usize, h: usize, filter: Filter) -> Result<Raster> {
    // The filter sees what is cut out alone, not what lies beside it.
    let part = match at == Rect::new(0, 0, src.width, src.height) {
        true => None,
        false => Some(src.cut(at, [0; 3])?),
    };
    let src = part.as_ref().unwrap_or(src);
    if filter == Filter::Nearest {
        return resample::resize(src, w, h, filter);
    }
    let kind = match filter {
        Filter::Bicubic => FilterType::CatmullRom,
        Filter::Lanczos => FilterType::Lanczos3,
        _ => FilterType::Bilinear,
    };
    check_size(w, h)?;
    let failed = |e: &dyn std::fmt::Display| Error::new(format!("resizing to {w} x {h} failed: {e}"));
    let mut out = vec![0; w * h * 3];
    let from = ImageRef::new(src.width as u32, src.height as u32, &src.rgb, PixelType::U8x3);
    let from = from.map_err(|e| failed(&e))?;
    let to = Image::from_slice_u8(w as u32, h as u32, &mut out, PixelType::U8x3);
    let options = ResizeOptions::new().resize_alg(ResizeAlg::Convolution(kind)).use_alpha(false);
    let mut to = to.map_err(|e| failed(&e))?;
    RESIZER.with_borrow_mut(|r| r.resize(&from, &mut to, &options)).map_err(|e| failed(&e))?;
    Raster::from_rgb(w, h, out)
}

impl Sample {
    /// The part of `w` times `h` pixels at (`x`, `y`), which may reach outside: `fill`, and in the mask `outside`.
    ///
    /// # Errors
    /// No pixel.
    pub fn cut(&mut self, x: i64, y: i64, w: usize, h: usize, fill: Rgb) -> Result<()> {
        self.picture = self.picture.cut(Rect::new(x, y, w, h), fill)?;
        self.mask = self.mask.take().map(|m| {
            let inside = |v: i64, n: usize| usize::try_from(v).ok().filter(|v| *v < n);
            m.remap(w, h, self.outside, |i, j| {
                Some((inside(i as i64 + x, m.width)?, inside(j as i64 + y, m.height)?))
            })
        });
        self.move_boxes(|[bx, by]| [bx - x as f64, by - y as f64]);
        Ok(())
    }

    /// The part `at` of the picture at `w` times `h` pixels.
    ///
    /// # Errors
    /// No pixel, too many.
    pub fn zoom(&mut self, at: Rect, w: usize, h: usize, filter: Filter) -> Result<()> {
        self.picture = resized(&self.picture, at, w, h, filter)?;
        let (kx, ky) = (at.w as f64 / w as f64, at.h as f64 / h as f64);
        self.mask = self.mask.take().map(|m| {
            let place = |i: usize, k: f64, from: i64| ((i as f64 + 0.5) * k) as usize + from as usize;
            m.remap(w, h, self.outside, |i, j| {
                Some((place(i, kx, at.x).min(m.width - 1), place(j, ky, at.y).min(m.height - 1)))
            })
        });
        self.move_boxes(|[x, y]| [(x - at.x as f64) / kx, (y - at.y as f64) / ky]);
        Ok(())
    }

    /// The whole picture at `w` times `h` pixels.
    ///
    /// # Errors
    /// As [`Sample::zoom`].
    pub fn resize(&mut self, w: usize, h: usize, filter: Filter) -> Result<()> {
        let [from_h, from_w] = self.size();
        if [from_h, from_w] == [h, w] {
            return Ok(());
        }
        self.zoom(Rect::new(0, 0, from_w, from_h), w, h, filter)
    }

    /// The short side at `n` pixels, the other in proportion, cut down by torchvision's rounding.
    ///
    /// # Errors
    /// As [`Sample::zoom`].
    pub fn resize_short(&mut self, n: usize, filter: Filter) -> Result<()> {
        let [h, w] = self.size();
        let long = |long: usize, short: usize| n.saturating_mul(long) / short;
        if w <= h { self.resize(n, long(h, w), filter) } else { self.resize(long(w, h), n, filter) }
    }

    /// The middle of `w` times `h` pixels, black outside the picture.
    ///
    /// # Errors
    /// No pixel.
    pub fn center(&mut self, w: usize, h: usize) -> Result<()> {
        // torchvision pads with the smaller half first, and rounds the offset half to even.
        let first = |side: usize, n: usize| match n > side {
            true => -(((n - side) / 2) as i64),
            false => ((side - n) as f64 / 2.0).round_ties_even() as i64,
        };
        let [ph, pw] = self.size();
        self.cut(first(pw, w), first(ph, h), w, h, [0; 3])
    }

    /// Left and right exchanged.
    pub fn mirror(&mut self) {
        let w = self.picture.width;
        for row in self.picture.rgb.chunks_exact_mut(w * 3) {
            for i in 0..w / 2 {
                for c in 0..3 {
                    row.swap(3 * i + c, 3 * (w - 1 - i) + c);
                }
            }
        }
        if let Some(m) = &mut self.mask {
            m.values.chunks_exact_mut(w).for_each(<[u8]>::reverse);
        }
        self.move_boxes(|[x, y]| [w as f64 - x, y]);
    }

    /// Top and bottom exchanged.
    pub fn flip(&mut self) {
        let [h, w] = self.size();
        let turned = |v: &[u8], line: usize| v.chunks_exact(line).rev().flatten().copied().collect();
        self.picture.rgb = turned(&self.picture.rgb, w * 3);
        if let Some(m) = &mut self.mask {
            m.values = turned(&m.values, w);
        }
        self.move_boxes(|[x, y]| [x, h as f64 - y]);
    }

    /// A picture of `[h, w]` whose place p shows this one's place `back`(p); coordinates are continuous.
    ///
    /// # Errors
    /// A map that cannot be inverted; no pixel.
    pub fn warp(&mut self, back: Matrix, [h, w]: [usize; 2], filter: Filter, fill: Rgb) -> Result<()> {
        let forth = inverse(&back).ok_or_else(|| Error::new("a map that squeezes the picture to a line"))?;
        check_size(w, h)?;
        let src = &self.picture;
        let mut out = Raster::new(w, h, fill)?;
        for (y, row) in out.rgb.chunks_exact_mut(w * 3).enumerate() {
            let places = Line::new(&back, y);
            match filter {
                Filter::Nearest => {
                    for (block, x) in row.chunks_mut(3 * BLOCK).zip((0..).step_by(BLOCK)) {
                        let found = places.nearest(x, src.width, src.height);
                        for (p, i) in block.chunks_exact_mut(3).zip(found) {
                            if let Ok(i) = usize::try_from(i) {
                                p.copy_from_slice(&src.rgb[3 * i..3 * i + 3]);
                            }
                        }
                    }
                }
                _ => {
                    for (x, p) in row.chunks_exact_mut(3).enumerate() {
                        let (u, v) = places.at(x);
                        if inside(u, v, src.width, src.height) {
                            between(src, u - 0.5, v - 0.5, p);
                        }
                    }
                }
            }
        }
        self.mask = self.mask.take().map(|m| warp_mask(&m, &back, [w, h], self.outside));
        self.picture = out;
        self.move_boxes(|p| through(&forth, p));
        Ok(())
    }
}

fn warp_mask(m: &Mask, back: &Matrix, [w, h]: [usize; 2], outside: u8) -> Mask {
    let mut values = vec![outside; w * h];
    for (y, row) in values.chunks_exact_mut(w).enumerate() {
        let places = Line::new(back, y);
        for (block, x) in row.chunks_mut(BLOCK).zip((0..).step_by(BLOCK)) {
            for (v, i) in block.iter_mut().zip(places.nearest(x, m.width, m.height)) {
                *v = usize::try_from(i).map_or(outside, |i| m.values[i]);
            }
        }
    }
    Mask { width: w, height: h, values }
}

/// Where the pixels of a row come from.
struct Line {
    start: [f32; 3],
    step: [f32; 3],
    affine: bool,
}

impl Line {
    fn new(m: &Matrix, y: usize) -> Self {
        let y = y as f64 + 0.5;
        let start = [0, 3, 6].map(|r| (m[r] * 0.5 + m[r + 1] * y + m[r + 2]) as f32);
        let affine = m[6] == 0.0 && m[7] == 0.0 && m[8] == 1.0;
        Self { start, step: [m[0] as f32, m[3] as f32, m[6] as f32], affine }
    }

    #[inline(always)]
    fn at(&self, x: usize) -> (f32, f32) {
        let x = x as f32;
        let (u, v) = (self.start[0] + x * self.step[0], self.start[1] + x * self.step[1]);
        if self.affine {
            return (u, v);
        }
        let k = 1.0 / (self.start[2] + x * self.step[2]);
        (u * k, v * k)
    }

    /// Numbers of the pixels that lie nearest to where those from column `x` on come from; -1 outside.
    fn nearest(&self, x: usize, w: usize, h: usize) -> [i32; BLOCK] {
        wide(
            #[inline(always)]
            || {
                let mut found = [-1; BLOCK];
                for (i, place) in found.iter_mut().enumerate() {
                    let (u, v) = self.at(x + i);
                    let at = whole(v) as i32 * w as i32 + whole(u) as i32;
                    *place = if inside(u, v, w, h) { at } else { -1 };
                }
                found
            },
        )
    }
}

#[inline(always)]
fn inside(u: f32, v: f32, w: usize, h: usize) -> bool {
    (u >= 0.0) & (v >= 0.0) & (u < w as f32) & (v < h as f32)
}

/// The mixture of the four pixels around a place between their centres.
#[inline]
fn between(src: &Raster, u: f32, v: f32, out: &mut [u8]) {
    let (u, v) = (u.max(0.0), v.max(0.0));
    let (x0, y0) = (u as usize, v as usize);
    let (x1, y1) = ((x0 + 1).min(src.width - 1), (y0 + 1).min(src.height - 1));
    let (tx, ty) = (u - x0 as f32, v - y0 as f32);
    let at = |x: usize, y: usize, c: usize| f32::from(src.rgb[(y * src.width + x) * 3 + c]);
    for (c, p) in out.iter_mut().enumerate() {
        let top = at(x0, y0, c) + tx * (at(x1, y0, c) - at(x0, y0, c));
        let low = at(x0, y1, c) + tx * (at(x1, y1, c) - at(x0, y1, c));
        *p = (top + ty * (low - top) + 0.5) as u8;
    }
}

fn through(m: &Matrix, [x, y]: [f64; 2]) -> [f64; 2] {
    let k = m[6] * x + m[7] * y + m[8];
    [(m[0] * x + m[1] * y + m[2]) / k, (m[3] * x + m[4] * y + m[5]) / k]
}

pub fn inverse(m: &Matrix) -> Option<Matrix> {
    let minor = |a: usize, b: usize, c: usize, d: usize| m[a] * m[d] - m[b] * m[c];
    let first = [minor(4, 5, 7, 8), -minor(3, 5, 6, 8), minor(3, 4, 6, 7)];
    let det = m[0] * first[0] + m[1] * first[1] + m[2] * first[2];
    let adjugate = [
        first[0],
        -minor(1, 2, 7, 8),
        minor(1, 2, 4, 5),
        first[1],
        minor(0, 2, 6, 8),
        -minor(0, 2, 3, 5),
        first[2],
        -minor(0, 1, 6, 7),
        minor(0, 1, 3, 4),
    ];
    (det.abs() > 1e-12 && det.is_finite()).then(|| adjugate.map(|v| v / det))
}

/// The way back of torchvision's affine transform: turned by `angle` degrees, moved by `shift` pixels, scaled,
/// sheared by degrees, all about `center`.
pub fn affine(angle: f64, shift: [f64; 2], scale: f64, shear: [f64; 2], center: [f64; 2]) -> Matrix {
    let (rot, sx, sy) = (angle.to_radians(), shear[0].to_radians(), shear[1].to_radians());
    let a = (rot - sy).cos() / sy.cos();
    let b = -(rot - sy).cos() * sx.tan() / sy.cos() - rot.sin();
    let c = (rot - sy).sin() / sy.cos();
    let d = -(rot - sy).sin() * sx.tan() / sy.cos() + rot.cos();
    let m = [d, -b, -c, a].map(|v| v / scale);
    let (x, y) = (-center[0] - shift[0], -center[1] - shift[1]);
    [m[0], m[1], m[0] * x + m[1] * y + center[0], m[2], m[3], m[2] * x + m[3] * y + center[1], 0.0, 0.0, 1.0]
}

/// The map that takes each of four places `from` to the one in `to`; None if three lie on a line.
pub fn quadrangle(from: [[f64; 2]; 4], to: [[f64; 2]; 4]) -> Option<Matrix> {
    let mut rows: Vec<[f64; 9]> = Vec::new();
    for ([x, y], [u, v]) in from.into_iter().zip(to) {
        rows.push([x, y, 1.0, 0.0, 0.0, 0.0, -u * x, -u * y, u]);
        rows.push([0.0, 0.0, 0.0, x, y, 1.0, -v * x, -v * y, v]);
    }
    for k in 0..8 {
        let best = (k..8).max_by(|a, b| rows[*a][k].abs().total_cmp(&rows[*b][k].abs()))?;
        rows.swap(k, best);
        if rows[k][k].abs() < 1e-9 {
            return None;
        }
        let head = rows[k].map(|v| v / rows[k][k]);
        rows[k] = head;
        for (_, row) in rows.iter_mut().enumerate().filter(|(i, _)| *i != k) {
            let f = row[k];
            row.iter_mut().zip(head).for_each(|(v, h)| *v -= f * h);
        }
    }
    let mut m = [1.0; 9];
    (0..8).for_each(|k| m[k] = rows[k][8]);
    Some(m)
}

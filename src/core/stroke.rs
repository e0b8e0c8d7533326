//! Anti-aliased lines and markers. Coverage is computed from the distance to the shape; a line is
//! painted once, so its joints are not darker than the rest.
//! Coordinates are continuous: pixel (i, j) covers i..i+1 times j..j+1.

use crate::core::raster::{Raster, Rect, Rgb};

/// A place in pixels.
pub type Point = (f64, f64);

/// How a line is drawn; `dash` alternates lengths drawn and left out, in units of the width.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pen {
    /// Colour.
    pub colour: Rgb,
    /// Width in pixels.
    pub width: f64,
    /// Opacity in 0..1.
    pub alpha: f32,
    /// Drawn and empty lengths by turns; none: solid.
    pub dash: &'static [f64],
}

impl Pen {
    /// A solid opaque line.
    pub fn new(colour: Rgb, width: f64) -> Self {
        Self { colour, width, alpha: 1.0, dash: &[] }
    }
}

/// Line patterns in the order in which series take them.
pub const DASHES: [&[f64]; 4] = [&[], &[4.0, 2.5], &[1.2, 2.0], &[6.0, 2.2, 1.2, 2.2]];

/// Marker shapes in the order in which series take them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// A disc.
    Circle,
    /// A square on its side.
    Square,
    /// A triangle pointing up.
    Triangle,
    /// A square on its corner.
    Diamond,
    /// A triangle pointing down.
    Down,
}

/// All shapes.
pub const SHAPES: [Shape; 5] = [Shape::Circle, Shape::Square, Shape::Triangle, Shape::Diamond, Shape::Down];

/// Draws the line through `points` as far as it lies in `clip`.
pub fn polyline(raster: &mut Raster, clip: Rect, points: &[Point], pen: &Pen) {
    if clip.w == 0 || clip.h == 0 || points.is_empty() {
        return;
    }
    let mut mask = Mask { clip, cover: vec![0.0; clip.w * clip.h] };
    if let [only] = points {
        mask.segment(*only, *only, pen.width);
    }
    if pen.dash.is_empty() {
        points.windows(2).for_each(|p| mask.segment(p[0], p[1], pen.width));
    } else {
        dashed(points, pen, |a, b| mask.segment(a, b, pen.width));
    }
    for (i, a) in mask.cover.iter().enumerate().filter(|(_, a)| **a > 0.0) {
        let (x, y) = (clip.x + (i % clip.w) as i64, clip.y + (i / clip.w) as i64);
        raster.blend(x, y, pen.colour, a * pen.alpha);
    }
}

struct Mask {
    clip: Rect,
    cover: Vec<f32>,
}

impl Mask {
    /// The capsule around the line from `a` to `b`.
    fn segment(&mut self, a: Point, b: Point, width: f64) {
        let (dx, dy) = (b.0 - a.0, b.1 - a.1);
        let length2 = dx * dx + dy * dy;
        let r = width / 2.0 + 0.5;
        let (x0, y0) = (self.clip.x as f64, self.clip.y as f64);
        let cut = |v: f64, n: usize| v.clamp(0.0, n as f64) as usize;
        let (top, bottom) = (a.1.min(b.1) - r, a.1.max(b.1) + r);
        for row in cut((top - y0).floor(), self.clip.h)..cut((bottom - y0).ceil(), self.clip.h) {
            let y = y0 + row as f64 + 0.5;
            // Only the columns near the line, not its whole bounding box.
            let (mut left, mut right) = (a.0.min(b.0) - r, a.0.max(b.0) + r);
            if dy.abs() > 1e-9 {
                let (at, reach) = (a.0 + (y - a.1) * dx / dy, r * length2.sqrt() / dy.abs());
                (left, right) = (left.max(at - reach), right.min(at + reach));
            }
            for col in cut((left - x0).floor(), self.clip.w)..cut((right - x0).ceil(), self.clip.w) {
                let x = x0 + col as f64 + 0.5;
                let t = if length2 > 0.0 { ((x - a.0) * dx + (y - a.1) * dy) / length2 } else { 0.0 };
                let t = t.clamp(0.0, 1.0);
                let d = (x - a.0 - t * dx).hypot(y - a.1 - t * dy);
                let c = &mut self.cover[row * self.clip.w + col];
                *c = c.max(((r - d).clamp(0.0, 1.0) * width.min(1.0)) as f32);
            }
        }
    }
}

/// Calls `draw` for every drawn stretch of the pattern along the line.
fn dashed(points: &[Point], pen: &Pen, mut draw: impl FnMut(Point, Point)) {
    let (mut k, mut left) = (0, pen.dash[0] * pen.width);
    for p in points.windows(2) {
        let (a, b) = (p[0], p[1]);
        let length = (b.0 - a.0).hypot(b.1 - a.1);
        let at = |d: f64| (a.0 + (b.0 - a.0) * d / length, a.1 + (b.1 - a.1) * d / length);
        let mut done = 0.0;
        // Beyond any canvas a pattern is not worth its time.
        while length > 0.0 && length < 1e5 && done < length {
            let step = left.min(length - done);
            if k % 2 == 0 {
                draw(at(done), at(done + step));
            }
            done += step;
            left -= step;
            if left <= 1e-9 {
                k = (k + 1) % pen.dash.len();
                left = pen.dash[k] * pen.width;
            }
        }
    }
}

/// Draws a marker of `size` pixels across, with an edge of `edge` pixels in white around it.
pub fn marker(raster: &mut Raster, clip: Rect, shape: Shape, at: Point, size: f64, pen: &Pen, edge: f64) {
    let r = size / 2.0;
    let reach = r * 1.5 + edge + 1.0;
    let inside = |v: i64, from: i64, n: usize| v >= from && v < from + n as i64;
    for y in (at.1 - reach).floor() as i64..=(at.1 + reach).ceil() as i64 {
        for x in (at.0 - reach).floor() as i64..=(at.0 + reach).ceil() as i64 {
            if !inside(x, clip.x, clip.w) || !inside(y, clip.y, clip.h) {
                continue;
            }
            let d = distance(shape, x as f64 + 0.5 - at.0, y as f64 + 0.5 - at.1, r);
            if edge > 0.0 {
                raster.blend(x, y, [255; 3], (edge + 0.5 - d).clamp(0.0, 1.0) as f32 * pen.alpha);
            }
            raster.blend(x, y, pen.colour, (0.5 - d).clamp(0.0, 1.0) as f32 * pen.alpha);
        }
    }
}

/// Signed distance to a shape around the origin, negative inside. The radii give equal areas.
fn distance(shape: Shape, x: f64, y: f64, r: f64) -> f64 {
    let triangle = |y: f64| {
        let inner = r * 0.78;
        (y - inner).max(x.abs() * 0.866 - y * 0.5 - inner)
    };
    match shape {
        Shape::Circle => x.hypot(y) - r,
        Shape::Square => x.abs().max(y.abs()) - r * 0.886,
        Shape::Diamond => (x.abs() + y.abs()) * std::f64::consts::FRAC_1_SQRT_2 - r * 0.886,
        Shape::Triangle => triangle(y),
        Shape::Down => triangle(-y),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dark(r: &Raster) -> f64 {
        r.rgb.chunks_exact(3).map(|p| 1.0 - f64::from(p[0]) / 255.0).sum()
    }

    #[test]
    fn a_line_covers_its_area_wherever_it_runs() {
        let clip = Rect::new(0, 0, 100, 100);
        for end in [(90.0, 10.0), (10.0, 90.0), (80.0, 55.0), (33.3, 90.0)] {
            let mut r = Raster::new(100, 100, [255; 3]).unwrap();
            polyline(&mut r, clip, &[(10.0, 10.0), end], &Pen::new([0; 3], 3.0));
            let expected = 3.0 * (end.0 - 10.0f64).hypot(end.1 - 10.0) + std::f64::consts::PI * 2.25;
            assert!((dark(&r) - expected).abs() < expected * 0.02, "{end:?}: {} {expected}", dark(&r));
        }
    }

    #[test]
    fn clipping_and_dashes_and_huge_coordinates() {
        let clip = Rect::new(20, 20, 10, 10);
        let mut r = Raster::new(50, 50, [255; 3]).unwrap();
        polyline(&mut r, clip, &[(-1e12, 25.0), (1e12, 25.0)], &Pen::new([0; 3], 2.0));
        assert!((dark(&r) - 20.0).abs() < 0.5);
        let mut r = Raster::new(100, 9, [255; 3]).unwrap();
        let pen = Pen { dash: &[3.0, 2.0], ..Pen::new([0; 3], 1.0) };
        polyline(&mut r, Rect::new(0, 0, 100, 9), &[(0.0, 4.5), (100.0, 4.5)], &pen);
        let lit = dark(&r);
        assert!(lit > 60.0 && lit < 85.0, "{lit}");
        polyline(&mut r, clip, &[(-1e12, 25.0), (1e12, 25.0)], &pen);
    }

    #[test]
    fn markers_have_about_the_area_of_the_circle() {
        for shape in SHAPES {
            let mut r = Raster::new(60, 60, [255; 3]).unwrap();
            marker(&mut r, Rect::new(0, 0, 60, 60), shape, (30.0, 30.0), 24.0, &Pen::new([0; 3], 1.0), 0.0);
            let ratio = dark(&r) / (std::f64::consts::PI * 144.0);
            assert!((0.9..1.1).contains(&ratio), "{shape:?} {ratio}");
        }
    }
}

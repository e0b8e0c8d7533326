//! What figures are drawn on: pixels at once, and a list of what was drawn, from which [`super::svg`] makes the same
//! figure in vectors. One routine draws both.

use std::ops::Deref;
use std::sync::Arc;

use crate::core::Result;
use crate::core::font::{self, Align, Style};
use crate::core::raster::{Raster, Rect, Rgb};
use crate::core::stroke::{self, Pen, Point, Shape};

/// A picture and, if it is a figure, what was drawn in it.
#[derive(Clone, Debug)]
pub struct Figure {
    /// Its pixels.
    pub raster: Arc<Raster>,
    /// What was drawn, in order; none: pixels only.
    pub marks: Option<Arc<Vec<Mark>>>,
}

/// One thing drawn.
#[derive(Clone, Debug)]
pub enum Mark {
    /// A rectangle of one colour and opacity.
    Fill(Rect, Rgb, f32),
    /// A picture with its top left corner at a place, every pixel enlarged by a whole factor.
    Figure(Figure, (i64, i64), usize),
    /// A line of text at its baseline, `upwards` or not.
    Text {
        /// Baseline, at the point that `align` names.
        at: Point,
        /// The line.
        text: String,
        /// Size, colour, weight.
        style: Style,
        /// Which point of the line is at `at`.
        align: Align,
        /// Reads upwards.
        upwards: bool,
    },
    /// A line through points, within a rectangle.
    Line(Rect, Vec<Point>, Pen),
    /// An area within a rectangle, of one colour and opacity.
    Area(Rect, Vec<Point>, Rgb, f32),
    /// A marker within a rectangle: shape, place, size, pen, white edge.
    Marker(Rect, Shape, Point, f64, Pen, f64),
}

/// A figure being drawn.
#[derive(Clone, Debug)]
pub struct Canvas {
    raster: Raster,
    marks: Vec<Mark>,
}

impl Deref for Canvas {
    type Target = Raster;
    fn deref(&self) -> &Raster {
        &self.raster
    }
}

impl From<Canvas> for Figure {
    fn from(c: Canvas) -> Self {
        Figure { raster: Arc::new(c.raster), marks: Some(Arc::new(c.marks)) }
    }
}

impl From<Raster> for Figure {
    fn from(raster: Raster) -> Self {
        Figure { raster: Arc::new(raster), marks: None }
    }
}

impl Canvas {
    /// An empty figure.
    ///
    /// # Errors
    /// As [`Raster::new`].
    pub fn new(width: usize, height: usize, colour: Rgb) -> Result<Self> {
        let marks = vec![Mark::Fill(Rect::new(0, 0, width, height), colour, 1.0)];
        Ok(Self { raster: Raster::new(width, height, colour)?, marks })
    }

    /// A figure to draw on further.
    pub fn over(figure: &Figure) -> Self {
        let marks = match &figure.marks {
            Some(marks) => (**marks).clone(),
            None => vec![Mark::Figure(figure.clone(), (0, 0), 1)],
        };
        Self { raster: (*figure.raster).clone(), marks }
    }

    /// [`Raster::fill`].
    pub fn fill(&mut self, rect: Rect, colour: Rgb) {
        self.raster.fill(rect, colour);
        self.marks.push(Mark::Fill(rect, colour, 1.0));
    }

    /// [`Raster::tint`].
    pub fn tint(&mut self, rect: Rect, colour: Rgb, alpha: f32) {
        self.raster.tint(rect, colour, alpha);
        self.marks.push(Mark::Fill(rect, colour, alpha));
    }

    /// [`Raster::frame`].
    pub fn frame(&mut self, r: Rect, colour: Rgb, line: usize) {
        let line = line.min(r.w.div_ceil(2)).min(r.h.div_ceil(2));
        let (right, bottom) = (r.x.saturating_add(r.w as i64), r.y.saturating_add(r.h as i64));
        let n = line as i64;
        self.fill(Rect::new(r.x, r.y, r.w, line), colour);
        self.fill(Rect::new(r.x, bottom - n, r.w, line), colour);
        self.fill(Rect::new(r.x, r.y, line, r.h), colour);
        self.fill(Rect::new(right - n, r.y, line, r.h), colour);
    }

    /// A picture at (`x`, `y`), each pixel `factor` times as large.
    ///
    /// # Errors
    /// Too large.
    pub fn paste(&mut self, figure: &Figure, x: i64, y: i64, factor: usize) -> Result<()> {
        match factor {
            1 => self.raster.paste(&figure.raster, x, y),
            _ => self.raster.paste(&figure.raster.enlarge(factor)?, x, y),
        }
        self.marks.push(Mark::Figure(figure.clone(), (x, y), factor));
        Ok(())
    }

    /// [`font::draw`].
    pub fn text(&mut self, x: f64, y: f64, text: &str, style: &Style, align: Align) {
        font::draw(&mut self.raster, x, y, text, style, align);
        self.written(x, y, text, style, align, false);
    }

    /// [`font::draw_up`].
    pub fn text_up(&mut self, x: f64, y: f64, text: &str, style: &Style, align: Align) {
        font::draw_up(&mut self.raster, x, y, text, style, align);
        self.written(x, y, text, style, align, true);
    }

    fn written(&mut self, x: f64, y: f64, text: &str, style: &Style, align: Align, upwards: bool) {
        if !text.is_empty() {
            let text = text.to_string();
            self.marks.push(Mark::Text { at: (x, y), text, style: *style, align, upwards });
        }
    }

    /// [`stroke::polyline`].
    pub fn line(&mut self, clip: Rect, points: &[Point], pen: &Pen) {
        stroke::polyline(&mut self.raster, clip, points, pen);
        if !points.is_empty() && clip.w > 0 && clip.h > 0 {
            self.marks.push(Mark::Line(clip, points.to_vec(), *pen));
        }
    }

    /// [`stroke::marker`].
    pub fn marker(&mut self, clip: Rect, shape: Shape, at: Point, size: f64, pen: &Pen, edge: f64) {
        stroke::marker(&mut self.raster, clip, shape, at, size, pen, edge);
        self.marks.push(Mark::Marker(clip, shape, at, size, *pen, edge));
    }

    /// Lays `colour` over the area between two lines that run to the right over the same xs: (x, upper, lower).
    pub fn band(&mut self, clip: Rect, edges: &[(f64, f64, f64)], colour: Rgb, alpha: f32) {
        let (top, bottom) = (clip.y as f64, (clip.y + clip.h as i64) as f64);
        for p in edges.windows(2) {
            let (a, b) = (p[0], p[1]);
            let first = a.0.round().max(clip.x as f64) as i64;
            for col in first..(b.0.round() as i64).min(clip.x + clip.w as i64) {
                let t = ((col as f64 + 0.5 - a.0) / (b.0 - a.0)).clamp(0.0, 1.0);
                let (hi, lo) = (a.1 + (b.1 - a.1) * t, a.2 + (b.2 - a.2) * t);
                let (hi, lo) = (hi.clamp(top, bottom), lo.clamp(top, bottom));
                for row in hi.floor() as i64..lo.ceil() as i64 {
                    let cover = (lo.min(row as f64 + 1.0) - hi.max(row as f64)).clamp(0.0, 1.0);
                    self.raster.blend(col, row, colour, cover as f32 * alpha);
                }
            }
        }
        let lower = edges.iter().rev().map(|e| (e.0, e.2));
        let outline: Vec<Point> = edges.iter().map(|e| (e.0, e.1)).chain(lower).collect();
        if outline.len() > 2 {
            self.marks.push(Mark::Area(clip, outline, colour, alpha));
        }
    }
}

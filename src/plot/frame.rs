//! The frame of a figure: title, labels, axes with ticks, grid, legend, and the map from values to pixels.

use super::Options;
use super::axis::{Scale, Ticks, ten_to};
use super::legend::{Entries, Legend, Swatch};
use crate::core::canvas::Canvas;
use crate::core::font::{self, Align, CAP, LEADING, Style};
use crate::core::raster::{Rect, Rgb};
use crate::core::stroke::Point;
use crate::core::{Error, Result};

const TEXT: Rgb = [34; 3];
const SPINE: Rgb = [90; 3];
const GRID: Rgb = [228; 3];
const FINE: Rgb = [243; 3];

/// A figure being drawn.
pub(super) struct Frame {
    pub out: Canvas,
    /// The plot inside the axes.
    pub area: Rect,
    pub font: f64,
    x: Scale,
    y: Scale,
    legend: Option<(Entries, Point, bool)>,
    /// Width of spines and grid lines.
    hair: usize,
    spines: bool,
}

impl Frame {
    /// Lays out the figure and draws all but the data and the legend. `entries` are the names; `busy`
    /// tells, for a layout, which pixels the data will need, so that the legend keeps clear of them.
    pub fn new(
        o: &Options,
        x: Scale,
        y: Scale,
        entries: &[(Swatch, String)],
        busy: impl Fn(&Self) -> Vec<Point>,
    ) -> Result<Self> {
        let style = Style::new(o.font(), TEXT);
        let mut frame = Self::lay(o, x.clone(), y.clone(), 0.0)?;
        if o.legend == Legend::None {
            return Ok(frame);
        }
        let high = frame.area.h as f64;
        let Some(legend) = Entries::new(entries, style, o.size.0 as f64 * 0.36, high) else {
            return Ok(frame);
        };
        if let Some(at) = legend.corner(frame.area, o.legend, &busy(&frame)) {
            frame.legend = Some((legend, at, true));
            return Ok(frame);
        }
        let mut frame = Self::lay(o, x, y, legend.size().0 + style.size * 0.4)?;
        let at = (
            (frame.area.x + frame.area.w as i64) as f64 + style.size * 0.5,
            frame.area.y as f64 - style.size * 0.3,
        );
        frame.legend = Some((legend, at, false));
        Ok(frame)
    }

    fn lay(o: &Options, mut x: Scale, mut y: Scale, right: f64) -> Result<Self> {
        let f = o.font();
        let (w, h) = (o.size.0 as f64, o.size.1 as f64);
        let text = Style::new(f, TEXT);
        let big = Style::new((f * 1.2).round(), TEXT);
        let title = if o.title.is_empty() { vec![] } else { font::wrap(&o.title, &big, w - 2.0 * f, 4) };
        let label = |t: &str| if t.is_empty() { 0.0 } else { f * 1.7 };

        // Heights first with one line of numbers below, to know the numbers at the left.
        let foot = f * 0.55 + label(&o.x_label) * 0.7 + if o.ticks { f * 0.75 } else { f * 0.2 };
        let top =
            f * 0.9 + title.len() as f64 * big.size * LEADING + if title.is_empty() { 0.0 } else { f * 0.35 };
        let rows = ((h - top - foot - f) / (f * 2.6)).max(2.0) as usize;
        let mut y_ticks = y.ticks(rows);
        let top = top + if y_ticks.exponent.is_some() && o.ticks { f * 1.2 } else { 0.0 };
        let wide = |t: &Ticks| t.labels.iter().flatten().map(|l| font::width(l, &text)).fold(0.0, f64::max);
        let left = f * 0.8 + label(&o.y_label) + if o.ticks { wide(&y_ticks) + f * 0.75 } else { 0.0 };
        let mut right = right + f * 1.1;
        let mut x_ticks = fitting(&x, w - left - right, &text);
        if let (true, Some(last)) = (o.ticks, x_ticks.labels.last()) {
            // The last number may stand out at the right.
            let half = last.iter().map(|l| font::width(l, &text)).fold(0.0, f64::max) / 2.0;
            right = right.max(half + f * 0.4);
        }
        let lines = x_ticks.labels.iter().map(Vec::len).max().unwrap_or(0) as f64;
        let power = if x_ticks.exponent.is_some() && o.x_label.is_empty() { f * 1.4 } else { 0.0 };
        let foot = foot + if o.ticks { lines * f * LEADING + power } else { 0.0 };
        let (pw, ph) = (w - left - right, h - top - foot);
        if pw < 2.0 * f || ph < 2.0 * f {
            return Err(Error::new(format!(
                "a figure of {} x {} pixels leaves no room for the plot at font size {f:.0}",
                o.size.0, o.size.1
            ))
            .hint("give it a larger size or a smaller font_size"));
        }
        let area = Rect::new(left.round() as i64, top.round() as i64, pw as usize, ph as usize);
        if o.equal && !x.log && !y.log {
            equalise(&mut x, &mut y, area);
            (x_ticks, y_ticks) = (fitting(&x, pw, &text), y.ticks(rows));
        }
        let hair = (f / 17.0).round().max(1.0) as usize;
        let mut frame = Self {
            out: Canvas::new(o.size.0, o.size.1, [255; 3])?,
            area,
            font: f,
            x,
            y,
            legend: None,
            hair,
            spines: o.ticks,
        };
        frame.axes(o, &x_ticks, &y_ticks, &text);
        let first = f * 0.7 + big.size * CAP;
        for (i, line) in title.iter().enumerate() {
            let base = first + i as f64 * big.size * LEADING;
            frame.out.text(area.x as f64 + pw / 2.0, base, line, &big, Align::Centre);
        }
        let under = h - f * 0.7;
        frame.out.text(area.x as f64 + pw / 2.0, under, &o.x_label, &text, Align::Centre);
        if let (true, Some(e)) = (o.ticks, x_ticks.exponent) {
            frame.out.text(area.x as f64 + pw, under, &format!("×{}", ten_to(e)), &text, Align::Right);
        }
        let side = font::ellipsis(&o.y_label, &text, h - f);
        let middle = (area.y as f64 + ph / 2.0).max(font::width(&side, &text) / 2.0 + f * 0.3);
        frame.out.text_up(f * 1.55, middle, &side, &text, Align::Centre);
        Ok(frame)
    }

    /// The pixel of a point; outside the area if the point lies outside the axes.
    pub fn at(&self, x: f64, y: f64) -> Point {
        let a = self.area;
        (a.x as f64 + self.x.share(x) * a.w as f64, a.y as f64 + (1.0 - self.y.share(y)) * a.h as f64)
    }

    /// Draws the legend over the data, and the two spines over both.
    pub fn finish(mut self) -> Canvas {
        let a = self.area;
        if self.spines {
            self.out.fill(Rect::new(a.x - self.hair as i64, a.y, self.hair, a.h + self.hair), SPINE);
            self.out
                .fill(Rect::new(a.x - self.hair as i64, a.y + a.h as i64, a.w + self.hair, self.hair), SPINE);
        }
        if let Some((legend, at, boxed)) = &self.legend {
            legend.draw(&mut self.out, *at, *boxed);
        }
        self.out
    }

    fn axes(&mut self, o: &Options, xs: &Ticks, ys: &Ticks, text: &Style) {
        if !o.ticks {
            self.out.frame(self.area, GRID, self.hair);
            return;
        }
        let (a, f, hair) = (self.area, self.font, self.hair);
        let tick = (f * 0.3).round() as usize;
        let bottom = a.y + a.h as i64;
        let centred = |v: f64| (v - hair as f64 / 2.0).round() as i64;
        for (places, colour) in [(&xs.minor, FINE), (&xs.at, GRID)] {
            for v in places {
                let x = centred(self.at(*v, self.y.lo).0);
                if o.grid && self.x.names.is_empty() {
                    self.out.fill(Rect::new(x, a.y, hair, a.h), colour);
                }
                let long = if colour == FINE { tick / 2 } else { tick };
                self.out.fill(Rect::new(x, bottom, hair, long + hair), SPINE);
            }
        }
        for (places, colour) in [(&ys.minor, FINE), (&ys.at, GRID)] {
            for v in places {
                let y = centred(self.at(self.x.lo, *v).1);
                if o.grid && self.y.names.is_empty() {
                    self.out.fill(Rect::new(a.x, y, a.w, hair), colour);
                }
                let long = if colour == FINE { tick / 2 } else { tick } as i64 + hair as i64;
                self.out.fill(Rect::new(a.x - long, y, long as usize, hair), SPINE);
            }
        }
        for (v, lines) in xs.at.iter().zip(&xs.labels) {
            let x = self.at(*v, self.y.lo).0;
            for (i, line) in lines.iter().enumerate() {
                let base = bottom as f64 + f * (0.5 + 0.85 + i as f64 * LEADING);
                self.out.text(x, base, line, text, Align::Centre);
            }
        }
        for (v, lines) in ys.at.iter().zip(&ys.labels) {
            let base =
                self.at(self.x.lo, *v).1 + f * CAP / 2.0 - (lines.len() - 1) as f64 * f * LEADING / 2.0;
            for (i, line) in lines.iter().enumerate() {
                let x = a.x as f64 - f * 0.55;
                self.out.text(x, base + i as f64 * f * LEADING, line, text, Align::Right);
            }
        }
        if let Some(e) = ys.exponent {
            self.out.text(a.x as f64, a.y as f64 - f * 0.5, &format!("×{}", ten_to(e)), text, Align::Left);
        }
    }
}

/// As many ticks as their labels leave room for in `width` pixels.
fn fitting(x: &Scale, width: f64, text: &Style) -> Ticks {
    if !x.names.is_empty() {
        let slot = width / x.names.len() as f64 - text.size * 0.8;
        let labels = x.names.iter().map(|n| font::wrap(n, text, slot.max(1.0), 5)).collect();
        return Ticks { labels, ..x.ticks(0) };
    }
    let mut target = (width / (text.size * 3.2)).max(1.0) as usize;
    loop {
        let ticks = x.ticks(target);
        let half = |l: &Vec<String>| l.iter().map(|l| font::width(l, text)).fold(0.0, f64::max) / 2.0;
        let ends: Vec<(f64, f64)> =
            ticks.at.iter().zip(&ticks.labels).map(|(v, l)| (x.share(*v) * width, half(l))).collect();
        let apart = ends.windows(2).all(|p| (p[1].0 - p[0].0).abs() >= p[0].1 + p[1].1 + text.size * 0.7);
        if apart || target <= 1 {
            return ticks;
        }
        target -= (target / 5).max(1);
    }
}

/// Widens one axis so that a unit is as long on both.
fn equalise(x: &mut Scale, y: &mut Scale, area: Rect) {
    let (ux, uy) = ((x.hi - x.lo) / area.w as f64, (y.hi - y.lo) / area.h as f64);
    let (wider, more) =
        if ux < uy { (x, (uy - ux) * area.w as f64 / 2.0) } else { (y, (ux - uy) * area.h as f64 / 2.0) };
    wider.lo -= more;
    wider.hi += more;
}

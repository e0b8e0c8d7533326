//! Bars: one a category and series, upright or lying.

use super::axis::{Scale, signed};
use super::frame::Frame;
use super::legend::Swatch;
use super::{Options, Series};
use crate::core::canvas::Canvas;
use crate::core::colour::palette;
use crate::core::font::{self, Align, CAP, Style};
use crate::core::raster::Rect;
use crate::core::stroke::Point;
use crate::core::{Error, Result};

/// Draws the values of each series over the categories. NaN draws no bar. Bars lie where the names do
/// not fit below them, and the figure grows in height with their number. Errors: no category, no series,
/// a series with another number of values, a logarithmic axis.
pub fn bar(categories: &[String], series: &[Series], o: &Options) -> Result<Canvas> {
    let n = categories.len();
    if n == 0 || series.is_empty() {
        return Err(Error::new("nothing to draw: bars need at least one category and one series"));
    }
    if o.log_x || o.log_y {
        return Err(Error::new("bars begin at 0, which no logarithmic axis has")
            .hint("plot::curves(…, #{log_y: true, markers: true}) draws values on one"));
    }
    for s in series {
        if s.ys.len() != n || !(s.error.is_empty() || s.error.len() == n) {
            return Err(Error::new(format!("{} has {} values for {n} categories", s.called(), s.ys.len())));
        }
    }
    let plan = Plan::new(categories, series, o)?;
    plan.draw(series)
}

struct Plan {
    frame: Frame,
    lying: bool,
    numbers: Option<usize>,
    bars: usize,
}

impl Plan {
    fn new(categories: &[String], series: &[Series], o: &Options) -> Result<Self> {
        let (n, f) = (categories.len(), o.font());
        let style = Style::new(f, [0; 3]);
        // About what the frame will leave to each name; a legend may take a part.
        let plot =
            (o.size.0 as f64 - f * 6.0) * if series.iter().any(|s| !s.name.is_empty()) { 0.72 } else { 1.0 };
        let slot = plot / n as f64 - f * 0.8;
        let upright: Vec<_> = categories.iter().map(|c| font::wrap(c, &style, slot.max(1.0), 99)).collect();
        // Broken only between words, in at most three lines.
        let whole = |(c, lines): (&String, &Vec<String>)| {
            lines.len() <= 3 && lines.concat().replace(' ', "") == c.replace([' ', '\n'], "") && {
                let longest =
                    c.split_inclusive([' ', '_', '-', '/', '\n']).map(|w| font::width(w.trim_end(), &style));
                longest.fold(0.0, f64::max) <= slot
            }
        };
        let lying = o.horizontal.unwrap_or_else(|| !categories.iter().zip(&upright).all(whole));
        let mut o = o.clone();
        if lying {
            std::mem::swap(&mut o.x_label, &mut o.y_label);
            let each = (series.len() as f64 * 0.75 + 0.6).max(1.5) * f;
            o.size.1 = o.size.1.max((n as f64 * each + f * 7.0) as usize);
        }
        let reach = series.iter().flat_map(|s| {
            let e = |i: usize| s.error.get(i).copied().filter(|e| e.is_finite()).unwrap_or(0.0).abs();
            (0..n).flat_map(move |i| [s.ys[i] - e(i), s.ys[i] + e(i)])
        });
        let given = if lying { o.x_range.or(o.y_range) } else { o.y_range };
        let mut value = Scale::of(reach.chain([0.0]), false, given, 0.0)?;
        value.whole = false;
        if given.is_none() {
            let room = (value.hi - value.lo) * 0.08;
            (value.lo, value.hi) = (
                if value.lo < 0.0 { value.lo - room } else { 0.0 },
                if value.hi > 0.0 { value.hi + room } else { 0.0 },
            );
        }
        let names = if lying {
            let widest = o.size.0 as f64 * 0.4;
            categories.iter().map(|c| font::ellipsis(&c.replace('\n', " "), &style, widest)).collect()
        } else {
            categories.to_vec()
        };
        let names = Scale::names(names, lying);
        let colours = palette(series.len());
        let entries: Vec<_> = series
            .iter()
            .zip(colours)
            .map(|(s, c)| (Swatch::Patch(s.colour.unwrap_or(c)), s.name.clone()))
            .collect();
        let (x, y) = if lying { (value, names) } else { (names, value) };
        let busy = |frame: &Frame| busy(frame, series, lying);
        let frame = Frame::new(&o, x, y, &entries, busy)?;
        let bars = series.len();
        let mut plan = Self { frame, lying, numbers: None, bars };
        let digits = digits(series);
        let widest =
            series.iter().flat_map(|s| &s.ys).map(|v| font::width(&number(*v, digits), &plan.small()));
        let fits =
            if lying { plan.thick() >= f * 0.9 } else { widest.fold(0.0, f64::max) <= plan.thick() * 1.15 };
        plan.numbers = o.numbers.unwrap_or(fits).then_some(digits);
        Ok(plan)
    }

    fn small(&self) -> Style {
        Style::new((self.frame.font * 0.85).round(), [60; 3])
    }

    /// Thickness of one bar in pixels.
    fn thick(&self) -> f64 {
        let f = &self.frame;
        let slot = if self.lying {
            f.at(0.0, 0.0).1 - f.at(0.0, 1.0).1
        } else {
            f.at(1.0, 0.0).0 - f.at(0.0, 0.0).0
        };
        slot.abs() * 0.8 / self.bars as f64
    }

    fn draw(mut self, series: &[Series]) -> Result<Canvas> {
        let colours = palette(series.len());
        let small = self.small();
        for (k, s) in series.iter().enumerate() {
            for (i, v) in s.ys.iter().enumerate().filter(|(_, v)| v.is_finite()) {
                let (middle, half) = place(i, k, self.bars);
                let r = rect(&self.frame, self.lying, (middle - half, middle + half), (0.0, *v));
                let area = self.frame.area;
                let r = clipped(r, area);
                self.frame.out.fill(r, s.colour.unwrap_or(colours[k]));
                let e = s.error.get(i).copied().filter(|e| e.is_finite()).unwrap_or(0.0).abs();
                if e > 0.0 {
                    self.whisker(middle, half, v - e, v + e);
                }
                if let Some(digits) = self.numbers {
                    self.number(middle, *v, if *v < 0.0 { v - e } else { v + e }, digits, &small);
                }
            }
        }
        self.zero();
        Ok(self.frame.finish())
    }

    fn whisker(&mut self, middle: f64, half: f64, lo: f64, hi: f64) {
        let line = (self.frame.font / 11.0).round().max(1.0) as usize;
        let area = self.frame.area;
        let stem = rect(&self.frame, self.lying, (middle, middle), (lo, hi));
        let thin = |r: Rect| {
            if self.lying {
                Rect::new(r.x, r.y - line as i64 / 2, r.w, line)
            } else {
                Rect::new(r.x - line as i64 / 2, r.y, line, r.h)
            }
        };
        self.frame.out.fill(clipped(thin(stem), area), [30; 3]);
        for end in [lo, hi] {
            let cap = rect(&self.frame, self.lying, (middle - half * 0.35, middle + half * 0.35), (end, end));
            let cap = if self.lying {
                Rect::new(cap.x - line as i64 / 2, cap.y, line, cap.h)
            } else {
                Rect::new(cap.x, cap.y - line as i64 / 2, cap.w, line)
            };
            self.frame.out.fill(clipped(cap, area), [30; 3]);
        }
    }

    fn number(&mut self, middle: f64, v: f64, end: f64, digits: usize, style: &Style) {
        let text = signed(&number(v, digits));
        let (gap, cap) = (style.size * 0.35, style.size * CAP);
        if self.lying {
            let p = self.frame.at(end, middle);
            let (x, align) = if v < 0.0 { (p.0 - gap, Align::Right) } else { (p.0 + gap, Align::Left) };
            self.frame.out.text(x, p.1 + cap / 2.0, &text, style, align);
        } else {
            let p = self.frame.at(middle, end);
            let base = if v < 0.0 { p.1 + gap + cap } else { p.1 - gap };
            self.frame.out.text(p.0, base, &text, style, Align::Centre);
        }
    }

    /// A line at zero where bars run both ways.
    fn zero(&mut self) {
        let area = self.frame.area;
        let p = self.frame.at(0.0, 0.0);
        let r = if self.lying {
            Rect::new(p.0.round() as i64, area.y, 1, area.h)
        } else {
            Rect::new(area.x, p.1.round() as i64, area.w, 1)
        };
        let r = clipped(r, area);
        self.frame.out.fill(r, [90; 3]);
    }
}

/// Middle and half thickness of bar `k` of `n` at category `i`, in units of categories.
fn place(i: usize, k: usize, n: usize) -> (f64, f64) {
    let each = 0.8 / n as f64;
    (i as f64 - 0.4 + (k as f64 + 0.5) * each, each / 2.0 * if n > 1 { 0.94 } else { 1.0 })
}

/// Pixels of the category range `across` and the value range `along`.
fn rect(frame: &Frame, lying: bool, across: (f64, f64), along: (f64, f64)) -> Rect {
    let at = |c: f64, v: f64| if lying { frame.at(v, c) } else { frame.at(c, v) };
    let (a, b) = (at(across.0, along.0), at(across.1, along.1));
    let (l, t) = (a.0.min(b.0).round(), a.1.min(b.1).round());
    Rect::new(l as i64, t as i64, (a.0.max(b.0).round() - l) as usize, (a.1.max(b.1).round() - t) as usize)
}

/// What of `r` lies in `area`.
pub(super) fn clipped(r: Rect, area: Rect) -> Rect {
    let (l, t) = (r.x.max(area.x), r.y.max(area.y));
    let end = |at: i64, n: usize, from: i64, size: usize| (at + n as i64).min(from + size as i64);
    let (right, bottom) = (end(r.x, r.w, area.x, area.w), end(r.y, r.h, area.y, area.h));
    Rect::new(l, t, (right - l).max(0) as usize, (bottom - t).max(0) as usize)
}

/// Pixels on the bars, a few apart, and where their numbers stand.
fn busy(frame: &Frame, series: &[Series], lying: bool) -> Vec<Point> {
    let mut out = vec![];
    for (k, s) in series.iter().enumerate() {
        for (i, v) in s.ys.iter().enumerate().filter(|(_, v)| v.is_finite()) {
            let (middle, half) = place(i, k, series.len());
            let mut r = rect(frame, lying, (middle - half, middle + half), (0.0, *v));
            let text = frame.font as usize * if lying { 4 } else { 2 };
            r = if lying {
                Rect::new(r.x, r.y, r.w + text, r.h)
            } else {
                Rect::new(r.x, r.y - text as i64, r.w, r.h + text)
            };
            let xs = || (0..=r.w).step_by(5).map(|d| (r.x + d as i64) as f64);
            out.extend((0..=r.h).step_by(5).flat_map(|d| xs().map(move |x| (x, (r.y + d as i64) as f64))));
        }
    }
    out
}

/// A number over its bar; with more decimals than one reads, an exponent.
fn number(v: f64, digits: usize) -> String {
    if digits > 5 && v != 0.0 { format!("{v:.1e}") } else { format!("{v:.0$}", digits.min(4)) }
}

/// Decimals that give about three digits to the greatest value; none to whole numbers.
fn digits(series: &[Series]) -> usize {
    let values = || series.iter().flat_map(|s| s.ys.iter()).filter(|v| v.is_finite());
    if values().all(|v| v.fract() == 0.0) {
        return 0;
    }
    let max = values().fold(0.0f64, |m, v| m.max(v.abs()));
    (2.0 - max.log10().floor()).clamp(0.0, 6.0) as usize
}

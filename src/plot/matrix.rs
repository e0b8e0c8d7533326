//! A matrix of numbers in colour, with names at its rows and columns: confusion matrices, correlations.

use super::Options;
use super::axis::Scale;
use super::frame::Frame;
use crate::core::canvas::Canvas;
use crate::core::colormap::{Colormap, Name};
use crate::core::font::{self, Align, CAP, Style};
use crate::core::raster::{Rect, Rgb};
use crate::core::{Error, Result};

/// More columns than this have numbers for names.
const NAMED: usize = 12;

/// Draws `values`, row by row of `columns.len()` numbers, the first row at the top. `0..max` runs from white to dark;
/// `texts` stand in the cells where they fit.
///
/// # Errors
/// No rows or columns; not as many values as cells.
pub fn matrix(
    values: &[f64],
    rows: &[String],
    columns: &[String],
    texts: &[String],
    o: &Options,
) -> Result<Canvas> {
    let (h, w) = (rows.len(), columns.len());
    if h == 0 || w == 0 || values.len() != h * w {
        return Err(Error::new(format!("{} values do not fill a matrix of {h} x {w}", values.len())));
    }
    let every =
        |n: usize, room: f64| (n as f64 / (room / (o.font() * 1.5)).max(1.0)).ceil().max(1.0) as usize;
    let step = every(h, o.size.1 as f64 * 0.8);
    let y_names = (0..h).map(|i| match (h <= NAMED, i % step) {
        (true, _) => rows[i].clone(),
        (false, 0) => format!("{} {i}", rows[i]),
        _ => String::new(),
    });
    let x = match w <= NAMED {
        true => Scale::names(columns.to_vec(), false),
        false => Scale::of(std::iter::empty(), false, Some((-0.5, w as f64 - 0.5)), 0.0)?,
    };
    let mut frame = Frame::new(o, x, Scale::names(y_names.collect(), true), &[], |_| vec![])?;
    let max = values.iter().copied().filter(|v| v.is_finite()).fold(0.0, f64::max);
    // The dark end of viridis is left out: numbers are read on it.
    let colour = |v: f64| -> Rgb {
        let share = if max > 0.0 && v.is_finite() { (v / max).clamp(0.0, 1.0) } else { 0.0 };
        let c = Colormap { name: Name::Viridis, reversed: true }.at(0.35 + 0.65 * share);
        c.map(|c| (f64::from(c) * share.sqrt() + 255.0 * (1.0 - share.sqrt())) as u8)
    };
    for (i, v) in values.iter().enumerate() {
        let (x, y) = ((i % w) as f64, (i / w) as f64);
        let ((x0, y0), (x1, y1)) = (frame.at(x - 0.5, y - 0.5), frame.at(x + 0.5, y + 0.5));
        let (left, top) = (x0.round() as i64, y0.round() as i64);
        let cell =
            Rect::new(left, top, (x1.round() as i64 - left) as usize, (y1.round() as i64 - top) as usize);
        let fill = colour(*v);
        frame.out.fill(cell, fill);
        let dark = fill.iter().map(|c| u32::from(*c)).sum::<u32>() < 460;
        let style = Style::new(frame.font * 0.9, if dark { [255; 3] } else { [34; 3] });
        if let Some(text) = texts.get(i)
            && font::width(text, &style) < cell.w as f64 - 4.0
            && cell.h as f64 > style.size
        {
            let base = f64::midpoint(y0, y1) + style.size * CAP / 2.0;
            frame.out.text(f64::midpoint(x0, x1), base, text, &style, Align::Centre);
        }
    }
    Ok(frame.finish())
}

//! Points: scatter plots, and photos at their places in an embedding.

use super::axis::Scale;
use super::frame::Frame;
use super::legend::Swatch;
use super::{Options, Series, check, usable};
use crate::core::canvas::Canvas;
use crate::core::colour::palette;
use crate::core::raster::{Raster, Rect, Rgb};
use crate::core::resample::{self, Filter};
use crate::core::stroke::{Pen, Point, SHAPES};
use crate::core::{Error, Result};

/// Draws each series as points of one colour, and where there are more than ten series of several shapes.
/// Points are drawn in mixed order, so that no series hides another. Errors: as [`super::curves`].
pub fn scatter(series: &[Series], o: &Options) -> Result<Canvas> {
    check(series, o)?;
    let (x, y) = scales(series, o, 0.04)?;
    let colours = palette(series.len());
    let many = series.len() > 10;
    let look =
        |i: usize| (series[i].colour.unwrap_or(colours[i]), SHAPES[if many { i % SHAPES.len() } else { 0 }]);
    let entries: Vec<_> = series
        .iter()
        .enumerate()
        .map(|(i, s)| (Swatch::Marker(look(i).0, look(i).1), s.name.clone()))
        .collect();
    let all = |f: &Frame| -> Vec<(usize, Point)> {
        let places =
            series.iter().enumerate().flat_map(|(k, s)| (0..s.ys.len()).map(move |i| (k, s.point(i))));
        let drawn = places.filter(|(_, p)| usable(p.0, o.log_x) && usable(p.1, o.log_y));
        drawn.map(|(k, p)| (k, f.at(p.0, p.1))).collect()
    };
    let mut frame = Frame::new(o, x, y, &entries, |f| all(f).into_iter().map(|(_, p)| p).collect())?;
    let mut points = all(&frame);
    let n = points.len();
    // A fixed permutation of the indices that scatters neighbours (Knuth's multiplicative hash).
    let mut order: Vec<usize> = (0..n).collect();
    order.sort_by_key(|i| (*i as u32).wrapping_mul(2_654_435_761));
    points = order.into_iter().map(|i| points[i]).collect();
    let room = (frame.area.w * frame.area.h) as f64 / n as f64;
    let size = (room.sqrt() * 0.3).clamp(frame.font * 0.25, frame.font * 0.6);
    let clip = margin(frame.area, size.ceil() as i64);
    for (k, p) in points {
        let (colour, shape) = look(k);
        let pen = Pen { alpha: 0.85, ..Pen::new(colour, 1.0) };
        frame.out.marker(clip, shape, p, size, &pen, if n < 5000 { 0.5 } else { 0.0 });
    }
    Ok(frame.finish())
}

/// Draws each picture, its long side `side` pixels, centred at its point (`xs[i]`, `ys[i]`), with a border in
/// `colours[i]` if any are given. The last one lies on top. Errors: unequal numbers, none at all.
pub fn photos(
    xs: &[f64],
    ys: &[f64],
    pictures: &[Raster],
    colours: &[Rgb],
    side: usize,
    o: &Options,
) -> Result<Canvas> {
    let n = pictures.len();
    if n != ys.len() || xs.len() != ys.len() || !(colours.is_empty() || colours.len() == n) {
        return Err(Error::new(format!(
            "{n} pictures, {} x, {} y and {} colours do not fit; expected as many of each (colours may be none)",
            xs.len(),
            ys.len(),
            colours.len()
        )));
    }
    if !(4..=1024).contains(&side) {
        return Err(Error::new(format!("side is {side}; expected 4..1024 pixels")));
    }
    let series = [Series::new("", xs, ys)];
    check(&series, o)?;
    // Room for half a picture at each end.
    let share =
        |total: usize| (side as f64 / 2.0 + 2.0) / (total as f64 - side as f64 - 120.0).max(side as f64);
    let (x, y) = scales(&series, o, share(o.size.0.min(o.size.1)))?;
    let mut frame = Frame::new(o, x, y, &[], |_| vec![])?;
    for (i, picture) in pictures.iter().enumerate() {
        if !usable(xs[i], o.log_x) || !usable(ys[i], o.log_y) {
            continue;
        }
        let shrink = side as f64 / picture.width.max(picture.height) as f64;
        let to = |n: usize| ((n as f64 * shrink).round() as usize).max(1);
        let small = resample::resize(picture, to(picture.width), to(picture.height), Filter::Bilinear)?;
        let p = frame.at(xs[i], ys[i]);
        let (left, top) = (
            (p.0 - small.width as f64 / 2.0).round() as i64,
            (p.1 - small.height as f64 / 2.0).round() as i64,
        );
        let line = if colours.is_empty() { 0 } else { (side / 16).max(1) };
        if let Some(c) = colours.get(i) {
            let at = Rect::new(
                left - line as i64,
                top - line as i64,
                small.width + 2 * line,
                small.height + 2 * line,
            );
            frame.out.fill(at, *c);
        }
        frame.out.paste(&small.into(), left, top, 1)?;
    }
    Ok(frame.finish())
}

fn scales(series: &[Series], o: &Options, pad: f64) -> Result<(Scale, Scale)> {
    let axis = |pick: fn((f64, f64)) -> f64, log, range| {
        let values = series.iter().flat_map(|s| (0..s.ys.len()).map(move |i| pick(s.point(i))));
        Scale::of(values, log, range, pad)
    };
    Ok((axis(|p| p.0, o.log_x, o.x_range)?, axis(|p| p.1, o.log_y, o.y_range)?))
}

fn margin(r: Rect, by: i64) -> Rect {
    Rect::new(r.x - by, r.y - by, r.w + 2 * by as usize, r.h + 2 * by as usize)
}

//! Curves: one line a series.

use super::axis::Scale;
use super::frame::Frame;
use super::legend::Swatch;
use super::{Options, Series, check, usable};
use crate::core::Result;
use crate::core::canvas::Canvas;
use crate::core::colour::OKABE_ITO;
use crate::core::raster::Rect;
use crate::core::stroke::{DASHES, Pen, Point, SHAPES, Shape};

/// Draws each series as a line. NaN, and on a logarithmic axis what is not positive, makes a gap; a
/// point between two gaps is drawn as a dot. Errors: no series, no points, unequal lengths.
pub fn curves(series: &[Series], o: &Options) -> Result<Canvas> {
    check(series, o)?;
    let xs = series.iter().flat_map(|s| (0..s.ys.len()).map(|i| s.point(i).0));
    let x = Scale::of(xs, o.log_x, o.x_range, 0.02)?;
    let spread = |s: &Series, i: usize| s.error.get(i).copied().filter(|e| e.is_finite()).unwrap_or(0.0);
    let ys = series
        .iter()
        .flat_map(|s| (0..s.ys.len()).flat_map(move |i| [s.ys[i] - spread(s, i), s.ys[i] + spread(s, i)]));
    // A band that reaches below 0 leaves the logarithmic axis; the curve itself still counts.
    let ys = ys.chain(series.iter().flat_map(|s| s.ys.iter().copied()));
    let y = Scale { whole: false, ..Scale::of(ys, o.log_y, o.y_range, 0.05)? };
    let looks: Vec<(Pen, Shape)> = series.iter().enumerate().map(|(i, s)| look(i, s, o.font())).collect();
    let swatch = |(pen, shape): &(Pen, Shape)| Swatch::Line(*pen, o.markers.then_some(*shape));
    let entries: Vec<_> = looks.iter().zip(series).map(|(l, s)| (swatch(l), s.name.clone())).collect();
    let runs = |f: &Frame| -> Vec<Vec<Vec<Point>>> { series.iter().map(|s| runs(s, o, f)).collect() };
    let mut frame =
        Frame::new(o, x, y, &entries, |f| runs(f).iter().flatten().flat_map(|r| dense(r)).collect())?;
    for (s, (pen, _)) in series.iter().zip(&looks) {
        band(&mut frame, s, o, pen);
    }
    let clip = Rect::new(frame.area.x, frame.area.y - 2, frame.area.w + 2, frame.area.h + 2);
    for (lines, (pen, shape)) in runs(&frame).iter().zip(&looks) {
        for line in lines {
            frame.out.line(clip, line, pen);
            let size = frame.font * 0.5;
            // Markers closer than their size would melt into a sausage.
            let wide = line.last().map_or(0.0, |l| (l.0 - line[0].0).abs()).max(1.0);
            let every = (line.len() as f64 * size * 2.0 / wide).round().max(1.0) as usize;
            for p in line.iter().step_by(every).filter(|_| o.markers || line.len() == 1) {
                frame.out.marker(clip, *shape, *p, size, &Pen::new(pen.colour, 1.0), frame.font / 17.0);
            }
        }
    }
    Ok(frame.finish())
}

fn look(i: usize, s: &Series, font: f64) -> (Pen, Shape) {
    let n = OKABE_ITO.len();
    let dash = match s.dashed {
        Some(dashed) => DASHES[usize::from(dashed)],
        None => DASHES[i / n % DASHES.len()],
    };
    let pen = Pen { dash, ..Pen::new(s.colour.unwrap_or(OKABE_ITO[i % n]), font * 0.135) };
    (pen, SHAPES[i % SHAPES.len()])
}

/// The pixels of a series, split at gaps.
fn runs(s: &Series, o: &Options, frame: &Frame) -> Vec<Vec<Point>> {
    let mut out = vec![vec![]];
    for (x, y) in (0..s.ys.len()).map(|i| s.point(i)) {
        if !usable(x, o.log_x) || !usable(y, o.log_y) {
            out.push(vec![]);
        } else if let Some(run) = out.last_mut() {
            run.push(frame.at(x, y));
        }
    }
    out.retain(|r| !r.is_empty());
    out
}

/// Points along a line, a few pixels apart.
fn dense(line: &[Point]) -> Vec<Point> {
    let mut out: Vec<Point> = line.last().copied().into_iter().collect();
    for p in line.windows(2) {
        let n = ((p[1].0 - p[0].0).hypot(p[1].1 - p[0].1) / 5.0).clamp(1.0, 400.0) as usize;
        let step = |k: usize| k as f64 / n as f64;
        out.extend(
            (0..n).map(|k| (p[0].0 + (p[1].0 - p[0].0) * step(k), p[0].1 + (p[1].1 - p[0].1) * step(k))),
        );
    }
    out
}

/// Tints the band value ± error.
fn band(frame: &mut Frame, s: &Series, o: &Options, pen: &Pen) {
    let area = frame.area;
    let bottom = (area.y + area.h as i64) as f64;
    let edge = |frame: &Frame, i: usize| {
        let ((x, y), e) = (s.point(i), s.error[i].abs());
        let low = if usable(y - e, o.log_y) { frame.at(x, y - e).1 } else { bottom };
        (usable(x, o.log_x) && usable(y, o.log_y) && e.is_finite())
            .then(|| (frame.at(x, y).0, frame.at(x, y + e).1, low))
    };
    let edges: Vec<_> = (0..s.error.len()).map(|i| edge(frame, i)).collect();
    for run in edges.split(Option::is_none) {
        // Pieces that all run the same way; others would fold over themselves.
        let run: Vec<_> = run.iter().flatten().copied().collect();
        if run.windows(2).all(|p| p[0].0 <= p[1].0) {
            frame.out.band(area, &run, pen.colour, 0.18);
        } else {
            for p in run.windows(2) {
                let both = if p[0].0 <= p[1].0 { [p[0], p[1]] } else { [p[1], p[0]] };
                frame.out.band(area, &both, pen.colour, 0.18);
            }
        }
    }
}

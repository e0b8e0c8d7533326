//! Histograms.

use super::axis::Scale;
use super::bars::clipped;
use super::frame::Frame;
use super::legend::Swatch;
use super::{Options, Series, check};
use crate::core::canvas::Canvas;
use crate::core::colour::OKABE_ITO;
use crate::core::raster::Rect;
use crate::core::stroke::{Pen, Point};
use crate::core::{Error, Result};

/// Draws the distribution of the `ys` of each series over common bins; several lie transparent over
/// each other, outlined. NaN is left out. Errors: no series, a series without a finite value.
pub fn hist(series: &[Series], o: &Options) -> Result<Canvas> {
    let series: Vec<Series> =
        series.iter().map(|s| Series { xs: vec![], error: vec![], ..s.clone() }).collect();
    check(&series, &Options { log_x: false, log_y: false, ..Options::default() })?;
    if o.log_x {
        return Err(Error::new("bins are equally wide, which they are not on a logarithmic axis")
            .hint("take the values' logarithms: x.log10()"));
    }
    if o.bins > 10_000 {
        return Err(Error::new(format!("bins is {}; expected at most 10000", o.bins)));
    }
    let all: Vec<f64> = series.iter().flat_map(|s| s.ys.iter().copied()).filter(|v| v.is_finite()).collect();
    let edges = bin_edges(&all, o.bins, o.x_range)?;
    let heights: Vec<Vec<f64>> = series.iter().map(|s| count(&s.ys, &edges, o.density)).collect();
    let top = heights.iter().flatten().fold(0.0f64, |m, v| m.max(*v));
    let positive = heights.iter().flatten().copied().filter(|v| *v > 0.0).fold(f64::INFINITY, f64::min);
    let floor = if o.log_y && positive.is_finite() { positive * 0.5 } else { 0.0 };
    let top = if top > floor { top } else { floor + 1.0 };
    let y_range = o.y_range.or(Some((floor, if o.log_y { top * 1.5 } else { top * 1.06 })));
    let x = Scale::of(edges.iter().copied(), false, None, 0.02)?;
    let y = Scale { whole: !o.density, ..Scale::of(std::iter::empty(), o.log_y, y_range, 0.0)? };
    let x = Scale { whole: false, ..x };
    let colour = |i: usize| series[i].colour.unwrap_or(OKABE_ITO[i % OKABE_ITO.len()]);
    let soft = |i: usize| colour(i).map(|c| (f32::from(c) * 0.55 + 255.0 * 0.45) as u8);
    let entries: Vec<_> =
        series.iter().enumerate().map(|(i, s)| (Swatch::Patch(soft(i)), s.name.clone())).collect();
    let mut o = o.clone();
    if o.y_label.is_empty() {
        o.y_label = if o.density { "density" } else { "count" }.into();
    }
    let outline = |f: &Frame, h: &[f64]| -> Vec<Point> {
        let corner = |(i, v): (usize, &f64)| [f.at(edges[i], v.max(floor)), f.at(edges[i + 1], v.max(floor))];
        let inner: Vec<Point> = h.iter().enumerate().flat_map(corner).collect();
        [vec![f.at(edges[0], floor)], inner, vec![f.at(edges[h.len()], floor)]].concat()
    };
    let busy = |f: &Frame| {
        heights
            .iter()
            .flat_map(|h| {
                h.iter()
                    .enumerate()
                    .flat_map(|(i, v)| {
                        let (a, b) = (f.at(edges[i], v.max(floor)), f.at(edges[i + 1], floor));
                        let rows = ((b.1 - a.1) / 5.0) as usize;
                        (0..=rows).flat_map(move |k| {
                            [a.0, f64::midpoint(a.0, b.0), b.0].map(|x| (x, a.1 + k as f64 * 5.0))
                        })
                    })
                    .collect::<Vec<_>>()
            })
            .collect()
    };
    let mut frame = Frame::new(&o, x, y, &entries, busy)?;
    let area = frame.area;
    for (i, h) in heights.iter().enumerate() {
        for (k, v) in h.iter().enumerate().filter(|(_, v)| **v > 0.0) {
            let (a, b) = (frame.at(edges[k], *v), frame.at(edges[k + 1], floor));
            let (l, t) = (a.0.round() as i64, a.1.round() as i64);
            let r = Rect::new(
                l,
                t,
                (b.0.round() as i64 - l).max(0) as usize,
                (b.1.round() as i64 - t).max(0) as usize,
            );
            frame.out.tint(clipped(r, area), colour(i), 0.5);
        }
    }
    for (i, h) in heights.iter().enumerate() {
        let line = outline(&frame, h);
        frame.out.line(area, &line, &Pen::new(colour(i), frame.font * 0.1));
    }
    Ok(frame.finish())
}

/// The edges of `bins` equal bins over `range` or the values; 0 bins: numpy's `auto`, the finer of
/// Sturges' and Freedman and Diaconis' rule, the latter with at most twice as many bins as the square root rule.
pub fn bin_edges(values: &[f64], bins: usize, range: Option<(f64, f64)>) -> Result<Vec<f64>> {
    let mut v: Vec<f64> = values.iter().copied().filter(|v| v.is_finite()).collect();
    v.sort_by(f64::total_cmp);
    let (Some(first), Some(last)) = (v.first().copied(), v.last().copied()) else {
        return Err(Error::new("a histogram needs at least one finite value"));
    };
    let (mut lo, mut hi) = range.unwrap_or((first, last));
    if lo > hi || !(hi - lo).is_finite() {
        return Err(Error::new(format!(
            "the range of the bins is [{lo}, {hi}]; expected two numbers, the lower first"
        )));
    }
    if lo == hi {
        (lo, hi) = (lo - 0.5, hi + 0.5);
    }
    let n = if bins > 0 {
        bins
    } else {
        let count = v.len() as f64;
        let quantile = |q: f64| {
            let at = q * (count - 1.0);
            let k = at as usize;
            v[k] + (v[(k + 1).min(v.len() - 1)] - v[k]) * at.fract()
        };
        let sturges = (last - first) / (count.log2() + 1.0);
        let fd = 2.0 * (quantile(0.75) - quantile(0.25)) / count.cbrt();
        let width = fd.max((last - first) / count.sqrt() / 2.0).min(sturges);
        if width > 0.0 { ((hi - lo) / width).ceil().clamp(1.0, 1000.0) as usize } else { 1 }
    };
    // The last one exactly: the greatest value lies on it.
    Ok((0..=n).map(|i| if i == n { hi } else { lo + (hi - lo) * i as f64 / n as f64 }).collect())
}

/// How many values lie in each bin (its lower edge included, the last bin's upper one too).
fn count(values: &[f64], edges: &[f64], density: bool) -> Vec<f64> {
    let n = edges.len() - 1;
    let (lo, hi) = (edges[0], edges[n]);
    let mut out = vec![0.0; n];
    for v in values.iter().filter(|v| (lo..=hi).contains(*v)) {
        let mut i = (((v - lo) / (hi - lo) * n as f64) as usize).min(n - 1);
        // Rounding may miss by one at an edge.
        i = if *v < edges[i] {
            i - 1
        } else if i + 1 < n && *v >= edges[i + 1] {
            i + 1
        } else {
            i
        };
        out[i] += 1.0;
    }
    let total: f64 = out.iter().sum();
    if density && total > 0.0 {
        out.iter_mut().enumerate().for_each(|(i, c)| *c /= total * (edges[i + 1] - edges[i]));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bins_are_numpys() {
        // np.histogram([0, 1, 1, 2, 2, 2, 3, 10], "auto")
        let v = [0.0, 1.0, 1.0, 2.0, 2.0, 2.0, 3.0, 10.0];
        let e = bin_edges(&v, 0, None).unwrap();
        assert_eq!(count(&v, &e, false), [3.0, 4.0, 0.0, 0.0, 0.0, 1.0]);
        assert!(
            e.len() == 7 && e.iter().enumerate().all(|(i, e)| (e - i as f64 / 0.6).abs() < 1e-12),
            "{e:?}"
        );
        let d = count(&v, &e, true);
        assert!(
            (d.iter().zip(e.windows(2)).map(|(h, w)| h * (w[1] - w[0])).sum::<f64>() - 1.0).abs() < 1e-12
        );
        // The greatest value lies in the last bin, whatever the rounding of its edge.
        let v = [0.0, 0.2, 0.47, 0.47, 0.47];
        assert_eq!(count(&v, &bin_edges(&v, 5, None).unwrap(), false), [1.0, 0.0, 1.0, 0.0, 3.0]);
        assert_eq!(bin_edges(&[3.0, 3.0], 2, None).unwrap(), [2.5, 3.0, 3.5]);
        assert!(bin_edges(&[f64::NAN], 0, None).is_err());
    }

    #[test]
    fn edges_belong_to_the_bin_they_open() {
        let e = bin_edges(&[0.0, 0.3], 3, None).unwrap();
        assert_eq!(count(&[0.0, e[1], e[2], 0.3, 0.31, f64::NAN], &e, false), [1.0, 1.0, 2.0]);
    }
}

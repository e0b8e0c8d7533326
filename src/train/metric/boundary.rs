//! How near the outlines of classes are to where they should be.

use super::overlap::{PixelOptions, mean, said};
use crate::core::{Error, Opts, Result};
use tch::{Kind, Tensor};

options! {
    /// Options of `metrics::boundary_f1`.
    pub struct BoundaryOptions {
        /// How many pixels an outline may be off; 0.75 % of the diagonal, at least 1, if left out.
        tolerance: Option<f64> = None => (),
    }
}

/// The pixels of masks [N, 1, H, W] that have a neighbour outside; float.
fn outline(m: &Tensor) -> Result<Tensor> {
    let s = m.size();
    let wide = m.f_replication_pad2d([1, 1, 1, 1])?;
    let at = |y: i64, x: i64| wide.f_narrow(2, y, s[2])?.f_narrow(3, x, s[3]);
    let inner = at(0, 1)?.f_mul(&at(2, 1)?)?.f_mul(&at(1, 0)?)?.f_mul(&at(1, 2)?)?;
    Ok(m.f_mul(&inner.f_neg()?.f_add_scalar(1.0)?)?)
}

/// Places within `radius` pixels of where `m` is.
fn near(m: &Tensor, radius: f64) -> Result<Tensor> {
    let r = radius.floor() as i64;
    let side = 2 * r + 1;
    let inside = |k: i64| {
        let (y, x) = ((k / side - r) as f64, (k % side - r) as f64);
        f32::from(u8::from(y * y + x * x <= radius * radius + 1e-9))
    };
    let disc: Vec<f32> = (0..side * side).map(inside).collect();
    let disc = Tensor::f_from_slice(&disc)?.f_view([1, 1, side, side])?.f_to_device(m.device())?;
    Ok(m.f_conv2d(&disc, None::<&Tensor>, 1, r, 1, 1)?.f_gt(0.5)?.f_to_kind(m.kind())?)
}

/// The boundary F1 of every picture: the mean over the classes behind 0 that are in it; not a number where none is.
///
/// # Errors
/// Shapes that do not fit.
pub fn scores(
    said: &Tensor,
    target: &Tensor,
    classes: i64,
    ignore: i64,
    tolerance: Option<f64>,
) -> Result<Vec<f64>> {
    let s = said.size();
    if target.size() != s || s.len() != 3 {
        return Err(Error::new(format!("expected classes {s:?}, got {:?}", target.size())));
    }
    let usual = (0.0075 * ((s[1] * s[1] + s[2] * s[2]) as f64).sqrt()).max(1.0);
    let radius = tolerance.unwrap_or(usual);
    if !(0.0..=1000.0).contains(&radius) {
        return Err(Error::new(format!("`tolerance` is 0 to 1000 pixels, got {radius}")));
    }
    let left_out = target.f_eq(ignore)?;
    let mut all = vec![Vec::new(); s[0] as usize];
    for class in 1..classes {
        let mask = |t: &Tensor| -> Result<Tensor> {
            let m = t.f_eq(class)?.f_logical_and(&left_out.f_logical_not()?)?;
            Ok(m.f_to_kind(Kind::Float)?.f_unsqueeze(1)?)
        };
        let (ours, theirs) = (mask(said)?, mask(target)?);
        let sum = |t: &Tensor| {
            Ok::<_, Error>(Vec::<f64>::try_from(t.f_sum_dim_intlist(
                [1, 2, 3].as_slice(),
                false,
                Kind::Double,
            )?)?)
        };
        let (in_a, in_b) = (sum(&ours)?, sum(&theirs)?);
        let (a, b) = (outline(&ours)?, outline(&theirs)?);
        let (hits_a, hits_b) = (sum(&a.f_mul(&near(&b, radius)?)?)?, sum(&b.f_mul(&near(&a, radius)?)?)?);
        let (len_a, len_b) = (sum(&a)?, sum(&b)?);
        for i in (0..all.len()).filter(|i| in_a[*i] + in_b[*i] > 0.0) {
            // A class that fills its picture has no outline: right if both say that it does.
            let both_full = in_a[i] == in_b[i] && len_a[i] + len_b[i] == 0.0;
            let share = |hits: f64, len: f64| if len > 0.0 { hits / len } else { f64::from(both_full) };
            let (p, r) = (share(hits_a[i], len_a[i]), share(hits_b[i], len_b[i]));
            all[i].push(if p + r > 0.0 { 2.0 * p * r / (p + r) } else { 0.0 });
        }
    }
    Ok(all.into_iter().map(mean).collect())
}

functions! {
    in "metrics";
    /// How well outlines are met: the boundary F1, one number for a batch.
    ///
    /// Csurka et al. 2013 ("What is a good evaluation measure for semantic segmentation?"): precision is the share of a
    /// predicted outline within `tolerance` pixels of the true one, recall the share of the true one within it of the
    /// predicted one; the mean of F1 over the classes behind 0 that are in target or prediction of a picture, then over
    /// pictures. Pixels that do not count are background on both sides.
    /// ```rhai
    /// let y = tensor::zeros([1, 16, 16]).long();
    /// y[[0, 4..12, 4..12]] = 1;
    /// metrics::boundary_f1(y.roll(1, 2), y, #{classes: 2}) // => 1.0
    /// metrics::boundary_f1(y.roll(3, 2), y, #{classes: 2}) // => 0.5
    /// ```
    fn boundary_f1(output: Tensor, target: Tensor, options: Opts<(PixelOptions, BoundaryOptions)>) -> f64 {
        let (o, b) = options.0;
        let (said, classes) = said(&output, o.classes)?;
        mean(scores(&said, &target, classes, o.ignore_index, b.tolerance)?)
    }
}

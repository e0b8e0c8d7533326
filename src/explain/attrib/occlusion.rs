//! Occlusion (Zeiler and Fergus 2014, https://arxiv.org/abs/1311.2901).

use super::{Baseline, Look};
use crate::core::{Error, Result};
use crate::nn::{Count, Pair};
use tch::Tensor;

options! {
    /// Options of `attrib::occlusion`.
    pub struct OcclusionOptions {
        /// Size of the patch, [height, width] or one number.
        window: Pair = Pair([8, 8]) => 8,
        /// Step between two patches; half a patch if left out.
        stride: Option<Pair> = None,
        /// What is put in its place: a number, or a tensor that broadcasts to the pictures.
        baseline: Baseline = Baseline::Number(0.0) => 0,
        /// Patches of one pass of the network; the map does not depend on it.
        batch: Count = Count(32) => 32,
    }
}

/// A patch: top, left, height, width.
type Patch = [i64; 4];

fn patches(size: [i64; 2], o: &OcclusionOptions) -> Result<Vec<Patch>> {
    let window = o.window.0;
    let stride = o.stride.map_or(window.map(|w| (w / 2).max(1)), |s| s.0);
    let ([h, w], [wh, ww], [sh, sw]) = (size, window, stride);
    if wh < 1 || ww < 1 || wh > h || ww > w {
        return Err(Error::new(format!(
            "the `window` {wh} × {ww} does not lie in pictures of {h} × {w} pixels"
        )));
    }
    if sh < 1 || sw < 1 || sh > wh || sw > ww {
        return Err(Error::new(format!("`stride` {sh}, {sw} must be 1 to the window's {wh}, {ww}"))
            .hint("a wider step would leave places that no patch covers"));
    }
    // The last patch reaches the edge, and is cut there.
    let starts =
        |size: i64, w: i64, s: i64| (0..=(size - w + s - 1) / s).map(move |i| (i * s, w.min(size - i * s)));
    Ok(starts(h, wh, sh).flat_map(|(y, ph)| starts(w, ww, sw).map(move |(x, pw)| [y, x, ph, pw])).collect())
}

fn at(t: &Tensor, [y, x, h, w]: Patch) -> Result<Tensor> {
    Ok(t.f_narrow(2, y, h)?.f_narrow(3, x, w)?)
}

fn occlude(look: &Look, o: &OcclusionOptions) -> Result<Tensor> {
    let (n, _, h, w) = look.x.size4()?;
    let patches = patches([h, w], o)?;
    let (scores, target) = look.settled()?;
    let fill = o.baseline.like(&look.x)?;
    let sum = look.x.f_narrow(1, 0, 1)?.f_zeros_like()?;
    let count = sum.f_zeros_like()?;
    for i in 0..n {
        let fill = fill.f_narrow(0, i, 1)?;
        let without = look.variants(&target, i, patches.len() as i64, o.batch.0, |of, x| {
            let rows = x.f_repeat([of.end - of.start, 1, 1, 1])?;
            for (j, k) in of.enumerate() {
                let patch = patches[k as usize];
                at(&rows.f_narrow(0, j as i64, 1)?, patch)?.f_copy_(&at(&fill, patch)?)?;
            }
            Ok(rows)
        })?;
        let lost = scores.f_select(0, i)?.f_sub(&without)?;
        for (k, patch) in patches.iter().enumerate() {
            let _ = at(&sum.f_narrow(0, i, 1)?, *patch)?.f_add_(&lost.f_select(0, k as i64)?)?;
            let _ = at(&count.f_narrow(0, i, 1)?, *patch)?.f_add_scalar_(1)?;
        }
    }
    Ok(sum.f_div(&count)?)
}

attrib! {
    /// Occlusion: what the target loses where a patch is covered.
    ///
    /// The mean of `s(x) − s(x with the patch covered)` over the patches at each place (section 4.2), signed, one number a
    /// place [N, 1, H, W].
    /// ```rhai
    /// let net = nn::sequential([["conv", nn::conv2d(1, 4, 3)], ["act", nn::relu()], ["gap", nn::adaptive_avg_pool2d(1)],
    ///                           ["flat", nn::flatten()], ["fc", nn::linear(4, 3)]]);
    /// attrib::occlusion(net, tensor::rand([2, 1, 8, 8]), 1, #{window: 4, stride: 2}).shape // => [2, 1, 8, 8]
    /// attrib::occlusion(net, tensor::rand([2, 1, 8, 8]), 1, #{window: 9}) // error: does not lie in pictures of 8 × 8
    /// ```
    occlusion, OcclusionOptions, |look, o| occlude(&look, &o)?
}

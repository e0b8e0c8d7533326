//! RISE (Petsiuk, Das and Saenko, BMVC 2018, https://arxiv.org/abs/1806.07421).

use super::Look;
use crate::core::{Error, Result, seed};
use crate::explain::heatmap;
use crate::nn::Count;
use rand::RngCore;
use tch::Tensor;

options! {
    /// Options of `attrib::rise`.
    pub struct RiseOptions {
        /// How many masks.
        samples: Count = Count(1000) => 1000,
        /// Cells of a mask in each direction.
        cells: Count = Count(7) => 7,
        /// Share of the cells that are seen.
        p: f64 = 0.5,
        /// Masks of your own, [samples, H, W], in place of the run's seed.
        masks: Option<Tensor> = None,
        /// Masks of one pass of the network; the map does not depend on it.
        batch: Count = Count(32) => 32,
    }
}

/// Masks [samples, H, W]: cells seen or not, enlarged smoothly by more than the picture, cut out at random.
fn draw(size: [i64; 2], o: &RiseOptions) -> Result<Tensor> {
    let cells = o.cells.0;
    let cell = size.map(|s| (s + cells - 1) / cells);
    let masks = (0..o.samples.0).map(|k| {
        let mut rng = seed::stream("rise", k as u64);
        let mut unit = || f64::from(rng.next_u32()) / 4294967296.0;
        let seen: Vec<f32> = (0..cells * cells).map(|_| f32::from(u8::from(unit() < o.p))).collect();
        let [y, x] = cell.map(|c| (unit() * c as f64) as i64);
        let grid = Tensor::f_from_slice(&seen)?.f_view([1, cells, cells])?;
        let large = heatmap::resize(&grid, cell.map(|c| (cells + 1) * c))?;
        Ok(large.f_narrow(1, y, size[0])?.f_narrow(2, x, size[1])?)
    });
    Ok(Tensor::f_cat(&masks.collect::<Result<Vec<_>>>()?, 0)?)
}

fn sample(look: &Look, o: &RiseOptions) -> Result<Tensor> {
    let (n, _, h, w) = look.x.size4()?;
    if !(o.p > 0.0 && o.p <= 1.0) {
        return Err(Error::new(format!("`p` is a share above 0, up to 1, got {}", o.p)));
    }
    let masks = match &o.masks {
        Some(m) if m.dim() == 3 && m.size()[1..] == [h, w] => m.f_detach()?,
        Some(m) => {
            return Err(Error::new(format!("option `masks` is [samples, {h}, {w}], got {:?}", m.size())));
        }
        None => draw([h, w], o)?,
    };
    let masks = masks.f_type_as(&look.x)?;
    let k = masks.size()[0];
    let (_, target) = look.settled()?;
    let maps = (0..n).map(|i| {
        let scores = look.variants(&target, i, k, o.batch.0, |of, x| {
            Ok(masks.f_narrow(0, of.start, of.end - of.start)?.f_unsqueeze(1)?.f_mul(x)?)
        })?;
        Ok(scores.f_view([1, k])?.f_matmul(&masks.f_view([k, h * w])?)?.f_view([1, h, w])?)
    });
    let sum = Tensor::f_stack(&maps.collect::<Result<Vec<_>>>()?, 0)?;
    Ok(sum.f_div_scalar(k as f64 * o.p)?)
}

attrib! {
    /// RISE: the target's mean value under random masks that let a place be seen.
    ///
    /// `1/(N p) Σ s(x · M) M` (eq. 6), one number a place [N, 1, H, W]. The paper's target is a probability:
    /// `target::softmax(k)`.
    /// ```rhai
    /// let net = nn::sequential([["conv", nn::conv2d(1, 4, 3)], ["act", nn::relu()], ["gap", nn::adaptive_avg_pool2d(1)],
    ///                           ["flat", nn::flatten()], ["fc", nn::linear(4, 3)]]);
    /// attrib::rise(net, tensor::rand([2, 1, 8, 8]), target::softmax(1), #{samples: 20}).shape // => [2, 1, 8, 8]
    /// ```
    rise, RiseOptions, |look, o| sample(&look, &o)?
}

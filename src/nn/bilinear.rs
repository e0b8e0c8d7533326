//! Enlarging by a transposed convolution whose kernel starts bilinear (Long, Shelhamer and Darrell 2015,
//! https://arxiv.org/abs/1411.4038, section 3.3).

use super::recipe::Recipe;
use super::{Count, Ctx, Layer, Net, Own, Role, init};
use crate::core::{Error, Opts, Result, device};
use std::rc::Rc;
use tch::Tensor;

options! {
    /// Options of `nn::bilinear_upsample`.
    pub struct BilinearOptions {
        /// The kernel is learned, from every channel to every channel; otherwise it stays as it is.
        learned: bool = true,
    }
}

/// A kernel that enlarges: a tent of `side` pixels in both directions, of which `margin` are cut off at every side of the
/// output. With the usual side `2 f - f mod 2` and margin `f / 2` the output has f times the size.
#[derive(Clone, Copy, PartialEq)]
pub struct Tent {
    /// By how much it enlarges.
    pub factor: i64,
    /// Rows and columns of the kernel.
    pub side: i64,
    /// Rows and columns cut off.
    pub margin: i64,
}

impl Tent {
    /// The one that interpolates between pixels' centres.
    pub fn usual(factor: i64) -> Self {
        Tent { factor, side: 2 * factor - factor % 2, margin: factor / 2 }
    }

    fn numbers(self) -> Vec<f32> {
        let middle = (self.side - 1) as f64 / 2.0;
        let at = |i: i64| 1.0 - (i as f64 - middle).abs() / self.factor as f64;
        (0..self.side * self.side).map(|k| (at(k / self.side) * at(k % self.side)) as f32).collect()
    }
}

struct Bilinear {
    weight: Tensor,
    channels: i64,
    tent: Tent,
    learned: bool,
}

/// Enlarges `channels` channels.
///
/// # Errors
/// libtorch's.
pub fn bilinear_upsample(channels: i64, tent: Tent, learned: bool) -> Result<Rc<dyn Layer>> {
    let side = tent.side;
    let weight = match learned {
        true => init::constant(&[channels, channels, side, side], 0.0)?,
        false => init::buffer(&[channels, 1, side, side], 0.0, tch::Kind::Float)?,
    };
    if !(device::is_meta() || init::is_blank()) {
        let _no_grad = tch::no_grad_guard();
        let kernel = Tensor::f_from_slice(&tent.numbers())?.f_view([side, side])?;
        for c in 0..channels {
            let own = if learned { c } else { 0 };
            weight.f_select(0, c)?.f_select(0, own)?.f_copy_(&kernel)?;
        }
    }
    Ok(Rc::new(Bilinear { weight, channels, tent, learned }))
}

impl Layer for Bilinear {
    fn forward(&self, x: &Tensor, _: &Ctx) -> Result<Tensor> {
        let groups = if self.learned { 1 } else { self.channels };
        let (stride, margin) = (self.tent.factor, self.tent.margin);
        Ok(x.f_conv_transpose2d(&self.weight, None::<&Tensor>, stride, margin, 0, groups, 1)?)
    }

    fn own(&self) -> Vec<Own<'_>> {
        let role = if self.learned { Role::Parameter } else { Role::Buffer };
        vec![("weight", &self.weight, role)]
    }

    fn recipe(&self) -> Option<String> {
        if self.tent != Tent::usual(self.tent.factor) {
            return None; // part of a larger network, which says how it is built
        }
        let call = Recipe::new("bilinear_upsample").arg(self.channels).arg(self.tent.factor);
        call.option("learned", &self.learned, &true).done()
    }

    fn describe(&self) -> String {
        let kernel = if self.learned { "learned" } else { "fixed" };
        format!("BilinearUpsample({}, factor={}, {kernel})", self.channels, self.tent.factor)
    }
}

functions! {
    in "nn";
    /// Enlarges by a transposed convolution that starts as bilinear interpolation.
    ///
    /// [N, C, H, W] → [N, C, H·f, W·f]. Long, Shelhamer and Darrell 2015, section 3.3: the kernel is a tent of side
    /// `2f - f mod 2`, so that inside the border it gives what `nn::upsample(f, #{mode: "bilinear"})` gives.
    /// ```rhai
    /// let x = tensor::rand([1, 2, 6, 6]);
    /// let off = nn::bilinear_upsample(2, 4).forward(x) - nn::upsample(4, #{mode: "bilinear"}).forward(x);
    /// off[[.., .., 4..20, 4..20]].abs().max().item() < 1e-6 // => true
    /// ```
    fn bilinear_upsample(channels: Count, factor: i64, options: Opts<BilinearOptions>) -> Net {
        if !(1..=64).contains(&factor) {
            Err(Error::new(format!("`factor` is 1 to 64, got {factor}")))?;
        }
        Net::of(bilinear_upsample(channels.0, Tent::usual(factor), options.0.learned)?)
    }
}

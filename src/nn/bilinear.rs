//! Enlarging by a transposed convolution whose kernel starts bilinear (Long, Shelhamer and Darrell 2015,
//! https://arxiv.org/abs/1411.4038, section 3.3).

use super::recipe::Recipe;
use super::{Count, Ctx, Layer, Net, Own, Role, init};
use crate::core::{Error, Opts, Result, device};
use std::rc::Rc;
use tch::Tensor;

options! {
    #[derive(Clone, Copy)]
    /// Options of `nn::bilinear_upsample`.
    pub struct BilinearOptions {
        /// The kernel is learned, from every channel to every channel; otherwise it stays as it is.
        learned: bool = true,
        /// Keeps the border on each side, about (n + 1) · factor in all.
        border: bool = false,
    }
}

struct Bilinear {
    weight: Tensor,
    channels: i64,
    factor: i64,
    o: BilinearOptions,
}

/// The kernel's numbers, a tent in both directions: side `2 f - f mod 2`.
fn tent(factor: i64) -> Vec<f32> {
    let side = 2 * factor - factor % 2;
    let middle = (side - 1) as f64 / 2.0;
    let at = |i: i64| 1.0 - (i as f64 - middle).abs() / factor as f64;
    (0..side * side).map(|k| (at(k / side) * at(k % side)) as f32).collect()
}

/// Enlarges `channels` channels by `factor`.
///
/// # Errors
/// libtorch's.
pub fn bilinear_upsample(channels: i64, factor: i64, o: BilinearOptions) -> Result<Rc<dyn Layer>> {
    let side = 2 * factor - factor % 2;
    let weight = match o.learned {
        true => init::constant(&[channels, channels, side, side], 0.0)?,
        false => init::buffer(&[channels, 1, side, side], 0.0, tch::Kind::Float)?,
    };
    if !(device::is_meta() || init::is_blank()) {
        let _no_grad = tch::no_grad_guard();
        let kernel = Tensor::f_from_slice(&tent(factor))?.f_view([side, side])?;
        for c in 0..channels {
            let own = if o.learned { c } else { 0 };
            weight.f_select(0, c)?.f_select(0, own)?.f_copy_(&kernel)?;
        }
    }
    Ok(Rc::new(Bilinear { weight, channels, factor, o }))
}

impl Layer for Bilinear {
    fn forward(&self, x: &Tensor, _: &Ctx) -> Result<Tensor> {
        let margin = if self.o.border { 0 } else { self.factor / 2 };
        let groups = if self.o.learned { 1 } else { self.channels };
        let none = None::<&Tensor>;
        Ok(x.f_conv_transpose2d(&self.weight, none, self.factor, margin, 0, groups, 1)?)
    }

    fn own(&self) -> Vec<Own<'_>> {
        let role = if self.o.learned { Role::Parameter } else { Role::Buffer };
        vec![("weight", &self.weight, role)]
    }

    fn recipe(&self) -> Option<String> {
        Recipe::new("bilinear_upsample")
            .arg(self.channels)
            .arg(self.factor)
            .option("learned", &self.o.learned, &true)
            .option("border", &self.o.border, &false)
            .done()
    }

    fn describe(&self) -> String {
        let kernel = if self.o.learned { "learned" } else { "fixed" };
        format!("BilinearUpsample({}, factor={}, {kernel})", self.channels, self.factor)
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
        Net::of(bilinear_upsample(channels.0, factor, options.0)?)
    }
}

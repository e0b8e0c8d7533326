//! Enlarging by a factor.

use super::recipe::Recipe;
use super::{Ctx, Layer, Net};
use crate::core::{Error, Opts, Result};
use tch::Tensor;

options! {
    /// Options of `nn::upsample`.
    pub struct UpsampleOptions {
        /// "nearest" or "bilinear".
        mode: String = "nearest".to_string(),
        /// Corner pixels keep their places (bilinear only).
        align_corners: bool = false,
    }
}

struct Upsample {
    factor: f64,
    o: UpsampleOptions,
}

impl Layer for Upsample {
    fn forward(&self, x: &Tensor, _: &Ctx) -> Result<Tensor> {
        let s = x.size();
        if s.len() != 4 {
            return Err(Error::new(format!("expected [N, C, H, W], got {} axes", s.len())));
        }
        let size = [s[2], s[3]].map(|n| (n as f64 * self.factor).floor() as i64);
        let f = Some(self.factor);
        Ok(match self.o.mode.as_str() {
            "bilinear" => x.f_upsample_bilinear2d(size, self.o.align_corners, f, f)?,
            _ => x.f_upsample_nearest2d(size, f, f)?,
        })
    }

    fn recipe(&self) -> Option<String> {
        Recipe::new("upsample")
            .arg(self.factor)
            .option("mode", self.o.mode.as_str(), "nearest")
            .option("align_corners", &self.o.align_corners, &false)
            .done()
    }

    fn describe(&self) -> String {
        format!("Upsample(scale_factor={:?}, mode='{}')", self.factor, self.o.mode)
    }
}

functions! {
    in "nn";
    /// Enlarges [N, C, H, W] by `scale_factor`.
    /// ```rhai
    /// nn::upsample(2).forward(tensor::zeros([1, 3, 4, 4])).shape // => [1, 3, 8, 8]
    /// ```
    fn upsample(scale_factor: f64, options: Opts<UpsampleOptions>) -> Net {
        let o = options.0;
        if !["nearest", "bilinear"].contains(&o.mode.as_str()) {
            Err(Error::unknown("mode", &o.mode, ["nearest", "bilinear"]))?;
        }
        if scale_factor.is_nan() || scale_factor <= 0.0 {
            Err(Error::new(format!("`scale_factor` must be positive, got {scale_factor}")))?;
        }
        Net::new(Upsample { factor: scale_factor, o })
    }
}

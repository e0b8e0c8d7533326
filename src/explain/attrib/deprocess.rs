//! Attributions as pictures.

use crate::core::{Error, Result};
use tch::{Kind, Tensor};

/// See `attrib::deprocess`.
///
/// # Errors
/// Another shape.
pub fn grey(map: &Tensor) -> Result<Tensor> {
    let whole: Vec<i64> = match map.dim() {
        3 => vec![0, 1, 2],
        4 => vec![1, 2, 3],
        _ => {
            return Err(Error::new(format!(
                "an attribution is [N, C, H, W] or [C, H, W], got {:?}",
                map.size()
            )));
        }
    };
    let map = map.f_detach()?.f_to_kind(Kind::Float)?;
    let off = map.f_sub(&map.f_mean_dim(whole.as_slice(), true, None::<Kind>)?)?;
    let deviation = off.f_square()?.f_mean_dim(whole.as_slice(), true, None::<Kind>)?.f_sqrt()?;
    let grey = off.f_div(&deviation.f_add_scalar(1e-5)?)?.f_mul_scalar(0.1)?.f_add_scalar(0.5)?;
    Ok(grey.f_clamp(0.0, 1.0)?.f_mul_scalar(255.0)?.f_to_kind(Kind::Uint8)?)
}

functions! {
    in "attrib";
    /// An attribution as a grey-centred picture of type uint8, of the same shape.
    ///
    /// For each picture of [N, C, H, W] (or the one [C, H, W]): mean 0.5, deviation 0.1, cut to 0..1, times 255; the way
    /// guided backpropagation is usually shown.
    /// ```rhai
    /// attrib::deprocess(tensor::of([[[-1.0, 1.0]]])) // => tensor([[[102, 152]]], dtype=torch.uint8)
    /// ```
    fn deprocess(map: Tensor) -> Tensor {
        grey(&map)?
    }
}

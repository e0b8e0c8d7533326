//! Measures of how good an output is.

pub mod accuracy;
mod boundary;
mod calibration;
mod confusion;
mod frechet;
pub mod overlap;
mod segmentation;
mod sharpness;
mod top_k;
mod top_losses;

use crate::core::{Error, Result};
use tch::{Kind, Tensor};

/// Rows and classes of `output` [N, C], whose classes `target` [N] are.
fn rows(name: &str, output: &Tensor, target: &Tensor) -> Result<(i64, i64)> {
    let (o, t) = (output.size(), target.size());
    if o.len() != 2 || t != o[..1] || target.kind() != Kind::Int64 {
        return Err(Error::new(format!(
            "{name} needs an output [N, C] and classes [N], got {o:?} and {t:?}"
        )));
    }
    if o[0] == 0 {
        return Err(Error::new(format!("{name} of an empty batch")));
    }
    let (least, most) = (target.f_min()?.f_int64_value(&[])?, target.f_max()?.f_int64_value(&[])?);
    match least >= 0 && most < o[1] {
        true => Ok((o[0], o[1])),
        false => {
            let bad = if least < 0 { least } else { most };
            Err(Error::new(format!("target {bad} is not a class: the output has classes 0 to {}", o[1] - 1)))
        }
    }
}

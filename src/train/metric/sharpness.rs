//! How sharp are pictures?

use crate::core::Error;
use tch::{Kind, Tensor};

functions! {
    in "metrics";
    /// How sharp pictures are: the variance of each one's Laplacian, [N].
    ///
    /// Of [N, C, H, W], at the pixels that have four neighbours, on the mean of the channels (Pech-Pacheco et al. 2000,
    /// section 2.2). Blurred pictures have little, noise has much: compare with real pictures.
    /// ```rhai
    /// let x = tensor::zeros([1, 3, 3, 4]);
    /// x[[.., .., 1, 1]] = 1;
    /// metrics::sharpness(x) // => tensor([6.2500])
    /// metrics::sharpness(x[0]) // error: sharpness needs pictures [N, C, H, W] of at least 3 × 3 pixels, got [3, 3, 4]
    /// ```
    fn sharpness(x: Tensor) -> Tensor {
        let shape = x.size();
        if shape.len() != 4 || shape[1] == 0 || shape[2] < 3 || shape[3] < 3 {
            Err(Error::new(format!("sharpness needs pictures [N, C, H, W] of at least 3 × 3 pixels, got {shape:?}")))?;
        }
        let grey = x.f_mean_dim([1].as_slice(), false, Kind::Double)?;
        let at = |y: i64, x: i64| grey.f_narrow(1, y, shape[2] - 2)?.f_narrow(2, x, shape[3] - 2);
        let around = (at(0, 1)? + at(2, 1)?) + (at(1, 0)? + at(1, 2)?);
        let laplacian = around.f_sub(&at(1, 1)?.f_mul_scalar(4.0)?)?;
        laplacian.f_var_dim([1, 2].as_slice(), false, false)?.f_to_kind(Kind::Float)?
    }
}

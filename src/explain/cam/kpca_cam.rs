//! KPCA-CAM (Karmani et al. 2024, https://arxiv.org/abs/2410.00267).

use super::Rule;
use super::projection::{as_map, centred, largest};
use crate::core::Error;
use tch::Kind;

options! {
    /// Options of `cam::kpca_cam`.
    pub struct KpcaOptions {
        /// The kernel's scale; 1 / channels if left out.
        gamma: Option<f64> = None,
    }
}

/// The kernel matrix has an entry for every two places, and its spectrum costs the cube of their number.
const MOST_PLACES: i64 = 64 * 64;

cam! {
    /// KPCA-CAM: the activations' first kernel principal component.
    ///
    /// As `cam::eigen_cam`, but in the space of the kernel `tanh(γ · x·y + 1)`: what differs most need not lie on a
    /// line. The sign is the one with which the strongest place is positive, as scikit-learn's.
    /// ```rhai
    /// let net = nn::sequential([["conv", nn::conv2d(1, 4, 3)], ["act", nn::relu()], ["gap", nn::adaptive_avg_pool2d(1)],
    ///                           ["flat", nn::flatten()], ["fc", nn::linear(4, 3)]]);
    /// cam::kpca_cam(net, "act", tensor::ones([2, 1, 8, 8]), 1).shape // => [2, 8, 8]
    /// ```
    kpca_cam, KpcaOptions, |o| Rule::Still(&|act| {
        let rows = centred(act)?;
        let (places, channels) = (rows.size()[1], rows.size()[2]);
        if places > MOST_PLACES {
            return Err(Error::new(format!("kernel PCA of {places} places needs a matrix of {places} × {places}"))
                .hint("choose a deeper layer, or cam::eigen_cam"));
        }
        let gamma = o.gamma.unwrap_or(1.0 / channels as f64);
        let k = rows.f_matmul(&rows.f_transpose(1, 2)?)?.f_mul_scalar(gamma)?.f_add_scalar(1.0)?.f_tanh()?;
        let mean = |dims: &[i64]| k.f_mean_dim(dims, true, None::<Kind>);
        let k = k.f_sub(&mean(&[1])?)?.f_sub(&mean(&[2])?)?.f_add(&mean(&[1, 2])?)?;
        let (value, vector) = largest(&k)?;
        let strongest = vector.f_gather(1, &vector.f_abs()?.f_argmax(1, true)?, false)?;
        let map = vector.f_where_self(&strongest.f_ge(0.0)?, &vector.f_neg()?)?;
        as_map(&map.f_mul(&value.f_clamp_min(0.0)?.f_sqrt()?)?, act)
    })
}

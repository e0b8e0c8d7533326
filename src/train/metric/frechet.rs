//! How far apart are two sets of features?

use crate::core::{Error, Result};
use tch::{Kind, Tensor};

/// Mean [D] and covariance [D, D] of rows.
fn gaussian(name: &str, rows: &Tensor) -> Result<(Tensor, Tensor)> {
    let rows = rows.f_to_kind(Kind::Double)?;
    match rows.size()[..] {
        [n, d] if n > 1 && d > 0 => {}
        ref other => {
            return Err(Error::new(format!(
                "{name} must be features [N, D] of at least 2 pictures, got {other:?}"
            )));
        }
    }
    if !matches!(f64::try_from(rows.f_sum(Kind::Double)?), Ok(sum) if sum.is_finite()) {
        return Err(Error::new(format!("{name} holds values that are not finite")));
    }
    Ok((
        rows.f_mean_dim([0].as_slice(), false, Kind::Double)?,
        rows.f_transpose(0, 1)?.f_cov(1, None::<Tensor>, None::<Tensor>)?,
    ))
}

functions! {
    in "metrics";
    /// The Fréchet distance of two sets of features.
    ///
    /// Features are [N, D] and [M, D], each set is taken as a Gaussian: `|μ₁ − μ₂|² + tr(Σ₁ + Σ₂ − 2·(Σ₁·Σ₂)^½)` (Dowson and
    /// Landau 1982, equation 4; Heusel et al. 2017, equation 6). It is an FID only if the features are
    /// Inception's; say whose yours are. Few pictures make it larger: compare equal numbers.
    /// ```rhai
    /// let a = tensor::of([[0.0, 0.0], [2.0, 0.0], [0.0, 2.0], [2.0, 2.0]]);
    /// metrics::frechet_distance(a, a + 3) // ~> 18.0
    /// metrics::frechet_distance(a, a[0]) // error: the second must be features [N, D] of at least 2 pictures, got [2]
    /// ```
    fn frechet_distance(a: Tensor, b: Tensor) -> f64 {
        let ((m1, s1), (m2, s2)) = (gaussian("the first", &a)?, gaussian("the second", &b)?);
        if m1.size() != m2.size() {
            Err(Error::new(format!("features have {} and {} numbers a picture", m1.numel(), m2.numel())))?;
        }
        let (s1, s2, m2) = (s1.f_reshape([m1.numel() as i64, -1])?, s2.f_reshape([m1.numel() as i64, -1])?, m2.f_to_device(m1.device())?);
        // tr (Σ₁·Σ₂)^½ is that of the symmetric Σ₁^½·Σ₂·Σ₁^½, whose eigenvalues are real and not negative.
        let (values, vectors) = s1.f_linalg_eigh("L")?;
        let root = vectors.f_mul(&values.f_clamp_min(0.0)?.f_sqrt()?)?.f_matmul(&vectors.f_transpose(0, 1)?)?;
        let product = root.f_matmul(&s2.f_to_device(root.device())?)?.f_matmul(&root)?;
        let shared = product.f_linalg_eigvalsh("L")?.f_clamp_min(0.0)?.f_sqrt()?.f_sum(Kind::Double)?;
        let apart = m1.f_sub(&m2)?.f_square()?.f_sum(Kind::Double)?;
        let spread = s1.f_trace()?.f_add(&s2.f_trace()?.f_to_device(s1.device())?)?;
        apart.f_add(&spread)?.f_sub(&shared.f_mul_scalar(2.0)?)?.f_double_value(&[])?.max(0.0)
    }
}

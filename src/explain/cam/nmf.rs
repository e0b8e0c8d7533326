//! Non-negative matrix factorisation, from a fixed start: the same numbers every time.

use super::projection::largest_k;
use crate::core::{Result, interrupt};
use tch::{Kind, Tensor};

/// `x ≈ w · h`, all of them not negative.
pub struct Factors {
    /// [m, k]
    pub w: Tensor,
    /// [k, n]
    pub h: Tensor,
    /// Rounds taken.
    pub rounds: i64,
    /// `|x − w·h| / |x|`, Frobenius norms.
    pub error: f64,
}

/// Factors of `x` [m, n] (double, not negative) into `k` parts: hierarchical alternating least squares (Cichocki and
/// Phan, IEICE 2009) from NNDSVD's start, in the order of scikit-learn's coordinate descent without shuffling. It ends
/// when the projected gradient has fallen to `tolerance` of what it was in the first round, or after `rounds`.
///
/// # Errors
/// libtorch's.
pub fn factors(x: &Tensor, k: i64, rounds: i64, tolerance: f64) -> Result<Factors> {
    let (w, ht) = start(x, k)?;
    let (mut first, mut taken) = (None, 0);
    while taken < rounds {
        interrupt::check()?;
        taken += 1;
        let moved = sweep(&w, &x.f_matmul(&ht)?, &gram(&ht)?)?;
        let moved = moved + sweep(&ht, &x.f_tr()?.f_matmul(&w)?, &gram(&w)?)?;
        if moved <= tolerance * *first.get_or_insert(moved) {
            break;
        }
    }
    let h = ht.f_tr()?.f_contiguous()?;
    let norm =
        |t: &Tensor| -> Result<f64> { Ok(t.f_square()?.f_sum(Kind::Double)?.f_double_value(&[])?.sqrt()) };
    let error = norm(&x.f_sub(&w.f_matmul(&h)?)?)? / norm(x)?.max(f64::MIN_POSITIVE);
    Ok(Factors { w, h, rounds: taken, error })
}

/// The products of the columns with each other, [k, k].
fn gram(t: &Tensor) -> Result<Tensor> {
    Ok(t.f_tr()?.f_matmul(t)?)
}

/// One column of `w` after the other to its best value, the others held; gives the projected gradient's sum.
fn sweep(w: &Tensor, xh: &Tensor, hh: &Tensor) -> Result<f64> {
    let k = w.size()[1];
    let curvature = Vec::<f64>::try_from(hh.f_diag(0)?)?;
    let mut moved = Vec::new();
    for t in 0..k {
        let mut own = w.f_narrow(1, t, 1)?;
        let gradient = w.f_matmul(&hh.f_narrow(1, t, 1)?)?.f_sub(&xh.f_narrow(1, t, 1)?)?;
        let downhill = gradient.f_clamp_max(0.0)?;
        moved.push(downhill.f_where_self(&own.f_eq(0.0)?, &gradient)?.f_abs()?.f_sum(Kind::Double)?);
        if curvature[t as usize] != 0.0 {
            let next = own.f_sub(&gradient.f_div_scalar(curvature[t as usize])?)?.f_clamp_min(0.0)?;
            own.f_copy_(&next)?;
        }
    }
    Ok(Tensor::f_stack(&moved, 0)?.f_sum(Kind::Double)?.f_double_value(&[])?)
}

/// NNDSVD (Boutsidis and Gallopoulos, Pattern Recognition 2008): of every singular pair the half, positive or negative,
/// that weighs more. [m, k] and [n, k].
fn start(x: &Tensor, k: i64) -> Result<(Tensor, Tensor)> {
    let (u, s, v) = largest_k(x, k)?;
    let half = |t: &Tensor, sign: f64| t.f_mul_scalar(sign)?.f_clamp_min(0.0);
    let length = |t: &Tensor| t.f_square()?.f_sum_dim_intlist([0].as_slice(), true, None::<Kind>)?.f_sqrt();
    let weight = |sign: f64| -> Result<(Tensor, Tensor, Tensor)> {
        let (a, b) = (half(&u, sign)?, half(&v, sign)?);
        let (na, nb) = (length(&a)?.f_clamp_min(1e-300)?, length(&b)?.f_clamp_min(1e-300)?);
        let m = na.f_mul(&nb)?;
        let scale = s.f_unsqueeze(0)?.f_mul(&m)?.f_sqrt()?;
        Ok((a.f_div(&na)?.f_mul(&scale)?, b.f_div(&nb)?.f_mul(&scale)?, m))
    };
    let ((wp, hp, p), (wn, hn, n)) = (weight(1.0)?, weight(-1.0)?);
    let positive = p.f_gt_tensor(&n)?;
    let (w, h) = (wp.f_where_self(&positive, &wn)?, hp.f_where_self(&positive, &hn)?);
    // The first pair of a matrix without negative numbers has one sign.
    let root = s.f_narrow(0, 0, 1)?.f_sqrt()?;
    w.f_narrow(1, 0, 1)?.f_copy_(&u.f_narrow(1, 0, 1)?.f_abs()?.f_mul(&root)?)?;
    h.f_narrow(1, 0, 1)?.f_copy_(&v.f_narrow(1, 0, 1)?.f_abs()?.f_mul(&root)?)?;
    let cut = |t: &Tensor| t.f_where_self(&t.f_ge(1e-6)?, &t.f_zeros_like()?);
    Ok((cut(&w)?, cut(&h)?))
}

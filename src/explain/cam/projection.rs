//! The first principal component, for the methods that project onto it.

use crate::core::Result;
use tch::{Kind, Tensor};

/// The places of `shares` [N, C, h, w] as rows [N, h·w, C] in double precision, centred; NaN counts as 0.
///
/// # Errors
/// libtorch's.
pub fn centred(shares: &Tensor) -> Result<Tensor> {
    let rows = shares.f_nan_to_num(0.0, None, None)?.f_to_kind(Kind::Double)?;
    let rows = rows.f_flatten(2, -1)?.f_transpose(1, 2)?;
    Ok(rows.f_sub(&rows.f_mean_dim([1].as_slice(), true, None::<Kind>)?)?)
}

/// The eigenvector [N, m, 1] of the largest eigenvalue [N, 1, 1] of symmetric matrices [N, m, m].
///
/// # Errors
/// libtorch's: not finite.
pub fn largest(matrices: &Tensor) -> Result<(Tensor, Tensor)> {
    let (values, vectors) = matrices.f_linalg_eigh("L")?; // in ascending order
    Ok((values.f_narrow(1, -1, 1)?.f_unsqueeze(2)?, vectors.f_narrow(2, -1, 1)?))
}

/// `t` as a map [N, h, w] of the places of `shares`.
///
/// # Errors
/// libtorch's.
pub fn as_map(t: &Tensor, shares: &Tensor) -> Result<Tensor> {
    let s = shares.size();
    Ok(t.f_reshape([s[0], s[2], s[3]])?.f_to_kind(shares.kind())?)
}

/// What every place of `shares` [N, C, h, w] has of their first principal component: [N, h, w].
///
/// An eigenvector's sign is nobody's choice: here it is the one with which the map grows with the sum of the
/// channels, so what is bright is where the shares are large. Of the two symmetric matrices with the wanted
/// spectrum, C × C and h·w × h·w, the smaller is taken.
///
/// # Errors
/// libtorch's.
pub fn first_component(shares: &Tensor) -> Result<Tensor> {
    let rows = centred(shares)?;
    let turned = rows.f_transpose(1, 2)?;
    let (places, channels) = (rows.size()[1], rows.size()[2]);
    let map = match channels <= places {
        true => rows.f_matmul(&largest(&turned.f_matmul(&rows)?)?.1)?,
        false => {
            let (value, vector) = largest(&rows.f_matmul(&turned)?)?;
            vector.f_mul(&value.f_clamp_min(0.0)?.f_sqrt()?)?
        }
    };
    let along = rows.f_sum_dim_intlist([2].as_slice(), true, None::<Kind>)?.f_mul(&map)?;
    let along = along.f_sum_dim_intlist([1].as_slice(), true, None::<Kind>)?;
    as_map(&map.f_where_self(&along.f_ge(0.0)?, &map.f_neg()?)?, shares)
}

/// The `k` largest singular values [k] of `x` [m, n] in double precision, with their vectors [m, k] and [n, k]; of the
/// two symmetric matrices with their squares the smaller is taken.
///
/// # Errors
/// libtorch's: not finite.
pub fn largest_k(x: &Tensor, k: i64) -> Result<(Tensor, Tensor, Tensor)> {
    let (m, n) = (x.size()[0], x.size()[1]);
    let turned = x.f_tr()?;
    let (values, vectors) = match m <= n {
        true => x.f_matmul(&turned)?.f_linalg_eigh("L")?,
        false => turned.f_matmul(x)?.f_linalg_eigh("L")?,
    };
    let side = m.min(n);
    let s = values.f_narrow(0, side - k, k)?.f_flip([0])?.f_clamp_min(0.0)?.f_sqrt()?;
    let own = vectors.f_narrow(1, side - k, k)?.f_flip([1])?;
    let safe = s.f_clamp_min(1e-300)?;
    Ok(match m <= n {
        true => (own.shallow_clone(), s, turned.f_matmul(&own)?.f_div(&safe)?),
        false => (x.f_matmul(&own)?.f_div(&safe)?, s, own),
    })
}

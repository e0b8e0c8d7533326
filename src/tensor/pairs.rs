//! Functions of two tensors, element by element, with broadcasting. The other side may be a number.

use super::args::{Num, Operand};
use crate::core::value::FromValue;
use crate::core::{Error, Opts, Result, Value};
use tch::Tensor;

binary! {
    /// Sum, element by element; the operator `+`.
    add = f_add: "[1, 2]", "tensor([3, 4])" => "[4, 6]";
    /// Difference, element by element; the operator `-`.
    sub = f_sub: "[1, 2]", "0.5" => "[0.5000, 1.5000]";
    /// Product, element by element; the operator `*`.
    mul = f_mul: "[1, 2]", "3" => "[3, 6]";
    /// Quotient, element by element; the operator `/`.
    div = f_div: "[1, 2]", "4" => "[0.2500, 0.5000]";
    /// Every element to a power; the operator `**`.
    pow = f_pow: "[2.0, 3]", "2" => "[4., 9.]";
    /// Rest of a division, with the divisor's sign; the operator `%`.
    remainder = f_remainder_tensor: "[5, -5]", "3" => "[2, 1]";
    /// Rest of a division, with the dividend's sign.
    fmod = f_fmod_tensor: "[5, -5]", "3" => "[ 2, -2]";
    /// Quotient rounded down.
    floor_divide = f_floor_divide: "[5, -5]", "3" => "[ 1, -2]";
    /// The larger of the two, element by element.
    maximum = f_maximum: "[1, 5]", "tensor([3, 2])" => "[3, 5]";
    /// The smaller of the two, element by element.
    minimum = f_minimum: "[1, 5]", "3" => "[1, 3]";
    /// Angle of the point (other, x), in radians.
    atan2 = f_atan2: "[0.0, 1]", "1.0" => "[0.0000, 0.7854]";
    /// Length of the hypotenuse over two legs.
    hypot = f_hypot: "[3.0, 5]", "tensor([4.0, 12])" => "[ 5., 13.]";
    /// log(exp(x) + exp(other)), without overflow.
    logaddexp = f_logaddexp: "[0.0, 1000]", "0.0" => "[6.9315e-01, 1.0000e+03]";
    /// The size of `x` with the sign of `other`.
    copysign = f_copysign: "[1.0, 2]", "-1.0" => "[-1., -2.]";
    /// x · log(other), which is 0 where `x` is.
    xlogy = f_xlogy: "[0.0, 2]", "tensor([0.0, 1])" => "[0., 0.]";
    /// True where the two are equal; the operator `==`.
    eq = f_eq_tensor: "[1, 2]", "2" => "[False,  True]";
    /// True where the two differ; the operator `!=`.
    ne = f_ne_tensor: "[1, 2]", "2" => "[ True, False]";
    /// True where `x` is less; the operator `<`.
    lt = f_lt_tensor: "[1, 2]", "2" => "[ True, False]";
    /// True where `x` is less or equal; the operator `<=`.
    le = f_le_tensor: "[1, 2]", "2" => "[True, True]";
    /// True where `x` is greater; the operator `>`.
    gt = f_gt_tensor: "[1, 2]", "1" => "[False,  True]";
    /// True where `x` is greater or equal; the operator `>=`.
    ge = f_ge_tensor: "[1, 2]", "2" => "[False,  True]";
    /// True where both are not zero.
    logical_and = f_logical_and: "[0, 2]", "1" => "[False,  True]";
    /// True where one of the two is not zero.
    logical_or = f_logical_or: "[0, 2]", "0" => "[False,  True]";
    /// True where exactly one of the two is not zero.
    logical_xor = f_logical_xor: "[0, 2]", "1" => "[ True, False]";
    /// Bits that both have; the operator `&`.
    bitwise_and = f_bitwise_and_tensor: "[5, 6]", "3" => "[1, 2]";
    /// Bits that one of the two has; the operator `|`.
    bitwise_or = f_bitwise_or_tensor: "[5, 6]", "3" => "[7, 7]";
    /// Bits that exactly one of the two has; the operator `^`.
    bitwise_xor = f_bitwise_xor_tensor: "[5, 6]", "3" => "[6, 5]";
}

options! {
    /// How near is close: `|a - b| <= atol + rtol · |b|`.
    pub struct CloseOptions {
        /// Tolerance relative to the other value.
        rtol: f64 = 1e-5,
        /// Absolute tolerance.
        atol: f64 = 1e-8,
        /// NaN is close to NaN.
        equal_nan: bool = false,
    }
}

/// Tolerances written one by one or as options.
fn tolerances(rtol: Option<Value>, atol: Option<f64>) -> Result<CloseOptions> {
    match rtol {
        Some(v @ Value::Map(_)) => Ok(Opts::from_value(&v)?.0),
        rtol => {
            let preset = CloseOptions::default();
            let rtol = rtol.map(|v| f64::from_value(&v)).transpose()?;
            Ok(CloseOptions {
                rtol: rtol.unwrap_or(preset.rtol),
                atol: atol.unwrap_or(preset.atol),
                ..preset
            })
        }
    }
}

/// The two in a kind that holds both: 1 is not 1.9.
fn alike(x: &Tensor, y: &Tensor) -> Result<(Tensor, Tensor)> {
    let kind = match (x.f_kind()?, y.f_kind()?) {
        (a, b) if a == b => a,
        (a, b) => {
            let one = |kind| Tensor::f_zeros([1], (kind, tch::Device::Cpu));
            one(a)?.f_add(&one(b)?)?.f_kind()?
        }
    };
    Ok((x.f_to_kind(kind)?, y.f_to_kind(kind)?))
}

functions! {
    on "Tensor";
    /// True where the two differ by at most `atol + rtol · |other|`.
    ///
    /// `rtol` is 1e-5 and `atol` 1e-8 unless given; `#{rtol, atol, equal_nan}` names them.
    /// ```rhai
    /// tensor([1.0, 2]).isclose(tensor([1.0, 2.1]), 0.01) // => tensor([ True, False])
    /// ```
    fn isclose(x: Tensor, other: Operand, rtol: Option<Value>, atol: Option<f64>) -> Tensor {
        let o = tolerances(rtol, atol)?;
        let (x, other) = alike(&x, &other.like(&x)?)?;
        x.f_isclose(&other, o.rtol, o.atol, o.equal_nan)?
    }

    /// True when all elements differ by at most `atol + rtol · |other|`.
    ///
    /// `rtol` is 1e-5 and `atol` 1e-8 unless given; `#{rtol, atol, equal_nan}` names them.
    /// ```rhai
    /// tensor([1.0, 2]).allclose(tensor([1.0, 2.001]), 1e-2) // => true
    /// tensor([1.0, 2]).allclose(tensor([1.0, 2.1])) // => false
    /// ```
    fn allclose(x: Tensor, other: Operand, rtol: Option<Value>, atol: Option<f64>) -> bool {
        let o = tolerances(rtol, atol)?;
        let (x, other) = alike(&x, &other.like(&x)?)?;
        x.f_allclose(&other, o.rtol, o.atol, o.equal_nan)?
    }

    /// True when the two have one shape and equal elements.
    /// ```rhai
    /// tensor([1, 2]).equal(tensor([1, 2])) // => true
    /// tensor([1, 2]).equal(tensor([1])) // => false
    /// ```
    fn equal(x: Tensor, other: Tensor) -> bool {
        let (x, other) = alike(&x, &other.f_to(x.device())?)?;
        x.size() == other.size() && x.f_equal(&other)?
    }

    /// True where an element is one of `values`.
    /// ```rhai
    /// tensor([1, 2, 3]).isin(tensor([3, 1])) // => tensor([ True, False,  True])
    /// ```
    fn isin(x: Tensor, values: Tensor) -> Tensor { Tensor::f_isin(&x, &values, false, false)? }

    /// Length of the difference of two tensors, in the norm of order `p` (2).
    /// ```rhai
    /// tensor([0.0, 0]).dist(tensor([3.0, 4])) // => tensor(5.)
    /// ```
    fn dist(x: Tensor, other: Tensor, p: Option<Num>) -> Tensor {
        let p = p.map_or(2.0, Num::float);
        if p.is_nan() {
            return Err(Error::new("the order of a norm must be a number, got NaN"));
        }
        x.f_sub(&other)?.f_norm_scalaropt_dim(p, &[][..], false)?
    }
}

//! Functions of every element.

use super::args::{Num, Operand};
use crate::core::Error;
use tch::Tensor;

unary! {
    /// Absolute value of every element.
    abs = f_abs: "[-1.5, 2]" => "[1.5000, 2.0000]";
    /// Every element with the other sign.
    neg = f_neg: "[1, -2]" => "[-1,  2]";
    /// -1, 0 or 1 by the sign of every element.
    sign = f_sign: "[-1.5, 0, 2]" => "[-1.,  0.,  1.]";
    /// The smallest integer not below every element.
    ceil = f_ceil: "[1.2, -1.2]" => "[ 2., -1.]";
    /// The largest integer not above every element.
    floor = f_floor: "[1.2, -1.2]" => "[ 1., -2.]";
    /// Every element without its fraction.
    trunc = f_trunc: "[1.7, -1.7]" => "[ 1., -1.]";
    /// The fraction of every element, with its sign.
    frac = f_frac: "[1.75, -1.75]" => "[ 0.7500, -0.7500]";
    /// e to the power of every element.
    exp = f_exp: "[0.0, 1]" => "[1.0000, 2.7183]";
    /// 2 to the power of every element.
    exp2 = f_exp2: "[0.0, 3]" => "[1., 8.]";
    /// e to the power of every element, minus one; exact near zero.
    expm1 = f_expm1: "[0.0, 1]" => "[0.0000, 1.7183]";
    /// Natural logarithm of every element.
    log = f_log: "[1.0, 10]" => "[0.0000, 2.3026]";
    /// Logarithm to base 2 of every element.
    log2 = f_log2: "[1.0, 8]" => "[0., 3.]";
    /// Logarithm to base 10 of every element.
    log10 = f_log10: "[1.0, 100]" => "[0., 2.]";
    /// Natural logarithm of one plus every element; exact near zero.
    log1p = f_log1p: "[0.0, 1]" => "[0.0000, 0.6931]";
    /// Square root of every element; NaN below zero.
    sqrt = f_sqrt: "[4.0, 2, -1]" => "[2.0000, 1.4142,    nan]";
    /// One by the square root of every element.
    rsqrt = f_rsqrt: "[4.0, 2]" => "[0.5000, 0.7071]";
    /// Square of every element.
    square = f_square: "[3, -2]" => "[9, 4]";
    /// One by every element.
    reciprocal = f_reciprocal: "[4.0, -2]" => "[ 0.2500, -0.5000]";
    /// Sine of every element, in radians.
    sin = f_sin: "[0.0, 1]" => "[0.0000, 0.8415]";
    /// Cosine of every element, in radians.
    cos = f_cos: "[0.0, 1]" => "[1.0000, 0.5403]";
    /// Tangent of every element, in radians.
    tan = f_tan: "[0.0, 1]" => "[0.0000, 1.5574]";
    /// Angle whose sine is given, in radians.
    asin = f_asin: "[0.0, 1]" => "[0.0000, 1.5708]";
    /// Angle whose cosine is given, in radians.
    acos = f_acos: "[0.0, 1]" => "[1.5708, 0.0000]";
    /// Angle whose tangent is given, in radians.
    atan = f_atan: "[0.0, 1]" => "[0.0000, 0.7854]";
    /// Hyperbolic sine of every element.
    sinh = f_sinh: "[0.0, 1]" => "[0.0000, 1.1752]";
    /// Hyperbolic cosine of every element.
    cosh = f_cosh: "[0.0, 1]" => "[1.0000, 1.5431]";
    /// Hyperbolic tangent of every element, in (-1, 1).
    tanh = f_tanh: "[0.0, 1]" => "[0.0000, 0.7616]";
    /// Inverse hyperbolic sine of every element.
    asinh = f_asinh: "[0.0, 1]" => "[0.0000, 0.8814]";
    /// Inverse hyperbolic cosine of every element.
    acosh = f_acosh: "[1.0, 2]" => "[0.0000, 1.3170]";
    /// Inverse hyperbolic tangent of every element.
    atanh = f_atanh: "[0.0, 0.5]" => "[0.0000, 0.5493]";
    /// sin(πx) / (πx) of every element, 1 at zero.
    sinc = f_sinc: "[0.0, 0.5]" => "[1.0000, 0.6366]";
    /// The error function of every element.
    erf = f_erf: "[0.0, 1]" => "[0.0000, 0.8427]";
    /// One minus the error function of every element.
    erfc = f_erfc: "[0.0, 1]" => "[1.0000, 0.1573]";
    /// The inverse of the error function of every element.
    erfinv = f_erfinv: "[0.0, 0.5]" => "[0.0000, 0.4769]";
    /// Logarithm of the gamma function of every element.
    lgamma = f_lgamma: "[1.0, 5]" => "[0.0000, 3.1781]";
    /// Derivative of `lgamma` of every element.
    digamma = f_digamma: "[1.0, 5]" => "[-0.5772,  1.5061]";
    /// Degrees as radians.
    deg2rad = f_deg2rad: "[0.0, 180]" => "[0.0000, 3.1416]";
    /// Radians as degrees.
    rad2deg = f_rad2deg: "[0.0, 1]" => "[ 0.0000, 57.2958]";
    /// True where an element is not a number.
    isnan = f_isnan: "[1.0, 2]" => "[False, False]";
    /// True where an element is infinite.
    isinf = f_isinf: "[1.0, 2]" => "[False, False]";
    /// True where an element is neither infinite nor NaN.
    isfinite = f_isfinite: "[1.0, 2]" => "[True, True]";
    /// True where an element is negative.
    signbit = f_signbit: "[1.0, -2]" => "[False,  True]";
    /// True where an element is zero or false.
    logical_not = f_logical_not: "[0, 2]" => "[ True, False]";
    /// Every bit turned over; for bools, the other truth value.
    bitwise_not = f_bitwise_not: "[true, false]" => "[False,  True]";
}

functions! {
    on "Tensor";
    /// Every element rounded to the nearest integer (halves to even) or to decimals.
    /// ```rhai
    /// tensor([0.5, 1.5, -2.7]).round() // => tensor([ 0.,  2., -3.])
    /// tensor([3.14159]).round(2) // => tensor([3.1400])
    /// ```
    fn round(x: Tensor, decimals: Option<i64>) -> Tensor {
        match decimals {
            Some(d) => x.f_round_decimals(d)?,
            None => x.f_round()?,
        }
    }

    /// Every element held between two bounds; `()` leaves a side open.
    /// ```rhai
    /// tensor([-2, 0, 5]).clamp(-1, 3) // => tensor([-1,  0,  3])
    /// tensor([-2, 0, 5]).clamp((), 3) // => tensor([-2,  0,  3])
    /// ```
    fn clamp(x: Tensor, min: Option<Operand>, max: Option<Operand>) -> Tensor {
        if min.is_none() && max.is_none() {
            return Err(Error::new("expected a lower or an upper bound"));
        }
        let bound = |b: Option<Operand>| b.map(|b| b.like(&x)).transpose();
        x.f_clamp_tensor(bound(min)?, bound(max)?)?
    }

    /// Every element, but not below `min`.
    /// ```rhai
    /// tensor([-2, 5]).clamp_min(0) // => tensor([0, 5])
    /// ```
    fn clamp_min(x: Tensor, min: Operand) -> Tensor { x.f_clamp_min_tensor(&min.like(&x)?)? }

    /// Every element, but not above `max`.
    /// ```rhai
    /// tensor([-2, 5]).clamp_max(3) // => tensor([-2,  3])
    /// ```
    fn clamp_max(x: Tensor, max: Operand) -> Tensor { x.f_clamp_max_tensor(&max.like(&x)?)? }

    /// Numbers in place of NaN (0) and of the two infinities (the largest numbers).
    /// ```rhai
    /// tensor([tensor::nan(), 2, tensor::inf()]).nan_to_num(0, 9) // => tensor([0., 2., 9.])
    /// ```
    fn nan_to_num(x: Tensor, nan: Option<f64>, posinf: Option<f64>, neginf: Option<f64>) -> Tensor {
        x.f_nan_to_num(nan, posinf, neginf)?
    }

    /// The logit log(p / (1 - p)) of every element; `eps` keeps p away from 0 and 1.
    /// ```rhai
    /// tensor([0.5, 0.9]).logit() // => tensor([0.0000, 2.1972])
    /// ```
    fn logit(x: Tensor, eps: Option<f64>) -> Tensor { x.f_logit(eps)? }

    /// The point between `x` (weight 0) and `end` (weight 1).
    /// ```rhai
    /// tensor([0.0, 10]).lerp(tensor([10.0, 20]), 0.25) // => tensor([ 2.5000, 12.5000])
    /// ```
    fn lerp(x: Tensor, end: Tensor, weight: Operand) -> Tensor {
        match weight {
            Operand::Num(w) => x.f_lerp(&end, w.scalar())?,
            Operand::Tensor(w) => x.f_lerp_tensor(&end, &w)?,
        }
    }

    /// x + value · a · b, element by element; `value` is 1 unless given.
    /// ```rhai
    /// tensor([1.0]).addcmul(tensor([2.0]), tensor([3.0]), 0.5) // => tensor([4.])
    /// ```
    fn addcmul(x: Tensor, a: Tensor, b: Tensor, value: Option<Num>) -> Tensor {
        match value {
            Some(v) => x.f_add(&a.f_mul(&b)?.f_mul_scalar(v.scalar())?)?,
            None => x.f_addcmul(&a, &b)?,
        }
    }

    /// x + value · a / b, element by element; `value` is 1 unless given.
    /// ```rhai
    /// tensor([1.0]).addcdiv(tensor([6.0]), tensor([3.0]), 0.5) // => tensor([2.])
    /// ```
    fn addcdiv(x: Tensor, a: Tensor, b: Tensor, value: Option<Num>) -> Tensor {
        match value {
            Some(v) => x.f_add(&a.f_div(&b)?.f_mul_scalar(v.scalar())?)?,
            None => x.f_addcdiv(&a, &b)?,
        }
    }
}

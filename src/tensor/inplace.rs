//! Changes in place: every handle of the tensor, and every view of it, sees them.

use super::args::Operand;
use tch::{Kind, Tensor};

/// Declares methods that change the tensor and give it back, one row each.
macro_rules! changes {
    ($($(#[doc = $doc:literal])* $name:ident($other:ident) = $f:ident: $input:literal, $arg:literal => $out:literal;)*) => {$(
        function!("Tensor", Method, stringify!($name), [
            $($doc,)* " ```rhai", concat!(" let x = tensor(", $input, ");"),
            concat!(" x.", stringify!($name), "(", $arg, ");"), concat!(" x // => tensor(", $out, ")"), " ```"
        ], [x: Tensor, $other: Operand], [Tensor], {
            let $other = $other.like(&x)?;
            let mut x = x;
            x.$f(&$other)?
        });
    )*};
}

changes! {
    /// Adds a tensor or number in place.
    add_(other) = f_add_: "[1, 2]", "3" => "[4, 5]";
    /// Subtracts a tensor or number in place.
    sub_(other) = f_sub_: "[1, 2]", "3" => "[-2, -1]";
    /// Multiplies by a tensor or number in place.
    mul_(other) = f_mul_: "[1, 2]", "3" => "[3, 6]";
    /// Divides by a tensor or number in place.
    div_(other) = f_div_: "[1.0, 2]", "2" => "[0.5000, 1.0000]";
    /// Raises to a power in place.
    pow_(exponent) = f_pow_tensor_: "[2, 3]", "2" => "[4, 9]";
    /// Fills with one number in place.
    fill_(value) = f_fill_tensor_: "[1, 2]", "7" => "[7, 7]";
    /// Raises to at least `min` in place.
    clamp_min_(min) = f_clamp_min_tensor_: "[-1, 2]", "0" => "[0, 2]";
    /// Lowers to at most `max` in place.
    clamp_max_(max) = f_clamp_max_tensor_: "[-1, 2]", "0" => "[-1,  0]";
}

functions! {
    on "Tensor";
    /// Fills the tensor with zeros in place.
    /// ```rhai
    /// let x = tensor([1, 2]);
    /// x.zero_();
    /// x // => tensor([0, 0])
    /// ```
    fn zero_(x: Tensor) -> Tensor {
        let mut x = x;
        x.f_zero_()?
    }

    /// Takes over the elements of another tensor in place, with broadcasting.
    /// ```rhai
    /// let x = tensor([1, 2]);
    /// x.copy_(tensor([7]));
    /// x // => tensor([7, 7])
    /// ```
    fn copy_(x: Tensor, source: Tensor) -> Tensor {
        let mut x = x;
        x.f_copy_(&source)?;
        x
    }

    /// Holds every element between two bounds in place; `()` leaves a side open.
    /// ```rhai
    /// let x = tensor([-2, 0, 5]);
    /// x.clamp_(-1, 3);
    /// x // => tensor([-1,  0,  3])
    /// ```
    fn clamp_(x: Tensor, min: Option<Operand>, max: Option<Operand>) -> Tensor {
        let mut x = x;
        let bound = |b: Option<Operand>| b.map(|b| b.like(&x)).transpose();
        let (min, max) = (bound(min)?, bound(max)?);
        x.f_clamp_tensor_(min, max)?
    }

    /// Writes one number where the mask is true, in place.
    /// ```rhai
    /// let x = tensor([1, 2]);
    /// x.masked_fill_(x > 1, 0);
    /// x // => tensor([1, 0])
    /// ```
    fn masked_fill_(x: Tensor, mask: Tensor, value: Operand) -> Tensor {
        let mut x = x;
        let mask = mask.f_to_kind(Kind::Bool)?;
        match value {
            Operand::Tensor(t) => x.f_masked_fill_tensor_(&mask, &t)?,
            Operand::Num(n) => x.f_masked_fill_(&mask, n.scalar())?,
        }
    }

    /// A copy of the tensor with elements of its own.
    /// ```rhai
    /// let x = tensor([1, 2]);
    /// let y = x.clone();
    /// y.zero_();
    /// x // => tensor([1, 2])
    /// ```
    fn clone(x: Tensor) -> Tensor { x.f_to_dtype(x.f_kind()?, false, true)? }
}

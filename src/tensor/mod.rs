//! The language's tensors: creation, operations, indexing, printing. Names and meaning are PyTorch's.

/// Declares methods of a tensor alone, one row each: words, `name = torch function`, an input and what the
/// method makes of it (from which the example is written).
macro_rules! unary {
    ($($(#[doc = $doc:literal])* $name:ident = $f:ident: $input:literal => $out:literal;)*) => {$(
        function!("Tensor", Method, stringify!($name), [
            $($doc,)* " ```rhai",
            concat!(" tensor(", $input, ").", stringify!($name), "() // => tensor(", $out, ")"), " ```"
        ], [x: Tensor], [Tensor], { x.$f()? });
    )*};
}

/// Declares methods of a tensor and a tensor or number, one row each, as [`unary!`] does.
macro_rules! binary {
    ($($(#[doc = $doc:literal])* $name:ident = $f:ident: $input:literal, $other:literal => $out:literal;)*) => {$(
        function!("Tensor", Method, stringify!($name), [
            $($doc,)* " ```rhai",
            concat!(" tensor(", $input, ").", stringify!($name), "(", $other, ") // => tensor(", $out, ")"), " ```"
        ], [x: Tensor, other: Operand], [Tensor], { x.$f(&other.like(&x)?)? });
    )*};
}

/// Declares methods that take sizes as a list or one by one, `x.view([2, 3])` or `x.view(2, 3)`.
macro_rules! sizes {
    ($($(#[doc = $doc:literal])* $name:ident($sizes:ident) => |$x:ident| $body:expr;)*) => {$(
        function!("Tensor", Method, stringify!($name), [$($doc),*], [
            x: Tensor, $sizes: Dims, second: Option<i64>, third: Option<i64>, fourth: Option<i64>,
            fifth: Option<i64>, sixth: Option<i64>
        ], [Tensor], {
            let $x = x;
            let $sizes: Vec<i64> =
                $sizes.0.into_iter().chain([second, third, fourth, fifth, sixth].into_iter().flatten()).collect();
            $body
        });
    )*};
}

pub mod activation;
pub mod args;
pub mod autograd;
pub mod check;
pub mod combine;
pub mod convert;
pub mod create;
pub mod dtype;
pub mod elementwise;
pub mod functional;
pub mod index;
pub mod info;
pub mod inplace;
pub mod io;
pub mod linalg;
pub mod order;
pub mod pairs;
pub mod parts;
pub mod pick;
pub mod print;
pub mod random;
pub mod reduce;
pub mod shape;
pub mod tape;

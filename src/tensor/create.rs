//! Making tensors.

use super::args::{Dims, Num, trailing};
use super::convert;
use super::dtype::{DeviceName, Dtype};
use crate::core::options::Opts;
use crate::core::value::FromValue;
use crate::core::{Result, Value, device};
use tch::{Device, Kind, TchError, Tensor};

options! {
    /// Options of every function that makes a tensor.
    pub struct TensorOptions {
        /// Type of the elements: `float32`, `float64`, `float16`, `int64`, `uint8`, `bool` …
        dtype: Option<Dtype> = None,
        /// Where the tensor lives: `cpu`, `cuda`, `cuda:1`.
        device: Option<DeviceName> = None,
        /// Record what is done with the tensor, for `backward()`.
        requires_grad: bool = false,
    }
}

options! {
    /// What else a logarithmic spacing can be told.
    pub struct LogOptions {
        /// The base of the powers.
        base: f64 = 10.0,
    }
}

impl TensorOptions {
    /// Builds a tensor with these options; `kind` and the current device where they do not say.
    ///
    /// # Errors
    /// libtorch's, or a gradient asked of integers.
    pub fn make(
        &self,
        kind: Kind,
        build: impl FnOnce((Kind, Device)) -> Result<Tensor, TchError>,
    ) -> Result<Tensor> {
        self.finish(build((self.dtype.map_or(kind, |d| d.0), self.place()))?)
    }

    /// The same for something shaped like `x`: its dtype and device where the options do not say.
    ///
    /// # Errors
    /// As for [`Self::make`].
    pub fn like(
        &self,
        x: &Tensor,
        build: impl FnOnce((Kind, Device)) -> Result<Tensor, TchError>,
    ) -> Result<Tensor> {
        let kind = self.dtype.map_or(x.f_kind()?, |d| d.0);
        self.finish(build((kind, self.device.map_or(x.device(), |d| d.0)))?)
    }

    /// The device the options ask for, or the current one.
    pub fn place(&self) -> Device {
        self.device.map_or_else(device::current, |d| d.0)
    }

    fn finish(&self, mut t: Tensor) -> Result<Tensor> {
        if self.requires_grad {
            let _ = t.f_requires_grad_(true)?;
        }
        Ok(t)
    }
}

/// A tensor of script data, with these options.
///
/// # Errors
/// Data that is no nested list of numbers.
pub fn of(data: &Value, options: &TensorOptions) -> Result<Tensor> {
    let t = convert::from_value(data, options.dtype.map_or(Kind::Float, |d| d.0))?;
    options.make(t.f_kind()?, |(kind, device)| t.f_to_kind(kind)?.f_to(device))
}

fn numbers(args: &[Value]) -> Result<(Vec<Num>, bool)> {
    let n = args.iter().map(Num::from_value).collect::<Result<Vec<_>>>()?;
    let whole = n.iter().all(|n| matches!(n, Num::Int(_)));
    Ok((n, whole))
}

functions! {
    in "";
    /// A tensor of the numbers in nested lists, as PyTorch's `torch.tensor`.
    ///
    /// Integers give `int64`, other numbers `float32`, bools `bool`. Tensors have the operators
    /// `+ - * / % ** == != < <= > >= & | ^ !` with broadcasting; `x += y` binds `x` to a new tensor. Index with
    /// `x[0]`, `x[-1]`, `x[1..3]`, `x[mask]`, several axes as a list `x[[0, .., 1..3]]`, a new axis as `()`, and
    /// indices along an axis as a list of its own, `x[[[0, 2], ..]]`; assignment works for each.
    /// ```rhai
    /// tensor([[1, 2.5], [3, 4]]) // => tensor([[1.0000, 2.5000],
    ///                            //            [3.0000, 4.0000]])
    /// (tensor([[1, 2], [3, 4]]) * 2)[[.., 1]] // => tensor([4, 8])
    /// tensor([1, 2], #{dtype: "float64"}) // => tensor([1., 2.], dtype=torch.float64)
    /// tensor([[1, 2], [3]]) // error: ragged list: item [1] has 1 items, expected 2 as in the first
    /// ```
    fn tensor(data: Value, options: Opts<TensorOptions>) -> Tensor { of(&data, &options.0)? }

    in "tensor";
    /// A tensor of the numbers in nested lists; the same as `tensor(…)`.
    /// ```rhai
    /// tensor::of([1, 2, 3]) // => tensor([1, 2, 3])
    /// ```
    fn of(data: Value, options: Opts<TensorOptions>) -> Tensor { of(&data, &options.0)? }

    /// A tensor of zeros.
    /// ```rhai
    /// tensor::zeros([2, 3]) // => tensor([[0., 0., 0.],
    ///                       //            [0., 0., 0.]])
    /// ```
    fn zeros(shape: Dims, options: Opts<TensorOptions>) -> Tensor {
        options.0.make(Kind::Float, |o| Tensor::f_zeros(shape.0, o))?
    }

    /// A tensor of ones.
    /// ```rhai
    /// tensor::ones(3, #{dtype: "int64"}) // => tensor([1, 1, 1])
    /// ```
    fn ones(shape: Dims, options: Opts<TensorOptions>) -> Tensor {
        options.0.make(Kind::Float, |o| Tensor::f_ones(shape.0, o))?
    }

    /// A tensor filled with one value, whose type decides the dtype.
    /// ```rhai
    /// tensor::full([2], 0.5) // => tensor([0.5000, 0.5000])
    /// ```
    fn full(shape: Dims, value: Num, options: Opts<TensorOptions>) -> Tensor {
        options.0.make(value.kind(), |o| Tensor::f_full(shape.0, value.scalar(), o))?
    }

    /// Zeros in the shape, dtype and device of another tensor.
    /// ```rhai
    /// tensor::zeros_like(tensor([1, 2])) // => tensor([0, 0])
    /// ```
    fn zeros_like(x: Tensor, options: Opts<TensorOptions>) -> Tensor {
        options.0.like(&x, |o| Tensor::f_zeros(x.size(), o))?
    }

    /// Ones in the shape, dtype and device of another tensor.
    /// ```rhai
    /// tensor::ones_like(tensor([1.5, 2])) // => tensor([1., 1.])
    /// ```
    fn ones_like(x: Tensor, options: Opts<TensorOptions>) -> Tensor {
        options.0.like(&x, |o| Tensor::f_ones(x.size(), o))?
    }

    /// One value in the shape, dtype and device of another tensor.
    /// ```rhai
    /// tensor::full_like(tensor([1.5, 2]), 7) // => tensor([7., 7.])
    /// ```
    fn full_like(x: Tensor, value: Num, options: Opts<TensorOptions>) -> Tensor {
        options.0.like(&x, |o| Tensor::f_full(x.size(), value.scalar(), o))?
    }

    /// The identity matrix of `n` rows, and of `m` columns where given.
    /// ```rhai
    /// tensor::eye(2) // => tensor([[1., 0.],
    ///                //            [0., 1.]])
    /// tensor::eye(2, 3).shape // => [2, 3]
    /// ```
    fn eye(n: i64, m: Option<Value>, options: Opts<TensorOptions>) -> Tensor {
        let (rest, options) = trailing(vec![m.unwrap_or_default()], options)?;
        let m = rest.first().map_or(Ok(n), i64::from_value)?;
        options.make(Kind::Float, |o| Tensor::f_eye_m(n, m, o))?
    }

    /// Numbers from `start` (0) up to but without `end`, `step` (1) apart.
    ///
    /// `arange(end)`, `arange(start, end)` or `arange(start, end, step)`; integers give `int64`.
    /// ```rhai
    /// tensor::arange(4) // => tensor([0, 1, 2, 3])
    /// tensor::arange(1, 2, 0.25) // => tensor([1.0000, 1.2500, 1.5000, 1.7500])
    /// ```
    fn arange(start: Num, end: Option<Value>, step: Option<Value>, options: Opts<TensorOptions>) -> Tensor {
        let (rest, options) = trailing(vec![end.unwrap_or_default(), step.unwrap_or_default()], options)?;
        let (rest, whole) = numbers(&rest)?;
        let (from, to, step) = match rest[..] {
            [] => (Num::Int(0), start, Num::Int(1)),
            [end] => (start, end, Num::Int(1)),
            _ => (start, rest[0], rest[1]),
        };
        let kind = if whole && matches!(start, Num::Int(_)) { Kind::Int64 } else { Kind::Float };
        options.make(kind, |o| Tensor::f_arange_start_step(from.scalar(), to.scalar(), step.scalar(), o))?
    }

    /// `steps` numbers evenly spaced from `start` to `end`, both included.
    /// ```rhai
    /// tensor::linspace(0, 1, 5) // => tensor([0.0000, 0.2500, 0.5000, 0.7500, 1.0000])
    /// ```
    fn linspace(start: f64, end: f64, steps: i64, options: Opts<TensorOptions>) -> Tensor {
        options.0.make(Kind::Float, |o| Tensor::f_linspace(start, end, steps, o))?
    }

    /// `steps` powers of ten with exponents evenly spaced from `start` to `end`.
    /// ```rhai
    /// tensor::logspace(0, 2, 3) // => tensor([  1.,  10., 100.])
    /// tensor::logspace(0, 3, 4, #{base: 2}) // => tensor([1., 2., 4., 8.])
    /// ```
    fn logspace(start: f64, end: f64, steps: i64, options: Opts<(TensorOptions, LogOptions)>) -> Tensor {
        let (options, log) = options.0;
        options.make(Kind::Float, |o| Tensor::f_logspace(start, end, steps, log.base, o))?
    }

    /// Row and column numbers of the lower triangle of a matrix, `[2, N]`.
    /// ```rhai
    /// tensor::tril_indices(2, 2) // => tensor([[0, 1, 1],
    ///                            //            [0, 0, 1]])
    /// ```
    fn tril_indices(rows: i64, cols: i64, offset: Option<i64>) -> Tensor {
        Tensor::f_tril_indices(rows, cols, offset.unwrap_or(0), (Kind::Int64, device::current()))?
    }

    /// Row and column numbers of the upper triangle of a matrix, `[2, N]`.
    /// ```rhai
    /// tensor::triu_indices(2, 2) // => tensor([[0, 0, 1],
    ///                            //            [0, 1, 1]])
    /// ```
    fn triu_indices(rows: i64, cols: i64, offset: Option<i64>) -> Tensor {
        Tensor::f_triu_indices(rows, cols, offset.unwrap_or(0), (Kind::Int64, device::current()))?
    }

    /// Each class number as a row of zeros with a one at its place.
    ///
    /// The number of classes is one more than the largest unless given. The result is `int64`.
    /// ```rhai
    /// tensor::one_hot(tensor([0, 2])) // => tensor([[1, 0, 0],
    ///                                 //            [0, 0, 1]])
    /// ```
    fn one_hot(x: Tensor, num_classes: Option<i64>) -> Tensor {
        x.f_one_hot(num_classes.unwrap_or(-1))?
    }

    /// Infinity, as a number.
    /// ```rhai
    /// tensor([1.0, 2]).masked_fill(tensor([true, false]), -tensor::inf()) // => tensor([-inf, 2.])
    /// ```
    fn inf() -> f64 { f64::INFINITY }

    /// Not a number, as a number.
    /// ```rhai
    /// tensor([tensor::nan(), 1]).isnan() // => tensor([ True, False])
    /// ```
    fn nan() -> f64 { f64::NAN }

    on "Tensor";
    /// Zeros of this dtype and device in another shape.
    /// ```rhai
    /// tensor([1, 2]).new_zeros([3]) // => tensor([0, 0, 0])
    /// ```
    fn new_zeros(x: Tensor, shape: Dims, options: Opts<TensorOptions>) -> Tensor {
        options.0.like(&x, |o| Tensor::f_zeros(shape.0, o))?
    }

    /// Ones of this dtype and device in another shape.
    /// ```rhai
    /// tensor([1, 2]).new_ones([3]) // => tensor([1, 1, 1])
    /// ```
    fn new_ones(x: Tensor, shape: Dims, options: Opts<TensorOptions>) -> Tensor {
        options.0.like(&x, |o| Tensor::f_ones(shape.0, o))?
    }

    /// One value of this dtype and device in another shape.
    /// ```rhai
    /// tensor([1.5, 2]).new_full([3], 4) // => tensor([4., 4., 4.])
    /// ```
    fn new_full(x: Tensor, shape: Dims, value: Num, options: Opts<TensorOptions>) -> Tensor {
        options.0.like(&x, |o| Tensor::f_full(shape.0, value.scalar(), o))?
    }

    /// A tensor of numbers in nested lists, with this tensor's dtype and device.
    /// ```rhai
    /// tensor([1.5, 2]).new_tensor([3, 4]) // => tensor([3., 4.])
    /// ```
    fn new_tensor(x: Tensor, data: Value, options: Opts<TensorOptions>) -> Tensor {
        let made = convert::from_value(&data, Kind::Double)?;
        options.0.like(&x, |(kind, device)| made.f_to_kind(kind)?.f_to(device))?
    }
}

//! What a tensor is: shape, number of elements.

use super::dtype::name;
use crate::core::Value;
use crate::core::value::IntoValue;
use tch::Tensor;

functions! {
    on "Tensor";
    /// The size of every axis, or of one.
    /// ```rhai
    /// tensor::zeros([2, 3]).size() // => [2, 3]
    /// tensor::zeros([2, 3]).size(-1) // => 3
    /// ```
    fn size(x: Tensor, dim: Option<i64>) -> Value {
        let shape = x.size();
        match dim {
            None => shape.into_value(),
            Some(d) => Value::Int(shape[super::index::axis(d, shape.len())?]),
        }
    }

    /// The number of elements.
    /// ```rhai
    /// tensor::zeros([2, 3]).numel() // => 6
    /// ```
    fn numel(x: Tensor) -> usize { x.numel() }

    /// The number of axes.
    /// ```rhai
    /// tensor::zeros([2, 3]).dim() // => 2
    /// ```
    fn dim(x: Tensor) -> usize { x.dim() }

    /// The size of the first axis.
    /// ```rhai
    /// tensor::zeros([2, 3]).len() // => 2
    /// ```
    fn len(x: Tensor) -> i64 { x.size().first().copied().unwrap_or(1) }

    /// Distances of neighbours along every axis, in elements.
    /// ```rhai
    /// tensor::zeros([2, 3]).stride() // => [3, 1]
    /// ```
    fn stride(x: Tensor) -> Vec<i64> { x.stride() }

    /// One line with dtype, shape, range and mean of the elements.
    /// ```rhai
    /// tensor([[1.0, 3]]).summary() // => "float32 [1, 2], 1 to 3, mean 2"
    /// ```
    fn summary(x: Tensor) -> String {
        let head = format!("{} {:?}", name(x.f_kind()?), x.size());
        if x.numel() == 0 {
            return Ok(head + ", empty");
        }
        let x = x.f_detach()?.f_to_kind(tch::Kind::Double)?;
        let finite = x.f_masked_select(&x.f_isfinite()?)?;
        let odd = x.numel() - finite.numel();
        let mut text = head;
        if finite.numel() > 0 {
            let number = |t: Tensor| t.f_double_value(&[]).map(|v| format!("{}", (v * 1e4).round() / 1e4));
            let (low, high) = (number(finite.f_min()?)?, number(finite.f_max()?)?);
            text += &format!(", {low} to {high}, mean {}", number(finite.f_mean(tch::Kind::Double)?)?);
        }
        if odd > 0 {
            text += &format!(", {odd} not finite");
        }
        text
    }

    get "Tensor";
    /// The size of every axis.
    /// ```rhai
    /// tensor::zeros([2, 3]).shape // => [2, 3]
    /// ```
    fn shape(x: Tensor) -> Vec<i64> { x.size() }

    /// The number of axes.
    /// ```rhai
    /// tensor::zeros([2, 3]).ndim // => 2
    /// ```
    fn ndim(x: Tensor) -> usize { x.dim() }
}

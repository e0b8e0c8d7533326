//! Parts of a tensor: pieces along an axis, diagonals, triangles, windows.

use super::args::Dims;
use crate::core::value::{FromValue, mismatch};
use crate::core::{Error, Value};
use tch::Tensor;

functions! {
    on "Tensor";
    /// The slices along an axis (0), as a list.
    /// ```rhai
    /// tensor([[1, 2], [3, 4]]).unbind() // => [tensor([1, 2]), tensor([3, 4])]
    /// ```
    fn unbind(x: Tensor, dim: Option<i64>) -> Vec<Tensor> { x.f_unbind(dim.unwrap_or(0))? }

    /// Pieces of one size, or of the sizes in a list, along an axis (0).
    /// ```rhai
    /// tensor([1, 2, 3]).split(2) // => [tensor([1, 2]), tensor([3])]
    /// tensor([1, 2, 3]).split([1, 2]) // => [tensor([1]), tensor([2, 3])]
    /// ```
    fn split(x: Tensor, size: Value, dim: Option<i64>) -> Vec<Tensor> {
        let dim = dim.unwrap_or(0);
        match &size {
            Value::Int(n) => x.f_split(*n, dim)?,
            Value::List(_) => x.f_split_sizes(Dims::from_value(&size)?.0, dim)?,
            other => return mismatch("integer or list of integers", other),
        }
    }

    /// At most `chunks` pieces of nearly one size along an axis (0).
    /// ```rhai
    /// tensor([1, 2, 3]).chunk(2) // => [tensor([1, 2]), tensor([3])]
    /// ```
    fn chunk(x: Tensor, chunks: i64, dim: Option<i64>) -> Vec<Tensor> { x.f_chunk(chunks, dim.unwrap_or(0))? }

    /// The slice at `index` along an axis.
    /// ```rhai
    /// tensor([[1, 2], [3, 4]]).select(1, 0) // => tensor([1, 3])
    /// ```
    fn select(x: Tensor, dim: i64, index: i64) -> Tensor { x.f_select(dim, index)? }

    /// `length` slices from `start` along an axis.
    /// ```rhai
    /// tensor([1, 2, 3, 4]).narrow(0, 1, 2) // => tensor([2, 3])
    /// ```
    fn narrow(x: Tensor, dim: i64, start: i64, length: i64) -> Tensor { x.f_narrow(dim, start, length)? }

    /// Windows of `size` elements, `step` apart, along an axis; a new last axis.
    /// ```rhai
    /// tensor([1, 2, 3, 4]).unfold(0, 2, 1) // => tensor([[1, 2],
    ///                                      //            [2, 3],
    ///                                      //            [3, 4]])
    /// ```
    fn unfold(x: Tensor, dim: i64, size: i64, step: i64) -> Tensor {
        if size < 0 || step < 1 {
            return Err(Error::new(format!("expected size >= 0 and step >= 1, got {size} and {step}")));
        }
        x.f_unfold(dim, size, step)?
    }

    /// The lower triangle of matrices, zeros above diagonal number `diagonal` (0).
    /// ```rhai
    /// tensor([[1, 2], [3, 4]]).tril() // => tensor([[1, 0],
    ///                                 //            [3, 4]])
    /// ```
    fn tril(x: Tensor, diagonal: Option<i64>) -> Tensor { x.f_tril(diagonal.unwrap_or(0))? }

    /// The upper triangle of matrices, zeros below diagonal number `diagonal` (0).
    /// ```rhai
    /// tensor([[1, 2], [3, 4]]).triu() // => tensor([[1, 2],
    ///                                 //            [0, 4]])
    /// ```
    fn triu(x: Tensor, diagonal: Option<i64>) -> Tensor { x.f_triu(diagonal.unwrap_or(0))? }

    /// The diagonal of a matrix, or a matrix with this vector on its diagonal.
    /// ```rhai
    /// tensor([[1, 2], [3, 4]]).diag() // => tensor([1, 4])
    /// tensor([1, 2]).diag() // => tensor([[1, 0],
    ///                       //            [0, 2]])
    /// ```
    fn diag(x: Tensor, diagonal: Option<i64>) -> Tensor { x.f_diag(diagonal.unwrap_or(0))? }

    /// The diagonal in the plane of two axes (0, 1), as a view.
    /// ```rhai
    /// tensor([[1, 2], [3, 4]]).diagonal(1) // => tensor([2])
    /// ```
    fn diagonal(x: Tensor, offset: Option<i64>, dim1: Option<i64>, dim2: Option<i64>) -> Tensor {
        x.f_diagonal(offset.unwrap_or(0), dim1.unwrap_or(0), dim2.unwrap_or(1))?
    }

    /// Matrices with the vectors of the last axis on their diagonals.
    /// ```rhai
    /// tensor([[1, 2]]).diag_embed().shape // => [1, 2, 2]
    /// ```
    fn diag_embed(x: Tensor, offset: Option<i64>) -> Tensor { x.f_diag_embed(offset.unwrap_or(0), -2, -1)? }
}

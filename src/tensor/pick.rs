//! Picking and placing elements by index or mask.

use super::args::Operand;
use tch::{Kind, Tensor};

functions! {
    on "Tensor";
    /// Along an axis, the elements whose places are in `index`.
    /// ```rhai
    /// tensor([[1, 2], [3, 4]]).gather(1, tensor([[1], [0]])) // => tensor([[2],
    ///                                                        //            [3]])
    /// ```
    fn gather(x: Tensor, dim: i64, index: Tensor) -> Tensor { x.f_gather(dim, &index, false)? }

    /// A copy with `source` written along an axis at the places in `index`.
    /// ```rhai
    /// tensor::zeros([2, 2]).scatter(1, tensor([[1], [0]]), 1) // => tensor([[0., 1.],
    ///                                                         //            [1., 0.]])
    /// ```
    fn scatter(x: Tensor, dim: i64, index: Tensor, source: Operand) -> Tensor {
        match source {
            Operand::Tensor(t) => x.f_scatter(dim, &index, &t)?,
            Operand::Num(n) => x.f_scatter_value(dim, &index, n.scalar())?,
        }
    }

    /// A copy with `source` added along an axis at the places in `index`.
    /// ```rhai
    /// tensor([1, 1]).scatter_add(0, tensor([1, 1]), tensor([2, 3])) // => tensor([1, 6])
    /// ```
    fn scatter_add(x: Tensor, dim: i64, index: Tensor, source: Tensor) -> Tensor {
        x.f_scatter_add(dim, &index, &source)?
    }

    /// The slices along an axis whose numbers are in `index`.
    /// ```rhai
    /// tensor([[1, 2], [3, 4]]).index_select(1, tensor([1, 1])) // => tensor([[2, 2],
    ///                                                          //            [4, 4]])
    /// ```
    fn index_select(x: Tensor, dim: i64, index: Tensor) -> Tensor { x.f_index_select(dim, &index)? }

    /// A copy with slices of `source` added along an axis at the places in `index`.
    /// ```rhai
    /// tensor([1, 1]).index_add(0, tensor([0, 0]), tensor([2, 3])) // => tensor([6, 1])
    /// ```
    fn index_add(x: Tensor, dim: i64, index: Tensor, source: Tensor) -> Tensor {
        x.f_index_add(dim, &index, &source)?
    }

    /// A copy with one value in the slices along an axis whose numbers are in `index`.
    /// ```rhai
    /// tensor([1, 2, 3]).index_fill(0, tensor([0, 2]), 9) // => tensor([9, 2, 9])
    /// ```
    fn index_fill(x: Tensor, dim: i64, index: Tensor, value: Operand) -> Tensor {
        match value {
            Operand::Tensor(t) => x.f_index_fill_int_tensor(dim, &index, &t)?,
            Operand::Num(n) => x.f_index_fill(dim, &index, n.scalar())?,
        }
    }

    /// The elements at places of the flat tensor.
    /// ```rhai
    /// tensor([[1, 2], [3, 4]]).take(tensor([0, 3])) // => tensor([1, 4])
    /// ```
    fn take(x: Tensor, index: Tensor) -> Tensor { x.f_take(&index)? }

    /// Along an axis, the elements whose places are in `indices`, with broadcasting.
    /// ```rhai
    /// let x = tensor([[3, 1, 2]]);
    /// x.take_along_dim(x.argsort(1), 1) // => tensor([[1, 2, 3]])
    /// ```
    fn take_along_dim(x: Tensor, indices: Tensor, dim: Option<i64>) -> Tensor { x.f_take_along_dim(&indices, dim)? }

    /// A copy with one value where the mask is true.
    /// ```rhai
    /// tensor([1, 2, 3]).masked_fill(tensor([true, false, true]), 0) // => tensor([0, 2, 0])
    /// ```
    fn masked_fill(x: Tensor, mask: Tensor, value: Operand) -> Tensor {
        let mask = mask.f_to_kind(Kind::Bool)?;
        match value {
            Operand::Tensor(t) => x.f_masked_fill_tensor(&mask, &t)?,
            Operand::Num(n) => x.f_masked_fill(&mask, n.scalar())?,
        }
    }

    /// The elements where the mask is true, in one axis.
    /// ```rhai
    /// tensor([[1, 2], [3, 4]]).masked_select(tensor([[true, false], [false, true]])) // => tensor([1, 4])
    /// ```
    fn masked_select(x: Tensor, mask: Tensor) -> Tensor { x.f_masked_select(&mask.f_to_kind(Kind::Bool)?)? }

    /// A copy with the elements of `source`, in order, where the mask is true.
    /// ```rhai
    /// tensor([1, 2, 3]).masked_scatter(tensor([true, false, true]), tensor([8, 9])) // => tensor([8, 2, 9])
    /// ```
    fn masked_scatter(x: Tensor, mask: Tensor, source: Tensor) -> Tensor {
        x.f_masked_scatter(&mask.f_to_kind(Kind::Bool)?, &source)?
    }

    /// Indices of the elements that are not zero, one row each.
    /// ```rhai
    /// tensor([[0, 1], [1, 0]]).nonzero() // => tensor([[0, 1],
    ///                                    //            [1, 0]])
    /// ```
    fn nonzero(x: Tensor) -> Tensor { x.f_nonzero()? }

    /// Each class number as a row of zeros with a one at its place, `int64`.
    /// ```rhai
    /// tensor([0, 2]).one_hot(3) // => tensor([[1, 0, 0],
    ///                           //            [0, 0, 1]])
    /// ```
    fn one_hot(x: Tensor, num_classes: Option<i64>) -> Tensor { x.f_one_hot(num_classes.unwrap_or(-1))? }
}

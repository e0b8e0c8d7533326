//! Shapes: other views of the same elements, repeats, order of axes.

use super::args::Dims;
use crate::core::{Error, Result};
use tch::Tensor;

/// A tensor in the order of its axes, where a convolution has left it in that of channels last.
fn in_order(x: &Tensor) -> Result<Tensor> {
    let last = x.dim() == 4 && !x.is_contiguous() && x.f_permute([0, 2, 3, 1])?.is_contiguous();
    Ok(if last { x.f_contiguous()? } else { x.shallow_clone() })
}

/// Torch's message on an impossible shape, with both shapes.
fn reshaped(x: &Tensor, shape: &[i64], r: Result<Tensor, tch::TchError>) -> Result<Tensor> {
    let known: i64 = shape.iter().filter(|n| **n >= 0).product();
    match r {
        Err(_)
            if shape.iter().filter(|n| **n == -1).count() <= 1
                && (known == 0
                    || (x.numel() as i64) % known != 0
                    || !shape.contains(&-1) && known != x.numel() as i64) =>
        {
            Err(Error::new(format!(
                "a tensor of shape {:?} has {} elements, which do not fill {shape:?}",
                x.size(),
                x.numel()
            )))
        }
        r => Ok(r?),
    }
}

sizes! {
    /// The same elements in another shape; one size may be -1.
    /// ```rhai
    /// tensor::arange(6).reshape([2, -1]) // => tensor([[0, 1, 2],
    ///                                    //            [3, 4, 5]])
    /// tensor::arange(6).reshape(3, 2).shape // => [3, 2]
    /// tensor::arange(6).reshape([4]) // error: a tensor of shape [6] has 6 elements, which do not fill [4]
    /// ```
    reshape(shape) => |x| reshaped(&x, &shape, x.f_reshape(&shape))?;

    /// The same elements in another shape; one size may be -1.
    ///
    /// Never copied, unless a convolution has made them: it leaves the channels of a place side by side in memory.
    /// ```rhai
    /// tensor::arange(6).view([2, 3]).shape // => [2, 3]
    /// tensor::arange(6).view(-1, 2).shape // => [3, 2]
    /// ```
    view(shape) => |x| reshaped(&x, &shape, in_order(&x)?.f_view_(&shape))?;

    /// The axes in another order.
    /// ```rhai
    /// tensor::zeros([2, 3, 4]).permute([2, 0, 1]).shape // => [4, 2, 3]
    /// ```
    permute(dims) => |x| x.f_permute(&dims)?;

    /// A view in which axes of size 1 are stretched; -1 leaves a size as it is.
    /// ```rhai
    /// tensor([[1], [2]]).expand([2, 3]) // => tensor([[1, 1, 1],
    ///                                   //            [2, 2, 2]])
    /// ```
    expand(shape) => |x| x.f_expand(&shape, false)?;

    /// The tensor repeated along every axis.
    /// ```rhai
    /// tensor([1, 2]).repeat([2, 2]) // => tensor([[1, 2, 1, 2],
    ///                               //            [1, 2, 1, 2]])
    /// ```
    repeat(times) => |x| x.f_repeat(&times)?;

    /// The tensor repeated along its last axes, as many as are given.
    /// ```rhai
    /// tensor([1, 2]).tile(2) // => tensor([1, 2, 1, 2])
    /// ```
    tile(times) => |x| x.f_tile(&times)?;

    /// The elements in reverse order along axes.
    /// ```rhai
    /// tensor([[1, 2], [3, 4]]).flip(1) // => tensor([[2, 1],
    ///                                  //            [4, 3]])
    /// ```
    flip(dims) => |x| x.f_flip(&dims)?;

    /// A view stretched to a shape, as operators do.
    /// ```rhai
    /// tensor([1, 2]).broadcast_to([2, 2]) // => tensor([[1, 2],
    ///                                     //            [1, 2]])
    /// ```
    broadcast_to(shape) => |x| x.f_broadcast_to(&shape)?;
}

functions! {
    on "Tensor";
    /// The same elements in the shape of another tensor.
    /// ```rhai
    /// tensor([1, 2]).view_as(tensor([[3], [4]])).shape // => [2, 1]
    /// ```
    fn view_as(x: Tensor, other: Tensor) -> Tensor { reshaped(&x, &other.size(), in_order(&x)?.f_view_as(&other))? }

    /// The same elements in the shape of another tensor, copied where needed.
    /// ```rhai
    /// tensor([1, 2]).reshape_as(tensor([[3], [4]])).shape // => [2, 1]
    /// ```
    fn reshape_as(x: Tensor, other: Tensor) -> Tensor { reshaped(&x, &other.size(), x.f_reshape_as(&other))? }

    /// A view stretched to the shape of another tensor.
    /// ```rhai
    /// tensor([1]).expand_as(tensor([3, 4])) // => tensor([1, 1])
    /// ```
    fn expand_as(x: Tensor, other: Tensor) -> Tensor { x.f_expand_as(&other)? }

    /// Two axes exchanged.
    /// ```rhai
    /// tensor([[1, 2, 3]]).transpose(0, 1).shape // => [3, 1]
    /// ```
    fn transpose(x: Tensor, dim0: i64, dim1: i64) -> Tensor { x.f_transpose(dim0, dim1)? }

    /// The transpose of a matrix.
    /// ```rhai
    /// tensor([[1, 2, 3]]).t().shape // => [3, 1]
    /// ```
    fn t(x: Tensor) -> Tensor {
        if x.dim() > 2 {
            return Err(Error::new(format!("t() is for matrices, got shape {:?}", x.size()))
                .hint("`transpose(a, b)` exchanges two axes"));
        }
        x.f_tr()?
    }

    /// An axis moved to another place.
    /// ```rhai
    /// tensor::zeros([2, 3, 4]).movedim(0, -1).shape // => [3, 4, 2]
    /// ```
    fn movedim(x: Tensor, source: Dims, destination: Dims) -> Tensor { x.f_movedim(source.0, destination.0)? }

    /// Axes `start` (0) to `end` (-1) joined into one.
    /// ```rhai
    /// tensor::zeros([2, 3, 4]).flatten(1).shape // => [2, 12]
    /// ```
    fn flatten(x: Tensor, start: Option<i64>, end: Option<i64>) -> Tensor {
        x.f_flatten(start.unwrap_or(0), end.unwrap_or(-1))?
    }

    /// All elements in one axis.
    /// ```rhai
    /// tensor([[1, 2], [3, 4]]).ravel() // => tensor([1, 2, 3, 4])
    /// ```
    fn ravel(x: Tensor) -> Tensor { x.f_ravel()? }

    /// An axis split into several.
    /// ```rhai
    /// tensor::zeros([6, 2]).unflatten(0, [2, 3]).shape // => [2, 3, 2]
    /// ```
    fn unflatten(x: Tensor, dim: i64, sizes: Dims) -> Tensor { x.f_unflatten(dim, sizes.0)? }

    /// Without axes of size 1: all of them, or those named.
    /// ```rhai
    /// tensor::zeros([1, 3, 1]).squeeze().shape // => [3]
    /// tensor::zeros([1, 3, 1]).squeeze(0).shape // => [3, 1]
    /// ```
    fn squeeze(x: Tensor, dim: Option<Dims>) -> Tensor {
        match dim {
            Some(d) => x.f_squeeze_dims(d.0)?,
            None => x.f_squeeze()?,
        }
    }

    /// With a new axis of size 1 at `dim`.
    /// ```rhai
    /// tensor([1, 2]).unsqueeze(0).shape // => [1, 2]
    /// ```
    fn unsqueeze(x: Tensor, dim: i64) -> Tensor { x.f_unsqueeze(dim)? }

    /// Every element repeated, along an axis or in the flat tensor.
    /// ```rhai
    /// tensor([1, 2]).repeat_interleave(2) // => tensor([1, 1, 2, 2])
    /// ```
    fn repeat_interleave(x: Tensor, repeats: i64, dim: Option<i64>) -> Tensor {
        x.f_repeat_interleave_self_int(repeats, dim, None)?
    }

    /// The columns in reverse order: left and right.
    /// ```rhai
    /// tensor([[1, 2]]).fliplr() // => tensor([[2, 1]])
    /// ```
    fn fliplr(x: Tensor) -> Tensor { x.f_fliplr()? }

    /// The rows in reverse order: up and down.
    /// ```rhai
    /// tensor([[1], [2]]).flipud().ravel() // => tensor([2, 1])
    /// ```
    fn flipud(x: Tensor) -> Tensor { x.f_flipud()? }

    /// The elements shifted around along axes; without axes, in the flat tensor.
    /// ```rhai
    /// tensor([1, 2, 3]).roll(1) // => tensor([3, 1, 2])
    /// ```
    fn roll(x: Tensor, shifts: Dims, dims: Option<Dims>) -> Tensor {
        x.f_roll(shifts.0, dims.map_or(Vec::new(), |d| d.0))?
    }

    /// Turned by 90 degrees `k` times (1) in the plane of two axes (0, 1).
    /// ```rhai
    /// tensor([[1, 2], [3, 4]]).rot90() // => tensor([[2, 4],
    ///                                  //            [1, 3]])
    /// ```
    fn rot90(x: Tensor, k: Option<i64>, dims: Option<Dims>) -> Tensor {
        x.f_rot90(k.unwrap_or(1), dims.map_or(vec![0, 1], |d| d.0))?
    }

    /// The same elements, laid out one after the other in memory.
    /// ```rhai
    /// tensor([[1, 2], [3, 4]]).t().contiguous().view([4]) // => tensor([1, 3, 2, 4])
    /// ```
    fn contiguous(x: Tensor) -> Tensor { x.f_contiguous()? }

    /// True when the elements lie one after the other in memory.
    /// ```rhai
    /// tensor([[1, 2], [3, 4]]).t().is_contiguous() // => false
    /// ```
    fn is_contiguous(x: Tensor) -> bool { x.is_contiguous() }

    get "Tensor";
    /// The tensor with its axes in reverse order.
    /// ```rhai
    /// tensor([[1, 2, 3]]).T.shape // => [3, 1]
    /// ```
    fn T(x: Tensor) -> Tensor { x.f_permute((0..x.dim() as i64).rev().collect::<Vec<_>>())? }

    /// The tensor with its last two axes exchanged.
    /// ```rhai
    /// tensor::zeros([2, 3, 4]).mT.shape // => [2, 4, 3]
    /// ```
    fn mT(x: Tensor) -> Tensor { x.f_mt()? }
}

//! Functions of several tensors: joining, choosing, products over named axes, distances.

use super::args::{Num, Operand, Tensors};
use crate::core::options::Opts;
use crate::core::{Error, Result, Value};
use tch::{Kind, Tensor};

options! {
    /// Options of `cosine_similarity`.
    pub struct CosineOptions {
        /// The axis of the vectors.
        dim: i64 = 1,
        /// Smallest length to divide by.
        eps: f64 = 1e-8,
    }
}

/// `a` where `condition` holds, else `b`.
///
/// # Errors
/// Shapes that do not broadcast.
pub fn choose(condition: &Tensor, a: &Operand, b: &Operand) -> Result<Tensor> {
    let (a, b) = match (a, b) {
        (Operand::Tensor(t), _) => (t.shallow_clone(), b.like(t)?),
        (_, Operand::Tensor(t)) => (a.like(t)?, t.shallow_clone()),
        (Operand::Num(x), Operand::Num(y)) => {
            let plain = |n: &Num| Tensor::f_scalar_tensor(n.scalar(), (n.kind(), condition.device()));
            (plain(x)?, plain(y)?)
        }
    };
    // libtorch wants one dtype; the result's is that of a sum.
    let kind = match (a.f_kind()?, b.f_kind()?) {
        (x, y) if x == y => x,
        _ => a.f_add(&b)?.f_kind()?,
    };
    let condition = condition.f_to_kind(Kind::Bool)?;
    let ready = |t: Tensor| t.f_to_kind(kind)?.f_to(condition.device());
    Ok(ready(a)?.f_where_self(&condition, &ready(b)?)?)
}

functions! {
    in "tensor";
    /// Joins tensors along an existing axis (0).
    /// ```rhai
    /// tensor::cat([tensor([1, 2]), tensor([3])]) // => tensor([1, 2, 3])
    /// ```
    fn cat(tensors: Tensors, dim: Option<i64>) -> Tensor { Tensor::f_cat(&tensors.0, dim.unwrap_or(0))? }

    /// Joins tensors of one shape along a new axis (0).
    /// ```rhai
    /// tensor::stack([tensor([1, 2]), tensor([3, 4])]) // => tensor([[1, 2],
    ///                                                 //            [3, 4]])
    /// ```
    fn stack(tensors: Tensors, dim: Option<i64>) -> Tensor { Tensor::f_stack(&tensors.0, dim.unwrap_or(0))? }

    /// Joins tensors side by side, along axis 1 (vectors along axis 0).
    /// ```rhai
    /// tensor::hstack([tensor([1]), tensor([2])]) // => tensor([1, 2])
    /// ```
    fn hstack(tensors: Tensors) -> Tensor { Tensor::f_hstack(&tensors.0)? }

    /// Joins tensors one below the other, along axis 0.
    /// ```rhai
    /// tensor::vstack([tensor([1]), tensor([2])]) // => tensor([[1],
    ///                                            //            [2]])
    /// ```
    fn vstack(tensors: Tensors) -> Tensor { Tensor::f_vstack(&tensors.0)? }

    /// Elements of `x` where the condition holds, else those of `other`.
    ///
    /// With the condition alone: the indices where it holds, one tensor an axis.
    /// ```rhai
    /// let x = tensor([1, -2]);
    /// tensor::where(x > 0, x, 0) // => tensor([1, 0])
    /// tensor::where(x > 0)[0] // => tensor([0])
    /// ```
    fn r#where(condition: Tensor, x: Option<Operand>, other: Option<Operand>) -> Value {
        match (x, other) {
            (Some(a), Some(b)) => Value::Tensor(choose(&condition, &a, &b)?),
            (None, None) => Value::List(Tensor::f_where_(&condition)?.into_iter().map(Value::Tensor).collect()),
            _ => return Err(Error::new("expected where(condition, x, other) or where(condition)")),
        }
    }

    /// Sums of products over named axes, in Einstein's notation.
    /// ```rhai
    /// let a = tensor([[1, 2], [3, 4]]);
    /// tensor::einsum("ij,jk->ik", a, a) // => tensor([[ 7, 10],
    ///                                   //            [15, 22]])
    /// tensor::einsum("ii", a) // => tensor(5)
    /// ```
    fn einsum(equation: String, x: Tensors, y: Option<Tensor>, z: Option<Tensor>, w: Option<Tensor>) -> Tensor {
        let all: Vec<Tensor> = x.0.into_iter().chain([y, z, w].into_iter().flatten()).collect();
        Tensor::f_einsum(&equation, &all, None::<Vec<i64>>)?
    }

    /// Grids of coordinates, one an axis, from a vector an axis.
    ///
    /// `indexing` is `ij` (rows first, the default) or `xy`.
    /// ```rhai
    /// tensor::meshgrid([tensor([1, 2]), tensor([3, 4])])[0] // => tensor([[1, 1],
    ///                                                       //            [2, 2]])
    /// ```
    fn meshgrid(tensors: Tensors, indexing: Option<String>) -> Vec<Tensor> {
        let indexing = indexing.unwrap_or_else(|| "ij".into());
        if !["ij", "xy"].contains(&indexing.as_str()) {
            return Err(Error::unknown("indexing", &indexing, ["ij", "xy"]));
        }
        Tensor::f_meshgrid_indexing(&tensors.0, &indexing)?
    }

    /// The tensors expanded to the shape they broadcast to.
    /// ```rhai
    /// tensor::broadcast_tensors([tensor([1, 2]), tensor([[3]])])[1] // => tensor([[3, 3]])
    /// ```
    fn broadcast_tensors(tensors: Tensors) -> Vec<Tensor> { Tensor::f_broadcast_tensors(&tensors.0)? }

    /// All pairs of elements of vectors, `[N, number of vectors]`.
    /// ```rhai
    /// tensor::cartesian_prod([tensor([1, 2]), tensor([3])]) // => tensor([[1, 3],
    ///                                                       //            [2, 3]])
    /// ```
    fn cartesian_prod(tensors: Tensors) -> Tensor { Tensor::f_cartesian_prod(&tensors.0)? }

    /// The product of every element of `x` with every element of `other`.
    /// ```rhai
    /// tensor::outer(tensor([1, 2]), tensor([3, 4])) // => tensor([[3, 4],
    ///                                               //            [6, 8]])
    /// ```
    fn outer(x: Tensor, other: Tensor) -> Tensor { x.f_outer(&other)? }

    /// Distances between all rows of two matrices, `[N, M]`.
    ///
    /// `p` is the norm's order (2).
    /// ```rhai
    /// tensor::cdist(tensor([[0.0, 0]]), tensor([[3.0, 4], [0, 1]])) // => tensor([[5., 1.]])
    /// ```
    fn cdist(x: Tensor, other: Tensor, p: Option<f64>) -> Tensor {
        Tensor::f_cdist(&x, &other, p.unwrap_or(2.0), None)?
    }

    /// Distances between the rows of `x` and those of `other`, pair by pair.
    /// ```rhai
    /// tensor::pairwise_distance(tensor([[0.0, 0]]), tensor([[3.0, 4]])) // ~> tensor([5.0000])
    /// ```
    fn pairwise_distance(x: Tensor, other: Tensor, p: Option<f64>) -> Tensor {
        Tensor::f_pairwise_distance(&x, &other, p.unwrap_or(2.0), 1e-6, false)?
    }

    /// Cosine of the angle between vectors along an axis (1).
    /// ```rhai
    /// tensor::cosine_similarity(tensor([[1.0, 0]]), tensor([[1.0, 1]])) // => tensor([0.7071])
    /// ```
    fn cosine_similarity(x: Tensor, other: Tensor, options: Opts<CosineOptions>) -> Tensor {
        Tensor::f_cosine_similarity(&x, &other, options.0.dim, options.0.eps)?
    }

    on "Tensor";
    /// Elements of `x` where the condition holds, else those of `other`.
    /// ```rhai
    /// let x = tensor([1, -2]);
    /// x.where(x > 0, 0) // => tensor([1, 0])
    /// ```
    fn r#where(x: Tensor, condition: Tensor, other: Operand) -> Tensor {
        choose(&condition, &Operand::Tensor(x), &other)?
    }

    /// The product of every element with every element of `other`.
    /// ```rhai
    /// tensor([1, 2]).outer(tensor([3, 4])) // => tensor([[3, 4],
    ///                                      //            [6, 8]])
    /// ```
    fn outer(x: Tensor, other: Tensor) -> Tensor { x.f_outer(&other)? }
}

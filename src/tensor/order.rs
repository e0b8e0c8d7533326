//! Order, running sums, counting.

use super::args::{Operand, parts};
use crate::core::{Error, Map, Opts, Value};
use tch::{Kind, Tensor};

options! {
    /// Options of `unique`.
    pub struct UniqueOptions {
        /// Also give where each element went, as `inverse`.
        return_inverse: bool = false,
        /// Also give how often each occurs, as `counts`.
        return_counts: bool = false,
        /// Compare slices along this axis instead of elements.
        dim: Option<i64> = None,
    }
}

functions! {
    on "Tensor";
    /// The elements in order along an axis (-1), as `#{values, indices}`.
    /// ```rhai
    /// tensor([3, 1, 2]).sort().values // => tensor([1, 2, 3])
    /// tensor([3, 1, 2]).sort(0, true).indices // => tensor([0, 2, 1])
    /// ```
    fn sort(x: Tensor, dim: Option<i64>, descending: Option<bool>) -> Map {
        let (values, indices) = x.f_sort_stable(true, dim.unwrap_or(-1), descending.unwrap_or(false))?;
        parts(["values", "indices"], [values, indices])
    }

    /// The indices that put the elements in order along an axis (-1).
    /// ```rhai
    /// tensor([3, 1, 2]).argsort() // => tensor([1, 2, 0])
    /// ```
    fn argsort(x: Tensor, dim: Option<i64>, descending: Option<bool>) -> Tensor {
        x.f_argsort_stable(true, dim.unwrap_or(-1), descending.unwrap_or(false))?
    }

    /// The `k` largest elements along an axis (-1), as `#{values, indices}`.
    /// ```rhai
    /// tensor([3, 1, 2]).topk(2).values // => tensor([3, 2])
    /// tensor([3, 1, 2]).topk(1, 0, false).indices // => tensor([1])
    /// ```
    fn topk(x: Tensor, k: i64, dim: Option<i64>, largest: Option<bool>) -> Map {
        let (values, indices) = x.f_topk(k, dim.unwrap_or(-1), largest.unwrap_or(true), true)?;
        parts(["values", "indices"], [values, indices])
    }

    /// The `k`-th smallest element along an axis (-1), as `#{values, indices}`.
    /// ```rhai
    /// tensor([3, 1, 2]).kthvalue(2).values // => tensor(2)
    /// ```
    fn kthvalue(x: Tensor, k: i64, dim: Option<i64>, keepdim: Option<bool>) -> Map {
        let (values, indices) = x.f_kthvalue(k, dim.unwrap_or(-1), keepdim.unwrap_or(false))?;
        parts(["values", "indices"], [values, indices])
    }

    /// Running sum along an axis.
    /// ```rhai
    /// tensor([1, 2, 3]).cumsum(0) // => tensor([1, 3, 6])
    /// ```
    fn cumsum(x: Tensor, dim: i64) -> Tensor { x.f_cumsum(dim, None::<Kind>)? }

    /// Running product along an axis.
    /// ```rhai
    /// tensor([1, 2, 3]).cumprod(0) // => tensor([1, 2, 6])
    /// ```
    fn cumprod(x: Tensor, dim: i64) -> Tensor { x.f_cumprod(dim, None::<Kind>)? }

    /// Running logarithm of a sum of exponentials along an axis.
    /// ```rhai
    /// tensor([0.0, 0, 0]).logcumsumexp(0) // => tensor([0.0000, 0.6931, 1.0986])
    /// ```
    fn logcumsumexp(x: Tensor, dim: i64) -> Tensor { x.f_logcumsumexp(dim)? }

    /// Running maximum along an axis, as `#{values, indices}`.
    /// ```rhai
    /// tensor([1, 3, 2]).cummax(0).values // => tensor([1, 3, 3])
    /// ```
    fn cummax(x: Tensor, dim: i64) -> Map {
        let (values, indices) = x.f_cummax(dim)?;
        parts(["values", "indices"], [values, indices])
    }

    /// Running minimum along an axis, as `#{values, indices}`.
    /// ```rhai
    /// tensor([3, 1, 2]).cummin(0).values // => tensor([3, 1, 1])
    /// ```
    fn cummin(x: Tensor, dim: i64) -> Map {
        let (values, indices) = x.f_cummin(dim)?;
        parts(["values", "indices"], [values, indices])
    }

    /// Differences of neighbours along an axis (-1), taken `n` times (1).
    /// ```rhai
    /// tensor([1, 4, 9]).diff() // => tensor([3, 5])
    /// ```
    fn diff(x: Tensor, n: Option<i64>, dim: Option<i64>) -> Tensor {
        x.f_diff(n.unwrap_or(1), dim.unwrap_or(-1), None::<Tensor>, None)?
    }

    /// The different elements in order; with options, `#{values, inverse, counts}`.
    /// ```rhai
    /// tensor([2, 1, 2]).unique() // => tensor([1, 2])
    /// tensor([2, 1, 2]).unique(#{return_counts: true}).counts // => tensor([1, 2])
    /// ```
    fn unique(x: Tensor, options: Opts<UniqueOptions>) -> Value {
        let o = options.0;
        let (values, inverse, counts) = match o.dim {
            Some(d) => x.f_unique_dim(d, true, o.return_inverse, o.return_counts)?,
            None => x.f_internal_unique2(true, o.return_inverse, o.return_counts)?,
        };
        if !o.return_inverse && !o.return_counts {
            return Ok(Value::Tensor(values));
        }
        let mut map = parts(["values"], [values]);
        if o.return_inverse {
            map.insert("inverse".into(), Value::Tensor(inverse));
        }
        if o.return_counts {
            map.insert("counts".into(), Value::Tensor(counts));
        }
        Value::Map(map)
    }

    /// How often each non-negative integer occurs, or the sum of its weights.
    /// ```rhai
    /// tensor([0, 2, 2]).bincount() // => tensor([1, 0, 2])
    /// tensor([0, 1]).bincount((), 3) // => tensor([1, 1, 0])
    /// ```
    fn bincount(x: Tensor, weights: Option<Tensor>, minlength: Option<i64>) -> Tensor {
        x.f_bincount(weights, minlength.unwrap_or(0))?
    }

    /// Counts of elements in `bins` (100) equal intervals from `min` to `max`.
    ///
    /// Without bounds, or with equal ones, from the smallest to the largest element.
    /// ```rhai
    /// tensor([0.0, 0.1, 0.9]).histc(2, 0, 1) // => tensor([2., 1.])
    /// ```
    fn histc(x: Tensor, bins: Option<i64>, min: Option<f64>, max: Option<f64>) -> Tensor {
        let bins = bins.unwrap_or(100);
        let (mut low, mut high) = (min.unwrap_or(0.0), max.unwrap_or(0.0));
        if bins <= 0 || low > high {
            return Err(Error::new(format!("expected bins > 0 and min <= max, got {bins}, {low} and {high}")));
        }
        let flat = x.f_detach()?.f_reshape([-1])?;
        if low == high && x.numel() > 0 {
            low = flat.f_min()?.f_double_value(&[])?;
            high = flat.f_max()?.f_double_value(&[])?;
        }
        if low == high {
            (low, high) = (low - 1.0, high + 1.0);
        }
        let inside = flat.f_masked_select(&flat.f_ge(low)?.f_logical_and(&flat.f_le(high)?)?)?;
        let place = inside.f_sub_scalar(low)?.f_mul_scalar(bins as f64 / (high - low))?.f_to_kind(Kind::Int64)?;
        place.f_clamp_max(bins - 1)?.f_bincount(None::<Tensor>, bins)?.f_to_kind(x.f_kind()?)?
    }

    /// Where to insert values into this sorted tensor, from the left or the right.
    /// ```rhai
    /// tensor([1, 3, 5]).searchsorted(tensor([3, 4])) // => tensor([1, 2])
    /// tensor([1, 3, 5]).searchsorted(3, true) // => tensor(2)
    /// ```
    fn searchsorted(sorted: Tensor, values: Operand, right: Option<bool>) -> Tensor {
        let values = values.like(&sorted)?.f_to(sorted.device())?;
        let side = if right == Some(true) { "right" } else { "left" };
        match sorted.dim() {
            1 => values.f_bucketize(&sorted, false, right.unwrap_or(false))?,
            _ => values.f_searchsorted(&sorted, false, right.unwrap_or(false), side, None::<Tensor>)?,
        }
    }

    /// The interval each element falls into, by sorted boundaries.
    /// ```rhai
    /// tensor([0, 4, 9]).bucketize(tensor([1, 5])) // => tensor([0, 1, 2])
    /// ```
    fn bucketize(x: Tensor, boundaries: Tensor, right: Option<bool>) -> Tensor {
        x.f_bucketize(&boundaries, false, right.unwrap_or(false))?
    }
}

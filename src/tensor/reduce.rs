//! Reductions: over all elements, or along one axis or several.

use super::args::{Dims, Operand, axes, parts, trailing};
use crate::core::value::FromValue;
use crate::core::{Error, Map, Opts, Result, Value};
use tch::{Kind, TchError, Tensor};

options! {
    /// Options of `std` and `variance`.
    pub struct SpreadOptions {
        /// What is taken from the number of elements before dividing: 1 is unbiased, 0 the plain mean.
        correction: f64 = 1.0,
        /// Keep the reduced axes with size 1.
        keepdim: bool = false,
    }
}

/// Which of the two ends `max` and `min` look for.
struct End {
    all: fn(&Tensor) -> Result<Tensor, TchError>,
    along: fn(&Tensor, i64, bool) -> Result<(Tensor, Tensor), TchError>,
    other: fn(&Tensor, &Tensor) -> Result<Tensor, TchError>,
}

const MAX: End = End { all: Tensor::f_max, along: Tensor::f_max_dim, other: Tensor::f_maximum };
const MIN: End = End { all: Tensor::f_min, along: Tensor::f_min_dim, other: Tensor::f_minimum };

impl End {
    fn find(&self, x: &Tensor, dim: &Value, keepdim: Option<bool>) -> Result<Value> {
        Ok(match dim {
            Value::Nil => Value::Tensor((self.all)(x)?),
            Value::Int(d) => {
                let (values, indices) = (self.along)(x, *d, keepdim.unwrap_or(false))?;
                Value::Map(parts(["values", "indices"], [values, indices]))
            }
            other => Value::Tensor((self.other)(x, &Operand::from_value(other)?.like(x)?)?),
        })
    }
}

/// The order of a norm: a number, `"fro"` or `"inf"`.
fn order(p: Option<Value>) -> Result<f64> {
    match p {
        None => Ok(2.0),
        Some(Value::Str(s)) if s == "fro" => Ok(2.0),
        Some(Value::Str(s)) if s == "inf" => Ok(f64::INFINITY),
        Some(Value::Str(s)) => Err(Error::unknown("norm", &s, ["fro", "inf"])),
        Some(v) => f64::from_value(&v),
    }
}

fn spread(dim: Option<Value>, options: Opts<SpreadOptions>) -> Result<(Option<Vec<i64>>, SpreadOptions)> {
    let (rest, options) = trailing(vec![dim.unwrap_or_default()], options)?;
    Ok((rest.first().map(|v| Dims::from_value(v).map(|d| d.0)).transpose()?, options))
}

functions! {
    on "Tensor";
    /// Sum of the elements, or along axes.
    ///
    /// Here as in all reductions, `dim` is an axis or a list of axes, and `keepdim` keeps them with size 1.
    /// ```rhai
    /// tensor([[1, 2], [3, 4]]).sum() // => tensor(10)
    /// tensor([[1, 2], [3, 4]]).sum(0) // => tensor([4, 6])
    /// tensor([[1, 2], [3, 4]]).sum([0, 1], true) // => tensor([[10]])
    /// ```
    fn sum(x: Tensor, dim: Option<Dims>, keepdim: Option<bool>) -> Tensor {
        x.f_sum_dim_intlist(axes(dim), keepdim.unwrap_or(false), None::<Kind>)?
    }

    /// Mean of the elements, or along axes.
    /// ```rhai
    /// tensor([[1.0, 2], [3, 4]]).mean() // => tensor(2.5000)
    /// tensor([[1.0, 2], [3, 4]]).mean(1) // => tensor([1.5000, 3.5000])
    /// ```
    fn mean(x: Tensor, dim: Option<Dims>, keepdim: Option<bool>) -> Tensor {
        whole_has_no_mean(&x)?;
        x.f_mean_dim(axes(dim), keepdim.unwrap_or(false), None::<Kind>)?
    }

    /// Product of the elements, or along an axis.
    /// ```rhai
    /// tensor([[1, 2], [3, 4]]).prod() // => tensor(24)
    /// tensor([[1, 2], [3, 4]]).prod(1) // => tensor([ 2, 12])
    /// ```
    fn prod(x: Tensor, dim: Option<i64>, keepdim: Option<bool>) -> Tensor {
        match dim {
            Some(d) => x.f_prod_dim_int(d, keepdim.unwrap_or(false), None::<Kind>)?,
            None => x.f_prod(None::<Kind>)?,
        }
    }

    /// Sum that takes NaN as zero.
    /// ```rhai
    /// tensor([1.0, tensor::nan()]).nansum() // => tensor(1.)
    /// ```
    fn nansum(x: Tensor, dim: Option<Dims>, keepdim: Option<bool>) -> Tensor {
        x.f_nansum(axes(dim), keepdim.unwrap_or(false), None::<Kind>)?
    }

    /// Mean of the elements that are not NaN.
    /// ```rhai
    /// tensor([1.0, 3, tensor::nan()]).nanmean() // => tensor(2.)
    /// ```
    fn nanmean(x: Tensor, dim: Option<Dims>, keepdim: Option<bool>) -> Tensor {
        x.f_nanmean(axes(dim), keepdim.unwrap_or(false), None::<Kind>)?
    }

    /// Largest element, also along an axis or against another tensor.
    ///
    /// With an axis it gives `#{values, indices}`; with a tensor, the larger of the two elementwise.
    /// ```rhai
    /// tensor([[1, 5], [7, 2]]).max() // => tensor(7)
    /// tensor([[1, 5], [7, 2]]).max(1).indices // => tensor([1, 0])
    /// tensor([1, 5]).max(tensor([3, 3])) // => tensor([3, 5])
    /// ```
    fn max(x: Tensor, dim: Option<Value>, keepdim: Option<bool>) -> Value {
        MAX.find(&x, &dim.unwrap_or_default(), keepdim)?
    }

    /// Smallest element, also along an axis or against another tensor.
    ///
    /// With an axis it gives `#{values, indices}`; with a tensor, the smaller of the two elementwise.
    /// ```rhai
    /// tensor([[1, 5], [7, 2]]).min() // => tensor(1)
    /// tensor([[1, 5], [7, 2]]).min(0).values // => tensor([1, 2])
    /// ```
    fn min(x: Tensor, dim: Option<Value>, keepdim: Option<bool>) -> Value {
        MIN.find(&x, &dim.unwrap_or_default(), keepdim)?
    }

    /// Largest element along axes; ties share the gradient.
    /// ```rhai
    /// tensor([[1, 5], [7, 2]]).amax(0) // => tensor([7, 5])
    /// ```
    fn amax(x: Tensor, dim: Option<Dims>, keepdim: Option<bool>) -> Tensor {
        x.f_amax(axes(dim).unwrap_or_default(), keepdim.unwrap_or(false))?
    }

    /// Smallest element along axes; ties share the gradient.
    /// ```rhai
    /// tensor([[1, 5], [7, 2]]).amin(0) // => tensor([1, 2])
    /// ```
    fn amin(x: Tensor, dim: Option<Dims>, keepdim: Option<bool>) -> Tensor {
        x.f_amin(axes(dim).unwrap_or_default(), keepdim.unwrap_or(false))?
    }

    /// Index of the largest element, in the flat tensor or along an axis.
    /// ```rhai
    /// tensor([[1, 5], [7, 2]]).argmax() // => tensor(2)
    /// tensor([[1, 5], [7, 2]]).argmax(1) // => tensor([1, 0])
    /// ```
    fn argmax(x: Tensor, dim: Option<i64>, keepdim: Option<bool>) -> Tensor { x.f_argmax(dim, keepdim.unwrap_or(false))? }

    /// Index of the smallest element, in the flat tensor or along an axis.
    /// ```rhai
    /// tensor([[1, 5], [7, 2]]).argmin(1) // => tensor([0, 1])
    /// ```
    fn argmin(x: Tensor, dim: Option<i64>, keepdim: Option<bool>) -> Tensor { x.f_argmin(dim, keepdim.unwrap_or(false))? }

    /// Standard deviation of the elements, or along axes.
    /// ```rhai
    /// tensor([1.0, 2, 3, 4]).std() // => tensor(1.2910)
    /// tensor([[1.0, 3], [2, 6]]).std(1, #{correction: 0}) // => tensor([1., 2.])
    /// ```
    fn std(x: Tensor, dim: Option<Value>, options: Opts<SpreadOptions>) -> Tensor {
        let (dim, o) = spread(dim, options)?;
        x.f_std_correction(dim, o.correction, o.keepdim)?
    }

    /// Variance of the elements, or along axes (`var` is a reserved word here).
    /// ```rhai
    /// tensor([1.0, 2, 3, 4]).variance() // => tensor(1.6667)
    /// tensor([1.0, 2, 3, 4]).variance(#{correction: 0}) // => tensor(1.2500)
    /// ```
    fn variance(x: Tensor, dim: Option<Value>, options: Opts<SpreadOptions>) -> Tensor {
        let (dim, o) = spread(dim, options)?;
        x.f_var_correction(dim, o.correction, o.keepdim)?
    }

    /// Norm of order `p` (2; a number, `fro` or `inf`) of all elements, or along axes.
    /// ```rhai
    /// tensor([[3.0, 4], [6, 8]]).norm(2, 1) // => tensor([ 5., 10.])
    /// tensor([3.0, -4]).norm(1) // => tensor(7.)
    /// ```
    fn norm(x: Tensor, p: Option<Value>, dim: Option<Dims>, keepdim: Option<bool>) -> Tensor {
        x.f_norm_scalaropt_dim(order(p)?, axes(dim).unwrap_or_default(), keepdim.unwrap_or(false))?
    }

    /// True when all elements are true or not zero, or along axes.
    /// ```rhai
    /// tensor([true, false]).all() // => tensor(False)
    /// ```
    fn all(x: Tensor, dim: Option<Dims>, keepdim: Option<bool>) -> Tensor {
        x.f_all_dims(axes(dim), keepdim.unwrap_or(false))?
    }

    /// True when any element is true or not zero, or along axes.
    /// ```rhai
    /// tensor([[0, 2], [0, 0]]).any(1) // => tensor([ True, False])
    /// ```
    fn any(x: Tensor, dim: Option<Dims>, keepdim: Option<bool>) -> Tensor {
        x.f_any_dims(axes(dim), keepdim.unwrap_or(false))?
    }

    /// How many elements are not zero, or along axes.
    /// ```rhai
    /// tensor([[0, 2], [3, 4]]).count_nonzero() // => tensor(3)
    /// ```
    fn count_nonzero(x: Tensor, dim: Option<Dims>) -> Tensor {
        match dim {
            Some(d) => x.f_count_nonzero_dim_intlist(d.0)?,
            None => x.f_count_nonzero(None)?,
        }
    }

    /// Median (the lower one); with an axis, `#{values, indices}`.
    /// ```rhai
    /// tensor([3.0, 1, 2, 4]).median() // => tensor(2.)
    /// ```
    fn median(x: Tensor, dim: Option<i64>, keepdim: Option<bool>) -> Value {
        match dim {
            None => Value::Tensor(x.f_median()?),
            Some(d) => {
                let (values, indices) = x.f_median_dim(d, keepdim.unwrap_or(false))?;
                Value::Map(parts(["values", "indices"], [values, indices]))
            }
        }
    }

    /// Most frequent element along an axis (-1), as `#{values, indices}`.
    /// ```rhai
    /// tensor([1, 2, 2]).mode().values // => tensor(2)
    /// ```
    fn mode(x: Tensor, dim: Option<i64>, keepdim: Option<bool>) -> Map {
        let (values, indices) = x.f_mode(dim.unwrap_or(-1), keepdim.unwrap_or(false))?;
        parts(["values", "indices"], [values, indices])
    }

    /// The value below which a share `q` of the elements lies, interpolated.
    /// ```rhai
    /// tensor([0.0, 1, 2, 3]).quantile(0.5) // => tensor(1.5000)
    /// tensor([0.0, 1, 2, 3]).quantile([0, 1]) // => tensor([0., 3.])
    /// ```
    fn quantile(x: Tensor, q: Value, dim: Option<i64>, keepdim: Option<bool>) -> Tensor {
        let keepdim = keepdim.unwrap_or(false);
        match &q {
            Value::List(_) | Value::Tensor(_) => {
                let q = super::convert::from_value(&q, x.f_kind()?)?.f_to_kind(x.f_kind()?)?.f_to(x.device())?;
                x.f_quantile(&q, dim, keepdim, "linear")?
            }
            q => x.f_quantile_scalar(f64::from_value(q)?, dim, keepdim, "linear")?,
        }
    }
}

/// The mean of integers is refused as in PyTorch, in the user's words.
fn whole_has_no_mean(x: &Tensor) -> Result<()> {
    if x.f_is_floating_point()? {
        return Ok(());
    }
    let name = super::dtype::name(x.f_kind()?);
    Err(Error::new(format!("the mean needs floating-point elements, got {name}"))
        .hint("write `x.float().mean()`"))
}

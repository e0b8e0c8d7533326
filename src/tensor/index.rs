//! `x[i]`, `x[1..3]`, `x[[0, .., 1..3]]`, `x[mask]`: PyTorch's indexing in this language's brackets.

use super::convert;
use crate::core::value::mismatch;
use crate::core::{Error, Result, Value};
use tch::{Kind, Tensor};

/// The axis `dim` of `ndim`, counted from the end when negative.
///
/// # Errors
/// An axis that is not there.
pub fn axis(dim: i64, ndim: usize) -> Result<usize> {
    let n = ndim as i64;
    match if dim < 0 { dim + n } else { dim } {
        d if (0..n).contains(&d) => Ok(d as usize),
        _ => Err(Error::new(format!("axis {dim} of a tensor of {ndim} axes does not exist")).hint(format!(
            "axes are 0 to {}, or -1 to {} from the end",
            n - 1,
            -n
        ))),
    }
}

/// One index.
enum At {
    /// An integer: drops the axis.
    One(i64),
    /// A range: keeps it. The end is `i64::MAX` when open.
    Slice(i64, i64),
    /// An integer tensor: picks along it.
    Pick(Tensor),
    /// A bool tensor: picks where it is true, along as many axes as it has.
    Mask(Tensor),
    /// `()`: a new axis.
    Fresh,
    /// `"..."`: as many whole axes as the others leave.
    Rest,
}

impl At {
    fn read(v: &Value) -> Result<Self> {
        let t = match v {
            Value::Int(i) => return Ok(At::One(*i)),
            Value::Range(a, b) => return Ok(At::Slice(*a, *b)),
            Value::Nil => return Ok(At::Fresh),
            Value::Str(s) if s == "..." => return Ok(At::Rest),
            Value::Tensor(t) => t.shallow_clone(),
            Value::List(items) if items.is_empty() => Tensor::f_zeros([0], (Kind::Int64, tch::Device::Cpu))?,
            Value::List(_) => convert::from_value(v, Kind::Float)?,
            _ => return mismatch("integer, range, list, Tensor, \"...\" or ()", v),
        };
        match t.f_kind()? {
            Kind::Bool if t.dim() == 0 => Err(Error::new("a single bool is no index")),
            Kind::Bool => Ok(At::Mask(t)),
            Kind::Int64 | Kind::Int | Kind::Int16 | Kind::Int8 if t.dim() == 0 => {
                Ok(At::One(t.f_int64_value(&[])?))
            }
            Kind::Int64 | Kind::Int | Kind::Int16 | Kind::Int8 => Ok(At::Pick(t.f_to_kind(Kind::Int64)?)),
            other => Err(Error::new(format!(
                "a {} tensor is no index; expected integers or bools",
                super::dtype::name(other)
            ))
            .hint("`.long()` makes positions of it, `.bool()` a mask")),
        }
    }

    /// How many axes of the tensor it uses up.
    fn axes(&self) -> usize {
        match self {
            At::One(_) | At::Slice(..) | At::Pick(_) => 1,
            At::Mask(m) => m.dim(),
            At::Fresh | At::Rest => 0,
        }
    }
}

fn outside(i: i64, axis: usize, n: i64) -> Error {
    Error::new(format!("index {i} is out of range for axis {axis} of size {n}")).hint(match n {
        0 => "the axis is empty".to_string(),
        n => format!("indices are 0 to {}, or -1 to -{n} from the end", n - 1),
    })
}

/// The positions, all of which must lie on the axis: on a GPU libtorch would abort every later call.
fn within(ix: Tensor, axis: usize, n: i64) -> Result<Tensor> {
    if ix.numel() > 0 {
        let (low, high) = (ix.f_min()?.f_int64_value(&[])?, ix.f_max()?.f_int64_value(&[])?);
        if let Some(bad) = [low, high].into_iter().find(|i| *i < -n || *i >= n) {
            return Err(outside(bad, axis, n));
        }
    }
    Ok(ix)
}

/// What the brackets name: a view of the tensor, and the positions picked in it along each of its axes.
struct Place {
    view: Tensor,
    picks: Vec<Option<Tensor>>,
}

impl Place {
    fn find(x: &Tensor, at: &Value) -> Result<Self> {
        let ats = match at {
            Value::List(items) => items.iter().map(At::read).collect::<Result<Vec<_>>>()?,
            one => vec![At::read(one)?],
        };
        let size = x.size();
        let used: usize = ats.iter().map(At::axes).sum();
        if used > size.len() {
            return Err(Error::new(format!(
                "{used} indices for a tensor of {} {}, shape {size:?}",
                size.len(), if size.len() == 1 { "axis" } else { "axes" }
            ))
            .hint("a list in brackets is one index an axis; to pick several elements of an axis write x[[[0, 2], ..]]"));
        }
        if ats.iter().filter(|a| matches!(a, At::Rest)).count() > 1 {
            return Err(Error::new("\"...\" may stand once"));
        }
        let mut place = Place { view: x.shallow_clone(), picks: Vec::new() };
        let mut axis = 0;
        for at in ats {
            let taken = if matches!(at, At::Rest) { size.len() - used } else { at.axes() };
            place.apply(at, axis, taken, &size)?;
            axis += taken;
        }
        Ok(place)
    }

    /// Applies the index for `taken` axes of the whole tensor from `axis` on.
    fn apply(&mut self, at: At, axis: usize, taken: usize, size: &[i64]) -> Result<()> {
        let dim = self.picks.len();
        match at {
            At::One(i) => {
                let n = size[axis];
                if i < -n || i >= n {
                    return Err(outside(i, axis, n));
                }
                self.view = self.view.f_select(dim as i64, i)?;
            }
            At::Slice(a, b) => {
                self.view = self.view.f_slice(dim as i64, Some(a), Some(b), 1)?;
                self.picks.push(None);
            }
            At::Fresh => {
                self.view = self.view.f_unsqueeze(dim as i64)?;
                self.picks.push(None);
            }
            At::Rest => self.picks.extend((0..taken).map(|_| None)),
            At::Pick(ix) => self.picks.push(Some(within(ix, axis, size[axis])?.f_to(self.view.device())?)),
            At::Mask(mask) => {
                let covered = &size[axis..axis + taken];
                if mask.size() != covered {
                    return Err(Error::new(format!(
                        "a mask of shape {:?} does not fit axes {axis}.. of shape {covered:?}",
                        mask.size()
                    )));
                }
                for ix in Tensor::f_where_(&mask.f_to(self.view.device())?)? {
                    self.picks.push(Some(ix));
                }
            }
        }
        Ok(())
    }

    fn picks_any(&self) -> bool {
        self.picks.iter().any(Option::is_some)
    }
}

/// `x[at]`. A list means one index an axis; an integer drops its axis, a range keeps it, a list or an integer
/// tensor picks along it, a bool tensor masks, `()` adds an axis.
///
/// # Errors
/// More indices than axes, an index out of range, picks that do not broadcast.
pub fn get(x: &Tensor, at: &Value) -> Result<Tensor> {
    let place = Place::find(x, at)?;
    if place.picks_any() { Ok(place.view.f_index(&place.picks)?) } else { Ok(place.view) }
}

/// `x[at] = v`: writes into the elements of `x`, with broadcasting; `v` is a number, a list or a tensor and takes
/// the dtype of `x`.
///
/// # Errors
/// As for [`get`], or a value whose shape does not broadcast.
pub fn set(x: &Tensor, at: &Value, v: &Value) -> Result<()> {
    let mut place = Place::find(x, at)?;
    let v = match v {
        Value::Tensor(t) => t.shallow_clone(),
        Value::Nil | Value::Str(_) | Value::Map(_) => return mismatch("number, list or Tensor", v),
        other => convert::from_value(other, Kind::Double)?,
    };
    let v = v.f_to_kind(x.f_kind()?)?.f_to(x.device())?;
    if place.picks_any() {
        let _ = place.view.f_index_put_(&place.picks, &v, false)?;
        return Ok(());
    }
    let (to, from) = (place.view.size(), v.size());
    // As in PyTorch, axes of size 1 in front of the value do not count.
    let extra = from.len().saturating_sub(to.len());
    let tail = &from[extra..];
    let fits = from[..extra].iter().all(|n| *n == 1)
        && tail.iter().rev().zip(to.iter().rev()).all(|(f, t)| f == t || *f == 1);
    if !fits {
        return Err(Error::new(format!("a value of shape {from:?} does not fit elements of shape {to:?}")));
    }
    Ok(place.view.f_copy_(&v.f_reshape(tail)?)?)
}

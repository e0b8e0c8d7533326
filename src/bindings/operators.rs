//! Operators of tensors: both operand orders, tensors with tensors and with numbers. They are called in the
//! innermost loops of scripts, so they are registered with their concrete types.

use super::convert::{Handle, to_dynamic, to_value};
use super::guard::{catch, raise};
use crate::core::{Error, Result, Value, ffi};
use crate::tensor::{index, print};
use rhai::{
    Array, Dynamic, Engine, EvalAltResult, FuncRegistration, ImmutableString, Map, NativeCallContext,
};
use tch::{Kind, Scalar, Tensor};

type Out<T = Handle> = Result<T, Box<EvalAltResult>>;

/// Runs one operation. tch panics where an operation with a number fails, whatever its signature says: the number is
/// dropped before the error is read.
fn done(ctx: &NativeCallContext, work: impl FnOnce() -> Result<Tensor, tch::TchError>) -> Out {
    catch(|| Ok(work()?)).map(Handle::from).map_err(|e| raise(e, ctx.call_position()))
}

/// The same for two tensors: shapes that do not broadcast are named.
fn both<E: Into<Error>>(
    ctx: &NativeCallContext,
    (op, a, b): (&str, &Tensor, &Tensor),
    work: fn(&Tensor, &Tensor) -> Result<Tensor, E>,
) -> Out {
    work(a, b).map(Handle::from).map_err(|e| {
        let mut e: Error = e.into();
        if e.msg.contains("must match the size of tensor b") {
            e = Error::new(format!("{:?} {op} {:?}: the shapes do not broadcast", a.size(), b.size()))
                .hint("counted from the last axis, sizes must be equal or 1");
        }
        raise(e, ctx.call_position())
    })
}

/// `op` for Tensor × Tensor, Tensor × number and number × Tensor.
fn binary<E: Into<Error> + 'static>(
    engine: &mut Engine,
    op: &'static str,
    tensors: fn(&Tensor, &Tensor) -> Result<Tensor, E>,
    right: fn(&Tensor, Scalar) -> Result<Tensor, tch::TchError>,
    left: fn(Scalar, &Tensor) -> Result<Tensor, tch::TchError>,
) {
    engine
        .register_fn(op, move |c: NativeCallContext, a: &mut Handle, b: Handle| {
            both(&c, (op, &a.0, &b.0), tensors)
        })
        .register_fn(op, move |c: NativeCallContext, a: &mut Handle, b: f64| {
            done(&c, || right(&a.0, b.into()))
        })
        .register_fn(op, move |c: NativeCallContext, a: &mut Handle, b: i64| {
            done(&c, || right(&a.0, b.into()))
        })
        .register_fn(op, move |c: NativeCallContext, a: f64, b: Handle| done(&c, || left(a.into(), &b.0)))
        .register_fn(op, move |c: NativeCallContext, a: i64, b: Handle| done(&c, || left(a.into(), &b.0)));
}

/// [`binary`] for comparisons and logic: bools too, and an error for what no tensor can be compared with, where the
/// engine would silently say `false`.
fn logical(
    engine: &mut Engine,
    op: &'static str,
    tensors: fn(&Tensor, &Tensor) -> Result<Tensor, tch::TchError>,
    right: fn(&Tensor, Scalar) -> Result<Tensor, tch::TchError>,
    left: fn(Scalar, &Tensor) -> Result<Tensor, tch::TchError>,
) {
    binary(engine, op, tensors, right, left);
    let flag = |b: bool| Tensor::f_scalar_tensor(i64::from(b), (Kind::Bool, tch::Device::Cpu));
    engine
        .register_fn(op, move |c: NativeCallContext, a: &mut Handle, b: bool| {
            done(&c, || flag(b).and_then(|b| tensors(&a.0, &b)))
        })
        .register_fn(op, move |c: NativeCallContext, a: bool, b: Handle| {
            done(&c, || flag(a).and_then(|a| tensors(&a, &b.0)))
        });
    refuse::<ImmutableString>(engine, op, "string");
    refuse::<char>(engine, op, "string");
    refuse::<Array>(engine, op, "list");
    refuse::<Map>(engine, op, "map");
}

/// `op` between a tensor and a `T`, called `what`, is an error.
fn refuse<T: rhai::Variant + Clone>(engine: &mut Engine, op: &'static str, what: &'static str) {
    let no = move |c: &NativeCallContext, order: String| -> Out<bool> {
        let e = Error::new(format!("`{order}` is not defined")).hint(match what {
            "list" => "tensor::of(list) makes a tensor of it",
            _ => "compare with a number or a tensor",
        });
        Err(raise(e, c.call_position()))
    };
    engine
        .register_fn(op, move |c: NativeCallContext, _: &mut Handle, _: T| {
            no(&c, format!("Tensor {op} {what}"))
        })
        .register_fn(op, move |c: NativeCallContext, _: T, _: Handle| no(&c, format!("{what} {op} Tensor")));
}

/// `for row in x`: along the first axis.
impl IntoIterator for Handle {
    type Item = Handle;
    type IntoIter = std::vec::IntoIter<Handle>;
    fn into_iter(self) -> Self::IntoIter {
        // A tensor without axes has no rows.
        let rows = if self.0.dim() == 0 { Vec::new() } else { self.0.f_unbind(0).unwrap_or_default() };
        rows.into_iter().map(Handle::from).collect::<Vec<_>>().into_iter()
    }
}

/// Operators, indexing, printing and `==` of tensors.
pub fn register(engine: &mut Engine) {
    binary(
        engine,
        "+",
        |a, b| ffi::arithmetic(b'+', a, b),
        |a, b| a.f_add_scalar(b),
        |a, b| b.f_add_scalar(a),
    );
    binary(
        engine,
        "-",
        |a, b| ffi::arithmetic(b'-', a, b),
        |a, b| a.f_sub_scalar(b),
        |a, b| b.f_rsub_scalar(a),
    );
    binary(
        engine,
        "*",
        |a, b| ffi::arithmetic(b'*', a, b),
        |a, b| a.f_mul_scalar(b),
        |a, b| b.f_mul_scalar(a),
    );
    binary(
        engine,
        "/",
        |a, b| ffi::arithmetic(b'/', a, b),
        |a, b| a.f_div_scalar(b),
        |a, b| b.f_reciprocal()?.f_mul_scalar(a),
    );
    binary(
        engine,
        "%",
        |a, b| a.f_remainder_tensor(b),
        |a, b| a.f_remainder(b),
        Tensor::f_remainder_scalar_tensor,
    );
    binary(engine, "**", |a, b| a.f_pow(b), |a, b| a.f_pow_tensor_scalar(b), Tensor::f_pow_scalar);
    logical(engine, "==", |a, b| a.f_eq_tensor(b), |a, b| a.f_eq(b), |a, b| b.f_eq(a));
    logical(engine, "!=", |a, b| a.f_ne_tensor(b), |a, b| a.f_ne(b), |a, b| b.f_ne(a));
    logical(engine, "<", |a, b| a.f_lt_tensor(b), |a, b| a.f_lt(b), |a, b| b.f_gt(a));
    logical(engine, "<=", |a, b| a.f_le_tensor(b), |a, b| a.f_le(b), |a, b| b.f_ge(a));
    logical(engine, ">", |a, b| a.f_gt_tensor(b), |a, b| a.f_gt(b), |a, b| b.f_lt(a));
    logical(engine, ">=", |a, b| a.f_ge_tensor(b), |a, b| a.f_ge(b), |a, b| b.f_le(a));
    for op in ["<", "<=", ">", ">="] {
        refuse::<()>(engine, op, "()");
    }
    logical(
        engine,
        "&",
        |a, b| a.f_bitwise_and_tensor(b),
        |a, b| a.f_bitwise_and(b),
        |a, b| b.f_bitwise_and(a),
    );
    logical(engine, "|", |a, b| a.f_bitwise_or_tensor(b), |a, b| a.f_bitwise_or(b), |a, b| b.f_bitwise_or(a));
    logical(
        engine,
        "^",
        |a, b| a.f_bitwise_xor_tensor(b),
        |a, b| a.f_bitwise_xor(b),
        |a, b| b.f_bitwise_xor(a),
    );
    engine
        .register_iterator::<Handle>()
        .register_fn("-", |c: NativeCallContext, a: &mut Handle| done(&c, || a.0.f_neg()))
        .register_fn("!", |c: NativeCallContext, a: &mut Handle| done(&c, || a.0.f_logical_not()))
        .register_fn("==", |_: &mut Handle, _: ()| false)
        .register_fn("==", |_: (), _: Handle| false)
        .register_fn("!=", |_: &mut Handle, _: ()| true)
        .register_fn("!=", |_: (), _: Handle| true)
        .register_fn("to_string", |t: &mut Handle| print::show(&t.0))
        .register_fn("to_debug", |t: &mut Handle| print::show(&t.0));
    let got = |c: NativeCallContext, t: &mut Handle, at: Dynamic| -> Out<Dynamic> {
        no_property(&c, &at)?;
        let get = || -> Result<Value> { Ok(Value::Tensor(index::get(&t.0, &to_value(&at)?)?)) };
        catch(get).map(to_dynamic).map_err(|e| raise(e, c.call_position()))
    };
    let put = |c: NativeCallContext, t: &mut Handle, at: Dynamic, v: Dynamic| -> Out<()> {
        no_property(&c, &at)?;
        let set = || index::set(&t.0, &to_value(&at)?, &to_value(&v)?);
        catch(set).map_err(|e| raise(e, c.call_position()))
    };
    // Pure, for a constant is a handle, too: what it holds may change.
    FuncRegistration::new_index_getter().with_purity(true).register_into_engine(engine, got);
    FuncRegistration::new_index_setter().with_purity(true).register_into_engine(engine, put);
}

/// The engine asks the indexer for properties it does not know; told that there is no such index, it says so itself,
/// and forgets about writing back what `x.shape.len()` cannot have changed.
fn no_property(c: &NativeCallContext, at: &Dynamic) -> Out<()> {
    match at.as_immutable_string_ref() {
        Ok(s) if s.as_str() != "..." => {
            Err(EvalAltResult::ErrorIndexingType("Tensor [string]".into(), c.call_position()).into())
        }
        _ => Ok(()),
    }
}

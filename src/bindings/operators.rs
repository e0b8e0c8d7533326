//! Operators of tensors: both operand orders, tensors with tensors and with numbers. They are called in the
//! innermost loops of scripts, so they are registered with their concrete types.

use super::convert::{Handle, to_dynamic, to_value};
use super::guard::raise;
use crate::core::{Error, Result, Value};
use crate::tensor::{index, print};
use rhai::{Dynamic, Engine, EvalAltResult, NativeCallContext};
use tch::{Scalar, Tensor};

type Out<T = Handle> = Result<T, Box<EvalAltResult>>;

fn done(ctx: &NativeCallContext, r: Result<Tensor, tch::TchError>) -> Out {
    r.map(Handle::from).map_err(|e| raise(Error::from(e), ctx.call_position()))
}

/// `op` for Tensor × Tensor, Tensor × number and number × Tensor.
fn binary(
    engine: &mut Engine,
    op: &str,
    tensors: fn(&Tensor, &Tensor) -> Result<Tensor, tch::TchError>,
    right: fn(&Tensor, Scalar) -> Result<Tensor, tch::TchError>,
    left: fn(Scalar, &Tensor) -> Result<Tensor, tch::TchError>,
) {
    engine
        .register_fn(op, move |c: NativeCallContext, a: &mut Handle, b: Handle| done(&c, tensors(&a.0, &b.0)))
        .register_fn(op, move |c: NativeCallContext, a: &mut Handle, b: f64| done(&c, right(&a.0, b.into())))
        .register_fn(op, move |c: NativeCallContext, a: &mut Handle, b: i64| done(&c, right(&a.0, b.into())))
        .register_fn(op, move |c: NativeCallContext, a: f64, b: Handle| done(&c, left(a.into(), &b.0)))
        .register_fn(op, move |c: NativeCallContext, a: i64, b: Handle| done(&c, left(a.into(), &b.0)));
}

/// Operators, indexing, printing and `==` of tensors.
pub fn register(engine: &mut Engine) {
    binary(engine, "+", |a, b| a.f_add(b), |a, b| a.f_add_scalar(b), |a, b| b.f_add_scalar(a));
    binary(engine, "-", |a, b| a.f_sub(b), |a, b| a.f_sub_scalar(b), |a, b| b.f_rsub_scalar(a));
    binary(engine, "*", |a, b| a.f_mul(b), |a, b| a.f_mul_scalar(b), |a, b| b.f_mul_scalar(a));
    binary(engine, "/", |a, b| a.f_div(b), |a, b| a.f_div_scalar(b), |a, b| b.f_reciprocal()?.f_mul_scalar(a));
    binary(engine, "%", |a, b| a.f_remainder_tensor(b), |a, b| a.f_remainder(b), |a, b| {
        Tensor::f_remainder_scalar_tensor(a, b)
    });
    binary(engine, "**", |a, b| a.f_pow(b), |a, b| a.f_pow_tensor_scalar(b), |a, b| Tensor::f_pow_scalar(a, b));
    binary(engine, "==", |a, b| a.f_eq_tensor(b), |a, b| a.f_eq(b), |a, b| b.f_eq(a));
    binary(engine, "!=", |a, b| a.f_ne_tensor(b), |a, b| a.f_ne(b), |a, b| b.f_ne(a));
    binary(engine, "<", |a, b| a.f_lt_tensor(b), |a, b| a.f_lt(b), |a, b| b.f_gt(a));
    binary(engine, "<=", |a, b| a.f_le_tensor(b), |a, b| a.f_le(b), |a, b| b.f_ge(a));
    binary(engine, ">", |a, b| a.f_gt_tensor(b), |a, b| a.f_gt(b), |a, b| b.f_lt(a));
    binary(engine, ">=", |a, b| a.f_ge_tensor(b), |a, b| a.f_ge(b), |a, b| b.f_le(a));
    binary(engine, "&", |a, b| a.f_bitwise_and_tensor(b), |a, b| a.f_bitwise_and(b), |a, b| b.f_bitwise_and(a));
    binary(engine, "|", |a, b| a.f_bitwise_or_tensor(b), |a, b| a.f_bitwise_or(b), |a, b| b.f_bitwise_or(a));
    engine
        .register_fn("-", |c: NativeCallContext, a: &mut Handle| done(&c, a.0.f_neg()))
        .register_fn("!", |c: NativeCallContext, a: &mut Handle| done(&c, a.0.f_logical_not()))
        .register_fn("==", |_: &mut Handle, _: ()| false)
        .register_fn("==", |_: (), _: Handle| false)
        .register_fn("!=", |_: &mut Handle, _: ()| true)
        .register_fn("!=", |_: (), _: Handle| true)
        .register_fn("to_string", |t: &mut Handle| print::show(&t.0))
        .register_fn("to_debug", |t: &mut Handle| print::show(&t.0))
        .register_indexer_get(|c: NativeCallContext, t: &mut Handle, at: Dynamic| -> Out<Dynamic> {
            let get = || -> Result<Value> { Ok(Value::Tensor(index::get(&t.0, &to_value(&at)?)?)) };
            get().map(to_dynamic).map_err(|e| raise(e, c.call_position()))
        })
        .register_indexer_set(|c: NativeCallContext, t: &mut Handle, at: Dynamic, v: Dynamic| -> Out<()> {
            let set = || index::set(&t.0, &to_value(&at)?, &to_value(&v)?);
            set().map_err(|e| raise(e, c.call_position()))
        });
}

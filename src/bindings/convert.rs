//! Between the engine's `Dynamic` and the house's `Value`. Every type scripts hold is named here once.

use crate::core::value::{Object, Opaque};
use crate::core::{Closure, Error, Result, Value};
use crate::{augment, data, embed, explain, image, nn, train};
use rhai::{Dynamic, Engine, FnPtr, ImmutableString};
use std::any::TypeId;
use std::cell::RefCell;
use std::rc::{Rc, Weak};
use tch::Tensor;

/// A tensor as the engine holds it: cloned at every mention of a variable, so a counted pointer.
#[derive(Clone)]
pub struct Handle(pub Rc<Tensor>);

impl From<Tensor> for Handle {
    fn from(t: Tensor) -> Self {
        Handle(Rc::new(t))
    }
}

/// How one [`Object`] type passes the border.
struct Border {
    name: &'static str,
    id: fn() -> TypeId,
    to_value: fn(&Dynamic) -> Option<Value>,
    to_dynamic: fn(&Opaque) -> Option<Dynamic>,
    register: fn(&mut Engine),
}

const fn border<T: Object>() -> Border {
    Border {
        name: T::NAME,
        id: TypeId::of::<T>,
        to_value: |d| d.read_lock::<T>().map(|t| Value::object(t.clone())),
        to_dynamic: |o| o.any.downcast_ref::<T>().map(|t| Dynamic::from(t.clone())),
        register: |engine| {
            engine
                .register_type_with_name::<T>(T::NAME)
                .register_fn("to_string", |t: &mut T| t.show())
                .register_fn("to_debug", |t: &mut T| t.show());
        },
    }
}

/// Every type scripts hold by handle, besides tensors.
const TYPES: &[Border] = &[
    border::<nn::Net>(),
    border::<nn::HookHandle>(),
    border::<train::optim::Optimizer>(),
    border::<train::sched::Schedule>(),
    border::<augment::Aug>(),
    border::<data::Dataset>(),
    border::<data::Batches>(),
    border::<image::Picture>(),
    border::<train::trainer::Trainer>(),
    border::<explain::Target>(),
    border::<explain::Heatmap>(),
    border::<embed::Embedding>(),
];

/// Teaches the engine the names and the printing of all types.
pub fn register_types(engine: &mut Engine) {
    engine.register_type_with_name::<Handle>("Tensor");
    TYPES.iter().for_each(|b| (b.register)(engine));
}

/// The engine's type for the type named `name` in a [`crate::core::func::Func`].
pub fn type_ids(name: &str) -> Vec<TypeId> {
    match name {
        "Tensor" => vec![TypeId::of::<Handle>()],
        "list" => vec![TypeId::of::<rhai::Array>()],
        "map" => vec![TypeId::of::<rhai::Map>()],
        "string" => vec![TypeId::of::<ImmutableString>()],
        "number" => vec![TypeId::of::<f64>(), TypeId::of::<i64>()],
        "integer" => vec![TypeId::of::<i64>()],
        _ => TYPES.iter().filter(|b| b.name == name).map(|b| (b.id)()).collect(),
    }
}

thread_local! {
    /// Every closure that native values hold, or held.
    static HELD: RefCell<Vec<Weak<FnPtr>>> = const { RefCell::new(Vec::new()) };
}

/// `f` for the house, which may keep it.
fn hold(f: &FnPtr) -> Rc<FnPtr> {
    let f = Rc::new(f.clone());
    HELD.with_borrow_mut(|all| {
        // Before it grows: those that nobody holds any more go, so it grows with what is held only.
        if all.len() == all.capacity() {
            all.retain(|w| w.strong_count() > 0);
        }
        all.push(Rc::downgrade(&f));
    });
    f
}

/// The closures that native values hold.
pub fn held() -> Vec<Rc<FnPtr>> {
    HELD.with_borrow(|all| all.iter().filter_map(Weak::upgrade).collect())
}

/// A script value as the house sees it.
///
/// # Errors
/// A value of a type the house does not know (a timestamp, say).
pub fn to_value(d: &Dynamic) -> Result<Value> {
    if d.is_unit() {
        return Ok(Value::Nil);
    }
    if let Some(h) = d.read_lock::<Handle>() {
        return Ok(Value::Tensor(h.0.shallow_clone()));
    }
    if let Ok(v) = d.as_int() {
        return Ok(Value::Int(v));
    }
    if let Ok(v) = d.as_float() {
        return Ok(Value::Float(v));
    }
    if let Ok(v) = d.as_bool() {
        return Ok(Value::Bool(v));
    }
    if let Ok(s) = d.as_immutable_string_ref() {
        return Ok(Value::Str(s.to_string()));
    }
    if let Ok(items) = d.as_array_ref() {
        return items.iter().map(to_value).collect::<Result<_>>().map(Value::List);
    }
    if let Ok(map) = d.as_map_ref() {
        return map
            .iter()
            .map(|(k, v)| Ok((k.to_string(), to_value(v)?)))
            .collect::<Result<_>>()
            .map(Value::Map);
    }
    if let Some(f) = d.read_lock::<FnPtr>() {
        return Ok(Value::Func(Closure(hold(&f))));
    }
    if let Some(r) = d.read_lock::<std::ops::Range<i64>>() {
        return Ok(Value::Range(r.start, r.end));
    }
    if let Some(r) = d.read_lock::<std::ops::RangeInclusive<i64>>() {
        // `..=-1` means up to and including the last: open.
        return Ok(Value::Range(
            *r.start(),
            if *r.end() == -1 { i64::MAX } else { r.end().saturating_add(1) },
        ));
    }
    if let Ok(c) = d.as_char() {
        return Ok(Value::Str(c.to_string()));
    }
    TYPES
        .iter()
        .find_map(|b| (b.to_value)(d))
        .ok_or_else(|| Error::new(format!("a value of type {} cannot be used here", d.type_name())))
}

/// The house's value as a script sees it.
pub fn to_dynamic(v: Value) -> Dynamic {
    match v {
        Value::Nil => Dynamic::UNIT,
        Value::Bool(v) => v.into(),
        Value::Int(v) => v.into(),
        Value::Float(v) => v.into(),
        Value::Str(v) => v.into(),
        Value::List(v) => Dynamic::from_array(v.into_iter().map(to_dynamic).collect()),
        Value::Map(v) => Dynamic::from_map(v.into_iter().map(|(k, v)| (k.into(), to_dynamic(v))).collect()),
        Value::Tensor(t) => Dynamic::from(Handle::from(t)),
        Value::Range(a, b) => Dynamic::from(a..b),
        Value::Func(f) => f.0.downcast_ref::<FnPtr>().map_or(Dynamic::UNIT, |f| Dynamic::from(f.clone())),
        Value::Object(o) => TYPES.iter().find_map(|b| (b.to_dynamic)(&o)).unwrap_or(Dynamic::UNIT),
    }
}

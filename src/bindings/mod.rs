//! The only room under `host` that names the script engine: conversions, the guard, one wrapper for every
//! function of the house.

pub mod convert;
pub mod guard;
mod iterators;
mod operators;
mod settings;
mod sizes;

use crate::core::func::{Func, FuncKind};
use convert::{register_types, type_ids};
use rhai::{Dynamic, Engine, EvalAltResult, FuncRegistration, Module, NativeCallContext, RhaiFunc, Shared};
pub use settings::{Setting, Settings};
use std::any::TypeId;
use std::collections::BTreeMap;

type RhaiResult = Result<Dynamic, Box<EvalAltResult>>;

/// An engine that knows the whole language.
pub fn engine() -> Engine {
    let mut engine = Engine::new();
    engine
        .set_max_call_levels(256)
        .set_fail_on_invalid_map_property(true)
        .set_optimization_level(rhai::OptimizationLevel::Simple);
    register_types(&mut engine);
    engine.register_type_with_name::<guard::ScriptError>("Error");
    engine
        .register_get("message", |e: &mut guard::ScriptError| e.msg.clone())
        .register_get("hint", |e: &mut guard::ScriptError| e.hint.clone().unwrap_or_default())
        .register_fn("to_string", |e: &mut guard::ScriptError| e.msg.clone())
        .register_fn("to_debug", |e: &mut guard::ScriptError| e.msg.clone());
    operators::register(&mut engine);
    sizes::register(&mut engine);
    iterators::register(&mut engine);

    let mut modules: BTreeMap<&str, Module> = BTreeMap::new();
    for func in inventory::iter::<Func> {
        let home = if func.kind == FuncKind::Function { func.home } else { "" };
        expose(func, modules.entry(home).or_default());
    }
    for (home, module) in modules {
        match home {
            "" => engine.register_global_module(module.into()),
            home => engine.register_static_module(home, module.into()),
        };
    }
    engine
}

/// Registers `func` for every number of arguments it takes; the arguments are read, and complained about,
/// by the function itself.
fn expose(func: &'static Func, module: &mut Module) {
    assert!(func.params.len() <= guard::MAX_PARAMS, "{} has too many parameters", func.path());
    let receivers = match func.kind {
        FuncKind::Function => vec![None],
        _ => type_ids(func.home).into_iter().map(Some).collect(),
    };
    let path = func.path();
    for count in func.required()..=func.params.len() {
        for receiver in &receivers {
            let mut types = vec![TypeId::of::<Dynamic>(); count];
            if let Some(id) = receiver {
                types[0] = *id;
            }
            let path = path.clone();
            let work = move |ctx: Option<NativeCallContext>, args: &mut [&mut Dynamic]| match ctx {
                Some(ctx) => guard::invoke(func, &path, &ctx, args),
                None => Ok(Dynamic::UNIT),
            };
            let work: Shared<dyn Fn(Option<NativeCallContext>, &mut [&mut Dynamic]) -> RhaiResult> =
                Shared::new(work);
            // Methods too are `Pure`: every receiver is a handle, and the engine would write a `Method`'s receiver
            // back (`x[0].sum()` would assign to `x[0]`, which autograd forbids, and fail on constants).
            let call = RhaiFunc::Pure { func: work, has_context: true, is_pure: true, is_volatile: true };
            let registration = match func.kind {
                FuncKind::Getter => FuncRegistration::new_getter(func.name()),
                FuncKind::Method => FuncRegistration::new(func.name()).in_global_namespace(),
                FuncKind::Function => FuncRegistration::new(func.name()),
            };
            registration.set_into_module_raw(module, types, call);
        }
    }
}

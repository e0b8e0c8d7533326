//! What `for` walks, besides the language's own lists and ranges.

use super::convert::to_dynamic;
use super::guard::{catch, raise};
use crate::data::Batches;
use rhai::{Dynamic, Engine, EvalAltResult, Position};
use std::any::TypeId;

type Item = Result<Dynamic, Box<EvalAltResult>>;

/// Teaches the engine to walk batches. An error inside ends the loop as a script error at its `for`.
pub fn register(engine: &mut Engine) {
    let mut module = rhai::Module::new();
    module.set_iter_result(TypeId::of::<Batches>(), |batches: Dynamic| -> Box<dyn Iterator<Item = Item>> {
        let mut walk = batches.cast::<Batches>().walk();
        Box::new(std::iter::from_fn(move || {
            let next = catch(|| walk.next().transpose());
            next.and_then(|batch| batch.map(|b| b.to_value().map(to_dynamic)).transpose())
                .map_err(|e| raise(e, Position::NONE))
                .transpose()
        }))
    });
    engine.register_global_module(module.into());
}

//! The one guard between the engine and the house: panics become errors, errors get the call's name and
//! place, and native code gets its way back into the script.

use super::convert::{to_dynamic, to_value};
use super::settings::Settings;
use crate::core::func::Func;
use crate::core::script::{self, Caller};
use crate::core::{Closure, Error, Kind, Result, Value, params};
use rhai::{AST, Dynamic, Engine, EvalAltResult, FnPtr, NativeCallContext, Position, Scope};
use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// An error of ours inside the engine: what `catch (e)` gives a script.
#[derive(Clone, Debug)]
pub struct ScriptError {
    /// What was wrong.
    pub msg: String,
    /// How to go on.
    pub hint: Option<String>,
}

type RhaiError = Box<EvalAltResult>;

thread_local! {
    /// The script error behind an [`Error`] of kind `Callback`, with its own position.
    static RAISED: RefCell<Option<RhaiError>> = const { RefCell::new(None) };
    /// Message of the panic being caught.
    static PANIC: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// The most parameters a script function has.
pub const MAX_PARAMS: usize = 8;

/// The way back into the script during a native call.
struct Back<'a>(&'a NativeCallContext<'a>);

impl Caller for Back<'_> {
    fn call(&self, f: &Closure, args: Vec<Value>) -> Result<Value> {
        let Some(f) = f.0.downcast_ref::<FnPtr>() else {
            return Err(Error::new("not a function of this script"));
        };
        let mut args: Vec<Dynamic> = args.into_iter().map(to_dynamic).collect();
        given_back(f.call_raw(self.0, None, &mut args))
    }

    fn run(&self, name: &str, text: &str) -> Result<()> {
        run_script(self.0.engine(), name, text, self.0.call_position())
    }
}

/// Runs the script `text` by itself, if it declares the settings that it is given. Its errors keep their place in it.
fn run_script(engine: &Engine, name: &str, text: &str, at: Position) -> Result<()> {
    let compiled = engine.compile(text);
    if let Ok(ast) = &compiled
        && let Some(unknown) = Settings::of(ast).unknown(&params::given())
    {
        return Err(unknown);
    }
    let run = || {
        let mut ast = compiled?;
        ast.set_source(name);
        running(engine, &ast, || engine.run_ast_with_scope(&mut Scope::new(), &ast))
    };
    given_back(run().map(|()| Dynamic::UNIT).map_err(|e| {
        let stopped = matches!(*e, EvalAltResult::ErrorTerminated(..));
        // As an error in a call, so that the message is placed in the other script.
        if stopped {
            e
        } else {
            EvalAltResult::ErrorInFunctionCall(name.to_string(), name.to_string(), e, at).into()
        }
    }))
    .map(|_| ())
}

fn given_back(result: std::result::Result<Dynamic, RhaiError>) -> Result<Value> {
    match result {
        Ok(d) => to_value(&d),
        Err(e) => {
            let out = Error::callback(e.to_string());
            RAISED.set(Some(e));
            Err(out)
        }
    }
}

/// The way back into a script that runs, between native calls: `for` asks an iterator without telling the call.
pub struct Running<'a>(pub &'a Engine, pub &'a AST);

impl Caller for Running<'_> {
    fn call(&self, f: &Closure, args: Vec<Value>) -> Result<Value> {
        let Some(f) = f.0.downcast_ref::<FnPtr>() else {
            return Err(Error::new("not a function of this script"));
        };
        let args: Vec<Dynamic> = args.into_iter().map(to_dynamic).collect();
        given_back(f.call::<Dynamic>(self.0, self.1, args))
    }

    fn run(&self, name: &str, text: &str) -> Result<()> {
        run_script(self.0, name, text, Position::NONE)
    }
}

/// Runs `body`, which runs the script `ast` on `engine`.
pub fn running<T>(engine: &Engine, ast: &AST, body: impl FnOnce() -> T) -> T {
    script::with_caller(&Running(engine, ast), body)
}

/// Panics are reported by [`guard`], not by the default hook.
pub fn silence_panics() {
    std::panic::set_hook(Box::new(|info| {
        let text = info.payload().downcast_ref::<String>().cloned();
        let text = text.or_else(|| info.payload().downcast_ref::<&str>().map(|s| s.to_string()));
        let place = info.location().map(|l| format!(" ({}:{})", l.file(), l.line())).unwrap_or_default();
        PANIC.set(Some(text.unwrap_or_default() + place.as_str()));
    }));
}

/// Runs `body`; a panic in it becomes an error.
pub fn catch<T>(body: impl FnOnce() -> Result<T>) -> Result<T> {
    catch_unwind(AssertUnwindSafe(body)).unwrap_or_else(|payload| {
        // Without `silence_panics` (in tests) the message is in the payload alone.
        let text = PANIC.take().or_else(|| payload.downcast_ref::<String>().cloned()).unwrap_or_default();
        // tch's own panics are `called Result::unwrap() on an Err value: Torch("…")`.
        let torch = text.split_once("Torch(\"").map(|(_, t)| t.replace("\\n", "\n").replace("\\\"", "\""));
        Err(match torch {
            Some(t) => Error::torch(&t),
            None => Error::new(format!("internal error: {text}"))
                .hint("please report it with the script that caused it"),
        })
    })
}

/// Runs `body` on behalf of the script call at `ctx`, whose name is `name`.
pub fn guard<T>(
    ctx: &NativeCallContext,
    name: &str,
    body: impl FnOnce() -> Result<T>,
) -> Result<T, RhaiError> {
    let back = Back(ctx);
    script::with_caller(&back, || catch(body)).map_err(|e| raise(e.within(name), ctx.call_position()))
}

/// Our error as the engine's, at `pos`.
pub fn raise(e: Error, pos: Position) -> RhaiError {
    match e.kind {
        Kind::Interrupted => EvalAltResult::ErrorTerminated("interrupted".into(), pos).into(),
        Kind::Callback => RAISED.take().unwrap_or_else(|| runtime(e, pos)),
        Kind::User => runtime(e, pos),
    }
}

fn runtime(e: Error, pos: Position) -> RhaiError {
    EvalAltResult::ErrorRuntime(Dynamic::from(ScriptError { msg: e.msg, hint: e.hint }), pos).into()
}

/// Calls `func` with the engine's arguments.
pub fn invoke(
    func: &Func,
    name: &str,
    ctx: &NativeCallContext,
    args: &[&mut Dynamic],
) -> Result<Dynamic, RhaiError> {
    guard(ctx, name, || {
        let mut values: [Value; MAX_PARAMS] = Default::default();
        for (slot, arg) in values.iter_mut().zip(args) {
            *slot = to_value(arg)?;
        }
        (func.call)(&values[..func.params.len()]).map(to_dynamic)
    })
}

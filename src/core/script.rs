//! Calling back into the script, without knowing its engine. The boundary sets a [`Caller`] around every
//! native call; a closure stored in a network, a hook or a target is run through whichever call is under way.
//! Closures run on the main thread only.

use super::error::{Error, Result};
use super::value::Value;
use std::any::Any;
use std::rc::Rc;

/// A script function, held until it is called.
#[derive(Clone)]
pub struct Closure(pub Rc<dyn Any>);

/// Runs script functions.
pub trait Caller {
    /// Calls `f` with `args`.
    fn call(&self, f: &Closure, args: Vec<Value>) -> Result<Value>;

    /// Runs another script: `text`, which messages call `name`.
    fn run(&self, name: &str, text: &str) -> Result<()>;
}

scoped_tls_hkt::scoped_thread_local!(static CALLER: for<'a> &'a dyn Caller);

/// Runs `body` with `caller` as the way into the script.
pub fn with_caller<R>(caller: &dyn Caller, body: impl FnOnce() -> R) -> R {
    CALLER.set(caller, body)
}

impl Closure {
    /// Calls the script function.
    ///
    /// # Errors
    /// What the script raised, or that no script is running.
    pub fn call(&self, args: Vec<Value>) -> Result<Value> {
        if !CALLER.is_set() {
            return Err(Error::new("a script function was called where no script is running"));
        }
        CALLER.with(|c| c.call(self, args))
    }
}

/// Runs another script on the engine of the one that runs: `text`, which messages call `name`. It sees no variables of
/// the other.
///
/// # Errors
/// What the script raised, or that no script is running.
pub fn run(name: &str, text: &str) -> Result<()> {
    if !CALLER.is_set() {
        return Err(Error::new("a script was started where no script is running"));
    }
    CALLER.with(|c| c.run(name, text))
}

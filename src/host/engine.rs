//! The engine as the program uses it: printing, Ctrl-C, messages.

use super::render::{Diagnostic, Source, diagnose};
use super::{output, screen};
use crate::bindings::guard;
use crate::core::screen as core_screen;
use crate::core::{Error, Result, ffi, interrupt};
use crate::registry::session;
use rhai::{AST, Dynamic, Engine, EvalAltResult, Scope};
use std::rc::Rc;
use std::time::Duration;

/// How long a stop may take before there is a word about it.
const PATIENCE: Duration = Duration::from_secs(1);

/// An engine that prints where `output` says, shows pictures on the terminal and stops on Ctrl-C.
///
/// # Errors
/// A library file that does not compile.
pub fn engine() -> Result<Engine> {
    let mut engine = session::engine()?;
    core_screen::set(Some(Rc::new(screen::Terminal)));
    engine.on_print(output::print);
    engine.on_debug(output::debug);
    engine.on_progress(|_| interrupt::requested().then_some(Dynamic::UNIT));
    Ok(engine)
}

/// The first Ctrl-C asks the computation to stop, the second leaves at once.
///
/// # Errors
/// No signal handler to be had.
pub fn watch_interrupts() -> Result<()> {
    let handler = || {
        if interrupt::request() {
            // Not `exit`: libtorch's destructors would run while the computation goes on.
            ffi::leave(130);
        }
        // What runs may be one long call of libtorch, which nothing stops halfway.
        std::thread::spawn(|| {
            std::thread::sleep(PATIENCE);
            if interrupt::requested() && !interrupt::idle() {
                output::say("stopping after this operation; Ctrl-C once more leaves at once");
            }
        });
    };
    ctrlc::set_handler(handler).map_err(|e| Error::new(format!("Ctrl-C cannot be watched: {e}")))
}

/// Compiles `source`.
///
/// # Errors
/// What is wrong with it, where.
pub fn compile(engine: &Engine, source: &Source) -> Result<AST, Box<Diagnostic>> {
    match engine.compile(source.text) {
        Ok(mut ast) => {
            ast.set_source(source.name);
            Ok(ast)
        }
        Err(e) => Err(Box::new(diagnose(engine, source, &EvalAltResult::from(e)))),
    }
}

/// Runs `ast`, compiled from `source`.
///
/// # Errors
/// What went wrong, where; a panic of the engine too.
pub fn evaluate(engine: &Engine, source: &Source, ast: &AST) -> Result<(), Box<Diagnostic>> {
    let mut scope = Scope::new();
    match guard::catch(|| Ok(guard::running(engine, ast, || engine.run_ast_with_scope(&mut scope, ast)))) {
        Ok(Ok(())) => Ok(()),
        Ok(Err(e)) => Err(Box::new(diagnose(engine, source, &e))),
        Err(e) => Err(Box::new(Diagnostic::plain(e))),
    }
}

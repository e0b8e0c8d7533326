//! The engine as the program uses it: printing, Ctrl-C, messages.

use super::output;
use super::render::{Diagnostic, Source, diagnose};
use crate::bindings::guard;
use crate::core::{Error, Result, interrupt};
use crate::registry::session;
use rhai::{AST, Dynamic, Engine, EvalAltResult, Scope};

/// An engine that prints where `output` says and stops on Ctrl-C.
///
/// # Errors
/// A library file that does not compile.
pub fn engine() -> Result<Engine> {
    let mut engine = session::engine()?;
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
            std::process::exit(130);
        }
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
    match guard::catch(|| Ok(engine.run_ast_with_scope(&mut scope, ast))) {
        Ok(Ok(())) => Ok(()),
        Ok(Err(e)) => Err(Box::new(diagnose(engine, source, &e))),
        Err(e) => Err(Box::new(Diagnostic::plain(e))),
    }
}

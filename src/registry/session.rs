//! One conversation with the engine: what one input defines, the next one sees. The REPL and the tested examples
//! are sessions.

use crate::bindings;
use crate::core::{Error, Result, device, interrupt, params, run, seed};
use crate::train::engine;
use rhai::{AST, Dynamic, Engine, EvalAltResult, FnPtr, Scope};
use std::rc::Rc;

/// An engine that knows the whole language, the library included.
///
/// # Errors
/// A library file that does not compile.
pub fn engine() -> Result<Engine> {
    let mut engine = bindings::engine();
    super::stdlib::load(&mut engine)?;
    Ok(engine)
}

/// Scope and functions of a conversation.
pub struct Session {
    engine: Rc<Engine>,
    scope: Scope<'static>,
    /// Functions and closures of all inputs so far.
    functions: AST,
    /// All inputs so far, one below the other: positions in messages point into it.
    pub text: String,
}

impl Session {
    /// An empty conversation; `source` names it in messages.
    pub fn new(engine: Rc<Engine>, source: &str) -> Self {
        let mut functions = AST::empty();
        functions.set_source(source);
        Self { engine, scope: Scope::new(), functions, text: String::new() }
    }

    /// Runs `input` and gives the value of its last expression.
    ///
    /// # Errors
    /// What the engine says; positions count the lines of [`Session::text`].
    pub fn eval(&mut self, input: &str) -> Result<Dynamic, Box<EvalAltResult>> {
        let above = self.text.lines().count();
        self.text += input.trim_end();
        self.text.push('\n');
        let input = "\n".repeat(above) + input;
        let ast = self.engine.compile_with_scope(&self.scope, input)?;
        let mut all = self.functions.merge(&ast);
        all.set_source(self.functions.source().unwrap_or_default().to_string());
        let result = self.engine.eval_ast_with_scope::<Dynamic>(&mut self.scope, &all);
        all.clear_statements();
        self.functions = all;
        self.drop_shadowed();
        result
    }

    /// Names of the variables, in order of definition.
    pub fn variables(&self) -> Vec<String> {
        self.scope.iter_raw().map(|(name, ..)| name.to_string()).collect()
    }

    /// `let x` a second time hides the first `x` but keeps its value, a large tensor perhaps, alive.
    fn drop_shadowed(&mut self) {
        let names = self.variables();
        let last = |i: usize| !names[i + 1..].contains(&names[i]);
        if (0..names.len()).all(last) {
            return;
        }
        let mut scope = Scope::new();
        for (i, (name, constant, value)) in self.scope.iter_raw().enumerate() {
            if !last(i) {
                continue;
            }
            match constant {
                true => scope.push_constant_dynamic(name, value.clone()),
                false => scope.push_dynamic(name, value.clone()),
            };
        }
        self.scope = scope;
    }
}

/// A value as the REPL and the examples print it: strings in quotes.
pub fn show(engine: &Engine, value: &Dynamic) -> String {
    let print =
        FnPtr::new("to_debug").and_then(|f| f.call::<String>(engine, &AST::empty(), (value.clone(),)));
    print.unwrap_or_else(|_| value.to_string())
}

/// What a run starts from.
pub struct Start {
    /// The run's name, folder and record.
    pub setup: run::Setup,
    /// `--set` pairs.
    pub set: Vec<(String, String)>,
    /// The seed.
    pub seed: i64,
    /// libtorch's threads; 0 leaves them.
    pub threads: i32,
    /// `cpu`, `cuda:1` …
    pub device: String,
}

impl Start {
    /// What tests start from: seed 0, one thread, CPU, a folder of their own.
    pub fn test(folder: std::path::PathBuf) -> Self {
        let setup = run::Setup { name: "test".into(), folder: Some(folder), ..Default::default() };
        Self { setup, set: Vec::new(), seed: 0, threads: 1, device: "cpu".into() }
    }

    /// Resets everything a run before could have left.
    ///
    /// # Errors
    /// A device that cannot be used, or a bad seed.
    pub fn begin(self) -> Result<()> {
        interrupt::clear();
        device::set(device::parse(&self.device)?);
        seed::set(self.seed)?;
        if self.threads > 0 {
            tch::set_num_threads(self.threads);
        }
        params::begin(self.set);
        engine::begin_script();
        run::begin(self.setup);
        Ok(())
    }
}

/// A folder for one test, removed afterwards.
///
/// # Errors
/// No room for temporary files.
pub fn scratch() -> Result<tempfile::TempDir> {
    tempfile::Builder::new().prefix("cs385-").tempdir().map_err(|e| Error::io(std::env::temp_dir(), &e))
}

//! One conversation with the engine: what one input defines, the next one sees. The REPL and the tested examples
//! are sessions.

use super::closures::{self, is_closure};
use super::tokens::{self, LAST};
use crate::bindings;
use crate::core::{Error, Result, device, interrupt, params, run, seed};
use crate::train::engine;
use rhai::{AST, Dynamic, Engine, EvalAltResult, FnPtr, Scope};
use std::collections::HashSet;
use std::rc::Rc;

/// An engine that knows the whole language, the library included.
///
/// # Errors
/// A library file that does not compile.
pub fn engine() -> Result<Engine> {
    let mut engine = bindings::engine();
    tokens::teach(&mut engine);
    super::stdlib::load(&mut engine)?;
    Ok(engine)
}

/// Scope and functions of a conversation.
pub struct Session {
    engine: Rc<Engine>,
    scope: Scope<'static>,
    /// Functions and closures of all inputs so far, without statements: a conversation may be long.
    functions: AST,
    /// The inputs that defined them.
    inputs: Vec<Input>,
    /// Those inputs and the last one, one below the other: positions in messages point into it.
    pub text: String,
    /// Where the last input comes from, and how many lines stand above it.
    origin: Origin,
    above: usize,
}

/// An input that defined functions.
struct Input {
    text: String,
    functions: Vec<String>,
    origin: Origin,
}

/// The file an input was read from, and the line it begins on there; `None` if it was typed.
type Origin = Option<(String, usize)>;

impl Session {
    /// An empty conversation; `source` names it in messages.
    pub fn new(engine: Rc<Engine>, source: &str) -> Self {
        let mut functions = AST::empty();
        functions.set_source(source);
        Self {
            engine,
            scope: Scope::new(),
            functions,
            inputs: Vec::new(),
            text: String::new(),
            origin: None,
            above: 0,
        }
    }

    /// Runs `input` and gives the value of its last expression. `_` in it is the value [`Session::set_last`] was
    /// given.
    ///
    /// # Errors
    /// What the engine says; positions count the lines of [`Session::text`].
    pub fn eval(&mut self, input: &str) -> Result<Dynamic, Box<EvalAltResult>> {
        self.eval_from(input, None)
    }

    /// The same for an input that stands in a file, from `line` on: see [`Session::place`].
    ///
    /// # Errors
    /// What the engine says.
    pub fn eval_from(
        &mut self,
        input: &str,
        origin: Option<(&str, usize)>,
    ) -> Result<Dynamic, Box<EvalAltResult>> {
        self.forget();
        self.origin = origin.map(|(name, line)| (name.to_string(), line));
        let own = format!("{}\n", input.trim_end());
        self.text = self.inputs.iter().map(|i| i.text.as_str()).chain([own.as_str()]).collect();
        let above = self.text.lines().count() - own.lines().count();
        self.above = above;
        let padded = "\n".repeat(above) + own.as_str();
        let ast = tokens::with_last(&self.engine, &padded, || {
            self.engine.compile_with_scope(&self.scope, &padded)
        })?;
        if ast.has_functions() {
            let functions = ast.iter_functions().map(|f| f.name.to_string()).collect();
            self.inputs.push(Input { text: own, functions, origin: self.origin.clone() });
        }
        let mut all = self.functions.merge(&ast);
        all.set_source(self.functions.source().unwrap_or_default().to_string());
        let result = crate::bindings::guard::running(&self.engine, &all, || {
            self.engine.eval_ast_with_scope::<Dynamic>(&mut self.scope, &all)
        });
        all.clear_statements();
        self.functions = all;
        self.drop_shadowed();
        result
    }

    /// Forgets the closures that nothing holds any more, with the inputs that defined nothing else.
    fn forget(&mut self) {
        let closures = |i: &Input| !i.functions.is_empty() && i.functions.iter().all(|f| is_closure(f));
        if !self.inputs.iter().any(closures) {
            return;
        }
        let held = closures::held(&self.scope);
        let mut dead: Vec<String> = Vec::new();
        for i in self.inputs.iter_mut().filter(|i| closures(i)) {
            // A closure made inside another is of the same input.
            if !i.functions.iter().any(|f| held.contains(f)) {
                dead.append(&mut i.functions);
                // The lines below keep their numbers.
                i.text = "\n".repeat(i.text.lines().count());
            }
        }
        if !dead.is_empty() {
            self.functions.retain_functions(|_, _, name, _| !dead.iter().any(|d| d == name));
        }
        while self.inputs.pop_if(|i| i.functions.is_empty()).is_some() {}
    }

    /// The lines of [`Session::text`] above the last input.
    pub fn above(&self) -> usize {
        self.above
    }

    /// Where line `line` of [`Session::text`] stands in the file it was read from; `None` if it was typed.
    pub fn place(&self, line: usize) -> Option<(&str, usize)> {
        let within = |origin: &'_ Origin, above: usize| {
            origin.as_ref().map(|(_, first)| first + line.saturating_sub(above + 1))
        };
        if line > self.above {
            return Some((&self.origin.as_ref()?.0, within(&self.origin, self.above)?));
        }
        let mut above = 0;
        for i in &self.inputs {
            let lines = i.text.lines().count();
            if line <= above + lines {
                return Some((&i.origin.as_ref()?.0, within(&i.origin, above)?));
            }
            above += lines;
        }
        None
    }

    /// Forgets a variable, or the functions of this name; false if there is neither.
    pub fn remove(&mut self, name: &str) -> bool {
        let variable = self.scope.contains(name);
        let _ = self.scope.remove::<Dynamic>(name);
        let function = self.functions.iter_functions().any(|f| f.name == name);
        if function {
            self.functions.retain_functions(|_, _, f, _| f != name);
            for i in &mut self.inputs {
                i.functions.retain(|f| f != name);
                if i.functions.is_empty() {
                    i.text = "\n".repeat(i.text.lines().count());
                }
            }
        }
        variable || function
    }

    /// Forgets all variables and functions.
    pub fn clear(&mut self) {
        let source = self.functions.source().unwrap_or_default().to_string();
        *self = Self::new(self.engine.clone(), &source);
    }

    /// Names and values of the variables, in order of definition.
    pub fn variables(&self) -> impl Iterator<Item = (&str, &Dynamic)> {
        (&self.scope).into_iter().map(|(name, value, _)| (name, value)).filter(|(name, _)| *name != LAST)
    }

    /// The value of a variable, or of `_`.
    pub fn value(&self, name: &str) -> Option<&Dynamic> {
        self.scope.get(name)
    }

    /// Functions defined so far: name and parameters.
    pub fn functions(&self) -> Vec<(String, Vec<String>)> {
        let own = self.functions.iter_functions().filter(|f| !is_closure(f.name));
        own.map(|f| (f.name.to_string(), f.params.iter().map(ToString::to_string).collect())).collect()
    }

    /// What `_` is from here on.
    pub fn set_last(&mut self, value: &Dynamic) {
        // Flat: the value as it is now, not the variable that a closure shares.
        self.scope.push_dynamic(LAST, value.clone().flatten());
        self.drop_shadowed();
    }

    /// `let x` a second time hides the first `x` but keeps its value, a large tensor perhaps, alive.
    fn drop_shadowed(&mut self) {
        let mut seen = HashSet::new();
        let names: Vec<&str> = self.scope.iter_raw().map(|(name, ..)| name).collect(); // newest first
        let mut newest: Vec<bool> = names.iter().map(|name| seen.insert(*name)).collect();
        newest.reverse();
        if newest.iter().all(|n| *n) {
            return;
        }
        let old = std::mem::take(&mut self.scope).into_iter();
        for ((name, value, _), _) in old.zip(newest).filter(|(_, newest)| *newest) {
            match value.is_read_only() {
                true => self.scope.push_constant_dynamic(name, value),
                false => self.scope.push_dynamic(name, value),
            };
        }
    }
}

/// A value as the REPL and the examples print it: strings in quotes.
pub fn show(engine: &Engine, value: &Dynamic) -> String {
    if value.read_lock::<FnPtr>().is_some_and(|f| is_closure(f.fn_name())) {
        return "a closure".to_string();
    }
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

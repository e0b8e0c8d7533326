//! What the oracle tests share: fixtures, scripts over tensors, comparison.
#![allow(dead_code, clippy::unwrap_used, clippy::panic)] // every test program uses a part of it

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};

use cs385::bindings::{self, convert, guard::ScriptError};
use cs385::core::value::Object;
use cs385::core::{Value, arrays};
use cs385::nn::Net;
use rhai::{AST, Engine, EvalAltResult, Scope};
use tch::{Kind, Tensor};

/// Functions of `cam` that are no method of their own: they call the others, or draw.
pub const OTHERS: [&str; 8] =
    ["custom", "together", "compare", "layers", "sheet", "range", "explore", "deep_feature_factorization"];

/// Tensors by name.
pub type Tensors = BTreeMap<String, Tensor>;

/// A file beside the script that made it.
pub fn oracle(file: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/oracles").join(file)
}

/// The tensors of `tests/oracles/<name>/fixture.safetensors`.
pub fn fixture(name: &str) -> Tensors {
    arrays::read_named(oracle(&format!("{name}/fixture.safetensors"))).unwrap().into_iter().collect()
}

/// The tensors below `prefix/`, without it.
pub fn below(all: &Tensors, prefix: &str) -> Vec<(String, Tensor)> {
    let inside = |(k, t): (&String, &Tensor)| {
        Some((k.strip_prefix(prefix)?.strip_prefix('/')?.to_string(), t.shallow_clone()))
    };
    all.iter().filter_map(inside).collect()
}

/// The cases of `tests/oracles/<name>/cases.json`.
pub fn cases(name: &str) -> Vec<serde_json::Value> {
    let text = std::fs::read_to_string(oracle(&format!("{name}/cases.json"))).unwrap();
    let mut all: serde_json::Value = serde_json::from_str(&text).unwrap();
    let list = if all.is_object() { all["cases"].take() } else { all };
    serde_json::from_value(list).unwrap()
}

/// For tests that draw from libtorch's one generator: one at a time.
pub fn alone() -> MutexGuard<'static, ()> {
    static TURN: Mutex<()> = Mutex::new(());
    tch::set_num_threads(1); // their networks are small
    TURN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A script with its variables.
pub struct Script {
    engine: Engine,
    scope: Scope<'static>,
    /// Functions and closures of all scripts so far: hooks and networks keep them.
    functions: AST,
}

impl Script {
    pub fn new() -> Self {
        let mut scope = Scope::new();
        scope.push("log", rhai::Array::new());
        Script { engine: bindings::engine(), scope, functions: AST::empty() }
    }

    /// A script that knows stdlib/ too.
    pub fn with_library() -> Self {
        Script { engine: cs385::registry::session::engine().unwrap(), ..Self::new() }
    }

    /// Defines a variable.
    pub fn set(&mut self, name: &str, v: Value) -> &mut Self {
        self.scope.set_value(name.to_string(), convert::to_dynamic(v));
        self
    }

    pub fn tensor(&mut self, name: &str, t: &Tensor) -> &mut Self {
        self.set(name, Value::Tensor(t.shallow_clone()))
    }

    /// The value of the script's last expression, or message and hint of what it raised.
    pub fn try_eval(&mut self, script: &str) -> Result<Value, String> {
        let compiled = self.engine.compile_with_scope(&self.scope, script);
        let result = compiled.map_err(Into::into).and_then(|ast| {
            let all = self.functions.merge(&ast);
            self.functions = all.clone_functions_only();
            let (engine, scope) = (&self.engine, &mut self.scope);
            bindings::guard::running(engine, &all, || {
                engine.eval_ast_with_scope::<rhai::Dynamic>(scope, &all)
            })
        });
        match result {
            Ok(d) => Ok(convert::to_value(&d).unwrap()),
            Err(e) => match e.unwrap_inner() {
                EvalAltResult::ErrorRuntime(d, _) => match d.clone().try_cast::<ScriptError>() {
                    Some(e) => Err(format!("{}\n{}", e.msg, e.hint.unwrap_or_default())),
                    None => Err(e.to_string()),
                },
                other => Err(format!("not an error of the house: {other}")),
            },
        }
    }

    #[track_caller]
    pub fn eval(&mut self, script: &str) -> Value {
        self.try_eval(script).unwrap_or_else(|e| panic!("{script}: {e}"))
    }

    #[track_caller]
    pub fn eval_tensor(&mut self, script: &str) -> Tensor {
        tensor(&self.eval(script))
    }

    /// The handle the script ends with.
    #[track_caller]
    pub fn eval_object<T: Object>(&mut self, script: &str) -> T {
        let v = self.eval(script);
        v.downcast::<T>().cloned().unwrap_or_else(|| panic!("{script}: {}", v.describe()))
    }

    /// The script raises an error of the house that holds all of `parts`, in message or hint.
    #[track_caller]
    pub fn fails(&mut self, script: &str, parts: &[&str]) {
        match self.try_eval(script) {
            Ok(v) => panic!("{script}: no error, but {}", v.describe()),
            Err(e) => assert!(parts.iter().all(|p| e.contains(p)), "{script}: {e}\nshould hold {parts:?}"),
        }
    }
}

#[track_caller]
pub fn tensor(v: &Value) -> Tensor {
    match v {
        Value::Tensor(t) => t.shallow_clone(),
        other => panic!("a Tensor is wanted, got {}", other.describe()),
    }
}

/// The greatest difference, relative where the numbers are above 1. NaN counts as infinite.
pub fn distance(a: &Tensor, b: &Tensor) -> f64 {
    if a.numel() == 0 {
        return 0.0;
    }
    let (a, b) = (a.detach().to_kind(Kind::Double), b.detach().to_kind(Kind::Double));
    let d = ((&a - &b).abs() / b.abs().clamp_min(1.0)).max().double_value(&[]);
    if d.is_nan() { f64::INFINITY } else { d }
}

#[track_caller]
pub fn close(what: &str, got: &Tensor, want: &Tensor, tolerance: f64) {
    assert_eq!(got.size(), want.size(), "shape of {what}");
    let d = distance(got, want);
    assert!(d <= tolerance, "{what}: differs by {d:e}\n{got}\n{want}");
}

/// `Σ y · cos(0, 1, 2, …)`, the number the fixtures differentiate.
pub fn weigh(y: &Tensor) -> Tensor {
    let weights = Tensor::arange(y.numel() as i64, (Kind::Float, y.device())).cos().view_as(y);
    (y * weights).sum(Kind::Float)
}

/// The network of `script` with the fixture's weights, in a script that knows it as `net` and its input as `x`.
pub fn build(all: &Tensors, name: &str, script: &str) -> (Script, Net) {
    build_with(Script::new(), all, name, script)
}

/// [`build`] in a script there is.
pub fn build_with(mut s: Script, all: &Tensors, name: &str, script: &str) -> (Script, Net) {
    let net: Net = s.eval_object(script);
    net.load_named(below(all, &format!("{name}/net")), true).unwrap();
    s.set("net", Value::object(net.clone())).tensor("x", &all[&format!("{name}/x")]);
    (s, net)
}

/// Compared relative to the largest: gradients are small.
#[track_caller]
pub fn close_relative(what: &str, got: &Tensor, want: &Tensor) {
    let largest = want.abs().max();
    close(what, &(got / &largest), &(want / &largest), 1e-4);
}

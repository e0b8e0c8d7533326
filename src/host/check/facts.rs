//! What can be called, asked of the engine itself so that nothing is missing, and what a script says of itself all
//! over its text.

use crate::bindings::convert::type_ids;
use crate::core::func::{Func, FuncKind};
use crate::registry::stdlib;
use rhai::{
    AST, ASTFlags, ASTNode, Dynamic, Engine, EvalAltResult, Expr, FnAccess, FnCallExpr, FnPtr, FuncInfo,
    Scope, Stmt,
};
use std::any::TypeId;
use std::collections::{HashMap, HashSet};

/// A type certain before the run, in the user's words.
pub type Ty = Option<&'static str>;

/// Words of the engine that are no functions in its tables.
const SYNTAX: &[&str] =
    &["call", "curry", "eval", "Fn", "is_def_fn", "is_def_var", "is_shared", "type_of", "print", "debug"];

/// A function the engine knows: how many parameters it has, receiver included, and the types of the first two.
struct Known {
    count: usize,
    first: Option<TypeId>,
    second: Option<TypeId>,
}

/// What there is to call.
pub struct Facts<'a> {
    /// The engine the script will run on.
    pub engine: &'a Engine,
    /// By namespace (or nothing) and name; only the names the script mentions.
    known: HashMap<(String, String), Vec<Known>>,
    /// The house's functions by name.
    rows: HashMap<&'static str, Vec<&'static Func>>,
    namespaces: HashSet<&'static str>,
    /// What the script says of itself.
    pub script: Script,
}

/// What a script says of itself, anywhere in its text.
#[derive(Default)]
pub struct Script {
    /// Its functions and closures: name, parameters.
    pub functions: Vec<(String, Vec<String>)>,
    /// Names of the calls and properties.
    mentioned: HashSet<String>,
    /// Strings and keys: a map may hold a function under any of them.
    keys: HashSet<String>,
    /// Variables given another value, of another type perhaps.
    pub assigned: HashSet<String>,
    /// Names of `import … as name`.
    pub imports: HashSet<String>,
    /// Names of all constants.
    pub constants: HashSet<String>,
    /// Names the script asks about before it uses them.
    pub tested: HashSet<String>,
    /// Functions called with `!`: they see the caller's variables.
    pub open: HashSet<String>,
    /// `eval`: anything may be defined.
    pub eval: bool,
    /// Something is imported.
    pub import: bool,
    /// A function may lie in a map under a computed key.
    computed_keys: bool,
    /// A function changes its `this`, and perhaps its type.
    pub this_assigned: bool,
}

impl<'a> Facts<'a> {
    /// All that bears on `ast`.
    pub fn new(engine: &'a Engine, ast: &AST) -> Self {
        let script = Script::new(ast);
        let wanted = &script.mentioned;
        let read = |f: FuncInfo| {
            let m = f.metadata;
            let name = m.name.as_str();
            let bare = name.strip_prefix("get$").unwrap_or(name);
            let seen = m.access == FnAccess::Public && wanted.contains(bare);
            let ty = |i: usize| m.param_types.get(i).copied();
            let known = Known { count: m.num_params, first: ty(0), second: ty(1) };
            seen.then(|| ((f.namespace.to_string(), name.to_string()), known))
        };
        let mut known: HashMap<_, Vec<Known>> = HashMap::new();
        for (path, f) in engine.collect_fn_metadata(None, read, true) {
            known.entry(path).or_default().push(f);
        }
        let mut rows: HashMap<_, Vec<&Func>> = HashMap::new();
        let mut namespaces: HashSet<&str> = stdlib::FILES.iter().map(|f| f.0).collect();
        for f in inventory::iter::<Func> {
            rows.entry(f.name()).or_default().push(f);
            if f.kind == FuncKind::Function && !f.home.is_empty() {
                namespaces.insert(f.home);
            }
        }
        Self { engine, known, rows, namespaces, script }
    }

    fn named(&self, home: &str, name: &str) -> &[Known] {
        self.known.get(&(home.to_string(), name.to_string())).map_or(&[], Vec::as_slice)
    }

    /// True if there is a namespace `home`.
    pub fn has_namespace(&self, home: &str) -> bool {
        self.namespaces.contains(home)
    }

    /// True if `home::name` takes `count` arguments.
    pub fn takes(&self, home: &str, name: &str, count: usize) -> bool {
        self.named(home, name).iter().any(|f| f.count == count)
            || home.is_empty() && (self.script.defines(name, count) || SYNTAX.contains(&name))
    }

    /// True if `x.name(…)` takes `count` arguments, for an `x` of type `ty` or, if that is not known, for any.
    pub fn has_method(&self, ty: Ty, name: &str, count: usize) -> bool {
        let fits = |f: &&Known| f.count == count + 1 && self.fits(ty, f.first);
        self.script.defines(name, count)
            || SYNTAX.contains(&name)
            || self.named("", name).iter().any(|f| fits(&f))
    }

    /// True if `x.name` may be read, for an `x` of type `ty`.
    pub fn has_property(&self, ty: Ty, name: &str) -> bool {
        self.named("", &format!("get${name}")).iter().any(|f| self.fits(ty, f.first))
    }

    fn fits(&self, ty: Ty, first: Option<TypeId>) -> bool {
        let ids = ty.map_or_else(Vec::new, ids);
        ids.is_empty() || first.is_none_or(|t| t == TypeId::of::<Dynamic>() || ids.contains(&t))
    }

    /// True unless the operator `op` is certainly not there for an `a` and a `b`.
    pub fn has_operator(&self, op: &str, a: &'static str, b: &'static str) -> bool {
        if let (Some(a), Some(b)) = (sample(a), sample(b)) {
            // The engine's own operators stand in no table: they are tried.
            let mut scope = Scope::new();
            scope.push_dynamic("a", a);
            scope.push_dynamic("b", b);
            let tried = self.engine.eval_expression_with_scope::<Dynamic>(&mut scope, &format!("a {op} b"));
            return !matches!(tried.map_err(|e| *e), Err(EvalAltResult::ErrorFunctionNotFound(..)));
        }
        let named = self.named("", op);
        ids(a).is_empty()
            || ids(b).is_empty()
            || self.script.defines(op, 2)
            || named
                .iter()
                .any(|f| f.count == 2 && self.fits(Some(a), f.first) && self.fits(Some(b), f.second))
    }

    /// The rows of `home::name` that take `count` arguments.
    pub fn functions(&self, home: &str, name: &str, count: usize) -> Vec<&'static Func> {
        self.rows_of(name, FuncKind::Function, count).into_iter().filter(|f| f.home == home).collect()
    }

    /// The rows a call `x.name(…)` with `count` arguments may mean; none if it may mean something else.
    pub fn methods(&self, ty: Ty, name: &str, count: usize) -> Vec<&'static Func> {
        let mut rows = self.rows_of(name, FuncKind::Method, count + 1);
        rows.retain(|f| ty.is_none_or(|t| f.home == t));
        let ours: Vec<TypeId> = rows.iter().flat_map(|f| type_ids(f.home)).collect();
        let other = |f: &Known| {
            f.count == count + 1 && self.fits(ty, f.first) && f.first.is_none_or(|t| !ours.contains(&t))
        };
        let foreign = self.named("", name).iter().any(other)
            || self.script.defines(name, count)
            || ty.is_none() && self.may_be_in_a_map(name);
        if foreign { Vec::new() } else { rows }
    }

    /// The type of the property `name` of a `ty`.
    pub fn property(&self, ty: &str, name: &str) -> Ty {
        let rows = self.rows_of(name, FuncKind::Getter, 1);
        rows.iter().find(|f| f.home == ty).and_then(|f| certain(f.ret))
    }

    fn rows_of(&self, name: &str, kind: FuncKind, count: usize) -> Vec<&'static Func> {
        let fits = |f: &&&Func| f.kind == kind && (f.required()..=f.params.len()).contains(&count);
        self.rows.get(name).map_or_else(Vec::new, |all| all.iter().filter(fits).copied().collect())
    }

    /// True if a map may hold a function under `name`, so that `map.name(…)` calls it.
    pub fn may_be_in_a_map(&self, name: &str) -> bool {
        let s = &self.script;
        s.eval
            || s.import
            || s.computed_keys
            || s.keys.contains(name)
            || stdlib::FILES.iter().any(|f| has_key(f.2, name))
    }
}

/// True if `text` has a key `name:`, not only one that ends like it.
fn has_key(text: &str, name: &str) -> bool {
    let begins = |i: usize| !text[..i].ends_with(|c: char| c.is_alphanumeric() || c == '_');
    text.match_indices(&format!("{name}:")).any(|(i, _)| begins(i))
}

/// The type all `rows` give back, if that is certain.
pub fn result(rows: &[&Func]) -> Ty {
    let first = certain(rows.first()?.ret)?;
    rows.iter().all(|f| f.ret == first).then_some(first)
}

fn certain(ret: &'static str) -> Ty {
    (!matches!(ret, "any value" | "()")).then_some(ret)
}

/// The engine's types of a type word; empty where they cannot be told.
fn ids(ty: &str) -> Vec<TypeId> {
    match ty {
        "bool" => vec![TypeId::of::<bool>()],
        "character" => vec![TypeId::of::<char>()],
        "function" => vec![TypeId::of::<FnPtr>()],
        _ => type_ids(ty),
    }
}

/// A value of one of the engine's own types.
fn sample(ty: &str) -> Option<Dynamic> {
    Some(match ty {
        "integer" => Dynamic::from_int(1),
        "number" => Dynamic::from_float(1.0),
        "bool" => Dynamic::TRUE,
        "character" => Dynamic::from_char('a'),
        "string" => "a".into(),
        "list" => Dynamic::from_array(Vec::new()),
        "map" => Dynamic::from_map(Default::default()),
        _ => return None,
    })
}

impl Script {
    fn new(ast: &AST) -> Self {
        let mut out = Self::default();
        for f in ast.iter_fn_def() {
            let params = f.params.iter().map(|p| p.to_string()).collect();
            out.functions.push((f.name.to_string(), params));
        }
        ast.walk(&mut |path: &[ASTNode]| {
            match path.last() {
                Some(ASTNode::Stmt(s)) => out.stmt(s),
                Some(ASTNode::Expr(e)) => out.expr(e),
                _ => {}
            }
            true
        });
        out
    }

    /// True if the script has a function `name` of `count` parameters.
    pub fn defines(&self, name: &str, count: usize) -> bool {
        self.functions.iter().any(|(n, params)| n == name && params.len() == count)
    }

    fn stmt(&mut self, s: &Stmt) {
        match s {
            Stmt::FnCall(call, _) => self.call(call),
            Stmt::Assignment(x) => match &x.1.lhs {
                Expr::Variable(v, ..) => drop(self.assigned.insert(v.1.to_string())),
                Expr::ThisPtr(..) => self.this_assigned = true,
                target => {
                    self.computed_keys |= computed(target) && may_be_function(&x.1.rhs);
                    self.target(target);
                }
            },
            Stmt::Var(x, flags, _) if flags.contains(ASTFlags::CONSTANT) => {
                self.constants.insert(x.0.name.to_string());
            }
            Stmt::Import(x, _) => {
                self.import = true;
                self.imports.insert(x.1.name.to_string());
            }
            _ => {}
        }
    }

    fn expr(&mut self, e: &Expr) {
        match e {
            Expr::FnCall(call, _) | Expr::MethodCall(call, _) => self.call(call),
            Expr::Property(x, _) => {
                self.mentioned.insert(x.2.to_string());
            }
            Expr::Map(x, _) => self.keys.extend(x.0.iter().map(|(k, _)| k.name.to_string())),
            Expr::StringConstant(s, _) => drop(self.keys.insert(s.to_string())),
            Expr::DynamicConstant(v, _) => self.constant(v),
            _ => {}
        }
    }

    /// Properties on the way to what is assigned to are keys of maps.
    fn target(&mut self, target: &Expr) {
        match target {
            Expr::Property(x, _) => drop(self.keys.insert(x.2.to_string())),
            Expr::Index(x, ..) | Expr::Dot(x, ..) => {
                self.target(&x.lhs);
                self.target(&x.rhs);
            }
            _ => {}
        }
    }

    /// Keys and strings inside a folded constant.
    fn constant(&mut self, v: &Dynamic) {
        if let Ok(s) = v.as_immutable_string_ref() {
            self.keys.insert(s.to_string());
        } else if let Ok(items) = v.as_array_ref() {
            items.iter().for_each(|v| self.constant(v));
        } else if let Ok(map) = v.as_map_ref() {
            for (k, v) in map.iter() {
                self.keys.insert(k.to_string());
                self.constant(v);
            }
        }
    }

    fn call(&mut self, call: &FnCallExpr) {
        self.mentioned.insert(call.name.to_string());
        if call.capture_parent_scope {
            self.open.insert(call.name.to_string());
        }
        match call.name.as_str() {
            "eval" => self.eval = true,
            "is_def_fn" | "is_def_var" => {
                let text = |e: &Expr| e.get_literal_value(None).and_then(|v| v.into_string().ok());
                let before = self.tested.len();
                self.tested.extend(call.args.iter().filter_map(text));
                self.eval |= self.tested.len() == before;
            }
            // `map.set(key, f)`
            "set" => self.computed_keys |= call.args.last().is_some_and(may_be_function),
            _ => {}
        }
    }
}

/// True if `target` is indexed with something not known beforehand.
fn computed(target: &Expr) -> bool {
    match target {
        Expr::Index(x, ..) => match &x.rhs {
            Expr::Dot(y, ..) | Expr::Index(y, ..) => !y.lhs.is_constant() || computed(&x.rhs),
            index => !index.is_constant(),
        },
        Expr::Dot(x, ..) => computed(&x.rhs),
        _ => false,
    }
}

/// True unless `e` certainly is no function: the house's functions give none back.
fn may_be_function(e: &Expr) -> bool {
    match e {
        Expr::DynamicConstant(v, _) => v.is_fnptr(),
        Expr::Variable(..) | Expr::Stmt(..) | Expr::Coalesce(..) => true,
        Expr::FnCall(call, _) => call.op_token.is_none() && !call.is_qualified(),
        Expr::Index(x, ..) | Expr::Dot(x, ..) => {
            matches!(x.rhs, Expr::Property(..)) || matches!(e, Expr::Index(..))
        }
        _ => false,
    }
}

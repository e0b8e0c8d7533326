//! The walk through a script's statements: which variables are seen where, and what type they certainly have.

use super::facts::{Facts, Ty};
use super::{Fault, What};
use rhai::{
    ASTFlags, Dynamic, EvalAltResult, Expr, FnCallExpr, FnPtr, ImmutableString, Namespace, Position, Stmt,
    StmtBlock,
};
use std::collections::HashSet;

/// The type of what may be `()`, which has every method behind a `?.`.
pub const MAYBE: &str = "?";

/// Walks through statements and notes what would fail.
pub struct Walker<'a> {
    pub(super) facts: &'a Facts<'a>,
    /// Names seen here, innermost last.
    names: Vec<(ImmutableString, Ty)>,
    /// Inside so many `try`: the script has an answer to what fails there.
    guarded: usize,
    /// In a function that sees variables of its callers.
    open: bool,
    /// In a closure.
    closure: bool,
    /// What was found.
    pub faults: Vec<Fault>,
    /// Functions mentioned where errors end the script, and those mentioned inside `try`.
    pub mentioned: [HashSet<String>; 2],
    /// Inside `try` a function is called that the walk cannot tell.
    pub calls_unknown_in_try: bool,
}

impl<'a> Walker<'a> {
    /// A walk that has seen nothing.
    pub fn new(facts: &'a Facts<'a>) -> Self {
        Self {
            facts,
            names: Vec::new(),
            guarded: 0,
            open: false,
            closure: false,
            faults: Vec::new(),
            mentioned: Default::default(),
            calls_unknown_in_try: false,
        }
    }

    /// Begins the body of a function: it sees its parameters alone. `guarded`: it is called inside `try` only.
    pub fn enter(&mut self, name: &str, params: &[String], guarded: bool) {
        self.guarded = usize::from(guarded);
        self.names = params.iter().map(|p| (p.into(), None)).collect();
        self.open = self.facts.script.open.contains(name);
        self.closure = name.starts_with("anon$");
    }

    pub(super) fn fault(&mut self, pos: Position, what: What) {
        if self.guarded == 0 {
            self.faults.push(Fault { pos, what, closure: self.closure });
        }
    }

    pub(super) fn engine_fault(&mut self, e: EvalAltResult) {
        self.fault(e.position(), What::Engine(Box::new(e)));
    }

    /// Notes a function that may be called from here.
    pub(super) fn mention(&mut self, name: &str) {
        if self.facts.script.functions.iter().any(|(n, _)| n == name) {
            self.mentioned[usize::from(self.guarded > 0)].insert(name.to_string());
        }
    }

    fn block(&mut self, block: &StmtBlock) {
        let seen = self.names.len();
        block.iter().for_each(|s| self.stmt(s));
        self.names.truncate(seen);
    }

    fn declare(&mut self, name: &ImmutableString, ty: Ty) {
        let s = &self.facts.script;
        let kept = !s.eval && !s.this_assigned && !s.assigned.contains(name.as_str());
        self.names.push((name.clone(), ty.filter(|_| kept)));
    }

    /// Walks through a statement.
    pub fn stmt(&mut self, s: &Stmt) {
        match s {
            Stmt::If(x, _) => {
                self.condition(&x.expr);
                self.block(&x.body);
                self.block(&x.branch);
            }
            Stmt::While(x, _) | Stmt::Do(x, ..) => {
                // `loop` is a `while` without a condition.
                if !x.expr.is_unit() {
                    self.condition(&x.expr);
                }
                self.block(&x.body);
            }
            Stmt::For(x, _) => {
                self.expr(&x.2.expr);
                let seen = self.names.len();
                for name in std::iter::once(&x.0).chain(&x.1) {
                    self.declare(&name.name, None);
                }
                self.block(&x.2.body);
                self.names.truncate(seen);
            }
            Stmt::Switch(x, _) => {
                let (value, cases) = &**x;
                self.expr(value);
                for case in &cases.expressions {
                    self.expr(&case.lhs);
                    self.expr(&case.rhs);
                }
            }
            Stmt::Var(x, ..) => {
                let ty = self.expr(&x.1);
                self.declare(&x.0.name, ty);
            }
            Stmt::Assignment(x) => {
                self.expr(&x.1.rhs);
                self.target(&x.1.lhs);
            }
            Stmt::FnCall(call, pos) => drop(self.call(call, *pos)),
            Stmt::Block(x) => self.block(x),
            Stmt::TryCatch(x, _) => {
                self.guarded += 1;
                self.block(&x.body);
                self.guarded -= 1;
                let seen = self.names.len();
                if let Expr::Variable(v, ..) = &x.expr {
                    self.declare(&v.1, None);
                }
                self.block(&x.branch);
                self.names.truncate(seen);
            }
            Stmt::Expr(e) => drop(self.expr(e)),
            Stmt::BreakLoop(Some(e), ..) | Stmt::Return(Some(e), ..) => drop(self.expr(e)),
            Stmt::Import(x, _) => drop(self.expr(&x.0)),
            Stmt::Export(x, _) => drop(self.variable(&x.0.name, x.0.pos)),
            // What a closure takes along stands in the call of `curry` beside it, too.
            _ => {}
        }
    }

    fn condition(&mut self, e: &Expr) {
        if let Some(ty) = self.expr(e).filter(|t| *t != "bool") {
            self.engine_fault(EvalAltResult::ErrorMismatchDataType("bool".into(), ty.into(), e.position()));
        }
    }

    fn target(&mut self, e: &Expr) {
        match e {
            Expr::Index(x, flags, _) | Expr::Dot(x, flags, _) => {
                let ty = self.expr(&x.lhs);
                self.chain(ty, &x.rhs, matches!(e, Expr::Dot(..)), *flags, true);
            }
            e => drop(self.expr(e)),
        }
    }

    /// Walks through an expression and gives its type, if that is certain.
    pub fn expr(&mut self, e: &Expr) -> Ty {
        match e {
            Expr::DynamicConstant(v, _) => self.constant(v),
            Expr::BoolConstant(..) => Some("bool"),
            Expr::IntegerConstant(..) => Some("integer"),
            Expr::FloatConstant(..) => Some("number"),
            Expr::CharConstant(..) => Some("character"),
            Expr::StringConstant(s, _) => {
                self.mention(s);
                Some("string")
            }
            Expr::InterpolatedString(x, _) => {
                self.each(x.iter());
                Some("string")
            }
            Expr::Array(x, _) => {
                self.each(x.iter());
                Some("list")
            }
            Expr::Map(x, _) => {
                self.each(x.0.iter().map(|(_, e)| e));
                Some("map")
            }
            Expr::Variable(v, ..) if v.2.is_empty() => self.variable(&v.1, e.position()),
            Expr::Variable(v, ..) => {
                self.qualified_variable(&v.2, &v.1);
                None
            }
            Expr::Stmt(block) => {
                self.block(block);
                let closure = matches!(block.statements(), [Stmt::Share(..), ..]);
                closure.then_some("function")
            }
            Expr::FnCall(call, pos) => self.call(call, *pos),
            Expr::Index(x, flags, _) | Expr::Dot(x, flags, _) => {
                let ty = self.expr(&x.lhs);
                self.chain(ty, &x.rhs, matches!(e, Expr::Dot(..)), *flags, false)
            }
            Expr::And(x, _) | Expr::Or(x, _) => {
                x.iter().for_each(|e| self.condition(e));
                Some("bool")
            }
            Expr::Coalesce(x, _) => {
                self.each(x.iter());
                None
            }
            Expr::Custom(x, _) => {
                self.each(x.inputs.iter());
                None
            }
            _ => None,
        }
    }

    fn each<'e>(&mut self, all: impl Iterator<Item = &'e Expr>) {
        for e in all {
            self.expr(e);
        }
    }

    fn constant(&mut self, v: &Dynamic) -> Ty {
        if let Some(f) = v.read_lock::<FnPtr>() {
            self.mention(f.fn_name());
            return Some("function");
        }
        if let Ok(items) = v.as_array_ref() {
            for v in items.iter() {
                self.constant(v);
            }
            return Some("list");
        }
        if let Ok(map) = v.as_map_ref() {
            for v in map.values() {
                self.constant(v);
            }
            return Some("map");
        }
        None
    }

    /// What follows a value of type `ty`: `.name`, `.name(…)`, `[…]`, and so on. `set`: its end is assigned to.
    fn chain(&mut self, ty: Ty, rest: &Expr, dot: bool, flags: ASTFlags, set: bool) -> Ty {
        // What stands before `?.` may be `()`, and then nothing is called.
        let maybe = flags.contains(ASTFlags::NEGATED);
        let ty = if maybe { Some(MAYBE) } else { ty };
        let out = match rest {
            Expr::Dot(x, next, _) | Expr::Index(x, next, _) if !flags.contains(ASTFlags::BREAK) => {
                let ty = self.link(ty, &x.lhs, dot, false);
                self.chain(ty, &x.rhs, matches!(rest, Expr::Dot(..)), *next, set)
            }
            end => self.link(ty, end, dot, set),
        };
        out.filter(|_| !maybe)
    }

    fn link(&mut self, ty: Ty, e: &Expr, dot: bool, set: bool) -> Ty {
        match e {
            Expr::Property(x, pos) if dot => {
                if set {
                    None
                } else {
                    self.property(ty, &x.2, *pos)
                }
            }
            Expr::MethodCall(call, pos) if dot => self.method(ty, call, *pos),
            index => {
                self.expr(index);
                ty.filter(|t| *t == "Tensor" && !set)
            }
        }
    }

    fn variable(&mut self, name: &ImmutableString, pos: Position) -> Ty {
        if let Some((_, ty)) = self.names.iter().rev().find(|(n, _)| n == name) {
            return *ty;
        }
        let s = &self.facts.script;
        if s.functions.iter().any(|(n, _)| n == name.as_str()) {
            self.mention(name);
            return Some("function");
        }
        let known = s.eval || self.open || s.tested.contains(name.as_str());
        if !known && self.facts.engine.eval_expression::<Dynamic>(name).is_err() {
            self.engine_fault(EvalAltResult::ErrorVariableNotFound(name.to_string(), pos));
        }
        None
    }

    fn qualified_variable(&mut self, home: &Namespace, name: &str) {
        let (s, root) = (&self.facts.script, home.root());
        if s.eval || s.imports.contains(root) || root == "global" && s.constants.contains(name) {
            return;
        }
        if root != "global" && !self.facts.has_namespace(&home.to_string()) {
            return self.engine_fault(EvalAltResult::ErrorModuleNotFound(home.to_string(), home.position()));
        }
        let path = format!("{home}::{name}");
        if self.facts.engine.eval_expression::<Dynamic>(&path).is_err() {
            self.engine_fault(EvalAltResult::ErrorVariableNotFound(path, home.position()));
        }
    }

    /// Notes calls inside `try` of functions that the walk does not know.
    pub(super) fn note_try(&mut self, call: &FnCallExpr) {
        let passes = call.args.iter().any(|a| matches!(a, Expr::Variable(..)));
        self.calls_unknown_in_try |= self.guarded > 0 && (call.name == "call" || passes);
    }
}

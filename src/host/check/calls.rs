//! Calls: is there such a function, does it take so many arguments, and these.

use super::What;
use super::facts::{Ty, result};
use super::walk::{MAYBE, Walker};
use crate::bindings::convert::to_value;
use crate::core::func::{Func, Param};
use crate::core::value::Field;
use crate::core::{Error, Value};
use crate::host::suggest;
use rhai::{EvalAltResult, Expr, FnCallExpr, Position};

/// A key of a map, and its value if that is a literal.
type Entry = (String, Option<Value>);

/// What is known of an argument before the run.
enum Given {
    Nothing,
    Value(Value),
    /// A map, sorted by key.
    Map(Vec<Entry>),
}

impl Given {
    fn of(e: &Expr) -> Self {
        if let Expr::Map(x, _) = e {
            let mut entries: Vec<Entry> = x.0.iter().map(|(k, v)| (k.name.to_string(), literal(v))).collect();
            entries.sort_by(|a, b| a.0.cmp(&b.0));
            return Given::Map(entries);
        }
        match literal(e) {
            Some(Value::Map(map)) => Given::Map(map.into_iter().map(|(k, v)| (k, Some(v))).collect()),
            Some(v) => Given::Value(v),
            None => Given::Nothing,
        }
    }
}

fn literal(e: &Expr) -> Option<Value> {
    e.get_literal_value(None).and_then(|v| to_value(&v).ok())
}

/// The engine's way to write a call; what is not known of the arguments is `?`.
fn signature(name: &str, types: &[Ty]) -> String {
    let types: Vec<&str> = types.iter().map(|t| t.unwrap_or("?")).collect();
    format!("{name} ({})", types.join(", "))
}

impl Walker<'_> {
    /// A call `name(…)` or `home::name(…)`, or an operator.
    pub fn call(&mut self, call: &FnCallExpr, pos: Position) -> Ty {
        self.note_try(call);
        let types: Vec<Ty> = call.args.iter().map(|a| self.expr(a)).collect();
        if call.op_token.is_some() {
            return self.operator(&call.name, &types, pos);
        }
        let (facts, name, count) = (self.facts, call.name.as_str(), types.len());
        let home = if call.is_qualified() { call.namespace.to_string() } else { String::new() };
        if home.is_empty() {
            self.mention(name);
        } else if facts.script.imports.contains(call.namespace.root()) {
            return None;
        } else if !facts.has_namespace(&home) {
            self.engine_fault(EvalAltResult::ErrorModuleNotFound(home, call.namespace.position()));
            return None;
        }
        let tested = home.is_empty() && (facts.script.tested.contains(name) || facts.script.eval);
        if !facts.takes(&home, name, count) {
            let path = if home.is_empty() { name.to_string() } else { format!("{home}::{name}") };
            if !tested {
                self.engine_fault(EvalAltResult::ErrorFunctionNotFound(signature(&path, &types), pos));
            }
            return None;
        }
        if home.is_empty() && facts.script.defines(name, count) {
            return None;
        }
        let rows = facts.functions(&home, name, count);
        self.arguments(&rows, 0, call, pos);
        result(&rows)
    }

    /// An operator; its type, if that is certain.
    fn operator(&mut self, op: &str, types: &[Ty], pos: Position) -> Ty {
        let number = |t: &str| matches!(t, "Tensor" | "integer" | "number");
        let arithmetic = matches!(op, "+" | "-" | "*" | "/" | "%" | "**");
        let (a, b) = match *types {
            [Some(a), Some(b)] => (a, b),
            [Some("Tensor")] if op == "-" => return Some("Tensor"),
            _ => return None,
        };
        if arithmetic && !self.facts.has_operator(op, a, b) {
            self.engine_fault(EvalAltResult::ErrorFunctionNotFound(signature(op, types), pos));
            return None;
        }
        let compared = matches!(op, "==" | "!=" | "<" | "<=" | ">" | ">=")
            && [a, b].iter().all(|t| number(t) || *t == "bool");
        let with_tensor = a == "Tensor" || b == "Tensor";
        (with_tensor && (compared || arithmetic && number(a) && number(b))).then_some("Tensor")
    }

    /// A call `x.name(…)` of an `x` of type `ty`.
    pub fn method(&mut self, ty: Ty, call: &FnCallExpr, pos: Position) -> Ty {
        self.note_try(call);
        self.mention(&call.name);
        let types: Vec<Ty> = call.args.iter().map(|a| self.expr(a)).collect();
        let (facts, name, count) = (self.facts, call.name.as_str(), types.len());
        // A map may hold a function of this name.
        let maybe = ty == Some(MAYBE);
        let ty = ty.filter(|t| !maybe && *t != "map");
        if facts.has_method(ty, name, count) {
            let rows = facts.methods(ty, name, count);
            self.arguments(&rows, 1, call, pos);
            return ty.and_then(|_| result(&rows));
        }
        match ty {
            _ if maybe || facts.script.eval || facts.script.import || facts.script.tested.contains(name) => {}
            Some(_) => {
                let all: Vec<Ty> = std::iter::once(ty).chain(types).collect();
                self.engine_fault(EvalAltResult::ErrorFunctionNotFound(signature(name, &all), pos));
            }
            None if facts.may_be_in_a_map(name) => {}
            None => {
                let e = suggest::method_of_none(facts.engine, name, count);
                self.fault(pos, What::House(e));
            }
        }
        None
    }

    /// A property of an `x` of type `ty`.
    pub fn property(&mut self, ty: Ty, name: &str, pos: Position) -> Ty {
        let ty = ty.filter(|t| *t != "map" && *t != MAYBE)?;
        if self.facts.has_property(Some(ty), name) {
            return self.facts.property(ty, name);
        }
        self.fault(pos, What::House(suggest::property(name, ty)));
        None
    }

    /// Reads the literal arguments as the call would. `rows` are the functions it may be; only what all of them
    /// refuse is a fault.
    fn arguments(&mut self, rows: &[&'static Func], skip: usize, call: &FnCallExpr, pos: Position) {
        if rows.is_empty() {
            return;
        }
        let given: Vec<Given> = call.args.iter().map(Given::of).collect();
        let refused: Vec<Vec<Error>> = rows.iter().map(|f| refuse(f, skip, &given)).collect();
        if refused.iter().any(Vec::is_empty) {
            return;
        }
        let path = match rows {
            [one] => one.path(),
            _ => format!(".{}", call.name),
        };
        for e in refused.into_iter().next().unwrap_or_default() {
            self.fault(pos, What::House(e.within(&path)));
        }
    }
}

/// Everything `f` finds wrong with the arguments given.
fn refuse(f: &Func, skip: usize, given: &[Given]) -> Vec<Error> {
    let mut errors = Vec::new();
    for (i, (p, arg)) in f.params[skip..].iter().zip(given).enumerate() {
        match arg {
            Given::Nothing => {}
            Given::Value(v) => errors.extend((p.try_read)(p.name, v).err()),
            Given::Map(entries) => {
                let mut fields = (p.fields)();
                if fields.is_empty() && i + 1 == given.len() && stands_for_options(p) {
                    fields = f.params.last().map_or_else(Vec::new, |p| (p.fields)());
                }
                errors.extend(match fields.is_empty() {
                    true => {
                        whole(entries).and_then(|map| (p.try_read)(p.name, &map).err()).into_iter().collect()
                    }
                    false => options(&fields, entries),
                });
            }
        }
    }
    errors
}

/// Options may stand in place of a parameter left out, `optim::adam(#{lr: 0.1})`, if that takes a map.
fn stands_for_options(p: &Param) -> bool {
    p.optional && (p.try_read)(p.name, &Value::Map(Default::default())).is_ok()
}

/// The map, if all its values are literals.
fn whole(entries: &[Entry]) -> Option<Value> {
    entries.iter().map(|(k, v)| Some((k.clone(), v.clone()?))).collect::<Option<_>>().map(Value::Map)
}

/// Unknown keys, then literals that are refused.
fn options(fields: &[Field], entries: &[Entry]) -> Vec<Error> {
    let unknown = entries.iter().filter(|(k, _)| fields.iter().all(|f| f.name != k));
    let mut errors: Vec<Error> =
        unknown.map(|(k, _)| Error::unknown("option", k, fields.iter().map(|f| f.name))).collect();
    for f in fields {
        let value = entries.iter().find(|(k, _)| k == f.name).and_then(|(_, v)| v.as_ref());
        errors.extend(value.and_then(|v| (f.try_read)(v).err()));
    }
    errors
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Where a map literal is taken for options although it stands elsewhere: a new function here must mean that.
    #[test]
    fn maps_that_stand_for_options() {
        let takes = |f: &&Func| {
            let (last, before) = f.params.split_last().unwrap();
            !(last.fields)().is_empty()
                && before.iter().any(|p| (p.fields)().is_empty() && stands_for_options(p))
        };
        let all: Vec<String> = Func::all()
            .into_iter()
            .filter(|f| !f.params.is_empty() && f.home != "optim")
            .filter(takes)
            .map(Func::path)
            .collect();
        let known = [
            "Tensor.backward",
            "Tensor.std",
            "Tensor.variance",
            "tensor::arange",
            "tensor::eye",
            "tensor::randint",
        ];
        assert_eq!(all, known);
    }
}

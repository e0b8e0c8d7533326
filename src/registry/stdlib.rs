//! The library written in the language itself: one file in `stdlib/` is one namespace.

use super::closures::is_closure;
use super::{Entry, Param};
use crate::core::func::FuncKind;
use crate::core::{Error, Result};
use rhai::{AST, Engine, FnAccess, Module, Scope};

/// Namespace, name in messages, text. A test sees that no file of the folder is missing here.
pub const FILES: &[(&str, &str, &str)] = &[
    ("claims", "stdlib/claims.rhai", include_str!("../../stdlib/claims.rhai")),
    ("codes", "stdlib/codes.rhai", include_str!("../../stdlib/codes.rhai")),
    ("gan", "stdlib/gan.rhai", include_str!("../../stdlib/gan.rhai")),
    ("noise", "stdlib/noise.rhai", include_str!("../../stdlib/noise.rhai")),
    ("segment", "stdlib/segment.rhai", include_str!("../../stdlib/segment.rhai")),
    ("study", "stdlib/study.rhai", include_str!("../../stdlib/study.rhai")),
    ("vae", "stdlib/vae.rhai", include_str!("../../stdlib/vae.rhai")),
];

/// The text of the library file named `source` in a message.
pub fn text(source: &str) -> Option<&'static str> {
    FILES.iter().find(|(_, name, _)| *name == source).map(|f| f.2)
}

fn compile(engine: &Engine, name: &str, text: &str) -> Result<AST> {
    let mut ast = engine.compile(text).map_err(|e| Error::new(format!("{name}: {e}")))?;
    ast.set_source(name);
    Ok(ast)
}

/// Makes the library known to `engine`.
///
/// # Errors
/// A file that does not compile or run.
pub fn load(engine: &mut Engine) -> Result<()> {
    for (namespace, name, text) in FILES {
        let ast = compile(engine, name, text)?;
        let module = Module::eval_ast_as_new(Scope::new(), &ast, engine);
        let module = module.map_err(|e| Error::new(format!("{name}: {e}")))?;
        // What a library function leaves behind in a network is called from outside: its closures, and they alone,
        // are known everywhere. They still see the file's other functions, as private ones.
        let mut functions = Module::new();
        for f in ast.iter_fn_def() {
            let mut f = (**f).clone();
            f.access = if is_closure(&f.name) { f.access } else { FnAccess::Private };
            functions.set_script_fn(f);
        }
        let closures = Module::eval_ast_as_new(Scope::new(), &AST::new_from_module(functions), engine);
        engine.register_global_module(closures.map_err(|e| Error::new(format!("{name}: {e}")))?.into());
        engine.register_static_module(*namespace, module.into());
    }
    Ok(())
}

/// The library's public functions.
pub fn entries() -> Vec<Entry> {
    let mut engine = Engine::new();
    engine.set_max_expr_depths(0, 0); // an unoptimised build's own limits are low
    let mut all = Vec::new();
    for (namespace, name, text) in FILES {
        let Ok(ast) = compile(&engine, name, text) else { continue };
        for f in ast.iter_functions().filter(|f| !f.access.is_private() && !is_closure(f.name)) {
            let path = format!("{namespace}::{}", f.name);
            let docs = f.comments.iter().flat_map(|c| c.lines());
            let docs = docs.map(|l| l.trim_start().trim_start_matches("///"));
            all.push(Entry {
                home: namespace.to_string(),
                name: f.name.to_string(),
                kind: FuncKind::Function,
                signature: format!("{path}({})", f.params.join(", ")),
                path,
                params: f
                    .params
                    .iter()
                    .map(|p| Param {
                        name: p.to_string(),
                        ty: String::new(),
                        optional: false,
                        fields: vec![],
                    })
                    .collect(),
                docs: docs.map(|l| l.strip_prefix(' ').unwrap_or(l).trim_end().to_string()).collect(),
            });
        }
    }
    all
}

//! The settings a script declares, read from its text without running it.

use rhai::{AST, ASTNode, Dynamic, Expr, Stmt};

/// A `param("name", preset, "words")` of a script.
pub struct Setting {
    /// Its name.
    pub name: String,
    /// Its preset, where the text says it.
    pub preset: Option<Dynamic>,
    /// Its words.
    pub doc: String,
}

/// The settings of `ast` in its order; whether these are all, or others are declared in a way that only running the script
/// can tell.
pub fn settings(ast: &AST) -> (Vec<Setting>, bool) {
    let (mut all, mut complete) = (Vec::new(), true);
    ast.walk(&mut |path: &[ASTNode]| {
        match path.last() {
            Some(ASTNode::Stmt(Stmt::FnCall(call, _)) | ASTNode::Expr(Expr::FnCall(call, _)))
                if call.name == "param" =>
            {
                let literal = |i: usize| call.args.get(i).map(|a| a.get_literal_value(None));
                let text = |i: usize| literal(i).map(|v| v.and_then(|v| v.into_string().ok()));
                match (text(0), literal(1), text(2).unwrap_or(Some(String::new()))) {
                    (Some(Some(name)), Some(preset), Some(doc)) => all.push(Setting { name, preset, doc }),
                    _ => complete = false,
                }
            }
            Some(ASTNode::Stmt(Stmt::Import(..))) => complete = false,
            _ => {}
        }
        true
    });
    (all, complete)
}

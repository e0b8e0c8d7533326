//! The settings a script declares, read from its text without running it.

use crate::core::Error;
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

/// The settings of a script.
pub struct Settings {
    /// In the order of the script.
    pub all: Vec<Setting>,
    /// False when some are declared in a way that only running the script can tell.
    pub complete: bool,
}

impl Settings {
    /// Reads the settings of `ast`.
    pub fn of(ast: &AST) -> Self {
        let (mut all, mut complete) = (Vec::new(), true);
        ast.walk(&mut |path: &[ASTNode]| {
            match path.last() {
                Some(ASTNode::Stmt(Stmt::FnCall(call, _)) | ASTNode::Expr(Expr::FnCall(call, _)))
                    if call.name == "param" =>
                {
                    let literal = |i: usize| call.args.get(i).map(|a| a.get_literal_value(None));
                    let text = |i: usize| literal(i).map(|v| v.and_then(|v| v.into_string().ok()));
                    match (text(0), literal(1), text(2).unwrap_or(Some(String::new()))) {
                        (Some(Some(name)), Some(preset), Some(doc)) => {
                            all.push(Setting { name, preset, doc })
                        }
                        _ => complete = false,
                    }
                }
                Some(ASTNode::Stmt(Stmt::Import(..))) => complete = false,
                _ => {}
            }
            true
        });
        Self { all, complete }
    }

    /// True when there is a setting `name`.
    pub fn has(&self, name: &str) -> bool {
        self.all.iter().any(|s| s.name == name)
    }

    /// The error of the first of `names` that the script certainly never declares.
    pub fn unknown<'a>(&self, names: impl IntoIterator<Item = &'a String>) -> Option<Error> {
        let wrong = names.into_iter().find(|n| self.complete && !self.has(n))?;
        Some(Error::unknown("setting", wrong, self.all.iter().map(|s| &s.name)))
    }
}

//! The language as data: what every function is called, takes and says of itself. Help, the reference manual and
//! the tested examples are made from it.

pub mod book;
pub mod closures;
pub mod compare;
pub mod definitions;
pub mod examples;
pub mod help;
pub mod paint;
pub mod reference;
pub mod session;
pub mod stdlib;
pub mod tokens;

use crate::core::func::{Func, FuncKind};
use crate::core::value::Field;

/// One parameter.
pub struct Param {
    /// Its name.
    pub name: String,
    /// Its type in the user's words; empty if the function does not say.
    pub ty: String,
    /// May be left out.
    pub optional: bool,
    /// The options of a trailing map.
    pub fields: Vec<Field>,
}

/// One function, method or getter of the language.
pub struct Entry {
    /// Namespace, or type of the receiver, or empty.
    pub home: String,
    /// Its name.
    pub name: String,
    /// How a script writes the call.
    pub kind: FuncKind,
    /// `cam::grad_cam`, `Tensor.mean`, `param`.
    pub path: String,
    /// Its parameters as a script writes them, and its result.
    pub signature: String,
    /// Its parameters, receiver first.
    pub params: Vec<Param>,
    /// The lines of its documentation.
    pub docs: Vec<String>,
}

/// One code block of the documentation.
pub struct Example {
    /// The code.
    pub code: String,
    /// Compiled only: it needs a GPU, a download or a person.
    pub no_run: bool,
}

impl Entry {
    fn of(f: &'static Func) -> Self {
        let param = |p: &crate::core::func::Param| Param {
            name: p.name.into(),
            ty: p.ty.into(),
            optional: p.optional,
            fields: (p.fields)(),
        };
        Self {
            home: f.home.into(),
            name: f.name().into(),
            kind: f.kind,
            path: f.path(),
            signature: f.signature(),
            params: f.params.iter().map(param).collect(),
            docs: f.docs.iter().map(|l| l.strip_prefix(' ').unwrap_or(l).trim_end().to_string()).collect(),
        }
    }

    /// The type of its result in the user's words; empty if the function does not say.
    pub fn result(&self) -> &str {
        let arrow = if self.kind == FuncKind::Getter { ": " } else { " -> " };
        self.signature.rsplit_once(arrow).map_or("", |(_, ty)| ty)
    }

    /// The first sentence.
    pub fn summary(&self) -> String {
        let first = self.docs.iter().take_while(|l| !l.is_empty() && !l.starts_with("```"));
        first.map(String::as_str).collect::<Vec<_>>().join(" ")
    }

    /// The words after the summary, without the examples.
    pub fn text(&self) -> String {
        let mut fenced = false;
        let rest = self.docs.iter().skip_while(|l| !l.is_empty() && !l.starts_with("```"));
        let lines = rest.filter(|l| {
            let fence = l.starts_with("```");
            fenced ^= fence;
            !fence && !fenced
        });
        lines.map(String::as_str).collect::<Vec<_>>().join("\n").trim().to_string()
    }

    /// The code blocks.
    pub fn examples(&self) -> Vec<Example> {
        let mut all = Vec::new();
        let mut open: Option<Example> = None;
        for line in &self.docs {
            match (line.strip_prefix("```"), &mut open) {
                (Some(_), Some(_)) => all.extend(open.take()),
                (Some(lang), None) => {
                    open = Some(Example { code: String::new(), no_run: lang.contains("no_run") })
                }
                (None, Some(e)) => e.code += &format!("{line}\n"),
                (None, None) => {}
            }
        }
        all
    }

    /// Every option it takes.
    pub fn options(&self) -> impl Iterator<Item = &Field> {
        self.params.iter().flat_map(|p| &p.fields)
    }
}

/// Everything scripts can call, sorted by path.
pub fn entries() -> Vec<Entry> {
    let mut all: Vec<Entry> = Func::all().into_iter().map(Entry::of).collect();
    all.extend(stdlib::entries());
    all.sort_by(|a, b| (&a.path, a.params.len()).cmp(&(&b.path, b.params.len())));
    all
}

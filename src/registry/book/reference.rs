//! The pages of the reference: one for every namespace and type.

use super::{Book, Found, Part, figure, home_id};
use crate::core::func::FuncKind;
use crate::core::page::escaped;
use crate::core::{Error, Result};
use crate::registry::help::default;
use crate::registry::{Entry, examples};
use rhai::Engine;
use std::collections::BTreeMap;
use std::rc::Rc;

impl Book {
    /// The pages: functions without namespace, namespaces, types; each sorted by name.
    pub(super) fn reference(&mut self, engine: &Rc<Engine>) -> Result<Vec<Part>> {
        let all = std::mem::take(&mut self.all);
        let mut homes: BTreeMap<(bool, &str), Vec<&Entry>> = BTreeMap::new();
        for e in &all {
            homes.entry((e.kind != FuncKind::Function, &e.home)).or_default().push(e);
        }
        let mut parts = Vec::new();
        for ((is_type, home), members) in homes {
            parts.push(self.home(engine, is_type, home, &members, &all)?);
        }
        self.all = all;
        Ok(parts)
    }

    fn home(
        &mut self,
        engine: &Rc<Engine>,
        is_type: bool,
        home: &str,
        members: &[&Entry],
        all: &[Entry],
    ) -> Result<Part> {
        let title = match (home, is_type) {
            ("", _) => "no namespace".to_string(),
            (home, true) => home.to_string(),
            (home, false) => format!("{home}::"),
        };
        let head = match (home, is_type) {
            ("", _) => "Functions without a namespace".to_string(),
            (home, true) => format!("Values of type {home}"),
            (home, false) => format!("<code>{home}::</code>"),
        };
        let mut ids: Vec<String> = Vec::new();
        for e in members {
            let again = ids.iter().filter(|i| i.split('~').next() == Some(&e.path)).count();
            ids.push(if again == 0 { e.path.clone() } else { format!("{}~{}", e.path, again + 1) });
        }
        let list: String = members
            .iter()
            .zip(&ids)
            .map(|(e, id)| format!("<a href=\"#{}\">{}</a> ", escaped(id), escaped(&e.name)))
            .collect();
        let mut html = format!(
            "<section class=\"page\" id=\"{}\"><h1>{head}</h1>\n<p class=\"members\">{list}</p>\n",
            home_id(is_type, home)
        );
        for (e, id) in members.iter().zip(&ids) {
            html += &self.entry(engine, e, id, all)?;
        }
        Ok(Part { id: home_id(is_type, home), title, html: html + "</section>\n", is_type })
    }

    fn entry(&mut self, engine: &Rc<Engine>, e: &Entry, id: &str, all: &[Entry]) -> Result<String> {
        // Links are checked against everything there is.
        let inner = |book: &mut Self, text: &str| {
            book.markdown(&e.path, text, &mut |_, _| Ok(String::new()), &mut |_, said| said.to_string())
        };
        let (summary, text) = (inner(self, &e.summary())?, inner(self, &e.text())?);
        let stale = |w: &str| {
            let home = w.split("::").next().unwrap_or(w);
            w.contains("::") && all.iter().any(|o| o.home == home) && all.iter().all(|o| o.path != w)
        };
        let words = format!("{} {}", e.summary(), e.text());
        for code in words.split('`').skip(1).step_by(2) {
            let name = code.split(['(', ' ', ',']).next().unwrap_or(code);
            if name.chars().all(|c| c.is_alphanumeric() || "_:".contains(c))
                && !name.ends_with("::")
                && stale(name)
            {
                self.faults.push(format!("{}: there is no `{name}`", e.path));
            }
        }
        let mut out = format!(
            "<article id=\"{0}\"><h2><a class=\"self\" href=\"#{0}\" aria-label=\"Link\">#</a>{1}</h2>\n{summary}{text}",
            escaped(id),
            signature(e),
        );
        let rows: String = e
            .options()
            .map(|f| {
                let words = f.doc.split_whitespace().collect::<Vec<_>>().join(" ");
                format!(
                    "<tr><td><code>{}</code></td><td>{}</td><td><code>{}</code></td><td>{}</td></tr>\n",
                    escaped(f.name),
                    escaped(f.ty),
                    escaped(&default(f.default)),
                    inline(&words)
                )
            })
            .collect();
        if !rows.is_empty() {
            out += &format!(
                "<div class=\"wide\"><table class=\"options\"><thead><tr><th>option</th><th>type</th><th>default</th>\
                 <th></th></tr></thead>\n{rows}</table></div>\n"
            );
        }
        for example in e.examples() {
            out += &self.code(&example.code);
            if e.result() == "Picture" && !example.no_run {
                let drawn = examples::draws(engine, &example, &e.name);
                let drawn = drawn.map_err(|why| Error::new(format!("the example of {}: {why}", e.path)))?;
                if let Some(picture) = drawn {
                    out += &figure(&picture)?;
                }
            }
        }
        self.found.push(Found {
            id: id.to_string(),
            name: e.path.clone(),
            words: e.summary(),
            text: e.options().fold(e.text().to_lowercase(), |text, f| text + " " + f.name),
        });
        Ok(out + "</article>\n")
    }
}

/// The signature, its name in bold.
fn signature(e: &Entry) -> String {
    let rest = e.signature.strip_prefix(e.path.as_str()).unwrap_or(&e.signature);
    format!("<code><b>{}</b>{}</code>", escaped(&e.path), escaped(rest))
}

/// Words with `code` in them.
fn inline(words: &str) -> String {
    let part =
        |(i, s): (usize, &str)| if i % 2 == 1 { format!("<code>{}</code>", escaped(s)) } else { escaped(s) };
    words.split('`').enumerate().map(part).collect()
}

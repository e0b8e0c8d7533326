//! Reports: what runs left behind, as one page that opens from a disk and as Markdown beside it.

mod markdown;
mod page;
mod part;
mod table;

use crate::core::{Error, Opts, Result, paths};
use std::fs;

options! {
    /// A figure of a section.
    pub struct Figure {
        /// Its file: PNG, GIF or SVG.
        path: String = String::new(),
        /// Below it.
        caption: String = String::new(),
    }
}

options! {
    /// One statement, and what was measured of it.
    pub struct Claim {
        /// What is said.
        statement: String = String::new(),
        /// What was measured, with its unit.
        measure: String = String::new(),
        /// What came out.
        value: String = String::new(),
        /// What would make it hold.
        threshold: String = String::new(),
        /// "holds", "does not hold" or "not decided".
        verdict: String = String::new(),
        /// What it was measured on.
        data: String = String::new(),
    }
}

options! {
    /// A section of `report::write`.
    pub struct Section {
        /// Its title; a title without anything else begins a chapter.
        title: String = String::new(),
        /// Paragraphs, with empty lines between them; `code` in backticks.
        text: String = String::new(),
        /// Figures: maps with `path` and `caption`.
        figures: Vec<Opts<Figure>> = vec![],
        /// Tables in Markdown, as `report::table` gives them.
        tables: Vec<String> = vec![],
        /// Pages to walk through (of `cam::explore`, `embedding.projector`): their files.
        pages: Vec<String> = vec![],
        /// Statements and verdicts.
        claims: Vec<Opts<Claim>> = vec![],
        /// The script that made it.
        script: String = String::new(),
        /// The name of that script.
        name: String = String::new(),
        /// Its settings, as text.
        settings: String = String::new(),
        /// How long it took.
        seconds: f64 = 0.0,
    }
}

options! {
    /// Options of `report::write`.
    pub struct ReportOptions {
        /// Its title.
        title: String = "Report".to_string(),
        /// Paragraphs below the title.
        text: String = String::new(),
    }
}

/// The verdicts a claim can have.
const VERDICTS: [&str; 3] = ["holds", "does not hold", "not decided"];

impl Section {
    /// No part made it: a title, or words about the whole.
    fn is_chapter(&self) -> bool {
        self.figures.is_empty() && self.tables.is_empty() && self.name.is_empty()
    }

    fn check(&self) -> Result<()> {
        let wrong = self.claims.iter().find(|c| !VERDICTS.contains(&c.0.verdict.as_str()));
        wrong.map_or(Ok(()), |c| {
            Err(Error::unknown("verdict", &c.0.verdict, VERDICTS)
                .within(format!("claim \"{}\"", c.0.statement)))
        })
    }
}

/// A file that a script names.
fn bytes(path: &str) -> Result<Vec<u8>> {
    let path = paths::readable(path)?;
    fs::read(&path).map_err(|e| Error::io(&path, &e))
}

functions! {
    in "report";
    /// Writes a report: one page with everything inside, and Markdown.
    ///
    /// Figures of the Markdown are copied beside it. `name` is that of both files without ending. Sections are maps: `title`, `text`, `figures` (maps of `path`
    /// and `caption`), `tables` (Markdown), `pages` (HTML files to walk through, opened inside the page), `claims` (maps of
    /// `statement`, `measure`, `value`, `threshold`, `verdict` — "holds", "does not hold" or "not decided" — and `data`),
    /// and of what made it `name`, `script`, `settings` and `seconds`. The page prints with all its figures.
    /// ```rhai
    /// plot::curves([#{name: "a", y: [1, 3, 2]}], #{}).save("curve.png");
    /// report::write("report", [#{title: "Learning"}, #{title: "A curve", figures: [#{path: "curve.png", caption: "Up."}]}]);
    /// report::write("report", [#{title: "x", claims: [#{statement: "s", verdict: "maybe"}]}]) // error: unknown verdict `maybe`
    /// ```
    fn write(name: String, sections: Vec<Opts<Section>>, options: Opts<ReportOptions>) {
        let sections: Vec<Section> = sections.into_iter().map(|s| s.0).collect();
        sections.iter().try_for_each(Section::check)?;
        page::write(&name, &sections, &options.0)?;
        markdown::write(&name, &sections, &options.0)?;
    }
}

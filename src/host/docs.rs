//! `cs385 docs`: words about the language, in the terminal, as Markdown, as a page, for editors.

use super::output;
use crate::core::{Error, Result, atomic};
use crate::registry::{book, definitions, help, reference, session};
use std::fs;
use std::path::Path;
use std::rc::Rc;

/// Where `docs --write` writes.
const REFERENCE: &str = "docs/reference.md";
/// The manual as a page. It is made, not kept: its pictures are large.
const MANUAL: &str = "docs/manual.html";

/// Help on a name, or what there is.
///
/// # Errors
/// A name that has no help.
pub fn show(name: Option<&str>) -> Result<bool> {
    match name {
        None => output::write(&help::overview()),
        Some(name) => output::write(&help::help(name).ok_or_else(|| help::unknown(name))?),
    }
    Ok(true)
}

/// Writes the definitions for editors into `folder`.
///
/// # Errors
/// A folder that cannot be written.
pub fn write_definitions(folder: &Path) -> Result<bool> {
    fs::create_dir_all(folder).map_err(|e| Error::io(folder, &e))?;
    for (name, text) in definitions::definitions() {
        atomic::write(folder.join(name), text.as_bytes())?;
    }
    Ok(true)
}

/// Writes the reference, and the manual, whose code runs.
///
/// # Errors
/// Files that cannot be written; code in the manual that does not give what it says; links that lead nowhere.
pub fn write() -> Result<bool> {
    let folder = Path::new(REFERENCE).parent().unwrap_or(Path::new("."));
    fs::create_dir_all(folder).map_err(|e| Error::io(folder, &e))?;
    atomic::write(REFERENCE, reference::reference().as_bytes())?;
    let page = book::book(&Rc::new(session::engine()?))?;
    atomic::write(MANUAL, page.html().as_bytes())?;
    output::write(&format!("{REFERENCE}\n{MANUAL}, to be opened in a browser\n"));
    Ok(true)
}

/// Sees that the reference is what would be written, and the manual, if it is there, made from what there is.
///
/// # Errors
/// One of them is stale.
pub fn check() -> Result<bool> {
    let stale = |path: &str| {
        Err(Error::new(format!("{path} is stale")).hint("write it anew with `cs385 docs --write`"))
    };
    if fs::read_to_string(REFERENCE).map_err(|e| Error::io(REFERENCE, &e))? != reference::reference() {
        return stale(REFERENCE);
    }
    match fs::read_to_string(MANUAL) {
        Ok(page) if !page.contains(&book::made_from()) => stale(MANUAL),
        _ => Ok(true),
    }
}

//! `cs385 data`: the data sets of the catalogue.

use super::engine::watch_interrupts;
use super::{output, progress};
use crate::core::{Result, progress as core_progress};
use crate::data::catalogue::{Store, megabytes};

/// What to do with the catalogue.
#[derive(clap::Subcommand, Clone)]
pub enum Action {
    /// List every data set: size, licence, whether it is here
    List,
    /// Fetch a data set
    Get {
        /// Its name in the list
        name: String,
    },
    /// Compare the files of a data set with their checksums
    Verify {
        /// Its name in the list
        name: String,
    },
}

/// Carries out `action`.
///
/// # Errors
/// An unknown name, no network, a file that is not what it should be.
pub fn main(action: &Action) -> Result<()> {
    watch_interrupts()?;
    core_progress::set_sink(progress::sink(false));
    let store = Store::user()?;
    match action {
        Action::List => output::write(&list(&store)),
        Action::Get { name } => output::write(&format!("{}\n", store.get(name)?.display())),
        Action::Verify { name } => {
            store.verify(name)?;
            output::write(&format!("{name}: every file is as it should be\n"));
        }
    }
    Ok(())
}

fn list(store: &Store) -> String {
    let width = store.entries.iter().map(|e| e.name.len()).max().unwrap_or(0);
    let line = |e| {
        let here = if store.present(e) { "here" } else { "-" };
        format!("{:<width$}  {here:<4}  {:>9}  {} ({})\n", e.name, megabytes(e.size()), e.title, e.licence)
    };
    format!("{}\n{}", store.root.display(), store.entries.iter().map(line).collect::<String>())
}

//! `cs385 data`: the data sets and weights of the catalogue.

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
/// An unknown name; a data set that cannot be fetched; a file that is missing or damaged.
pub fn main(action: &Action) -> Result<()> {
    let store = Store::user()?;
    core_progress::set_sink(progress::sink(false));
    match action {
        Action::List => list(&store),
        Action::Get { name } => output::write(&format!("{}\n", store.get(name)?.display())),
        Action::Verify { name } => {
            store.verify(name)?;
            output::write(&format!("{name}: every file has the right checksum\n"));
        }
    }
    Ok(())
}

fn list(store: &Store) {
    for e in &store.entries {
        let here = match store.present(e) {
            true => store.folder(e).display().to_string(),
            false => "not here".to_string(),
        };
        output::write(&format!("{}\n    {}\n    {}; {}; {here}\n", e.name, e.title, megabytes(e.size()), e.licence));
    }
    output::write(&format!("\ndata folder: {}\n", store.root.display()));
}

//! The command line.

use super::render::Diagnostic;
use super::run::{FAILED, OK, Options};
use super::{check, data, doctor, look, output, repl, run, test};
use crate::core::{Error, Result};
use crate::registry::{help, reference};
use clap::{CommandFactory, Parser, Subcommand};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// A scripting workbench for looking at how neural networks look at pictures
#[derive(Parser)]
#[command(name = "cs385", version, subcommand_required = true, arg_required_else_help = true)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run a script
    #[command(disable_help_flag = true)]
    Run {
        /// The script
        #[arg(required_unless_present = "help")]
        script: Option<PathBuf>,
        #[command(flatten)]
        options: Box<Options>,
        /// Print help; after SCRIPT, print the script's settings
        #[arg(long, short)]
        help: bool,
    },
    /// Find what would fail in scripts, without running them
    ///
    /// Unknown names, wrong numbers of arguments, unknown or mistyped options, wrong literals: all that can be told
    /// before hours of training. `run` does the same before it begins.
    Check {
        /// Scripts, or folders of scripts
        #[arg(required = true, value_name = "SCRIPT")]
        scripts: Vec<PathBuf>,
    },
    /// Type line by line
    Repl {
        /// A script to run first; its variables stay
        script: Option<PathBuf>,
        #[command(flatten)]
        options: Box<Options>,
    },
    /// Run scripts as tests: compare what they print and draw, and how they fail
    Test {
        /// Scripts, or folders of scripts
        #[arg(default_value = "tests/scripts", value_name = "PATH")]
        paths: Vec<PathBuf>,
        /// Write what the scripts give now as what is expected
        #[arg(long)]
        bless: bool,
    },
    /// See where a saved network looks in a picture, without a script
    Look(Box<look::Options>),
    /// Look a name up in the manual
    Docs {
        /// A function, a namespace or a type; without it, list namespaces and types
        name: Option<String>,
        /// Write docs/reference.md
        #[arg(long, conflicts_with_all = ["name", "check"])]
        write: bool,
        /// Fail if docs/reference.md is not what --write would write
        #[arg(long, conflicts_with = "name")]
        check: bool,
    },
    /// List, fetch and verify data sets
    Data {
        #[command(subcommand)]
        action: data::Action,
    },
    /// Tell what there is to compute with, and what is missing
    Doctor,
}

/// Where `docs --write` writes.
const REFERENCE: &str = "docs/reference.md";

/// Carries out the command line.
pub fn main(cli: Cli) -> ExitCode {
    let result = match cli.command {
        Command::Run { script: Some(script), help: true, .. } => return run::help(&script),
        Command::Run { script: Some(script), options, .. } => return run::main(&script, &options),
        Command::Run { script: None, .. } => run_help(),
        Command::Check { scripts } => return check::main(&scripts),
        Command::Repl { script, options } => return repl::main(script.as_deref(), &options),
        Command::Test { paths, bless } => return test::main(&paths, bless),
        Command::Look(options) => look::main(&options),
        Command::Docs { write: true, .. } => write_reference(),
        Command::Docs { check: true, .. } => check_reference(),
        Command::Docs { name, .. } => docs(name.as_deref()),
        Command::Data { action } => data::main(&action).map(|()| true),
        Command::Doctor => return doctor::main(),
    };
    match result {
        Ok(true) => OK.into(),
        Ok(false) => FAILED.into(),
        Err(e) => {
            Diagnostic::plain(e).report();
            FAILED.into()
        }
    }
}

fn run_help() -> Result<bool> {
    let mut cli = Cli::command();
    cli.build();
    if let Some(run) = cli.find_subcommand_mut("run") {
        output::write(&run.render_help().to_string());
    }
    Ok(true)
}

fn docs(name: Option<&str>) -> Result<bool> {
    match name {
        None => output::write(&help::overview()),
        Some(name) => output::write(&help::help(name).ok_or_else(|| help::unknown(name))?),
    }
    Ok(true)
}

fn write_reference() -> Result<bool> {
    let path = Path::new(REFERENCE);
    let folder = path.parent().unwrap_or(path);
    std::fs::create_dir_all(folder).map_err(|e| Error::io(folder, &e))?;
    std::fs::write(path, reference::reference()).map_err(|e| Error::io(path, &e))?;
    Ok(true)
}

fn check_reference() -> Result<bool> {
    let stale =
        std::fs::read_to_string(REFERENCE).map_err(|e| Error::io(REFERENCE, &e))? != reference::reference();
    match stale {
        true => {
            Err(Error::new(format!("{REFERENCE} is stale")).hint("write it anew with `cs385 docs --write`"))
        }
        false => Ok(true),
    }
}

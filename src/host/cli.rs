//! The command line.

use super::limits::Limits;
use super::render::Diagnostic;
use super::run::{FAILED, OK, Options};
use super::{check, data, docs, doctor, json, look, output, repl, run, runs, sweep, test};
use crate::core::Result;
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
        #[command(flatten)]
        limits: Limits,
        /// Write messages as JSON, one a line, for editors
        #[arg(long)]
        json: bool,
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
        /// Write what is found as JSON, for editors
        #[arg(long)]
        json: bool,
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
        /// Write docs/reference.md, and docs/manual.html: guide and reference with search and pictures, for a browser
        #[arg(long, conflicts_with_all = ["name", "check"])]
        write: bool,
        /// Fail if docs/reference.md or docs/manual.html is not what --write would write
        #[arg(long, conflicts_with = "name")]
        check: bool,
        /// Write definitions of the language (.d.rhai) for editors into a folder
        #[arg(long, value_name = "DIR", num_args = 0..=1, default_missing_value = "definitions", conflicts_with_all = ["name", "write", "check"])]
        definitions: Option<PathBuf>,
    },
    /// List, fetch and verify data sets
    Data {
        #[command(subcommand)]
        action: data::Action,
    },
    /// List runs: settings that differ and what was measured; compare them in a page
    Runs(runs::Options),
    /// Run a script at every point of a grid of settings, and put what was measured into one table
    Sweep(Box<sweep::Options>),
    /// Redo the whole study and write its report: `cs385 run scripts/study.rhai`
    Report {
        #[command(flatten)]
        options: Box<Options>,
        #[command(flatten)]
        limits: Limits,
    },
    /// Tell what there is to compute with, and what is missing
    Doctor,
}

/// Carries out the command line.
pub fn main(cli: Cli) -> ExitCode {
    let result = match cli.command {
        Command::Run { script: Some(script), help: true, .. } => return run::help(&script),
        Command::Run { script: Some(script), options, limits, json, .. } => {
            if json {
                json::want();
            }
            return run::main(&script, &options, &limits);
        }
        Command::Run { script: None, .. } => run_help(),
        Command::Check { scripts, json } => {
            if json {
                json::want();
            }
            return check::main(&scripts);
        }
        Command::Repl { script, options } => return repl::main(script.as_deref(), &options),
        Command::Test { paths, bless } => return test::main(&paths, bless),
        Command::Look(options) => look::main(&options),
        Command::Docs { write: true, .. } => docs::write(),
        Command::Docs { check: true, .. } => docs::check(),
        Command::Docs { definitions: Some(folder), .. } => docs::write_definitions(&folder),
        Command::Docs { name, .. } => docs::show(name.as_deref()),
        Command::Data { action } => data::main(&action).map(|()| true),
        Command::Runs(options) => return runs::main(&options),
        Command::Sweep(options) => return sweep::main(&options),
        Command::Report { options, limits } => return run::main(&study(), &options, &limits),
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

/// The study's script: in the current folder, or where the launcher says the project is.
fn study() -> PathBuf {
    let here = Path::new("scripts/study.rhai");
    let home = std::env::var_os("CS385_HOME").map(|h| Path::new(&h).join(here));
    if here.exists() { here.to_path_buf() } else { home.unwrap_or_else(|| here.to_path_buf()) }
}

fn run_help() -> Result<bool> {
    let mut cli = Cli::command();
    cli.build();
    if let Some(run) = cli.find_subcommand_mut("run") {
        output::write(&run.render_help().to_string());
    }
    Ok(true)
}

//! `cs385 run`: one script, from its file to its exit status.

use super::engine::{compile, engine, evaluate, watch_interrupts};
use super::limits::Limits;
use super::render::{Diagnostic, Source};
use super::{check, cuda, json, output, params, progress};
use crate::bindings::Settings;
use crate::core::{Error, Result, ffi, interrupt, params as core_params, progress as core_progress, run};
use crate::registry::session::Start;
use serde_json::json;
use sha2::{Digest, Sha256};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Everything went well.
pub const OK: u8 = 0;
/// The script failed.
pub const FAILED: u8 = 1;
/// The command line is wrong.
pub const USAGE: u8 = 2;
/// Ctrl-C.
pub const INTERRUPTED: u8 = 130;

/// Settings of a run that the command line gives.
#[derive(clap::Args, Clone)]
pub struct Options {
    /// Change a setting of the script (see `cs385 run SCRIPT --help`); may be repeated
    #[arg(long, value_name = "NAME=VALUE", value_parser = pair)]
    pub set: Vec<(String, String)>,
    /// Where tensors live: auto, cpu, cuda or cuda:N
    #[arg(long, default_value = "auto", value_name = "DEVICE")]
    pub device: String,
    /// Seed of every random number
    #[arg(long, default_value_t = 0, value_name = "N", value_parser = clap::value_parser!(i64).range(0..))]
    pub seed: i64,
    /// Threads of libtorch [default: one a core]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(i32).range(1..))]
    pub threads: Option<i32>,
    /// The folder results are written in
    #[arg(long, default_value = "outputs", value_name = "DIR")]
    pub out: PathBuf,
    /// Another folder the script may write in; may be repeated
    #[arg(long, value_name = "DIR")]
    pub allow_write: Vec<PathBuf>,
    /// Go on with an interrupted run: the script's latest, or the one in this folder
    #[arg(long, value_name = "DIR", num_args = 0..=1, require_equals = true)]
    pub resume: Option<Option<PathBuf>>,
    /// Show no progress
    #[arg(long, short)]
    pub quiet: bool,
    /// Fetch nothing from the network
    #[arg(long)]
    pub offline: bool,
}

/// Reads `NAME=VALUE`.
fn pair(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("write it NAME=VALUE")?;
    Ok((name.trim().to_string(), value.trim().to_string()))
}

impl Options {
    /// The folder of the run that is gone on with: itself, not the link to it, which the next run moves on. None where the
    /// script has no run yet, so that one command line begins and goes on.
    fn resumed(&self, name: &str, dir: Option<&Path>) -> Result<Option<PathBuf>> {
        let latest = || self.out.join(name).join("latest");
        let folder = dir.map_or_else(latest, Path::to_path_buf);
        if !folder.join("run.json").exists() {
            if dir.is_some() {
                return Err(Error::new(format!("--resume: there is no run in {}", folder.display()))
                    .hint("`cs385 runs` lists those there are"));
            }
            core_progress::say("no run to go on with: the first one begins");
            return Ok(None);
        }
        Ok(Some(match (folder.read_link(), folder.parent()) {
            (Ok(to), Some(beside)) => beside.join(to),
            _ => folder,
        }))
    }

    /// Begins a run of the script `name` with these options.
    ///
    /// # Errors
    /// A device that cannot be used.
    pub fn begin(&self, name: &str, record: serde_json::Map<String, serde_json::Value>) -> Result<()> {
        cuda::open(&self.device)?;
        core_progress::set_sink(progress::sink(self.quiet));
        let setup = run::Setup {
            name: name.to_string(),
            out: self.out.clone(),
            allow: self.allow_write.clone(),
            folder: match &self.resume {
                Some(dir) => self.resumed(name, dir.as_deref())?,
                None => None,
            },
            resume: self.resume.is_some(),
            record,
            quiet: self.quiet,
            offline: self.offline,
        };
        let (device, threads) = (self.device.clone(), self.threads.unwrap_or(0));
        Start { setup, set: self.set.clone(), seed: self.seed, threads, device }.begin()
    }
}

/// What `run.json` says of the versions.
pub fn versions() -> serde_json::Value {
    json!({"cs385": env!("CARGO_PKG_VERSION"), "libtorch": ffi::torch_version()})
}

/// Reads a script.
///
/// # Errors
/// A file that is not there, or is not text.
pub fn read(path: &Path) -> Result<String> {
    let bytes = std::fs::read(path).map_err(|e| Error::io(path, &e))?;
    String::from_utf8(bytes).map_err(|_| Error::new(format!("{}: not a text in UTF-8", path.display())))
}

/// The script's name for its folder of results.
pub fn stem(path: &Path) -> String {
    path.file_stem().map_or("script".to_string(), |s| s.to_string_lossy().into_owned())
}

fn usage(e: Error) -> ExitCode {
    Diagnostic::plain(e).report();
    USAGE.into()
}

/// Prints the settings of a script.
pub fn help(script: &Path) -> ExitCode {
    let text = match read(script) {
        Ok(text) => text,
        Err(e) => return usage(e),
    };
    let name = script.display().to_string();
    let shown = engine().map_err(|e| Box::new(Diagnostic::plain(e))).and_then(|engine| {
        let ast = compile(&engine, &Source { name: &name, text: &text, known: &[] })?;
        Ok(params::help(&engine, &name, &text, &ast))
    });
    match shown {
        Ok(help) => {
            output::write(&help);
            OK.into()
        }
        Err(d) => {
            d.report();
            FAILED.into()
        }
    }
}

/// Runs a script.
pub fn main(script: &Path, options: &Options, limits: &Limits) -> ExitCode {
    let text = match read(script) {
        Ok(text) => text,
        Err(e) => return usage(e),
    };
    let name = script.display().to_string();
    match prepare_and_run(&Source { name: &name, text: &text, known: &[] }, script, options, limits) {
        Ok(code) => code,
        Err(d) => finish(&d),
    }
}

/// Reports how the run ended badly, and gives its exit status.
fn finish(d: &Diagnostic) -> ExitCode {
    let result = match d.interrupted {
        true => d.msg.clone(),
        false => format!("error: {}", d.msg),
    };
    let noted = run::finish(&result);
    d.report();
    if let Err(e) = noted {
        Diagnostic::plain(e).report();
    }
    let by_hand = d.interrupted && interrupt::reason().is_none();
    if by_hand { INTERRUPTED.into() } else { FAILED.into() }
}

fn prepare_and_run(
    source: &Source,
    script: &Path,
    options: &Options,
    limits: &Limits,
) -> Result<ExitCode, Box<Diagnostic>> {
    let plain = |e| Box::new(Diagnostic::plain(e));
    let engine = engine().map_err(plain)?;
    let ast = compile(&engine, source)?;
    let faults = check::faults(&engine, source, &ast);
    if !faults.is_empty() {
        let found = check::report(&faults);
        if !json::wanted() {
            output::say(&format!("{}: the script was not started", check::count(found, "fault")));
        }
        return Ok(FAILED.into());
    }
    check::report(&check::doubts(&engine, source));
    if let Some(unknown) = Settings::of(&ast).unknown(options.set.iter().map(|(n, _)| n)) {
        return Ok(usage(unknown));
    }
    let record = [
        ("script".to_string(), json!(source.name)),
        ("sha256".to_string(), json!(hex(&Sha256::digest(source.text)))),
        ("versions".to_string(), versions()),
    ];
    if let Err(e) = options.begin(&stem(script), record.into_iter().collect()) {
        return Ok(usage(e));
    }
    watch_interrupts().map_err(plain)?;
    limits.watch();
    let done = evaluate(&engine, source, &ast);
    interrupt::rest();
    done?;
    core_params::all_known().map_err(plain)?;
    run::finish("ok").map_err(plain)?;
    Ok(OK.into())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

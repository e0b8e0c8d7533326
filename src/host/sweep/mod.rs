//! `cs385 sweep`: a script at every point of a grid of settings, each point an ordinary `cs385 run`.

mod grid;
mod table;

use super::engine::{compile, engine, watch_interrupts};
use super::render::{Diagnostic, Source};
use super::run::{self, FAILED, INTERRUPTED, OK, USAGE};
use super::runs::Run;
use super::{check, output};
use crate::bindings::Settings;
use crate::core::{Error, Result, atomic, interrupt};
use crate::train::experiment;
use grid::Axis;
use sha2::{Digest, Sha256};
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::Instant;

/// What `cs385 sweep` is told.
#[derive(clap::Args)]
#[group(id = "sweep")]
pub struct Options {
    /// The script
    script: PathBuf,
    /// A setting and its values: lr=1e-3,3e-4 or seed=0..5; may be repeated
    #[arg(long, value_name = "NAME=VALUES", value_parser = grid::axis, required = true)]
    grid: Vec<Axis>,
    /// Runs at a time
    #[arg(long, default_value_t = 1, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    jobs: u16,
    /// What to put into the table; may be repeated [default: what the script keeps with `record`, or the last measures]
    #[arg(long, value_name = "NAME")]
    measure: Vec<String>,
    /// Print the command lines and run nothing
    #[arg(long)]
    print: bool,
    #[command(flatten)]
    run: run::Options,
}

/// One run of the sweep.
struct Point {
    settings: Vec<(String, String)>,
    /// The folder its output lies in.
    out: PathBuf,
    /// The arguments of `cs385`.
    command: Vec<String>,
}

impl Point {
    fn new(o: &Options, settings: Vec<(String, String)>, home: &Path, own_seed: bool) -> Self {
        let out = home.join(grid::name(&settings));
        let mut command = vec!["run".to_string(), o.script.display().to_string()];
        let mut seed = o.run.seed.to_string();
        for (name, value) in o.run.set.iter().chain(&settings) {
            if name == "seed" && !own_seed {
                seed.clone_from(value);
            } else {
                command.extend(["--set".to_string(), format!("{name}={value}")]);
            }
        }
        command.extend(["--seed".to_string(), seed, "--device".to_string(), o.run.device.clone()]);
        // So many runs share the machine; the number of threads is part of what makes a run the same again.
        let cores = thread::available_parallelism().map_or(1, usize::from);
        let shared = (o.jobs > 1).then(|| (cores / usize::from(o.jobs)).max(1).to_string());
        if let Some(n) = o.run.threads.map(|n| n.to_string()).or(shared) {
            command.extend(["--threads".to_string(), n]);
        }
        for dir in &o.run.allow_write {
            command.extend(["--allow-write".to_string(), dir.display().to_string()]);
        }
        command.extend(o.run.offline.then(|| "--offline".to_string()));
        command.extend(["--out".to_string(), out.display().to_string()]);
        Self { settings, out, command }
    }

    fn latest(&self, script: &Path) -> Option<Run> {
        Run::read(&self.out.join(run::stem(script)).join("latest"))
    }

    /// What the point was run with, so that another sweep of the name, or one by another program or of files that have
    /// changed since, is not taken for this one.
    fn key(&self, text: &str) -> String {
        let hash: String = Sha256::digest(text).iter().map(|b| format!("{b:02x}")).collect();
        let values = self.command.iter().filter_map(|c| c.split_once('=')).map(|(_, v)| experiment::stamp(v));
        let files: Vec<String> = values.filter(|s| !s.is_empty()).collect();
        format!("{}\n{}\n{hash}\n{}\n", experiment::program(), self.command.join("\n"), files.join("\n"))
    }

    /// Runs the point unless that was done; gives how it ended.
    fn run(&self, script: &Path, text: &str) -> Result<End> {
        let (mark, key) = (self.out.join("point.txt"), self.key(text));
        let same = fs::read_to_string(&mark).is_ok_and(|old| old == key);
        let before = self.latest(script).filter(|_| same);
        if before.as_ref().is_some_and(|r| r.record["result"] == "ok") {
            return Ok(End::Before);
        }
        fs::create_dir_all(&self.out).map_err(|e| Error::io(&self.out, &e))?;
        if !same {
            // The run of another key is not this point's, should this one end before it has written anything.
            let latest = self.out.join(run::stem(script)).join("latest");
            fs::remove_file(&latest).or_else(|e| match e.kind() {
                std::io::ErrorKind::NotFound => Ok(()),
                _ => Err(Error::io(&latest, &e)),
            })?;
        }
        atomic::write(&mark, key.as_bytes())?;
        let said = self.out.join("output.txt");
        let file = File::create(&said).map_err(|e| Error::io(&said, &e))?;
        let both = file.try_clone().map_err(|e| Error::io(&said, &e))?;
        let program = std::env::current_exe().map_err(|e| Error::io("cs385", &e))?;
        let mut command = Command::new(program);
        command.args(&self.command).args(before.map(|_| "--resume")); // one that failed goes on where it was
        command.stdin(Stdio::null()).stdout(file).stderr(both);
        let status = command.status().map_err(|e| Error::new(format!("the run cannot be started: {e}")))?;
        Ok(if status.success() { End::Now } else { End::Failed(said) })
    }
}

/// How a point ended.
enum End {
    /// It had been run before.
    Before,
    /// It ran.
    Now,
    /// It failed; what it printed is in this file.
    Failed(PathBuf),
}

/// What went wrong, from what the run printed.
fn reason(said: &Path) -> String {
    let text = fs::read_to_string(said).unwrap_or_default();
    let line = text.lines().find(|l| l.contains("error: ")).or_else(|| text.lines().last());
    format!("{} (all of it in {})", line.unwrap_or("nothing was printed"), said.display())
}

fn usage(e: Error) -> ExitCode {
    Diagnostic::plain(e).report();
    USAGE.into()
}

/// The points of the sweep, checked; the script's text.
fn plan(o: &Options) -> Result<(Vec<Point>, String), Box<Diagnostic>> {
    let plain = |e| Box::new(Diagnostic::plain(e));
    if o.run.resume.is_some() {
        let e =
            Error::new("a sweep needs no --resume").hint("the same command goes on where it was interrupted");
        return Err(plain(e));
    }
    let text = run::read(&o.script).map_err(plain)?;
    let name = o.script.display().to_string();
    let source = Source { name: &name, text: &text, known: &[] };
    let engine = engine().map_err(plain)?;
    let ast = compile(&engine, &source)?;
    let known = Settings::of(&ast);
    let given = o.grid.iter().map(|a| &a.name).chain(o.run.set.iter().map(|(n, _)| n));
    if let Some(unknown) = known.unknown(given.filter(|n| *n != "seed")) {
        return Err(plain(unknown));
    }
    let own_seed = known.has("seed");
    let home = o.run.out.join(run::stem(&o.script)).join("sweep");
    let points = grid::points(&o.grid).map_err(plain)?;
    Ok((points.into_iter().map(|p| Point::new(o, p, &home, own_seed)).collect(), text))
}

/// Runs the sweep.
pub fn main(o: &Options) -> ExitCode {
    let (points, text) = match plan(o) {
        Ok(all) => all,
        Err(d) => {
            d.report();
            return USAGE.into();
        }
    };
    if o.print {
        let quoted = |a: &String| match a.chars().all(|c| c.is_alphanumeric() || "=-_./,:+".contains(c)) {
            true => a.clone(),
            false => format!("'{}'", a.replace('\'', "'\\''")),
        };
        for p in &points {
            output::write(&format!("cs385 {}\n", p.command.iter().map(quoted).collect::<Vec<_>>().join(" ")));
        }
        return OK.into();
    }
    if let Err(e) = watch_interrupts() {
        return usage(e);
    }
    let failed = all(o, &points, &text);
    if interrupt::requested() {
        output::say("stopped; the same command goes on");
        return INTERRUPTED.into();
    }
    let runs: Vec<_> = points.iter().map(|p| (p.settings.clone(), p.latest(&o.script))).collect();
    let home = o.run.out.join(run::stem(&o.script)).join("sweep");
    match table::write(&o.grid, &runs, &o.measure, &home) {
        Ok(text) => output::write(&text),
        Err(e) => {
            Diagnostic::plain(e).report();
            return FAILED.into();
        }
    }
    if failed == 0 {
        return OK.into();
    }
    output::say(&format!("{} failed; the same command tries again", check::count(failed, "run")));
    FAILED.into()
}

/// Runs all points, `jobs` at a time; gives how many failed.
fn all(o: &Options, points: &[Point], text: &str) -> usize {
    let (next, failed) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let screen = Mutex::new(0);
    let work = || {
        while let Some(p) =
            points.get(next.fetch_add(1, Ordering::SeqCst)).filter(|_| !interrupt::requested())
        {
            let began = Instant::now();
            let end = p.run(&o.script, text);
            let mut done = screen.lock().unwrap_or_else(PoisonError::into_inner);
            *done += 1;
            let how = match end {
                Ok(End::Before) => "done before".to_string(),
                Ok(End::Now) => format!("{:.0} s", began.elapsed().as_secs_f64()),
                Ok(End::Failed(_)) | Err(_) if interrupt::requested() => "stopped".to_string(),
                Ok(End::Failed(said)) => {
                    failed.fetch_add(1, Ordering::SeqCst);
                    format!("failed: {}", reason(&said))
                }
                Err(e) => {
                    failed.fetch_add(1, Ordering::SeqCst);
                    format!("failed: {}", e.msg)
                }
            };
            if !o.run.quiet {
                output::say(&format!("{}/{}  {}  {how}", *done, points.len(), grid::name(&p.settings)));
            }
        }
    };
    thread::scope(|s| (0..o.jobs).for_each(|_| drop(s.spawn(work))));
    failed.into_inner()
}

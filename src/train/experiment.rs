//! Scripts as parts of a greater one: each has its folder, its settings and its random numbers, as if it had been started
//! by itself; one that was finished is not run again.

use super::engine;
use crate::core::params::{self, State};
use crate::core::run::{self, from_json};
use crate::core::value::record;
use crate::core::{Error, Map, Opts, Result, Value, device, interrupt, paths, script, seed};
use serde_json::{Map as JsonMap, Value as Json, json};
use sha2::{Digest, Sha256};
use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

options! {
    /// Options of `experiment::run`.
    pub struct ExperimentOptions {
        /// Seed of its random numbers; the run's own if left out.
        seed: Option<i64> = None,
    }
}

/// A script with settings, and where its run lies.
struct Experiment {
    path: PathBuf,
    text: String,
    settings: Vec<(String, String)>,
    seed: i64,
    folder: PathBuf,
}

impl Experiment {
    fn new(path: &str, settings: &Map, o: &ExperimentOptions) -> Result<Self> {
        let path = found(path)?;
        if run::scripts().contains(&path) {
            return Err(Error::new(format!("{} is a part of itself", path.display())));
        }
        let text = fs::read_to_string(&path).map_err(|e| Error::io(&path, &e))?;
        let settings: Vec<_> = settings
            .iter()
            .map(|(k, v)| Ok((k.clone(), written(v).map_err(|e| e.within(k))?)))
            .collect::<Result<_>>()?;
        let seed = o.seed.unwrap_or_else(seed::get);
        let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let given: Vec<String> = settings.iter().map(|(k, v)| format!("{k}={v} {}", stamp(v))).collect();
        let key = json!([text, given, seed, program(), run::versions(), device::name(device::current())]);
        let folder = run::home().join("parts").join(format!("{name}-{}", &hash(key.to_string())[..8]));
        Ok(Self { path, text, settings, seed, folder })
    }

    /// What run.json says, if the run came to its end.
    fn finished(&self) -> Option<Json> {
        let text = fs::read_to_string(self.folder.join("run.json")).ok()?;
        serde_json::from_str::<Json>(&text).ok().filter(|r| r["result"] == "ok")
    }

    fn run(&self) -> Result<()> {
        let resume = self.folder.join("run.json").exists();
        let name = self.path.display().to_string();
        let of =
            JsonMap::from_iter([("script".into(), json!(name)), ("sha256".into(), json!(hash(&self.text)))]);
        let _outer = run::begin_inside(&name, &self.folder, resume, of);
        let outside = params::exchange(State::given(self.settings.clone()));
        seed::set(self.seed)?;
        let runs = engine::begin_script();
        let ran = script::run(&name, &self.text).and_then(|()| params::all_known());
        let done = ran.and_then(|()| run::ensure_folder().map(|_| ()));
        let ended = match &done {
            Ok(()) => "ok".to_string(),
            Err(_) if interrupt::requested() => "interrupted".to_string(),
            Err(e) => format!("error: {}", e.msg),
        };
        let noted = run::finish(&ended);
        engine::continue_script(runs);
        params::exchange(outside);
        done.and(noted)
    }
}

/// The script's file: where files are read, or beside the script that runs.
fn found(path: &str) -> Result<PathBuf> {
    let here = paths::readable(path)?;
    let beside = run::scripts().first().and_then(|s| Some(s.parent()?.join(path))).filter(|p| p.exists());
    Ok(if here.exists() { here } else { beside.unwrap_or(here) })
}

/// What tells this program from any other that was built: a part computed by another one is computed again.
pub fn program() -> &'static str {
    static ONCE: OnceLock<String> = OnceLock::new();
    let read = || std::env::current_exe().and_then(fs::read).unwrap_or_default();
    ONCE.get_or_init(|| hash(read()))
}

fn hash(text: impl AsRef<[u8]>) -> String {
    Sha256::digest(text).iter().map(|b| format!("{b:02x}")).collect()
}

/// A setting as `--set` takes it.
fn written(v: &Value) -> Result<String> {
    Ok(match v {
        Value::Bool(v) => v.to_string(),
        Value::Int(v) => v.to_string(),
        Value::Float(v) => v.to_string(),
        Value::Str(v) => v.clone(),
        Value::List(v) => v.iter().map(written).collect::<Result<Vec<_>>>()?.join(","),
        other => return Err(Error::new(format!("a setting cannot be a {}", other.type_name()))),
    })
}

/// What changes when the files that a setting names do: how many, how large, when the newest was written.
pub fn stamp(setting: &str) -> String {
    let Ok(meta) = fs::metadata(setting) else { return String::new() };
    let (mut files, mut bytes, mut newest) = (0_u64, 0, meta.modified().ok());
    let (mut folders, mut seen) = (vec![PathBuf::from(setting)], HashSet::new());
    while let Some(folder) = folders.pop() {
        // A link may lead back to where it lies.
        if !folder.canonicalize().is_ok_and(|f| seen.insert(f)) {
            continue;
        }
        for entry in fs::read_dir(&folder).into_iter().flatten().flatten() {
            let Ok(meta) = fs::metadata(entry.path()) else { continue };
            if meta.is_dir() {
                folders.push(entry.path());
            } else {
                (files, bytes, newest) = (files + 1, bytes + meta.len(), newest.max(meta.modified().ok()));
            }
        }
    }
    format!("{files} {} {newest:?}", bytes + meta.len())
}

fn read(folder: &Path, name: &str) -> String {
    fs::read_to_string(folder.join(name)).unwrap_or_default()
}

functions! {
    in "experiment";
    /// Runs another script as a part of this one, unless that was done before.
    ///
    /// `settings` are what `--set` would say. The part has a folder of its own below `outputs/<script>/parts`, for this
    /// script, settings, seed, device and program and the state of files that settings name; where it was interrupted it
    /// goes on. Gives `name`, `folder`, `results` (what it kept with `record`), `params`, `seconds`, `text` (what it
    /// printed), `script` (its text) and `fresh`: it ran just now. Random numbers start from the seed in the part and
    /// again after it, so that a part which is not run changes nothing.
    /// ```rhai
    /// "let n = param(\"n\", 1, \"\"); record(\"twice\", 2 * n);".save("double.rhai");
    /// let part = experiment::run("double.rhai", #{n: 4});
    /// [part.results, part.fresh] // => [#{"twice": 8}, true]
    /// [experiment::run("double.rhai", #{n: 4}).fresh, experiment::run("double.rhai", #{n: 5}).fresh] // => [false, true]
    /// ```
    fn run(script: String, settings: Map, options: Opts<ExperimentOptions>) -> Value {
        let part = Experiment::new(&script, &settings, &options.0)?;
        let done = part.finished();
        let fresh = done.is_none();
        let before = seed::get();
        let ran = if fresh { part.run() } else { Ok(()) };
        seed::set(before)?;
        ran?;
        let said = part.finished().unwrap_or_default();
        let get = |key: &str| from_json(said.get(key).unwrap_or(&json!({})));
        record([
            ("name", Value::Str(part.path.file_stem().unwrap_or_default().to_string_lossy().into_owned())),
            ("folder", Value::Str(part.folder.display().to_string())),
            ("results", get("results")),
            ("params", get("params")),
            ("seconds", get("seconds")),
            ("text", Value::Str(read(&part.folder, "log.txt"))),
            ("script", Value::Str(part.text.clone())),
            ("fresh", Value::Bool(fresh)),
        ])
    }

    /// Whether a part was finished before: `experiment::run` would not run it.
    /// ```rhai
    /// "record(\"one\", 1);".save("one.rhai");
    /// let before = experiment::done("one.rhai", #{});
    /// experiment::run("one.rhai", #{});
    /// [before, experiment::done("one.rhai", #{})] // => [false, true]
    /// ```
    fn done(script: String, settings: Map, options: Opts<ExperimentOptions>) -> bool {
        Experiment::new(&script, &settings, &options.0)?.finished().is_some()
    }
}

functions! {
    in "";
    /// Keeps a result of the run under a name, in its `run.json`.
    ///
    /// A number, a text, a list or a map of such. `cs385 sweep` puts results of many runs into one table, and
    /// `experiment::run` gives them to the script that asked.
    /// ```rhai
    /// record("accuracy", 0.93);
    /// record("confusion", [[5, 1], [0, 4]]);
    /// ```
    fn record(name: String, value: Value) {
        run::keep(&name, &value)?
    }
}

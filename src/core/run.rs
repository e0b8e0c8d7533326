//! The run under way and its folder `outputs/<script>/<run>/`. The folder is made when something is first
//! written there, with `run.json` (what ran, with which settings, how it ended) and `log.txt` (what was printed).

use super::error::{Error, Result};
use super::value::Value;
use super::{device, params, seed};
use serde_json::{Map, Value as Json, json};
use std::cell::RefCell;
use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

/// Printed text is kept in memory until there is a folder, but not more than this many bytes.
const LOG_LIMIT: usize = 1 << 22;

/// How a run begins.
#[derive(Default)]
pub struct Setup {
    /// The script's name without folder and ending; `repl` in the REPL.
    pub name: String,
    /// The output folder.
    pub out: PathBuf,
    /// Other folders the script may write in.
    pub allow: Vec<PathBuf>,
    /// The run's folder itself; otherwise `<out>/<name>/<date and time>`.
    pub folder: Option<PathBuf>,
    /// What run.json says besides: script, its hash, versions.
    pub record: Map<String, Json>,
    /// No progress is shown.
    pub quiet: bool,
    /// Nothing is fetched.
    pub offline: bool,
    /// Training goes on from the state in [`Setup::folder`].
    pub resume: bool,
}

struct Run {
    setup: Setup,
    started: SystemTime,
    clock: Instant,
    /// Seconds that earlier sessions of a resumed run took, as far as its run.json knows.
    before: f64,
    /// The folder, once made.
    folder: Option<PathBuf>,
    /// What was printed before there was a folder.
    pending: String,
    log: Option<File>,
    /// What run.json must say beside the result.
    notes: Vec<String>,
    /// What the script measured.
    results: Map<String, Json>,
    /// The scripts it is a part of.
    around: Vec<PathBuf>,
}

impl Run {
    fn new(setup: Setup) -> Self {
        let (started, clock) = (SystemTime::now(), Instant::now());
        // A resumed run reads its old files from the start.
        let folder = setup.folder.clone().filter(|_| setup.resume);
        let before = folder.as_ref().and_then(|f| fs::read(f.join("run.json")).ok());
        let before = before
            .and_then(|text| serde_json::from_slice::<Json>(&text).ok()?["seconds"].as_f64())
            .unwrap_or(0.0);
        let (pending, log, notes, results) = (String::new(), None, Vec::new(), Map::new());
        Self { setup, started, clock, before, folder, pending, log, notes, results, around: Vec::new() }
    }
}

thread_local! {
    static RUN: RefCell<Run> =
        RefCell::new(Run::new(Setup { name: "run".into(), out: "outputs".into(), ..Setup::default() }));
}

/// Begins a run; the one before is forgotten.
pub fn begin(setup: Setup) {
    RUN.replace(Run::new(setup));
}

/// The run that waits while another one, inside it, is under way; it goes on when this is dropped.
pub struct Outer(Option<Run>);

impl Drop for Outer {
    fn drop(&mut self) {
        if let Some(outer) = self.0.take() {
            RUN.replace(outer);
        }
    }
}

/// Begins a run inside the one under way, with its permissions: `name` in `folder`, gone on with if `resume`.
/// `record` is what its run.json says besides the versions.
pub fn begin_inside(name: &str, folder: &Path, resume: bool, mut record: Map<String, Json>) -> Outer {
    let setup = RUN.with_borrow(|r| {
        record.extend(r.setup.record.get("versions").map(|v| ("versions".to_string(), v.clone())));
        let (out, allow, folder) = (r.setup.out.clone(), r.setup.allow.clone(), Some(folder.to_path_buf()));
        let (quiet, offline) = (r.setup.quiet, r.setup.offline);
        Setup { name: name.to_string(), out, allow, folder, record, quiet, offline, resume }
    });
    let run = Run { around: scripts(), ..Run::new(setup) };
    Outer(Some(RUN.replace(run)))
}

/// The files of the script that runs and of those it is a part of, the innermost first.
pub fn scripts() -> Vec<PathBuf> {
    let own = |r: &Run| r.setup.record.get("script").and_then(Json::as_str).map(PathBuf::from);
    RUN.with_borrow(|r| own(r).into_iter().chain(r.around.iter().cloned()).collect())
}

/// What wrote the run: versions of the program and of libtorch.
pub fn versions() -> Json {
    RUN.with_borrow(|r| r.setup.record.get("versions").cloned().unwrap_or_default())
}

/// The folder of the script's runs, `<out>/<name>`; that of the run where it lies elsewhere.
pub fn home() -> PathBuf {
    RUN.with_borrow(|r| {
        let usual = r.setup.out.join(&r.setup.name);
        r.setup.folder.clone().filter(|f| !f.starts_with(&usual)).unwrap_or(usual)
    })
}

/// True when no progress is to be shown (`--quiet`).
pub fn quiet() -> bool {
    RUN.with_borrow(|r| r.setup.quiet)
}

/// True when nothing may be fetched (`--offline`).
pub fn offline() -> bool {
    RUN.with_borrow(|r| r.setup.offline)
}

/// True when training goes on from an earlier run's state (`--resume`).
pub fn resuming() -> bool {
    RUN.with_borrow(|r| r.setup.resume)
}

/// The run's folder, if anything was written in it.
pub fn folder() -> Option<PathBuf> {
    RUN.with_borrow(|r| r.folder.clone())
}

/// The folders scripts may write in: the output folder and those allowed on the command line.
pub fn writable_roots() -> Vec<PathBuf> {
    RUN.with_borrow(|r| {
        let s = &r.setup;
        s.folder.iter().chain([&s.out]).chain(&s.allow).cloned().collect()
    })
}

/// The run's folder, made now if it is not there.
///
/// # Errors
/// A folder that cannot be made.
pub fn ensure_folder() -> Result<PathBuf> {
    if let Some(folder) = folder() {
        return Ok(folder);
    }
    let (fixed, base, started) =
        RUN.with_borrow(|r| (r.setup.folder.clone(), r.setup.out.join(&r.setup.name), r.started));
    let folder = match fixed {
        Some(folder) => {
            fs::create_dir_all(&folder).map_err(|e| Error::io(&folder, &e))?;
            folder
        }
        None => dated(&base, started)?,
    };
    RUN.with_borrow_mut(|r| r.folder = Some(folder.clone()));
    write_record("running")?;
    let pending = RUN.with_borrow_mut(|r| std::mem::take(&mut r.pending));
    log(&pending);
    Ok(folder)
}

/// `<base>/2026-11-24_04-52-15`, or `…-2` if that is taken; `<base>/latest` leads to it.
fn dated(base: &Path, started: SystemTime) -> Result<PathBuf> {
    fs::create_dir_all(base).map_err(|e| Error::io(base, &e))?;
    let stamp = stamp(started).replace(' ', "_").replace(':', "-");
    let mut name = stamp.clone();
    for i in 2.. {
        match fs::create_dir(base.join(&name)) {
            Ok(()) => break,
            Err(e) if e.kind() == std::io::ErrorKind::AlreadyExists => name = format!("{stamp}-{i}"),
            Err(e) => return Err(Error::io(base.join(&name), &e)),
        }
    }
    point_latest(base, &name);
    Ok(base.join(name))
}

/// A convenience only: a file system without links does not stop the run, nor is a real folder replaced.
fn point_latest(base: &Path, name: &str) {
    let (link, fresh) = (base.join("latest"), base.join(format!(".latest-{}", std::process::id())));
    if fs::symlink_metadata(&link).is_ok_and(|m| !m.is_symlink()) {
        return;
    }
    if std::os::unix::fs::symlink(name, &fresh).is_ok() && fs::rename(&fresh, &link).is_err() {
        let _ = fs::remove_file(&fresh);
    }
}

/// Keeps a line for `run.json`: what a reader of the result must know (where weights came from).
pub fn note(line: &str) {
    RUN.with_borrow_mut(|r| {
        if !r.notes.iter().any(|n| n == line) {
            r.notes.push(line.to_string());
        }
    });
}

/// Keeps a result for `run.json`, at once: a run that fails later has measured it all the same.
///
/// # Errors
/// A folder or run.json that cannot be written.
pub fn keep(name: &str, value: &Value) -> Result<()> {
    ensure_folder()?;
    RUN.with_borrow_mut(|r| r.results.insert(name.to_string(), to_json(value)));
    write_record("running")
}

/// Notes printed text in `log.txt`; a full disk does not stop the run.
pub fn log(text: &str) {
    let full = RUN.with_borrow_mut(|r| {
        let Some(folder) = &r.folder else {
            r.pending += text;
            return r.pending.len() > LOG_LIMIT;
        };
        if r.log.is_none() && !text.is_empty() {
            r.log = File::options().create(true).append(true).open(folder.join("log.txt")).ok();
        }
        if let Some(file) = &mut r.log {
            let _ = file.write_all(text.as_bytes());
        }
        false
    });
    if full && ensure_folder().is_err() {
        RUN.with_borrow_mut(|r| r.pending.clear());
    }
}

/// Says in `run.json`, if there is one, that the run is still under way, and for how long.
///
/// # Errors
/// A run.json that cannot be written.
pub fn goes_on() -> Result<()> {
    if folder().is_some() { write_record("running") } else { Ok(()) }
}

/// Ends the run: `run.json` says how (`ok`, `interrupted`, or the error), if the run has a folder.
///
/// # Errors
/// A run.json that cannot be written.
pub fn finish(result: &str) -> Result<()> {
    if folder().is_some() { write_record(result) } else { Ok(()) }
}

fn write_record(result: &str) -> Result<()> {
    let Some(folder) = folder() else { return Ok(()) };
    let record = RUN.with_borrow(|r| {
        let mut record = r.setup.record.clone();
        let params: Map<_, _> = params::as_map().iter().map(|(k, v)| (k.clone(), to_json(v))).collect();
        record.extend([
            ("params".to_string(), Json::Object(params)),
            ("seed".to_string(), json!(seed::get())),
            ("device".to_string(), json!(device::name(device::current()))),
            ("threads".to_string(), json!(tch::get_num_threads())),
            ("started".to_string(), json!(format!("{} UTC", stamp(r.started)))),
            (
                "seconds".to_string(),
                json!(((r.before + r.clock.elapsed().as_secs_f64()) * 1e3).round() / 1e3),
            ),
            ("result".to_string(), json!(result)),
        ]);
        if !r.results.is_empty() {
            record.insert("results".to_string(), Json::Object(r.results.clone()));
        }
        if !r.notes.is_empty() {
            record.insert("notes".to_string(), json!(r.notes));
        }
        Json::Object(record)
    });
    let (path, fresh) = (folder.join("run.json"), folder.join(".run.json"));
    let text = serde_json::to_string_pretty(&record).unwrap_or_default() + "\n";
    fs::write(&fresh, text).and_then(|()| fs::rename(&fresh, &path)).map_err(|e| Error::io(&path, &e))
}

/// What JSON says as a value.
pub fn from_json(v: &Json) -> Value {
    match v {
        Json::Null => Value::Nil,
        Json::Bool(v) => Value::Bool(*v),
        Json::Number(v) => {
            v.as_i64().map_or_else(|| Value::Float(v.as_f64().unwrap_or(f64::NAN)), Value::Int)
        }
        Json::String(v) => match v.as_str() {
            "NaN" | "inf" | "-inf" => Value::Float(v.parse().unwrap_or(f64::NAN)),
            _ => Value::Str(v.clone()),
        },
        Json::Array(v) => Value::List(v.iter().map(from_json).collect()),
        Json::Object(v) => Value::Map(v.iter().map(|(k, v)| (k.clone(), from_json(v))).collect()),
    }
}

/// A value as JSON; what JSON cannot say is said in words.
pub fn to_json(v: &Value) -> Json {
    match v {
        Value::Nil => Json::Null,
        Value::Bool(v) => json!(v),
        Value::Int(v) => json!(v),
        Value::Float(v) if v.is_finite() => json!(v),
        Value::Float(v) => json!(v.to_string()),
        Value::Str(v) => json!(v),
        Value::List(v) => v.iter().map(to_json).collect(),
        Value::Map(v) => Json::Object(v.iter().map(|(k, v)| (k.clone(), to_json(v))).collect()),
        other => json!(other.describe()),
    }
}

/// `2026-11-24 04:52:15`, in UTC (days to civil date: Howard Hinnant, "chrono-compatible low-level date
/// algorithms").
pub fn stamp(time: SystemTime) -> String {
    let s = time.duration_since(UNIX_EPOCH).map_or(0, |d| d.as_secs());
    let z = s / 86_400 + 719_468;
    let (era, doe) = (z / 146_097, z % 146_097);
    let yoe = (doe - doe / 1_460 + doe / 36_524 - doe / 146_096) / 365;
    let doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    let mp = (5 * doy + 2) / 153;
    let (day, month) = (doy - (153 * mp + 2) / 5 + 1, if mp < 10 { mp + 3 } else { mp - 9 });
    let year = yoe + era * 400 + u64::from(month <= 2);
    format!("{year:04}-{month:02}-{day:02} {:02}:{:02}:{:02}", s / 3600 % 24, s / 60 % 60, s % 60)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn stamps_are_civil_dates() {
        let at = |s| stamp(UNIX_EPOCH + Duration::from_secs(s));
        assert_eq!(at(0), "1970-01-01 00:00:00");
        assert_eq!(at(951_782_399), "2000-02-28 23:59:59");
        assert_eq!(at(951_782_400), "2000-02-29 00:00:00");
        assert_eq!(at(1_795_495_935), "2026-11-24 04:52:15");
    }

    #[test]
    fn the_folder_is_lazy_unique_and_recorded() {
        let out = tempfile::tempdir().unwrap();
        let setup = || Setup { name: "x".into(), out: out.path().into(), ..Setup::default() };
        begin(setup());
        log("hello\n");
        finish("ok").unwrap();
        assert!(!out.path().join("x").exists());
        let first = ensure_folder().unwrap();
        log("more\n");
        finish("ok").unwrap();
        assert_eq!(fs::read_to_string(first.join("log.txt")).unwrap(), "hello\nmore\n");
        let record: Json =
            serde_json::from_str(&fs::read_to_string(first.join("run.json")).unwrap()).unwrap();
        assert_eq!((&record["result"], &record["device"]), (&json!("ok"), &json!("cpu")));
        let started = RUN.with_borrow(|r| r.started);
        begin(setup());
        RUN.with_borrow_mut(|r| r.started = started);
        let second = ensure_folder().unwrap();
        assert_ne!(first, second);
        let latest = fs::canonicalize(out.path().join("x/latest")).unwrap();
        assert_eq!(latest, fs::canonicalize(second).unwrap());
    }
}

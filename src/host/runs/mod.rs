//! `cs385 runs`: what ran, with which settings and which outcome, and runs side by side in a page.

mod page;

use super::output;
use super::render::Diagnostic;
use super::run::{FAILED, OK, USAGE};
use crate::core::number::short;
use crate::core::{Error, Result, atomic};
use serde_json::{Value as Json, json};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// What `cs385 runs` is told.
#[derive(clap::Args)]
pub struct Options {
    /// Scripts by name, runs (`quickstart/latest`), or folders of runs; without any, all there are
    #[arg(value_name = "RUN")]
    which: Vec<String>,
    /// The folder runs are in
    #[arg(long, default_value = "outputs", value_name = "DIR")]
    out: PathBuf,
    /// Write a page with the runs side by side: settings, measures, curves, figures
    #[arg(long, value_name = "FILE")]
    page: Option<PathBuf>,
    /// Write the list as JSON
    #[arg(long, conflicts_with = "page")]
    json: bool,
}

/// A run, read from its folder.
pub struct Run {
    /// `quickstart/2026-11-24_04-52-15`.
    pub name: String,
    /// Its folder.
    pub folder: PathBuf,
    /// run.json.
    pub record: Json,
    /// Histories of training: where they lie (`` or `plain/`), columns, values by column.
    pub histories: Vec<History>,
    /// Pictures it left, relative.
    pub figures: Vec<String>,
}

/// One `history.csv`.
pub struct History {
    /// What comes before `history.csv` in its path.
    pub of: String,
    /// Columns and their values, NaN where there is none.
    pub columns: Vec<(String, Vec<f64>)>,
}

/// Everything in `folder` and the folders in it, relative; links are left alone.
fn files(folder: &Path, below: &str, depth: usize, all: &mut Vec<String>) {
    let mut entries: Vec<_> = fs::read_dir(folder).into_iter().flatten().flatten().collect();
    entries.sort_by_key(fs::DirEntry::file_name);
    for e in entries {
        let Ok(name) = e.file_name().into_string() else { continue };
        match e.file_type() {
            Ok(t) if t.is_dir() && depth > 0 => {
                files(&e.path(), &format!("{below}{name}/"), depth - 1, all);
            }
            Ok(t) if t.is_file() => all.push(format!("{below}{name}")),
            _ => {}
        }
    }
}

fn history(text: &str, of: &str) -> Option<History> {
    let mut lines = text.lines();
    let names: Vec<String> = lines.next()?.split(',').map(str::to_string).collect();
    let mut columns: Vec<(String, Vec<f64>)> = names.into_iter().map(|n| (n, Vec::new())).collect();
    for line in lines {
        let mut cells = line.split(',');
        for (_, values) in &mut columns {
            values.push(cells.next().and_then(|c| c.parse().ok()).unwrap_or(f64::NAN));
        }
    }
    Some(History { of: of.to_string(), columns })
}

impl Run {
    /// Reads the run in `folder`; `None` if it is none.
    pub fn read(folder: &Path) -> Option<Self> {
        let record: Json = serde_json::from_str(&fs::read_to_string(folder.join("run.json")).ok()?).ok()?;
        let folder = fs::canonicalize(folder).ok()?;
        let part = |p: Option<&Path>| Some(p?.file_name()?.to_string_lossy().into_owned());
        let name = format!("{}/{}", part(folder.parent()).unwrap_or_default(), part(Some(&folder))?);
        let mut all = Vec::new();
        files(&folder, "", 3, &mut all);
        let read =
            |f: &String| history(&fs::read_to_string(folder.join(f)).ok()?, f.strip_suffix("history.csv")?);
        let histories = all.iter().filter(|f| f.ends_with("history.csv")).filter_map(read).collect();
        let picture = |f: &String| [".png", ".jpg", ".gif"].iter().any(|e| f.ends_with(e));
        let figures = all.iter().filter(|f| picture(f)).cloned().collect();
        Some(Self { name, folder, record, histories, figures })
    }

    /// The script's name.
    fn script(&self) -> &str {
        self.name.split('/').next().unwrap_or(&self.name)
    }

    /// A value of run.json as it is shown.
    pub fn fact(&self, key: &str) -> String {
        shown(&self.record[key])
    }

    /// The settings.
    fn params(&self) -> BTreeMap<String, String> {
        let map = self.record["params"].as_object();
        map.into_iter().flatten().map(|(k, v)| (k.clone(), shown(v))).collect()
    }

    /// The last value of every measure: `val_accuracy`, `plain/val_accuracy`.
    fn measures(&self) -> Vec<(String, f64)> {
        let mut all = Vec::new();
        for h in &self.histories {
            for (name, values) in h.columns.iter().filter(|(n, _)| !["seconds", "lr"].contains(&n.as_str())) {
                let last = values.iter().rev().find(|v| v.is_finite());
                all.extend(last.map(|v| (format!("{}{name}", h.of), *v)));
            }
        }
        all
    }

    /// True for what the script kept with `record`.
    pub fn kept(&self, name: &str) -> bool {
        self.record["results"].get(name).is_some_and(Json::is_number)
    }

    /// What the script kept, and the last value of every measure of training.
    pub fn measured(&self) -> BTreeMap<String, f64> {
        let kept = self.record["results"].as_object().into_iter().flatten();
        let kept = kept.filter_map(|(n, v)| Some((n.clone(), v.as_f64()?)));
        self.measures().into_iter().chain(kept).collect()
    }

    fn json(&self) -> Json {
        let measures: serde_json::Map<String, Json> =
            self.measures().into_iter().map(|(n, v)| (n, json!(v))).collect();
        json!({"run": self.name, "folder": self.folder, "record": self.record, "measures": measures,
               "figures": self.figures})
    }
}

/// A value of JSON as a script would print it.
fn shown(v: &Json) -> String {
    match v {
        Json::Null => String::new(),
        Json::String(s) => s.clone(),
        v => v.to_string(),
    }
}

/// Names that do not have the same value in all of `rows`, with their values.
fn differing(rows: &[BTreeMap<String, String>]) -> Vec<String> {
    let mut names: Vec<String> = rows.iter().flat_map(BTreeMap::keys).cloned().collect();
    names.sort();
    names.dedup();
    names.retain(|n| rows.iter().any(|r| r.get(n) != rows[0].get(n)));
    names
}

/// The runs that `which` names, oldest first.
fn find(out: &Path, which: &[String]) -> Result<Vec<Run>> {
    let scripts = || -> Vec<PathBuf> {
        let all = fs::read_dir(out).into_iter().flatten().flatten().map(|e| e.path());
        all.filter(|p| p.is_dir()).collect()
    };
    let within = |folder: &Path| -> Vec<Run> {
        let all = fs::read_dir(folder).into_iter().flatten().flatten();
        let runs = all.filter(|e| e.file_type().is_ok_and(|t| t.is_dir()));
        runs.filter_map(|e| Run::read(&e.path())).collect()
    };
    let mut found = Vec::new();
    if which.is_empty() {
        scripts().iter().for_each(|s| found.extend(within(s)));
    }
    for name in which {
        let folder = [out.join(name), PathBuf::from(name)].into_iter().find(|p| p.is_dir());
        let these = folder.map(|f| Run::read(&f).map_or_else(|| within(&f), |r| vec![r])).unwrap_or_default();
        if these.is_empty() {
            let known =
                scripts().into_iter().filter_map(|p| Some(p.file_name()?.to_string_lossy().into_owned()));
            return Err(Error::unknown("run or script", name, known));
        }
        found.extend(these);
    }
    let time = |r: &Run| (r.script().to_string(), r.fact("started"), r.name.clone());
    found.sort_by_key(time);
    found.dedup_by(|a, b| a.folder == b.folder);
    Ok(found)
}

/// Lists runs, or writes their page.
pub fn main(o: &Options) -> ExitCode {
    let runs = match find(&o.out, &o.which) {
        Ok(runs) => runs,
        Err(e) => {
            Diagnostic::plain(e).report();
            return USAGE.into();
        }
    };
    if o.json {
        output::write(&format!("{:#}\n", runs.iter().map(Run::json).collect::<Json>()));
        return OK.into();
    }
    if runs.is_empty() {
        let folder = o.out.display();
        output::write(&format!(
            "no runs in {folder}/: a run that writes something leaves its folder there\n"
        ));
        return OK.into();
    }
    let Some(file) = &o.page else {
        output::write(&list(&runs));
        return OK.into();
    };
    let written = page::page(&runs).and_then(|page| atomic::write(file, page.html().as_bytes()));
    match written {
        Ok(()) => {
            let runs = super::check::count(runs.len(), "run");
            output::write(&format!("{}: {runs}, to be opened in a browser\n", file.display()));
            OK.into()
        }
        Err(e) => {
            Diagnostic::plain(e).report();
            FAILED.into()
        }
    }
}

/// Runs as a table, script by script: settings that differ, and what was measured last.
fn list(runs: &[Run]) -> String {
    let mut out = String::new();
    for group in runs.chunk_by(|a, b| a.script() == b.script()) {
        let params: Vec<_> = group.iter().map(Run::params).collect();
        let names = differing(&params);
        let mut rows = vec![["run", "result", "seconds"].map(str::to_string).to_vec()];
        rows[0].extend(names.iter().cloned());
        let best = measure(group);
        rows[0].extend(best.iter().cloned());
        for (run, params) in group.iter().zip(&params) {
            let stamp = run.name.rsplit('/').next().unwrap_or_default().to_string();
            let mut row = vec![stamp, first_line(&run.fact("result")), run.fact("seconds")];
            row.extend(names.iter().map(|n| params.get(n).cloned().unwrap_or_default()));
            let all = run.measured();
            row.extend(best.iter().map(|b| all.get(b).map_or(String::new(), |v| short(*v))));
            rows.push(row);
        }
        out += &format!("{}\n", group[0].script());
        let widths: Vec<usize> = (0..rows[0].len())
            .map(|i| rows.iter().map(|r| r[i].chars().count()).max().unwrap_or(0))
            .collect();
        for row in &rows {
            let cells: Vec<String> = row
                .iter()
                .zip(&widths)
                .map(|(c, w)| format!("{c}{}", " ".repeat(w - c.chars().count())))
                .collect();
            out += &format!("  {}\n", cells.join("  ").trim_end());
        }
    }
    out
}

fn measure(group: &[Run]) -> Vec<String> {
    telling(&group.iter().collect::<Vec<_>>())
}

/// What to show of runs: numbers their script kept, or else up to three measures of training that tell most.
pub fn telling(group: &[&Run]) -> Vec<String> {
    let mut kept: Vec<String> =
        group.iter().flat_map(|r| r.measured().into_keys().filter(|n| r.kept(n))).collect();
    kept.sort();
    kept.dedup();
    if !kept.is_empty() {
        return kept;
    }
    let mut all: Vec<String> = group.iter().flat_map(|r| r.measures()).map(|(n, _)| n).collect();
    all.sort();
    all.dedup();
    let told = |what: &str| all.iter().filter(|n| n.contains(what)).cloned().collect::<Vec<_>>();
    let some = ["val_accuracy", "val_loss", "train_loss"].into_iter().map(told).find(|v| !v.is_empty());
    let mut some = some.unwrap_or_default();
    some.truncate(3);
    some
}

/// A text for a cell of a table.
pub fn first_line(text: &str) -> String {
    let line = text.lines().next().unwrap_or_default();
    match line.chars().count() {
        ..=40 => line.to_string(),
        _ => line.chars().take(39).chain(['…']).collect(),
    }
}

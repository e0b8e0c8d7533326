//! Runs side by side as one page: what differs, what was measured, curves, figures.

use super::{Run, differing, shown};
use crate::core::canvas::Figure;
use crate::core::number::short;
use crate::core::page::{Page, escaped};
use crate::core::{Error, Result, svg};
use crate::plot::{self, Series};
use crate::train::history::rises;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use std::collections::BTreeMap;
use std::fmt::Write as _;

const CSS: &str = include_str!("page.css");
/// Larger pictures are named, not shown: the page is to open.
const LARGE: u64 = 20 << 20;

/// Text into a page. Writing to a string does not fail.
macro_rules! say {
    ($out:expr, $($arg:tt)*) => { let _ = write!($out, $($arg)*); };
}

/// The page of these runs.
///
/// # Errors
/// Curves that cannot be drawn.
pub fn page(runs: &[Run]) -> Result<Page> {
    let names = short_names(runs);
    let mut body = String::from("<main>\n<h1>Runs side by side</h1>\n");
    say!(
        body,
        "<p class=\"quiet\">{}; what is the same in all of them is said once.</p>\n",
        counted(runs.len())
    );
    body += &settings(runs, &names);
    body += &measures(runs, &names);
    let told = told_apart(runs, &names);
    body += &curves(runs, &told)?;
    body += &figures(runs, &told)?;
    body += "</main>\n";
    Ok(Page::new("Runs side by side").css(CSS).body(&body))
}

fn counted(n: usize) -> String {
    crate::host::check::count(n, "run")
}

/// The names of runs; those of one script without its name.
fn short_names(runs: &[Run]) -> Vec<String> {
    let one = runs.iter().all(|r| r.script() == runs[0].script());
    let short =
        |r: &Run| if one { r.name.rsplit('/').next().unwrap_or(&r.name).to_string() } else { r.name.clone() };
    runs.iter().map(short).collect()
}

/// Runs by the settings they differ in, where these tell them apart shortly: `lr=0.1 optimizer=sgd`.
fn told_apart(runs: &[Run], names: &[String]) -> Vec<String> {
    let rows: Vec<_> = runs.iter().map(Run::params).collect();
    let different = differing(&rows);
    let said = |r: &BTreeMap<String, String>| -> String {
        let some = different.iter().filter_map(|n| Some(format!("{n}={}", r.get(n)?)));
        some.collect::<Vec<_>>().join(" ")
    };
    let all: Vec<String> = rows.iter().map(said).collect();
    let once =
        |s: &String| !s.is_empty() && s.chars().count() <= 40 && all.iter().filter(|o| *o == s).count() == 1;
    if all.iter().all(once) { all } else { names.to_vec() }
}

/// Everything a record says: settings, seed, versions.
fn facts(run: &Run) -> BTreeMap<String, String> {
    let mut all = run.params();
    for (key, value) in run.record.as_object().into_iter().flatten() {
        match value.as_object() {
            Some(inner) if key == "versions" => {
                all.extend(inner.iter().map(|(k, v)| (format!("version of {k}"), shown(v))));
            }
            Some(_) => {}
            None => drop(all.insert(key.clone(), shown(value))),
        }
    }
    all
}

fn head(out: &mut String, names: &[String]) {
    *out += "<thead><tr><th></th>";
    names.iter().for_each(|n| {
        say!(out, "<th scope=\"col\">{}</th>", escaped(n));
    });
    *out += "</tr></thead>\n";
}

fn settings(runs: &[Run], names: &[String]) -> String {
    let rows: Vec<_> = runs.iter().map(facts).collect();
    let different = differing(&rows);
    let mut out = String::from("<section><h2>Settings</h2>\n<div class=\"wide\"><table>\n");
    head(&mut out, names);
    for name in &different {
        say!(out, "<tr><th scope=\"row\">{}</th>", escaped(name));
        for row in &rows {
            say!(out, "<td>{}</td>", escaped(row.get(name).map_or("", String::as_str)));
        }
        out += "</tr>\n";
    }
    out += "</table></div>\n";
    let same: Vec<String> = rows[0]
        .iter()
        .filter(|(n, v)| !different.contains(n) && !v.is_empty())
        .map(|(n, v)| format!("{} {}", escaped(n), escaped(v)))
        .collect();
    say!(out, "<p class=\"quiet small\">The same in all: {}.</p></section>\n", same.join(", "));
    out
}

fn measures(runs: &[Run], names: &[String]) -> String {
    let all: Vec<BTreeMap<String, f64>> = runs.iter().map(Run::measured).collect();
    let mut keys: Vec<&String> = all.iter().flat_map(BTreeMap::keys).collect();
    keys.sort();
    keys.dedup();
    if keys.is_empty() {
        return String::new();
    }
    let mut out = String::from("<section><h2>Measured last</h2>\n<div class=\"wide\"><table>\n");
    head(&mut out, names);
    for key in keys {
        let values: Vec<f64> = all.iter().filter_map(|m| m.get(key)).copied().collect();
        let best = values.iter().copied().reduce(if rises(key, None) { f64::max } else { f64::min });
        let telling = values.len() > 1 && !key.ends_with("epoch") && values.iter().any(|v| *v != values[0]);
        say!(out, "<tr><th scope=\"row\">{}</th>", escaped(key));
        for m in &all {
            match m.get(key) {
                Some(v) if telling && Some(*v) == best => {
                    say!(out, "<td class=\"number best\">{}</td>", number(*v));
                }
                Some(v) => {
                    say!(out, "<td class=\"number\">{}</td>", number(*v));
                }
                None => out += "<td></td>",
            }
        }
        out += "</tr>\n";
    }
    out + "</table></div>\n<p class=\"quiet small\">The best of each line is marked; the last epoch's values.</p></section>\n"
}

fn number(v: f64) -> String {
    if v.fract() == 0.0 && v.abs() < 1e6 { format!("{v}") } else { short(v) }
}

/// Every measure against the epoch, a curve a run.
fn curves(runs: &[Run], names: &[String]) -> Result<String> {
    let mut by_measure: BTreeMap<String, Vec<Series>> = BTreeMap::new();
    for (run, name) in runs.iter().zip(names) {
        for h in &run.histories {
            let epochs =
                h.columns.iter().find(|(n, _)| n == "epoch").map(|(_, v)| v.as_slice()).unwrap_or(&[]);
            for (measure, values) in h.columns.iter().filter(|(n, v)| n != "epoch" && v.len() > 1) {
                let label = match h.of.is_empty() {
                    true => name.clone(),
                    false => format!("{name} {}", h.of.trim_end_matches('/')),
                };
                if values.iter().any(|v| v.is_finite()) && epochs.len() == values.len() {
                    by_measure.entry(measure.clone()).or_default().push(Series::new(label, epochs, values));
                }
            }
        }
    }
    if by_measure.is_empty() {
        return Ok(String::new());
    }
    let mut out = String::from("<section><h2>Curves</h2>\n<div class=\"curves\">\n");
    let mut by_measure: Vec<(String, Vec<Series>)> = by_measure.into_iter().collect();
    // What is asked first stands first.
    by_measure.sort_by_key(|(m, _)| (["lr", "seconds"].contains(&m.as_str()), !m.starts_with("val")));
    for (measure, series) in by_measure {
        let o =
            plot::Options { title: measure, x_label: "epoch".into(), size: (760, 460), ..Default::default() };
        let words = escaped(&format!("{} against the epoch", o.title));
        let figure: Figure = plot::curves(&series, &o)?.into();
        let drawn = STANDARD.encode(svg::document(&figure)?);
        say!(out, "<figure><img alt=\"{words}\" src=\"data:image/svg+xml;base64,{drawn}\"></figure>\n");
    }
    Ok(out + "</div></section>\n")
}

/// Figures of the same name in one row.
fn figures(runs: &[Run], names: &[String]) -> Result<String> {
    let mut all: Vec<&String> = runs.iter().flat_map(|r| &r.figures).collect();
    all.sort();
    all.dedup();
    if all.is_empty() {
        return Ok(String::new());
    }
    let mut out = String::from("<section><h2>Figures</h2>\n");
    for file in all {
        say!(out, "<h3>{}</h3>\n<div class=\"row\">\n", escaped(file));
        for (run, name) in runs.iter().zip(names).filter(|(r, _)| r.figures.contains(file)) {
            let path = run.folder.join(file);
            let size = std::fs::metadata(&path).map_or(0, |m| m.len());
            let shown = if size > LARGE {
                format!(
                    "<p class=\"quiet\">{} MB: see {}</p>",
                    size >> 20,
                    escaped(&path.display().to_string())
                )
            } else {
                let bytes = std::fs::read(&path).map_err(|e| Error::io(&path, &e))?;
                let kind = match file.rsplit('.').next() {
                    Some("jpg") => "jpeg",
                    Some("gif") => "gif",
                    _ => "png",
                };
                let words = escaped(&format!("{file} of {name}"));
                format!("<img alt=\"{words}\" src=\"data:image/{kind};base64,{}\">", STANDARD.encode(bytes))
            };
            say!(out, "<figure>{shown}<figcaption>{}</figcaption></figure>\n", escaped(name));
        }
        out += "</div>\n";
    }
    Ok(out + "</section>\n")
}

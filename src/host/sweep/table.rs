//! What the runs of a sweep measured, as one table and its figures.

use super::super::runs::{self, Run};
use super::grid::Axis;
use crate::core::{Error, Result, atomic, number};
use crate::image::Picture;
use crate::plot::{self, Options, Series};
use std::collections::BTreeMap;
use std::path::Path;

type Row = (Vec<(String, String)>, Option<Run>);

/// Writes table.md, table.csv and a figure for each measure into `folder`; gives the table as text.
///
/// # Errors
/// A measure no run has; a place where nothing can be written.
pub fn write(axes: &[Axis], rows: &[Row], wanted: &[String], folder: &Path) -> Result<String> {
    let found: Vec<BTreeMap<String, f64>> =
        rows.iter().map(|(_, r)| r.as_ref().map(Run::measured).unwrap_or_default()).collect();
    let names = measures(rows, &found, wanted)?;
    let mut cells: Vec<Vec<String>> = vec![
        axes.iter().map(|a| a.name.clone()).chain(["result".into()]).chain(names.iter().cloned()).collect(),
    ];
    for ((settings, run), measured) in rows.iter().zip(&found) {
        let result = run.as_ref().map_or("no record".to_string(), |r| r.fact("result"));
        let values = names.iter().map(|n| measured.get(n).map_or(String::new(), f64::to_string));
        cells.push(
            settings
                .iter()
                .map(|(_, v)| v.clone())
                .chain([runs::first_line(&result)])
                .chain(values)
                .collect(),
        );
    }
    let written = |name: &str, text: &str| atomic::write(folder.join(name), text.as_bytes());
    let quoted = |c: &String| match c.contains([',', '"', '\n']) {
        true => format!("\"{}\"", c.replace('"', "\"\"")),
        false => c.clone(),
    };
    let csv: String =
        cells.iter().map(|r| r.iter().map(quoted).collect::<Vec<_>>().join(",") + "\n").collect();
    written("table.csv", &csv)?;
    // Settings as they were given, measures to about four digits.
    let cell = |(i, c): (usize, &String)| match c.parse::<f64>() {
        Ok(v) if i > axes.len() && c.len() > 7 => number::short(v),
        _ => c.clone(),
    };
    let line =
        |r: &Vec<String>| format!("| {} |\n", r.iter().enumerate().map(cell).collect::<Vec<_>>().join(" | "));
    let dashes = vec!["---".to_string(); cells[0].len()];
    let markdown: String = [&cells[0], &dashes].into_iter().chain(&cells[1..]).map(line).collect();
    written("table.md", &markdown)?;
    for name in &names {
        // What a run had measured when it failed stands in the table, but is in no mean.
        let ended = |run: &Option<Run>| run.as_ref().is_some_and(|r| r.record["result"] == "ok");
        let value = |((_, run), m): (&Row, &BTreeMap<String, f64>)| {
            m.get(name).copied().filter(|_| ended(run)).unwrap_or(f64::NAN)
        };
        let values: Vec<f64> = rows.iter().zip(&found).map(value).collect();
        if values.iter().any(|v| v.is_finite()) {
            let file: String = name.chars().map(|c| if c.is_alphanumeric() { c } else { '_' }).collect();
            let canvas = figure(axes, rows, name, &values)?;
            Picture::from(canvas).save(folder.join(format!("{file}.png")))?;
        }
    }
    Ok(markdown)
}

/// What is put into the table: what was asked for, what scripts kept, or the last measures of training.
fn measures(rows: &[Row], found: &[BTreeMap<String, f64>], wanted: &[String]) -> Result<Vec<String>> {
    let mut all: Vec<String> = found.iter().flat_map(BTreeMap::keys).cloned().collect();
    all.sort();
    all.dedup();
    if let Some(wrong) = wanted.iter().find(|w| !all.contains(w)) {
        return Err(Error::unknown("measure", wrong, &all));
    }
    if !wanted.is_empty() {
        return Ok(wanted.to_vec());
    }
    let runs: Vec<&Run> = rows.iter().filter_map(|(_, r)| r.as_ref()).collect();
    Ok(runs::telling(&runs))
}

/// A measure over the first setting of numbers, a curve for each combination of the others; seeds are a band.
fn figure(axes: &[Axis], rows: &[Row], name: &str, values: &[f64]) -> Result<crate::core::canvas::Canvas> {
    let along = axes.iter().position(|a| {
        a.name != "seed" && a.values.len() > 1 && a.values.iter().all(|v| v.parse::<f64>().is_ok())
    });
    // Combinations of all settings but the seed, and but the one along the axis.
    let mut groups: BTreeMap<Vec<String>, BTreeMap<usize, Vec<f64>>> = BTreeMap::new();
    for ((settings, _), v) in rows.iter().zip(values) {
        let of = settings.iter().enumerate().filter(|(i, (n, _))| Some(*i) != along && n != "seed");
        let group = of.map(|(_, (n, v))| format!("{n} {v}")).collect();
        let place = along.and_then(|k| axes[k].values.iter().position(|x| *x == settings[k].1)).unwrap_or(0);
        if v.is_finite() {
            groups.entry(group).or_default().entry(place).or_default().push(*v);
        }
    }
    let o = Options {
        title: name.to_string(),
        y_label: name.to_string(),
        markers: true,
        size: (1000, 620),
        ..Options::default()
    };
    let Some(k) = along else {
        let (names, all): (Vec<_>, Vec<_>) =
            groups.into_iter().map(|(g, m)| (g.join(", "), spread(&m[&0]))).unzip();
        let names: Vec<String> =
            names.into_iter().map(|n| if n.is_empty() { name.to_string() } else { n }).collect();
        let bars = Series {
            error: all.iter().map(|a| a.1).collect(),
            ..Series::values("", &all.iter().map(|a| a.0).collect::<Vec<_>>())
        };
        return plot::bar(&names, &[bars], &o);
    };
    let number = |i: &usize| axes[k].values[*i].parse::<f64>().unwrap_or(f64::NAN);
    let series: Vec<Series> = groups
        .into_iter()
        .map(|(group, places)| {
            let mut points: Vec<_> = places.iter().map(|(i, v)| (number(i), spread(v))).collect();
            points.sort_by(|a, b| a.0.total_cmp(&b.0));
            let xs: Vec<f64> = points.iter().map(|p| p.0).collect();
            let ys: Vec<f64> = points.iter().map(|p| p.1.0).collect();
            Series {
                error: points.iter().map(|p| p.1.1).collect(),
                ..Series::new(group.join(", "), &xs, &ys)
            }
        })
        .collect();
    let xs: Vec<f64> = series[0].xs.clone();
    let wide = xs.iter().all(|x| *x > 0.0) && xs.last().zip(xs.first()).is_some_and(|(b, a)| b / a > 20.0);
    plot::curves(&series, &Options { x_label: axes[k].name.clone(), log_x: wide, ..o })
}

/// Mean and standard deviation; the latter 0 of one value.
fn spread(all: &[f64]) -> (f64, f64) {
    let n = all.len() as f64;
    let mean = all.iter().sum::<f64>() / n;
    let square = all.iter().map(|v| (v - mean).powi(2)).sum::<f64>();
    (mean, if all.len() > 1 { (square / (n - 1.0)).sqrt() } else { 0.0 })
}

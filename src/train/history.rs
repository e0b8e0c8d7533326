//! What a training run measured, epoch by epoch.

use crate::core::{Error, Map, Result, Value, atomic};
use std::path::Path;

/// One row an epoch: names and values in the order they are shown.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct History {
    rows: Vec<Vec<(String, f64)>>,
}

impl History {
    /// Adds the row of an epoch.
    pub fn push(&mut self, row: Vec<(String, f64)>) {
        self.rows.push(row);
    }

    /// The rows.
    pub fn rows(&self) -> &[Vec<(String, f64)>] {
        &self.rows
    }

    /// The value of `name` in the last row.
    pub fn last(&self, name: &str) -> Option<f64> {
        self.rows.last()?.iter().find(|(n, _)| n == name).map(|(_, v)| *v)
    }

    /// All columns, in the order of their first appearance.
    pub fn columns(&self) -> Vec<String> {
        let mut all: Vec<String> = Vec::new();
        for (name, _) in self.rows.iter().flatten() {
            if !all.contains(name) {
                all.push(name.clone());
            }
        }
        all
    }

    /// The values of a column by row; NaN where a row lacks it.
    pub fn column(&self, name: &str) -> Vec<f64> {
        let cell =
            |row: &Vec<(String, f64)>| row.iter().find(|(n, _)| n == name).map_or(f64::NAN, |(_, v)| *v);
        self.rows.iter().map(cell).collect()
    }

    /// As a list of maps, for scripts.
    pub fn to_value(&self) -> Value {
        let row = |r: &Vec<(String, f64)>| {
            Value::Map(r.iter().map(|(n, v)| (n.clone(), number(n, *v))).collect::<Map>())
        };
        Value::List(self.rows.iter().map(row).collect())
    }

    /// Writes the rows as comma-separated values.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn write_csv(&self, path: &Path) -> Result<()> {
        let columns = self.columns();
        let mut text = columns.join(",") + "\n";
        let cells: Vec<Vec<f64>> = columns.iter().map(|c| self.column(c)).collect();
        for i in 0..self.rows.len() {
            let line: Vec<String> =
                cells.iter().map(|c| if c[i].is_nan() { String::new() } else { c[i].to_string() }).collect();
            text += &(line.join(",") + "\n");
        }
        atomic::write(path, text.as_bytes())
    }
}

/// The measure that says which epoch is best, and its last value: `name`, or the first there is of five.
///
/// # Errors
/// A name that was not measured.
pub fn watched(history: &History, name: Option<&str>) -> Result<Option<(String, f64)>> {
    let value = |n: &str| history.last(n).map(|v| (n.to_string(), v));
    match name {
        Some(n) => {
            let n = n.trim_start_matches(['+', '-']);
            let unknown = || Error::unknown("measure", n, history.columns().iter().map(String::as_str));
            value(n).map(Some).ok_or_else(|| unknown().within("option `watch`"))
        }
        None => Ok(["val_mean_iou", "val_accuracy", "val_loss", "train_accuracy", "train_loss"]
            .into_iter()
            .find_map(value)),
    }
}

/// Parts of the names of measures that are better when lower.
const FALLING: [&str; 13] = [
    "loss",
    "error",
    "nll",
    "kl",
    "mse",
    "likeness",
    "reconstruction",
    "distance",
    "entropy",
    "perplexity",
    "brier",
    "frechet",
    "divergence",
];

/// Words of such names that are also parts of others (`fidelity`, `receiver`).
const FALLING_WORDS: [&str; 4] = ["mae", "fid", "ece", "kid"];

/// True for measures that are better when higher; `watch` may say so: `"+name"`, or `"-name"` for lower.
pub fn rises(name: &str, watch: Option<&str>) -> bool {
    match watch.and_then(|w| w.chars().next()) {
        Some('+') => true,
        Some('-') => false,
        _ => {
            let word = |w: &str| FALLING_WORDS.contains(&w);
            !FALLING.iter().any(|part| name.contains(part)) && !name.split('_').any(word)
        }
    }
}

fn number(name: &str, v: f64) -> Value {
    if name == "epoch" { Value::Int(v as i64) } else { Value::Float(v) }
}

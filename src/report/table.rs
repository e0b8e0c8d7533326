//! Tables in Markdown, and read back from it.

use crate::core::run::to_json;
use crate::core::{Map, Value};

/// A cell: numbers rounded to four places.
fn cell(row: &Map, column: &str) -> String {
    match row.get(column) {
        None | Some(Value::Nil) => String::new(),
        Some(Value::Float(v)) => ((v * 1e4).round() / 1e4 + 0.0).to_string(),
        Some(Value::Str(v)) => v.replace('|', "\\|").replace('\n', " "),
        Some(v) => to_json(v).to_string(),
    }
}

fn markdown(columns: &[String], rows: &[Map]) -> String {
    let line = |cells: Vec<String>| format!("| {} |", cells.join(" | "));
    let escaped = |c: &String| c.replace('|', "\\|");
    let head = [line(columns.iter().map(escaped).collect()), line(vec!["---".to_string(); columns.len()])];
    let body = rows.iter().map(|r| line(columns.iter().map(|c| cell(r, c)).collect()));
    head.into_iter().chain(body).collect::<Vec<_>>().join("\n")
}

/// The rows of a Markdown table, the one of dashes left out; a `|` behind a backslash is text.
pub fn rows(markdown: &str) -> Vec<Vec<String>> {
    let cells = |line: &str| {
        let line = line.trim().trim_start_matches('|').replace("\\|", "\u{1}");
        let line = line.strip_suffix('|').unwrap_or(&line).to_string();
        line.split('|').map(|c| c.trim().replace('\u{1}', "|")).collect::<Vec<_>>()
    };
    let dashes =
        |row: &Vec<String>| row.iter().all(|c| !c.is_empty() && c.chars().all(|c| "-: ".contains(c)));
    markdown.lines().filter(|l| l.trim_start().starts_with('|')).map(cells).filter(|r| !dashes(r)).collect()
}

functions! {
    in "report";
    /// A Markdown table of a list of maps, one row a map, with the given columns.
    ///
    /// Keys a row lacks leave an empty cell; numbers are rounded to four places.
    /// ```rhai
    /// print(report::table(["net", "iou"], [#{net: "fcn8", iou: 0.76701}, #{net: "fcn32"}]));
    /// report::table(["a"], [#{a: 1}]) // => "| a |\n| --- |\n| 1 |"
    /// ```
    fn table(columns: Vec<String>, rows: Vec<Map>) -> String {
        markdown(&columns, &rows)
    }

    /// The items of a list as one text, with `between` between them.
    /// ```rhai
    /// report::join(["a", "b"], ", ") // => "a, b"
    /// ```
    fn join(items: Vec<Value>, between: String) -> String {
        let text = |v: &Value| if let Value::Str(s) = v { s.clone() } else { to_json(v).to_string() };
        items.iter().map(text).collect::<Vec<_>>().join(&between)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_are_read_as_they_are_written() {
        let row = |v: &str| {
            Map::from([("a|b".to_string(), Value::Str(v.into())), ("n".to_string(), Value::Float(0.123_456))])
        };
        let text = markdown(&["a|b".into(), "n".into()], &[row("x|y"), row("")]);
        assert_eq!(
            rows(&text)[1..],
            [["x|y", "0.1235"], ["", "0.1235"]].map(|r| r.map(String::from).to_vec())
        );
    }
}

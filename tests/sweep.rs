//! A script at every point of a grid of settings.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "support/place.rs"]
mod place;

use place::{Place, err, out};
use std::fs;
use std::path::Path;

const SCRIPT: &str = r#"
let lr = param("lr", 0.1, "Learning rate.");
let width = param("width", 4, "Width.");
if width == 13 { throw "no luck"; }
let x = tensor::rand([40, 3]);
let net = nn::sequential([nn::linear(3, width), nn::relu(), nn::linear(width, 1)]);
let run = train::fit(net, data::from_tensors(x, x.sum(1).unsqueeze(1)), #{
    loss: "mse", epochs: 2, batch_size: 8, optimizer: optim::sgd(#{lr: lr})});
record("loss", run.last.train_loss);
record("sum", x.sum().item());
"#;

fn record(folder: &Path) -> serde_json::Value {
    serde_json::from_str(&fs::read_to_string(folder.join("run.json")).unwrap()).unwrap()
}

#[test]
fn a_table_of_six_is_six_single_runs() {
    let place = Place::new();
    place.script("s.rhai", SCRIPT);
    let args =
        ["sweep", "s.rhai", "--grid", "lr=0.1,0.01", "--grid", "seed=0..3", "--jobs", "2", "--threads", "1"];
    let o = place.run(&args);
    assert!(o.status.success(), "{}", err(&o));
    assert_eq!(err(&o).lines().filter(|l| l.contains("/6  lr=")).count(), 6, "{}", err(&o));
    let sweep = place.path().join("outputs/s/sweep");
    let csv = fs::read_to_string(sweep.join("table.csv")).unwrap();
    let lines: Vec<&str> = csv.lines().collect();
    assert_eq!((lines[0], lines.len()), ("lr,seed,result,loss,sum", 7));
    assert_eq!(out(&o).lines().count(), 8, "{}", out(&o));
    for file in ["table.md", "loss.png", "sum.png"] {
        assert!(fs::metadata(sweep.join(file)).unwrap().len() > 0);
    }
    // The command lines it prints are the single runs.
    let printed = out(&place.run(&[&args[..], &["--print"]].concat()));
    assert_eq!(printed.lines().count(), 6);
    for (i, (line, row)) in printed.lines().zip(&lines[1..]).enumerate() {
        let alone = format!("alone{i}");
        let words: Vec<&str> = line.split(' ').skip(1).collect();
        let at = words.iter().position(|w| *w == "--out").unwrap();
        let o = place.run(&[&words[..at], &["--out", &alone], &words[at + 2..]].concat());
        assert!(o.status.success(), "{}", err(&o));
        let results = record(&place.path().join(alone).join("s/latest"))["results"].clone();
        let cells: Vec<f64> = row.split(',').skip(3).map(|c| c.parse().unwrap()).collect();
        assert_eq!(cells, [results["loss"].as_f64().unwrap(), results["sum"].as_f64().unwrap()]);
    }
    // Done is done.
    let again = place.run(&args);
    assert_eq!(err(&again).matches("done before").count(), 6, "{}", err(&again));
}

/// Small numbers are not rounded away; a point whose files have changed is run again.
#[test]
fn settings_stand_as_given_and_files_are_looked_at() {
    let place = Place::new();
    place.script(
        "s.rhai",
        r#"let lr = param("lr", 0.1, ""); let file = param("file", "", ""); record("loss", lr * 1.2345678);"#,
    );
    fs::write(place.path().join("f.txt"), "one").unwrap();
    let sweep = || {
        let o = place.run(&["sweep", "s.rhai", "--grid", "lr=0.00000125,0.000003", "--set", "file=f.txt"]);
        assert!(o.status.success(), "{}", err(&o));
        (out(&o), err(&o).matches("done before").count())
    };
    let (table, before) = sweep();
    assert!(table.contains("| 0.00000125 | ok | 1.543e-6 |"), "{table}");
    assert_eq!((before, sweep().1), (0, 2));
    fs::write(place.path().join("f.txt"), "another").unwrap();
    assert_eq!(sweep().1, 0);
}

#[test]
fn a_point_that_failed_is_tried_again() {
    let place = Place::new();
    place.script("s.rhai", SCRIPT);
    let args = ["sweep", "s.rhai", "--grid", "width=4,13", "--measure", "loss"];
    let o = place.run(&args);
    assert_eq!(o.status.code(), Some(1));
    assert!(err(&o).contains("width=13  failed: ") && err(&o).contains("no luck"), "{}", err(&o));
    assert!(out(&o).contains("| 4 | ok |"), "{}", out(&o));
    // Another script is another sweep.
    place.script("s.rhai", &SCRIPT.replace("if width == 13 { throw \"no luck\"; }", ""));
    let o = place.run(&args);
    assert!(o.status.success() && out(&o).contains("| 13 | ok |"), "{}{}", err(&o), out(&o));
    // One that ends before it wrote anything has not measured what another did.
    place.script("s.rhai", &SCRIPT.replace("let x =", "throw \"early\"; let x ="));
    for _ in 0..2 {
        let o = place.run(&args);
        let said = err(&o) + &out(&o);
        assert!(!o.status.success() && !said.contains("| ok |") && !said.contains("done before"), "{said}");
    }
}

#[test]
fn a_run_that_failed_is_in_no_mean() {
    let place = Place::new();
    let script = "let net = param(\"net\", \"a\", \"Which.\"); let lr = param(\"lr\", 0.1, \"Rate.\"); record(\"loss\", lr);\n\
                  if net == \"b\" { throw \"no luck\"; }";
    place.script("s.rhai", script);
    let o = place.run(&["sweep", "s.rhai", "--grid", "net=a,b", "--grid", "lr=0.1,0.01"]);
    let said = err(&o) + &out(&o);
    assert!(said.contains("| a | 0.1 | ok | 0.1 |") && said.contains("2 runs failed"), "{said}");
    assert!(place.path().join("outputs/s/sweep/loss.png").exists());
}

#[test]
fn mistakes_are_told_before_anything_runs() {
    let place = Place::new();
    place.script("s.rhai", SCRIPT);
    let says = |args: &[&str], expected: &str| {
        let o = place.run(&[&["sweep", "s.rhai"], args].concat());
        assert!(o.status.code() == Some(2) && err(&o).contains(expected), "{}", err(&o));
    };
    says(&["--grid", "widht=1,2"], "did you mean `width`?");
    says(&["--grid", "width=1..x"], "is no range of whole numbers");
    says(&["--grid", "width=1", "--grid", "width=2"], "names `width` twice");
    says(&["--grid", "width=1,2", "--resume"], "a sweep needs no --resume");
    says(&[], "--grid");
    assert!(!place.path().join("outputs").exists());
}

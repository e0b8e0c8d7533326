//! Runs that go on: after strange numbers, after a stop in the script's own code, when nobody reads what they say.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "support/place.rs"]
mod place;

use place::{Place, err, interrupt, out};
use std::fs;
use std::io::{BufRead, BufReader};
use std::process::Stdio;

/// Validation gives NaN, infinity, and numbers whose last bit counts.
const STRANGE: &str = r#"
let net = nn::linear(2, 1);
let opt = optim::sgd(net, #{lr: 0.1});
let data = data::from_tensors(tensor::rand([8, 2]));
let run = train::run(#{nets: net, optimizers: opt, data: data, val: data, epochs: param("epochs", 6), batch_size: 4, watch: "val_score",
    step: |batch, t| #{loss: net.forward(batch.input).sum()},
    val_step: |batch, t| #{score: [0.0 / 0.0, 1.0 / 0.0, 28.0 / 30.0, 0.1 + 0.2, 28.0 / 30.0, 0.5][t.epoch - 1]}});
print(`best ${run.best_epoch}`);
"#;

#[test]
fn strange_measures_are_kept_to_the_bit() {
    let whole = Place::new();
    let broken = Place::new();
    let go = |p: &Place, args: &[&str]| {
        p.script("t.rhai", STRANGE);
        let o = p.run(&[&["run", "t.rhai", "--threads", "1"], args].concat());
        assert!(o.status.success(), "{}", err(&o));
        let csv = fs::read_to_string(p.path().join("outputs/t/latest/history.csv")).unwrap();
        let scores: Vec<String> = csv.lines().map(|l| l.split(',').nth(2).unwrap().to_string()).collect();
        (out(&o), scores)
    };
    let (best, scores) = go(&whole, &[]);
    // NaN and infinity are no best, and an equal epoch is no better.
    assert_eq!(best, "best 3\n");
    assert_eq!(
        scores,
        ["val_score", "", "inf", "0.9333333333333333", "0.30000000000000004", "0.9333333333333333", "0.5"]
    );
    for epochs in ["1", "2", "3", "4"] {
        let resume: &[&str] = if epochs == "1" { &[] } else { &["--resume"] };
        go(&broken, &[resume, &["--set", &format!("epochs={epochs}")]].concat());
    }
    assert_eq!(go(&broken, &["--resume"]), (best, scores));
}

/// Augmentations of a tenth of a second, in a script of one long epoch.
const OWN_AUGMENTATION: &str = r#"
let slow = |img| { let begin = timestamp(); while begin.elapsed < 0.1 { let x = 1; } print("one"); img };
let data = data::from_tensors(tensor::rand([300, 1, 4, 4]), tensor::zeros([300]).long()).augment(augment::custom(slow));
train::fit(nn::sequential([nn::flatten(), nn::linear(16, 2)]), data, #{batch_size: 2, optimizer: optim::adam()});
"#;

#[test]
fn a_stop_in_the_scripts_own_augmentation_loses_nothing() {
    let p = Place::new();
    p.script("t.rhai", OWN_AUGMENTATION);
    let mut child =
        p.command(&["run", "t.rhai"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
    assert_eq!(lines.by_ref().take(5).count(), 5);
    interrupt(child.id());
    lines.for_each(drop);
    assert_eq!(child.wait().unwrap().code(), Some(130));
    assert!(p.path().join("outputs/t/latest/resume.safetensors").exists());
}

#[test]
fn a_reader_that_has_gone_costs_no_training() {
    let p = Place::new();
    p.script("t.rhai", STRANGE);
    let mut child =
        p.command(&["run", "t.rhai"]).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stderr.take());
    assert!(child.wait().unwrap().success());
    let record = fs::read_to_string(p.path().join("outputs/t/latest/run.json")).unwrap();
    assert!(record.contains("\"result\": \"ok\""), "{record}");
}

#[test]
fn what_is_gone_on_with_is_there() {
    let p = Place::new();
    p.script("t.rhai", "record(\"n\", 1);");
    let o = p.run(&["run", "t.rhai", "--resume=outputs/t/nowhere"]);
    assert_eq!(o.status.code(), Some(2));
    assert!(err(&o).contains("there is no run in outputs/t/nowhere"), "{}", err(&o));
    // One command line begins and goes on.
    let o = p.run(&["run", "t.rhai", "--resume"]);
    assert!(o.status.success() && err(&o).contains("the first one begins"), "{}", err(&o));
    let latest = fs::read_link(p.path().join("outputs/t/latest")).unwrap();
    let o = p.run(&["run", "t.rhai", "--resume"]);
    assert!(o.status.success() && err(&o).is_empty(), "{}", err(&o));
    assert_eq!(fs::read_link(p.path().join("outputs/t/latest")).unwrap(), latest);
}

#[test]
fn settings_are_what_was_written() {
    let p = Place::new();
    p.script(
        "t.rhai",
        "print(param(\"names\", [\"a\"], \"\")); print(param(\"sizes\", [1], \"\")); print(param(\"n\", 1, \"\"));",
    );
    let o = p.run(&["run", "t.rhai", "--set", "names=[]", "--set", "sizes=", "--set", "n=9007199254740993"]);
    assert_eq!(out(&o), "[]\n[]\n9007199254740993\n", "{}", err(&o));
    assert_eq!(out(&p.run(&["run", "t.rhai", "--set", "n=1e6"])).lines().last(), Some("1000000"));
    assert!(err(&p.run(&["run", "t.rhai", "--set", "n=1e300"])).contains("expected integer"));
    let o = p.run(&["runs", "--json", "--page", "p.html"]);
    assert_eq!(o.status.code(), Some(2));
}

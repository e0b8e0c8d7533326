//! Measures of classifiers and of drawn pictures against scikit-learn, torchmetrics and SciPy (oracles/metrics/make.py).

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use cs385::core::Value;
use support::{Script, cases, close, fixture};
use tch::Tensor;

fn script() -> Script {
    let all = fixture("metrics");
    let mut s = Script::new();
    s.tensor("output", &all["output"]).tensor("target", &all["target"]);
    s
}

fn number(v: Value) -> f64 {
    match v {
        Value::Float(f) => f,
        Value::Int(i) => i as f64,
        other => panic!("{}", other.describe()),
    }
}

#[test]
fn they_equal_scikit_learn_and_torchmetrics() {
    let mut s = script();
    let matrix = s.eval_tensor("let m = metrics::confusion(output, target); m");
    assert!(matrix.equal(&fixture("metrics")["confusion"]));
    let near =
        |what: &str, got: f64, want: f64| assert!((got - want).abs() < 1e-6, "{what}: {got}, not {want}");
    let all = cases("metrics");
    assert_eq!(all.len(), 11);
    for case in &all[..9] {
        let name = case["name"].as_str().unwrap();
        let (kind, n) = name.rsplit_once('_').unwrap_or((name, ""));
        let value = || case["value"].as_f64().unwrap();
        match kind {
            "top" if n != "losses" => {
                near(name, number(s.eval(&format!("metrics::top_k(output, target, {n})"))), value());
            }
            "ece" | "mce" => {
                let script = format!("metrics::calibration(output, target, #{{bins: {n}}}).{kind}");
                near(name, number(s.eval(&script)), value());
            }
            "report" => {
                let rows = case["rows"].as_array().unwrap();
                assert_eq!(rows.len(), 9);
                s.eval("let rows = metrics::per_class(m);");
                for (i, row) in rows.iter().enumerate() {
                    for (j, column) in ["precision", "recall", "f1", "support"].iter().enumerate() {
                        let got = number(s.eval(&format!("rows[{i}].{column}")));
                        near(&format!("row {i} {column}"), got, row[j].as_f64().unwrap());
                    }
                }
            }
            _ => {
                s.eval("let worst = metrics::top_losses(output, target, 5);");
                for i in 0..5 {
                    let got = |s: &mut Script, key: &str| number(s.eval(&format!("worst[{i}].{key}")));
                    near("index", got(&mut s, "index"), case["index"][i].as_f64().unwrap());
                    assert!((got(&mut s, "loss") - case["loss"][i].as_f64().unwrap()).abs() < 1e-4);
                }
            }
        }
    }
}

#[test]
fn measures_of_drawn_pictures_equal_scipy() {
    let (all, table) = (fixture("metrics"), cases("metrics"));
    let mut s = Script::new();
    s.tensor("x", &all["pictures"]).tensor("a", &all["a"]).tensor("b", &all["b"]);
    let want: Vec<f32> = serde_json::from_value(table[9]["value"].clone()).unwrap();
    close("sharpness", &s.eval_tensor("metrics::sharpness(x)"), &Tensor::from_slice(&want), 1e-5);
    let want = table[10]["value"].as_f64().unwrap();
    for script in ["metrics::frechet_distance(a, b)", "metrics::frechet_distance(b, a)"] {
        let got = number(s.eval(script));
        assert!((got - want).abs() < 1e-4 * want, "{script}: {got}, not {want}");
    }
    assert!(number(s.eval("metrics::frechet_distance(b, b)")).abs() < 1e-6);
    s.fails("metrics::frechet_distance(a, x)", &["the second must be features [N, D]", "got [3, 3, 7, 9]"]);
    s.fails("metrics::frechet_distance(a, b[[.., ..5]])", &["features have 6 and 5 numbers a picture"]);
    s.fails(
        "metrics::frechet_distance(a, b * (0.0 / 0.0))",
        &["the second holds values that are not finite"],
    );
    s.fails("metrics::sharpness(x[[.., .., ..2]])", &["at least 3 × 3 pixels", "got [3, 3, 2, 9]"]);
}

#[test]
fn bad_input_is_named() {
    let mut s = script();
    for (call, words) in [
        ("metrics::top_k(output, target, 9)", "`k` must be between 1 and the number of classes 7, got 9"),
        ("metrics::confusion(output, target + 5)", "is not a class: the output has classes 0 to 6"),
        ("metrics::confusion(output, target.float())", "confusion needs an output [N, C] and classes [N]"),
        ("metrics::calibration(output[0..0], target[0..0])", "calibration of an empty batch"),
        ("metrics::per_class(output)", "expected a confusion matrix [C, C], got [200, 7]"),
        ("metrics::per_class(tensor::ones([2, 2]), #{classes: [\"a\"]})", "1 names for 2 classes"),
    ] {
        let e = s.try_eval(call).err().unwrap();
        assert!(e.contains(words), "{call}: {e}");
    }
}

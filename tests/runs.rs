//! Records of runs, limits of runs, messages for programs.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use serde_json::Value;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

fn cs385(folder: &Path, args: &[&str]) -> (i32, String, String) {
    let mut c = Command::new(env!("CARGO_BIN_EXE_cs385"));
    let o = c.args(args).current_dir(folder).stdin(Stdio::null()).output().unwrap();
    let text = |b: &[u8]| String::from_utf8_lossy(b).into_owned();
    (o.status.code().unwrap_or(-1), text(&o.stdout), text(&o.stderr))
}

const TRAINS: &str = "let lr = param(\"lr\", 0.1, \"Rate.\"); let words = param(\"words\", \"<b>&\", \"\");\n\
    let data = data::from_tensors(tensor::rand([32, 4]), tensor::randint(0, 2, [32]));\n\
    let net = nn::sequential([nn::linear(4, 2)]);\n\
    train::fit(net, data, #{epochs: 3, val: data, optimizer: optim::sgd(#{lr: lr})}).plot(\"curve.png\");\n\
    image::filled(8, 8, \"red\").save(\"deep/er/red.png\");\n";

#[test]
fn runs_are_listed_and_compared() {
    let p = tempfile::tempdir().unwrap();
    fs::write(p.path().join("t.rhai"), TRAINS).unwrap();
    fs::write(p.path().join("u.rhai"), "\"x\".save(\"x.txt\"); throw \"no way\"").unwrap();
    assert_eq!(
        cs385(p.path(), &["runs"]).1,
        "no runs in outputs/: a run that writes something leaves its folder there\n"
    );
    for lr in ["lr=0.1", "lr=0.5"] {
        let (code, _, err) = cs385(p.path(), &["run", "t.rhai", "--set", lr]);
        assert_eq!(code, 0, "{err}");
    }
    assert_eq!(cs385(p.path(), &["run", "u.rhai"]).0, 1);

    let (code, out, _) = cs385(p.path(), &["runs"]);
    let lines: Vec<Vec<&str>> = out.lines().map(|l| l.split_whitespace().collect()).collect();
    assert_eq!(code, 0);
    assert_eq!(lines[0], ["t"]);
    assert_eq!(lines[1], ["run", "result", "seconds", "lr", "val_accuracy"], "{out}");
    assert_eq!((lines[2][1], lines[2][3], lines[3][3]), ("ok", "0.1", "0.5"), "{out}");
    assert!(out.contains("error: no way"), "{out}");

    let (_, out, _) = cs385(p.path(), &["runs", "t", "--json"]);
    let all: Value = serde_json::from_str(&out).unwrap();
    assert_eq!(all.as_array().unwrap().len(), 2);
    assert_eq!(all[1]["record"]["params"]["lr"], 0.5);
    assert!(all[0]["measures"]["val_loss"].as_f64().unwrap() > 0.0);
    assert_eq!(all[0]["figures"], serde_json::json!(["curve.png", "deep/er/red.png"]));

    let (code, out, _) = cs385(p.path(), &["runs", "t", "--page", "pages.html"]);
    assert_eq!((code, out.as_str()), (0, "pages.html: 2 runs, to be opened in a browser\n"));
    let page = fs::read_to_string(p.path().join("pages.html")).unwrap();
    for part in [
        "<th scope=\"row\">lr</th><td>0.1</td><td>0.5</td>",
        "val_accuracy",
        "deep/er/red.png",
        "words &lt;b&gt;&amp;",
    ] {
        assert!(page.contains(part), "{part}");
    }
    assert_eq!(page.matches("data:image/png;base64,").count(), 4);
    assert!(!page.contains("<b>&"), "text of the user's became markup");

    let (code, _, err) = cs385(p.path(), &["runs", "tt"]);
    assert!(code == 2 && err.contains("unknown run or script `tt`; did you mean `t`?"), "{err}");
    assert_eq!(cs385(p.path(), &["runs", "t/latest", "--json"]).0, 0);
}

#[test]
fn a_run_stops_when_its_time_is_over() {
    let p = tempfile::tempdir().unwrap();
    fs::write(p.path().join("a.rhai"), "\"x\".save(\"x.txt\"); print(\"on\"); loop { }").unwrap();
    let (code, out, err) = cs385(p.path(), &["run", "a.rhai", "--max-time", "0.3"]);
    assert_eq!((code, out.as_str()), (1, "on\n"), "{err}");
    assert!(err.contains("stopped: --max-time 0.3 s is over"), "{err}");
    let record = fs::read_to_string(p.path().join("outputs/a/latest/run.json")).unwrap();
    assert!(record.contains("\"result\": \"--max-time 0.3 s is over\""), "{record}");
    // A script cannot catch it, and training writes its state first.
    let train = TRAINS.replace("epochs: 3", "epochs: 100000000");
    fs::write(p.path().join("b.rhai"), format!("try {{ {train} }} catch {{ print(\"caught\"); }}")).unwrap();
    let (code, out, err) = cs385(p.path(), &["run", "b.rhai", "--max-time", "5", "--quiet"]);
    assert!(code == 1 && !out.contains("caught") && err.contains("--max-time 5 s is over"), "{out}{err}");
    let folder = p.path().join("outputs/b/latest");
    assert!(folder.join("resume.safetensors").exists() && folder.join("history.csv").exists());
    let (code, _, err) = cs385(p.path(), &["run", "a.rhai", "--max-time", "soon"]);
    assert!(code == 2 && err.contains("write it 90s"), "{err}");
}

#[test]
fn a_run_stops_before_the_memory_is_full() {
    let p = tempfile::tempdir().unwrap();
    fs::write(p.path().join("a.rhai"), "let all = []; loop { all.push(tensor::ones([1000000])); }").unwrap();
    let (code, _, err) = cs385(p.path(), &["run", "a.rhai", "--max-memory", "1.2GB"]);
    assert_eq!(code, 1, "{err}");
    assert!(err.contains("more than --max-memory 1.2 GB"), "{err}");
    fs::write(p.path().join("b.rhai"), "let s = \"0123456789\"; loop { s += s; }").unwrap();
    let (code, _, err) = cs385(p.path(), &["run", "b.rhai", "--max-memory", "1.2GB"]);
    assert!(code == 1 && err.contains("more than --max-memory"), "{code} {err}");
    // What one word asks for is refused by itself.
    for text in [
        "let a = []; a.pad(1000000000000, 0);",
        "let s = \"a\"; s.pad(1000000000000, 'b');",
        "blob(1000000000000)",
    ] {
        fs::write(p.path().join("c.rhai"), text).unwrap();
        let (code, _, err) = cs385(p.path(), &["run", "c.rhai"]);
        assert!(code == 1 && err.contains("1000000000000") && err.contains("too many"), "{code} {err}");
    }
}

#[test]
fn messages_for_editors() {
    let p = tempfile::tempdir().unwrap();
    fs::write(
        p.path().join("a.rhai"),
        "let x = 1;\nprnt(x);\nlet s = \"é\"; nn::linear(2, 3, #{bais: true});\nprnt(2);\n",
    )
    .unwrap();
    let (code, out, err) = cs385(p.path(), &["check", "a.rhai", "--json"]);
    assert_eq!((code, err.as_str()), (1, ""));
    let all: Value = serde_json::from_str(&out).unwrap();
    let one = &all[0];
    assert_eq!(
        (&one["file"], &one["line"], &one["column"], &one["end_column"]),
        (&"a.rhai".into(), &2.into(), &1.into(), &5.into())
    );
    assert_eq!(one["message"], "unknown function `prnt`; did you mean `print`?");
    assert_eq!((&all[1]["line"], &all[1]["column"]), (&3.into(), &14.into()));
    assert!(all[1]["hint"].as_str().unwrap().contains("valid: bias"));
    fs::write(p.path().join("good.rhai"), "1").unwrap();
    assert_eq!(cs385(p.path(), &["check", "good.rhai", "--json"]), (0, "[]\n".into(), String::new()));

    let (code, _, err) = cs385(p.path(), &["run", "a.rhai", "--json"]);
    assert_eq!((code, err.lines().count()), (1, 2), "{err}");
    fs::write(p.path().join("b.rhai"), "fn f(x) { [1][x] }\nfn g(x) { f(x) }\ng(4)").unwrap();
    let (_, _, err) = cs385(p.path(), &["run", "b.rhai", "--json"]);
    let e: Value = serde_json::from_str(&err).unwrap();
    assert_eq!(
        (&e["line"], &e["calls"][0]["name"], &e["calls"][1]["line"]),
        (&1.into(), &"f".into(), &3.into()),
        "{err}"
    );
}

#[test]
fn definitions_for_editors() {
    let p = tempfile::tempdir().unwrap();
    let (code, _, err) = cs385(p.path(), &["docs", "--definitions"]);
    assert_eq!(code, 0, "{err}");
    let read = |name: &str| fs::read_to_string(p.path().join("definitions").join(name)).unwrap();
    let cam = read("cam.d.rhai");
    assert!(cam.starts_with("module cam;\n"));
    assert!(cam.contains("\n/// - `relu` = `true`: Drops what speaks against the target.\n"));
    assert!(cam.contains("\nfn grad_cam(net: Net, layers: ?, x: Tensor) -> Heatmap;\n"), "{cam}");
    let global = read("cs385.d.rhai");
    assert!(global.starts_with("module static;\n"));
    for line in
        ["fn get shape(x: Tensor) -> Array;", "fn device() -> String;", "fn device(to: String) -> String;"]
    {
        assert!(global.contains(&format!("\n{line}\n")), "{line}");
    }
    // Every function of the language is in one of them, and every line is a definition.
    let all: String = fs::read_dir(p.path().join("definitions"))
        .unwrap()
        .map(|e| fs::read_to_string(e.unwrap().path()).unwrap())
        .collect();
    for e in cs385::registry::entries() {
        assert!(all.contains(&format!(" {}(", e.name)), "{}", e.path);
    }
    let engine = rhai::Engine::new();
    for line in all.lines().filter(|l| !l.is_empty() && !l.starts_with("///") && !l.starts_with("module ")) {
        let (call, ty) = line.strip_suffix(';').unwrap().rsplit_once(" -> ").unwrap();
        let (name, params) =
            call.strip_prefix("fn ").unwrap().strip_suffix(')').unwrap().split_once('(').unwrap();
        let names: Vec<&str> =
            params.split(", ").filter(|p| !p.is_empty()).map(|p| p.split_once(": ").unwrap().0).collect();
        let plain = format!("fn {}({}) {{}}", name.trim_start_matches("get "), names.join(", "));
        assert!(engine.compile(&plain).is_ok() && !ty.is_empty(), "{line}");
    }
    assert_eq!(cs385(p.path(), &["docs", "--definitions", "elsewhere"]).0, 0);
    assert!(p.path().join("elsewhere/nn.d.rhai").exists());
}

//! The program's manners: pipes, colours, Ctrl-C, the REPL, tests of scripts, the manual.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

fn command(folder: &Path, args: &[&str]) -> Command {
    let mut c = Command::new(env!("CARGO_BIN_EXE_cs385"));
    // The REPL's history is the user's: tests have their own.
    c.args(args).current_dir(folder).env("XDG_DATA_HOME", folder.join("home"));
    c.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    c
}

fn run(folder: &Path, args: &[&str], input: &str) -> (Output, String, String) {
    let mut child = command(folder, args).spawn().unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    let o = child.wait_with_output().unwrap();
    let text = |b: &[u8]| String::from_utf8_lossy(b).into_owned();
    let (out, err) = (text(&o.stdout), text(&o.stderr));
    (o, out, err)
}

fn first_line(child: &mut Child) -> String {
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    line
}

#[test]
fn a_reader_that_leaves_ends_the_program_quietly() {
    let p = tempfile::tempdir().unwrap();
    fs::write(p.path().join("a.rhai"), "for i in 0..1000000 { print(i); }").unwrap();
    let mut child = command(p.path(), &["run", "a.rhai"]).spawn().unwrap();
    assert_eq!(first_line(&mut child), "0\n");
    let o = child.wait_with_output().unwrap();
    assert_eq!(o.status.code(), Some(0));
    assert!(o.stderr.is_empty(), "{}", String::from_utf8_lossy(&o.stderr));
}

#[test]
fn messages_have_colours_on_a_terminal_only() {
    let p = tempfile::tempdir().unwrap();
    fs::write(p.path().join("a.rhai"), "nope").unwrap();
    let (_, _, err) = run(p.path(), &["run", "a.rhai"], "");
    assert!(err.starts_with("a.rhai:1:1: error: ") && !err.contains('\x1b'), "{err:?}");
    // `script` gives the program a terminal.
    let on_terminal = |no_color: &str| {
        let line = format!("{} run a.rhai", env!("CARGO_BIN_EXE_cs385"));
        let mut c = Command::new("script");
        c.args(["-qec", &line, "/dev/null"]).current_dir(p.path()).stdin(Stdio::null());
        String::from_utf8(c.env("NO_COLOR", no_color).output().unwrap().stdout).unwrap()
    };
    assert!(on_terminal("").contains("\x1b[1;31merror"));
    assert!(!on_terminal("1").contains('\x1b'));
}

#[test]
fn ctrl_c_stops_soon_and_is_recorded() {
    let p = tempfile::tempdir().unwrap();
    let text = "nn::linear(1, 1).save(\"x.npz\"); print(\"on\");\nloop { [1, 2].map(|x| x + 1); }";
    fs::write(p.path().join("a.rhai"), text).unwrap();
    let mut child = command(p.path(), &["run", "a.rhai"]).spawn().unwrap();
    assert_eq!(first_line(&mut child), "on\n");
    let begin = Instant::now();
    assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
    let o = child.wait_with_output().unwrap();
    let err = String::from_utf8_lossy(&o.stderr);
    assert_eq!(o.status.code(), Some(130), "{err}");
    assert!(begin.elapsed() < Duration::from_secs(5));
    assert!(err.starts_with("a.rhai:2:") && err.contains("interrupted"), "{err}");
    let record = fs::read_to_string(p.path().join("outputs/a/latest/run.json")).unwrap();
    assert!(record.contains("\"result\": \"interrupted\""), "{record}");
}

#[test]
fn the_repl_remembers_and_shows() {
    let p = tempfile::tempdir().unwrap();
    let input = "let x = 5\nx * 2\nfn f(a) {\n    a + x2(a)\n}\nfn x2(a) { 2 * a }\nf(x)\nlet s = \"abc\"; s\n\
                 1 + 1;\nlet g = |a| f(a) + 1;\ng.call(1)\nlet x = 7; x\nnope\n?tensor::zeros\n?zeors\n";
    let (o, out, err) = run(p.path(), &["repl"], input);
    assert_eq!(o.status.code(), Some(0));
    let lines: Vec<&str> = out.lines().skip(1).take(5).collect();
    assert_eq!(lines, ["10", "15", "\"abc\"", "4", "7"], "{out}\n{err}");
    assert!(out.contains("tensor::zeros(shape"), "{out}");
    assert!(err.contains("error: unknown variable `nope`") && err.contains("| nope\n"), "{err}");
    assert!(err.contains("unknown name `zeors`; did you mean `zeros`?"), "{err}");
    assert!(!p.path().join("outputs").exists());
    assert!(fs::read_to_string(p.path().join("home/cs385/history")).unwrap().contains("x * 2"));
}

#[test]
fn script_tests_pass_fail_and_are_blessed() {
    let p = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| fs::write(p.path().join(name), text).unwrap();
    let test = |args: &[&str]| {
        let (o, out, _) = run(p.path(), &[&["test"], args].concat(), "");
        (o.status.code().unwrap(), out)
    };
    fs::create_dir(p.path().join("t")).unwrap();
    write("t/print.rhai", "print(1.0 / 3.0); print(`at ${timestamp()}`);");
    write("t/print.stdout", "0.33334\nat [..]\n");
    write("t/draw.rhai", "//@ image: a.png\nimage::filled(4, 4, \"red\").save(\"a.png\");");
    let (code, out) = test(&["t"]);
    assert!(
        code == 1 && out.contains("draw.a.png is not there") && out.ends_with("1 passed, 1 failed\n"),
        "{out}"
    );
    assert_eq!(test(&["--bless", "t"]).0, 0);
    assert_eq!(test(&["t"]), (0, "2 passed, 0 failed\n".to_string()));
    write("t/draw.rhai", "//@ image: a.png\nimage::filled(4, 4, \"blue\").save(\"a.png\");");
    write("t/print.stdout", "0.3335\nat [..]\n");
    write("t/fails.rhai", "let a = 1;\nb //~ ERROR 2 unknown variable `b`\n");
    let (code, out) = test(&["t"]);
    assert_eq!(code, 1);
    for part in [
        "100.00 % of the pixels differ",
        "expected 0.3335",
        "expected 2:2 unknown",
        "got 2:1",
        "0 passed, 3 failed",
    ] {
        assert!(out.contains(part), "{part}\n{out}");
    }
    assert!(p.path().join("outputs/test/draw.a.diff.png").exists());
}

#[test]
fn a_stale_manual_is_noticed() {
    let p = tempfile::tempdir().unwrap();
    assert_eq!(run(p.path(), &["docs", "--write"], "").0.status.code(), Some(0));
    assert_eq!(run(p.path(), &["docs", "--check"], "").0.status.code(), Some(0));
    let path = p.path().join("docs/reference.md");
    fs::write(&path, fs::read_to_string(&path).unwrap() + "x").unwrap();
    let (o, _, err) = run(p.path(), &["docs", "--check"], "");
    assert!(o.status.code() == Some(1) && err.contains("is stale"), "{err}");
}

#[test]
fn every_flag_has_help() {
    let p = tempfile::tempdir().unwrap();
    for command in ["run", "check", "repl", "test", "look", "docs", "doctor", "data"] {
        let (o, out, _) = run(p.path(), &[command, "--help"], "");
        assert_eq!(o.status.code(), Some(0), "{command}");
        let lines: Vec<&str> = out.lines().collect();
        for (i, line) in lines
            .iter()
            .enumerate()
            .filter(|(_, l)| l.trim_start().starts_with("--") || l.trim_start().starts_with("-q"))
        {
            let words = line.trim().split("  ").filter(|w| !w.is_empty()).count();
            assert!(
                words > 1 || lines.get(i + 1).is_some_and(|l| l.starts_with("          ")),
                "{command}: {line}"
            );
        }
    }
}

#[test]
fn the_doctor_finds_libtorch() {
    let p = tempfile::tempdir().unwrap();
    let (o, out, _) = run(p.path(), &["doctor"], "");
    assert_eq!(o.status.code(), Some(0), "{out}");
    assert!(
        out.contains("libtorch  2.11.0") && out.contains("libtorch_cpu.so") && out.contains("computes  yes"),
        "{out}"
    );
}

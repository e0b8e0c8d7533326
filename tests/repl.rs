//! The REPL: as a library, and in a terminal of its own.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "support/conversation.rs"]
mod conversation;
#[path = "support/terminal.rs"]
mod terminal;

use conversation::{offers, session, shown};
use cs385::host::repl::Repl;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;
use terminal::Terminal;

fn all(repl: &mut Repl, pairs: &[(&str, &str)]) {
    for (input, wanted) in pairs {
        assert_eq!(shown(repl, input), *wanted, "{input}");
    }
}

#[test]
fn underscore_is_the_last_value_shown() {
    session(|r| {
        all(
            r,
            &[
                ("40 + 2", "42"),
                ("_ + 1", "43"),
                ("_ * 10 - _", "387"),
                ("let x = 5;", ""),
                ("7;", ""),
                ("8; // silent", ""),
                ("_", "387"),
                ("tensor::ones([2, 3]).shape", "[2, 3]"),
                ("_[1]", "3"),
                ("\"_\"", "\"_\""),
                ("`a_${_}_b ${\"_\"}` /* _ */", "\"a___b _\""),
                ("let snake_case = 1; snake_case", "1"),
                ("switch 3 { 1 => 0, _ => _ + 1 }", "2"),
                ("[_, _, #{a: _}]", "[2, 2, #{\"a\": 2}]"),
                ("_.len()", "3"),
                ("let f = |y| y + _; f.call(1)", "4"),
                ("\"other\"", "\"other\""),
                ("f.call(1)", "4"),
                ("image::filled(4, 3, \"red\")", "picture of 4x3"),
                ("_.width", "4"),
            ],
        );
    });
}

#[test]
fn messages_about_underscore_show_what_was_typed() {
    session(|r| {
        let e = shown(r, "1 + _");
        assert!(e.starts_with("repl:1:5: error: `_` has no value here\n1 | 1 + _\n  |     ^\n"), "{e}");
        assert_eq!(shown(r, "5"), "5");
        let e = shown(r, "[_, 2].foo(_, \"_\")");
        assert!(
            e.starts_with(
                "repl:1:8: error: a list has no method `foo`\n1 | [_, 2].foo(_, \"_\")\n  |        ^^^\n"
            ),
            "{e}"
        );
        let e = shown(r, "1 +\n  _ + nope");
        assert!(
            e.starts_with("repl:2:7: error: unknown variable `nope`\n2 |   _ + nope\n  |       ^^^^\n"),
            "{e}"
        );
        for (input, place) in [("let _ = 1", "1:5"), ("|_| 1", "1:2"), ("for _ in 0..2 {}", "1:5")] {
            let e = shown(r, input);
            assert!(e.starts_with(&format!("repl:{place}: error: `_` is not a name")), "{e}");
        }
        assert!(shown(r, "fn f() { _ }\nf()").contains("`_` has no value here"));
    });
}

#[test]
fn errors_do_not_end_the_session() {
    session(|r| {
        assert_eq!(shown(r, "let kept = 3; let big = tensor::zeros([0, 3]);"), "");
        for (input, place, words) in [
            ("1 / 0", "1:3", "division by zero"),
            ("fn deep(n) { deep(n + 1) }\ndeep(0)", "2:1", "too many calls inside each other"),
            ("big.max()", "3:5", "Tensor.max"),
            ("big.reshape([2, 2])", "3:5", "reshape"),
            ("nn::linear(2, 2).forward(tensor::ones([1, 3]))", "3:18", "cannot be multiplied"),
            ("throw \"mine\"", "3:1", "mine"),
            ("let y = ;", "3:9", ""),
            ("kpet", "3:1", "did you mean `kept`?"),
            ("kept(1)", "3:1", "`kept` is a variable, not a function"),
        ] {
            let e = shown(r, input);
            assert!(e.starts_with(&format!("repl:{place}: error: ")) && e.contains(words), "{input}: {e}");
            assert_eq!(shown(r, "kept"), "3", "after {input}");
        }
        assert!(
            shown(r, "fn hides() { kept }\nhides()").contains("functions do not see the script's variables")
        );
        assert!(shown(r, "?tensor::zeros").contains("tensor::zeros(shape"));
        assert!(shown(r, "?zeors").contains("did you mean `zeros`?"));
    });
}

#[test]
fn shadowing_frees_and_keeps_the_newest() {
    session(|r| {
        all(
            r,
            &[
                ("let x = 1; let y = 2;", ""),
                ("let x = 10;", ""),
                ("x + y", "12"),
                ("const c = 1; c", "1"),
                ("const c = 2; c", "2"),
                ("let get = || x; let x = 11;", ""),
                ("get.call()", "10"),
            ],
        );
        assert_eq!(r.variables(), ["y", "c", "get", "x"]);
        assert!(shown(r, "c = 3").contains("`c` is a constant"));
        let before = resident();
        for _ in 0..10 {
            assert_eq!(shown(r, "let x = tensor::ones([1000, 1000, 25]);"), "");
        }
        // A tensor is 100 MB; a second one is there while the line runs.
        let grown = resident().saturating_sub(before);
        assert!(grown < 350 << 20, "{} MB", grown >> 20);
    });
}

#[test]
fn functions_of_earlier_lines_stay() {
    session(|r| {
        all(
            r,
            &[
                ("fn twice(a) { half(a) * 4 }", ""),
                ("fn half(a) { a / 2.0 }", ""),
                ("let g = |a| twice(a) + 1;", ""),
                ("g.call(3)", "7.0"),
                ("fn half(a) { a / 4.0 }", ""),
                ("g.call(4)", "5.0"),
                // Closures stay as long as something holds them: a list, another closure, a hook, a network, `_`.
                ("let list = [|a| a + 1, #{f: |a| a * 3}];", ""),
                ("let outer = |a| { let inner = |b| b * 10; inner.call(a) + list[0].call(a) };", ""),
                ("let lin = nn::linear(1, 1); let net = nn::custom(#{l: lin}, |m, x| x * 7);", ""),
                (
                    "let seq = nn::sequential([[\"r\", nn::relu()]]); seq.on_forward(\"r\", |out| out + 0.5);",
                    "",
                ),
                ("|a| a - 1", "a closure"),
                ("let held = _;", ""),
                ("let gone = [1].map(|a| a);", ""),
                ("list[1].f.call(2)", "6"),
                ("outer.call(1)", "12"),
                ("net.forward(tensor::of([2.0]))", "tensor([14.])"),
                ("seq.forward(tensor::of([1.0]))", "tensor([1.5000])"),
                ("held.call(5)", "4"),
            ],
        );
    });
}

#[test]
fn tab_knows_types_options_layers_and_files() {
    session(|r| {
        let net = "let net = nn::sequential([[\"conv1\", nn::conv2d(1, 2, 3)], [\"act\", nn::relu()]]);";
        assert_eq!(shown(r, net), "");
        assert_eq!(
            shown(r, "let x = tensor::ones([1, 1, 8, 8]); let m = #{inner: #{t: x}}; fn mine(a) { a }"),
            ""
        );
        let has = |line: &str, wanted: &[&str], absent: &[&str]| {
            let all = offers(r, line);
            wanted.iter().for_each(|w| assert!(all.iter().any(|a| a == w), "{line}: {w} in {all:?}"));
            absent.iter().for_each(|w| assert!(all.iter().all(|a| a != w), "{line}: {w} in {all:?}"));
        };
        has("cam::gr", &["cam::grad_cam"], &[]);
        has("ca", &["cam::", "catch"], &["cam::grad_cam"]);
        has("mi", &["mine"], &[]);
        has("1 + ne", &["net"], &["nn::"]);
        has("net.", &["forward", "save"], &["mean", "push"]);
        has("net.fo", &["forward"], &["freeze"]);
        has("x.", &["mean", "shape"], &["forward"]);
        has("x.shape.", &["push", "len"], &["mean"]);
        has("net.forward(x).", &["mean"], &["push"]);
        has("nn::relu().", &["forward"], &["push"]);
        has("(\"a\" + \"b", &[], &["forward"]);
        has("\"abc\".", &["len", "to_upper"], &["forward"]);
        has("m.", &["inner", "keys"], &["forward"]);
        has("m.inner.t.", &["mean"], &["keys"]);
        has("cam::grad_cam(net, \"", &["conv1", "act"], &[]);
        has("cam::grad_cam(net, [\"conv1\", \"a", &["act"], &["conv1"]);
        has("net.capture(x, [\"c", &["conv1"], &["act"]);
        has("net.part(\"", &["conv1"], &[]);
        has("let y = cam::grad_cam(net, \"act\", x, 1, #{", &["relu: ", "form: "], &["alpha: "]);
        has("cam::grad_cam(net, \"act\", x, 1, #{relu: true, ", &["form: "], &["relu: "]);
        has("net.save(\"Cargo.", &["Cargo.toml"], &[]);
        let shown = r.complete("optim::adam(net, #{l", 20).1;
        assert_eq!(shown[0].display, "lr: 1e-3");
        assert_eq!(r.complete("é + ne", "é + ne".len()).0, "é + ".len());
    });
}

/// Resident memory of this process, in bytes.
fn resident() -> usize {
    resident_of("self")
}

fn resident_of(pid: &str) -> usize {
    let statm = fs::read_to_string(format!("/proc/{pid}/statm")).unwrap();
    statm.split(' ').nth(1).unwrap().parse::<usize>().unwrap() * 4096
}

/// One session of 10,000 probes: nothing of a line stays but what it defines.
#[test]
fn ten_thousand_probes_do_not_grow_the_memory() {
    let folder = tempfile::tempdir().unwrap();
    let mut child = Command::new(env!("CARGO_BIN_EXE_cs385"))
        .args(["repl", "--threads", "1"])
        .current_dir(folder.path())
        .env("XDG_DATA_HOME", folder.path().join("home"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let (mut to, pid) = (child.stdin.take().unwrap(), child.id().to_string());
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut feed = |text: &str, mark: &str| {
        writeln!(to, "{text}print(\"{mark}\")").unwrap();
        to.flush().unwrap();
        while lines.next().unwrap().unwrap() != mark {}
        resident_of(&pid)
    };
    let net = "let net = nn::sequential([[\"conv\", nn::conv2d(1, 4, 3)], [\"act\", nn::relu()], \
               [\"gap\", nn::adaptive_avg_pool2d(1)], [\"flat\", nn::flatten()], [\"fc\", nn::linear(4, 3)]]);\n";
    feed(&format!("{net}let x = tensor::rand([1, 1, 12, 12]);\n"), "ready");
    // Silent, shown, shadowing, with a closure, wrong: a fifth of each, no two lines alike.
    let probes = |round: usize| {
        let five = |i: usize| {
            format!(
                "cam::grad_cam(net, \"conv\", x * {i}, 1);\n\
                 cam::grad_cam(net, \"act\", x + {i}, 2)\n\
                 let m = cam::grad_cam(net, \"conv\", x / {i}, 0); let y = _;\n\
                 cam::grad_cam(net, \"conv\", x, target::custom(|out| out.sum() * {i}));\n\
                 cam::grad_cam(net, \"conf\", x - {i}, 1);\n"
            )
        };
        (1..=200).map(|i| five(200 * round + i)).collect::<String>()
    };
    let before = feed(&probes(0), "warm");
    for round in 1..=10 {
        feed(&probes(round), &format!("round {round}"));
    }
    let after = feed("", "end");
    drop(to);
    assert!(child.wait().unwrap().success());
    let growth = after as f64 / before as f64 - 1.0;
    eprintln!("{} MB before, {:.2} % growth", before >> 20, growth * 100.0);
    assert!(growth < 0.05, "{before} bytes became {after}");
}

#[test]
fn ctrl_c_comes_back_to_the_prompt_with_everything_kept() {
    let t = Terminal::start("repl --threads 1", &[]);
    t.until("Ctrl-D leaves");
    t.line("let kept = 40; fn add(a) { a + 2 }");
    t.line("print(\"on\"); loop { kept += 0; }");
    t.until("\non\n");
    t.keys(&["C-c"]);
    t.until("stopped: interrupted");
    t.line("add(kept)");
    t.until("\n42\n");
    // In a native loop: training.
    t.line("let net = nn::linear(4, 2); let d = data::from_tensors(tensor::rand([400, 4]), tensor::randint(0, 2, [400]));");
    t.line("print(\"go\"); train::fit(net, d, #{epochs: 1000000, optimizer: optim::sgd(#{lr: 0.1})});");
    t.until("\ngo\n");
    std::thread::sleep(Duration::from_millis(300));
    t.keys(&["C-c"]);
    t.ready();
    let text = t.until("stopped: interrupted");
    assert!(text.contains("train::fit(") && !text.contains("no optimizer"), "{text}");
    t.line("`then ${add(kept) + 1}`");
    t.until("then 43");
    // At the prompt it clears the line, also one of several lines.
    t.ready();
    t.tmux(&["send-keys", "-l", "nonsense("]);
    t.keys(&["Enter"]);
    t.tmux(&["send-keys", "-l", "more nonsense"]);
    t.keys(&["C-c"]);
    t.line("kept + 4");
    let text = t.until("\n44\n");
    assert!(!text.contains("unknown"), "{text}");
    t.ready();
    t.keys(&["Up"]);
    t.keys(&["Enter"]);
    // What is typed before the next prompt can be lost.
    t.until("44\n> kept + 4\n44\n");
    t.line("_ + 1");
    t.until("\n45\n");
    t.line("cam::gra\t(1)");
    t.until("cam::grad_cam");
    t.ready();
    t.keys(&["C-d"]);
    t.ended();
    let history = fs::read_to_string(t.socket.with_file_name("home").join("cs385/history")).unwrap();
    assert!(history.contains("kept + 4"), "{history}");
}

#[test]
fn a_second_ctrl_c_leaves_at_once() {
    let t = Terminal::start("repl --threads 1", &[]);
    t.until("Ctrl-D leaves");
    // One call of libtorch that nothing stops halfway.
    t.line("let a = tensor::rand([6000, 6000]); print(\"on\"); a.matmul(a).matmul(a).sum()");
    t.until("\non\n");
    t.keys(&["C-c"]);
    std::thread::sleep(Duration::from_millis(100));
    t.keys(&["C-c"]);
    t.ended();
}

#[test]
fn pictures_are_drawn_in_the_terminal() {
    let show = "image::filled(30, 20, \"#ff0000\").show();";
    let t = Terminal::start("repl", &[("COLORTERM", "truecolor")]);
    t.until("Ctrl-D leaves");
    t.line("image::filled(200, 10, \"#0a141e\")");
    let text = t.text(&["capture-pane", "-p", "-e"], "48;2;10;20;30");
    let row = text.lines().find(|l| l.contains('▀')).unwrap();
    assert_eq!(row.matches('▀').count(), 90, "{row:?}");
    t.line(show);
    let text = t.text(&["capture-pane", "-p", "-e"], "48;2;255;0;0");
    let rows = text.lines().filter(|l| l.matches('▀').count() == 30).count();
    assert_eq!(rows, 10, "{text}");
    t.line("\"after\"");
    t.until("\n\"after\"\n");

    let t = Terminal::start("repl", &[("COLORTERM", "truecolor"), ("NO_COLOR", "1")]);
    t.until("Ctrl-D leaves");
    t.line(show);
    let text = t.until("\nPicture 30x20, 3 channels");
    assert!(!text.contains('▀'), "{text}");

    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("s.rhai"), show).unwrap();
    let run = |at: &Path| {
        Command::new(env!("CARGO_BIN_EXE_cs385")).args(["run", "s.rhai"]).current_dir(at).output()
    };
    let o = run(folder.path()).unwrap();
    assert_eq!(String::from_utf8_lossy(&o.stdout), "Picture 30x20, 3 channels\n");
    let line = format!("run {}; sleep 60", folder.path().join("s.rhai").display());
    let t = Terminal::start(&line, &[("COLORTERM", "truecolor")]);
    t.text(&["capture-pane", "-p", "-e"], "48;2;255;0;0");
}

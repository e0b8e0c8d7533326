//! What the prompt does besides evaluating: commands, colours, hints, history, scripts.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "support/conversation.rs"]
mod conversation;
#[path = "support/terminal.rs"]
mod terminal;

use conversation::{offers, session, shown};
use std::fs;
use std::process::Command;
use terminal::Terminal;

#[test]
fn who_tells_what_variables_hold() {
    session(|r| {
        assert_eq!(shown(r, ":who"), "nothing is defined yet");
        let given = "let x = tensor::ones([2, 3], #{dtype: \"float64\"}); let net = nn::linear(4, 2); let l = [x, x];\n\
                     let text = \"né\"; let m = #{a: [x]}; let k = 3; fn twice(a) { a * 2 }";
        assert_eq!(shown(r, given), "");
        let lines: Vec<String> = shown(r, ":who").lines().map(str::to_string).collect();
        assert_eq!(
            lines,
            [
                "name  type     holds                   device  size",
                "x     Tensor   [2, 3] float64          cpu     48 B",
                "net   Net      1 layer, 10 parameters  cpu     40 B",
                "l     list     2 items                 cpu     96 B",
                "text  string   2 characters",
                "m     map      1 key                   cpu     48 B",
                "k     integer  3",
                "functions: twice(a)",
            ]
        );
        assert!(shown(r, ":mem").starts_with("tensors in variables  232 B\n"));
        assert_eq!(shown(r, ":del x twice"), "");
        assert!(shown(r, "x").contains("unknown variable `x`"));
        assert!(shown(r, "twice(1)").contains("unknown function `twice`"));
        assert!(shown(r, ":del texx").contains("unknown variable or function `texx`; did you mean `text`?"));
        assert_eq!(shown(r, ":clear"), "");
        assert_eq!(shown(r, ":who"), "nothing is defined yet");
        assert_eq!(shown(r, ":quit"), "(leaves)");
    });
}

#[test]
fn help_is_asked_in_every_way() {
    session(|r| {
        let page = shown(r, "?tensor::zeros");
        assert!(page.starts_with("tensor::zeros(shape"), "{page}");
        assert_eq!(shown(r, "help(\"tensor::zeros\")"), page);
        assert!(shown(r, "help").contains("cam::"));
        assert!(shown(r, "??saliency").contains("attrib::saliency("));
        assert_eq!(shown(r, "??zzz"), "nothing in the manual says `zzz`");
        assert!(shown(r, ":help").contains(":watch FILE"));
        assert!(shown(r, ":svae x").contains("unknown command `svae`; did you mean `save`?"));
        assert!(shown(r, ":load").contains("`:load` needs FILE"));
        assert!(shown(r, ":who x").contains("`:who` takes nothing"));
        // A function of one's own called help is called.
        assert_eq!(shown(r, "fn help(a, b) { a + b }\nhelp(1, 2)"), "3");
    });
}

#[test]
fn tab_completes_commands_and_what_follows_them() {
    session(|r| {
        shown(r, "let network = nn::relu();");
        assert_eq!(offers(r, ":wa"), ["watch"]);
        assert_eq!(offers(r, ":load Cargo.t"), ["Cargo.toml"]);
        assert_eq!(offers(r, ":del ne"), ["network"]);
        assert_eq!(offers(r, ":time network.forw"), ["forward"]);
        assert_eq!(r.complete(":time network.forw", 18).0, 14);
        assert_eq!(offers(r, "?cam::grad_cam_p"), ["cam::grad_cam_pp"]);
    });
}

#[test]
fn a_call_tells_what_it_takes() {
    session(|r| {
        shown(r, "fn mine(a, b) { a } let x = tensor::ones([2]);");
        let takes = |line: &str| r.takes(line).unwrap_or_default();
        assert_eq!(
            takes("nn::linear("),
            "in_features: positive integer, out_features: positive integer, options?: map of options)"
        );
        assert_eq!(takes("nn::linear(3,"), " out_features: positive integer, options?: map of options)");
        assert_eq!(takes("mine(1, "), "b)");
        assert!(takes("x.mean(").starts_with("dim?: "), "{}", takes("x.mean("));
        assert_eq!(takes("nn::linear(3"), "");
        assert_eq!(takes("nn::linear([1, "), "");
        assert_eq!(takes("("), "");
    });
}

#[test]
fn a_saved_session_is_a_script_that_runs() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s.rhai");
    let file = path.display().to_string();
    session(move |r| {
        for input in [
            "let x = 2;",
            "fn f(a) { a + 1 }",
            "f(x) * 10",
            "_ + x",
            "let y = 7; nope",
            "`${_} and ${y}`",
            "fn f(a) { a + 1.5 }\nlet z = f(1); if z > 2 { z } else { 0 }",
            "image::filled(4, 3, \"red\")",
            "_.width",
            "for i in 0..2 { print(i) }",
            "let last = 1",
        ] {
            shown(r, input);
        }
        assert!(shown(r, &format!(":save {file}")).starts_with("written"));
        assert!(shown(r, &format!(":save {file}")).contains("is there already"));
        assert!(shown(r, &format!(":save! {file}")).starts_with("written"));
    });
    let o = Command::new(env!("CARGO_BIN_EXE_cs385"))
        .args(["run", "s.rhai"])
        .current_dir(folder.path())
        .output()
        .unwrap();
    let text = fs::read_to_string(&path).unwrap();
    let err = String::from_utf8_lossy(&o.stderr);
    let printed = "35.0\n37.0\n37.0 and 7\n2.5\nPicture 4x3, 3 channels\n4\n0\n1\n";
    assert_eq!(String::from_utf8_lossy(&o.stdout), printed, "{err}\n{text}");
    assert!(text.contains("// failed: nope") || text.contains("// failed:  nope"), "{text}");
}

#[test]
fn a_script_leaves_its_variables_and_its_errors_are_placed_in_it() {
    let folder = tempfile::tempdir().unwrap();
    let script = folder.path().join("s.rhai");
    fs::write(&script, "let a = 1;\nfn half(x) {\n    a_list()[x]\n}\nfn a_list() { [1] }\nlet b = 2;\n")
        .unwrap();
    let name = script.display().to_string();
    session(move |r| {
        assert_eq!(shown(r, &format!(":load {name}")), "");
        assert_eq!(shown(r, "[a, b, half(0)]"), "[1, 2, 1]");
        let e = shown(r, "half(5)");
        assert!(e.starts_with(&format!("{name}:3:14: error: index 5")), "{e}");
        assert!(e.contains("in `half`, called at repl:"), "{e}");
        fs::write(&script, "let c = tensor::zeroes(1);").unwrap();
        // With variables there may be more than the file knows: it runs and fails.
        assert!(shown(r, &format!(":load {name}")).starts_with(&format!("{name}:1:9: error: ")));
        shown(r, ":clear");
        fs::write(&script, "print(\"not printed\");\nlet c = tensor::zeroes(1);").unwrap();
        assert!(shown(r, &format!(":load {name}")).starts_with(&format!("{name}:2:9: error: ")));
        assert!(shown(r, ":load nowhere.rhai").contains("no such file"));
    });
}

#[test]
fn what_changed_is_run_again_when_a_file_is_saved() {
    let t = Terminal::start("repl --threads 1", &[]);
    t.until("Ctrl-D leaves");
    let file = t.socket.with_file_name("w.rhai");
    let save = |text: &str| fs::write(&file, text).unwrap();
    let rest = "let y = g(data);\nprint(`y is ${y}`);\n";
    save(&format!("print(\"loading\");\nlet data = 5;\nfn g(x) {{ x + 1 }}\n{rest}"));
    t.line(":watch w.rhai");
    t.until("y is 6");
    save(&format!("print(\"loading\");\nlet data = 5; // words\nfn g(x) {{ x + 2 }}\n{rest}"));
    let text = t.until("y is 7");
    assert_eq!(text.matches("\nloading").count(), 1, "{text}");
    assert!(text.contains("-- from line 4"), "{text}");
    save(&format!("print(\"loading\");\nlet data = 6;\nfn g(x) {{ x + 2 }}\n{rest}nope"));
    let text = t.until("unknown variable `nope`");
    assert!(text.contains("y is 8") && text.contains("w.rhai:6:1: error"), "{text}");
    save(&format!("print(\"loading\");\nlet data = 6;\nfn g(x) {{ x + 2 }}\n{rest}print(\"mended\");"));
    let text = t.until("\nmended");
    assert_eq!(text.matches("y is 8").count(), 1, "{text}");
    t.keys(&["C-c"]);
    t.line("data * 10");
    t.until("\n60\n");
    t.line(":quit");
    t.ended();
}

/// The window from its last prompt on, with its colours: a line may be long.
fn last_line(t: &Terminal) -> String {
    let text = t.tmux(&["capture-pane", "-p", "-e"]);
    let from = text.rfind("> ").or(text.rfind("(reverse-i-search)")).unwrap_or(0);
    text[from.min(text.rfind("(reverse").unwrap_or(from))..].trim_end().to_string()
}

fn wait_for(t: &Terminal, what: &str, seen: impl Fn(&str) -> bool) {
    let begin = std::time::Instant::now();
    while !seen(&last_line(t)) {
        assert!(begin.elapsed().as_secs() < 30, "no {what} in {:?}", last_line(t));
        std::thread::sleep(std::time::Duration::from_millis(30));
    }
}

#[test]
fn colours_hints_and_history_while_typing() {
    let t = Terminal::start("repl --threads 1", &[]);
    t.until("Ctrl-D leaves");
    t.ready();
    t.tmux(&["send-keys", "-l", "let x = nn::linear("]);
    // Keyword in magenta, function in blue, what it takes in grey.
    wait_for(&t, "colours", |l| {
        l.contains("\x1b[35m")
            && l.contains("\x1b[34m")
            && l.contains("\x1b[90m")
            && l.contains("in_features: positive")
    });
    t.keys(&["C-c"]);
    t.line("let remembered = 41 + 1; remembered");
    t.until("\n42\n");
    // Unfinished: the next line belongs to it.
    t.line("[1,");
    t.tmux(&["send-keys", "-l", "2].len()"]);
    t.keys(&["Enter"]);
    t.until("\n2\n");
    t.line(":time remembered + 1");
    t.until("took ");
    t.line(":quit");
    t.ended();
    // Another session, the same history: grey while typing, and by search.
    let folder = t.socket.with_file_name("home");
    let t = Terminal::start("repl --threads 1", &[("XDG_DATA_HOME", &folder.display().to_string())]);
    t.until("Ctrl-D leaves");
    t.ready();
    t.tmux(&["send-keys", "-l", "let rem"]);
    wait_for(&t, "hint", |l| l.contains("embered = 41"));
    t.keys(&["C-c"]);
    t.ready();
    t.keys(&["C-r"]);
    t.tmux(&["send-keys", "-l", "41 +"]);
    wait_for(&t, "search", |l| l.contains("remembered"));
    t.keys(&["Enter"]);
    t.until("\n42\n");
    let t = Terminal::start("repl --threads 1", &[("NO_COLOR", "1")]);
    t.until("Ctrl-D leaves");
    t.ready();
    t.tmux(&["send-keys", "-l", "let x = 12"]);
    wait_for(&t, "line", |l| l.contains("let x = 12"));
    assert!(!last_line(&t).contains("\x1b[3"), "{:?}", last_line(&t));
}

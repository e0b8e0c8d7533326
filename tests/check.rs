//! `cs385 check`: what it must find, how it says it, and that it never cries wolf.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use cs385::host::check::{Finding, attempt, examine};
use cs385::host::test::{find, test_engine};
use cs385::registry::{examples, session, stdlib};
use std::cell::OnceCell;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

thread_local!(static ENGINE: OnceCell<rhai::Engine> = const { OnceCell::new() });

fn check(name: &str, text: &str) -> Vec<Finding> {
    ENGINE.with(|e| examine(e.get_or_init(|| test_engine().unwrap()), name, text))
}

fn told(f: &Finding) -> String {
    format!("{}:{} {}", f.line, f.col, f.msg)
}

/// `line:col message` of every fault.
fn found(text: &str) -> Vec<String> {
    check("x.rhai", text).iter().map(told).collect()
}

/// What the run says.
fn run(text: &str) -> Result<(), String> {
    ENGINE.with(|e| attempt(e.get_or_init(|| test_engine().unwrap()), "x.rhai", text)).map_err(|f| told(&f))
}

/// The script has these faults, and does not run.
#[track_caller]
fn finds(text: &str, wanted: &[&str]) {
    assert_eq!(found(text), wanted, "{text}");
    assert!(run(text).is_err(), "it runs: {text}");
}

/// A script and where it is from.
fn scripts_that_run() -> Vec<(String, String)> {
    let folders: Vec<PathBuf> = ["scripts", "tests/scripts"].map(PathBuf::from).into();
    let files = find(&folders)
        .unwrap()
        .into_iter()
        .map(|p| (p.display().to_string(), fs::read_to_string(p).unwrap()));
    let library = stdlib::FILES.iter().map(|f| (f.1.to_string(), f.2.to_string()));
    // An example is a conversation: each value ends an input. Those that are not run take their variables from the air.
    let input = |line: &str| line.replacen("// => ", "; // => ", 1).replacen("// ~> ", "; // ~> ", 1) + "\n";
    let documented = examples::all().into_iter().filter(|(_, e)| !e.no_run);
    let documented = documented.map(|(name, e)| (name, e.code.lines().map(input).collect()));
    let all = files.chain(library).chain(documented);
    all.filter(|(_, text)| !text.contains("//~") && !text.contains("// error:")).collect()
}

#[test]
fn scripts_that_run_have_no_fault() {
    let all = scripts_that_run();
    assert!(all.len() > 400, "{}", all.len());
    let wrong: Vec<String> = all.iter().flat_map(|(name, text)| check(name, text)).map(|f| f.text).collect();
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn golden_errors_are_found_before_the_run_in_the_same_words() {
    let mut wrong = Vec::new();
    for path in find(&[PathBuf::from("tests/scripts/errors")]).unwrap() {
        let (name, text) =
            (path.file_stem().unwrap().to_string_lossy().into_owned(), fs::read_to_string(&path).unwrap());
        let line = text.lines().position(|l| l.contains("//~")).unwrap();
        let mark = text.lines().nth(line).unwrap().split_once("//~").unwrap().1;
        let carets = mark.chars().take_while(|c| *c == '^').count();
        let wanted =
            format!("{}:{}", line + 1 - carets, mark[carets..].trim().strip_prefix("ERROR ").unwrap());
        let got: Vec<String> = check(&name, &text).iter().map(told).collect();
        let only_in_the_run = path.parent().unwrap().ends_with("run");
        let expected = if only_in_the_run { vec![] } else { vec![wanted] };
        if got != expected {
            wrong.push(format!("{name}\n  expected {expected:?}\n       got {got:?}"));
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn all_faults_are_told_and_equal_ones_together() {
    let text = "let t = tensor::oens([2]);\nfn f(a) { a.foobar() + offset }\nf(1, 2);\nprint(lerning);\nprint(lerning);\n";
    finds(
        text,
        &[
            "1:9 unknown function `tensor::oens`; did you mean `tensor::ones`?",
            "2:13 no type has a method `foobar`",
            "2:24 unknown variable `offset`",
            "3:1 `f` does not take (integer, integer)",
            "4:7 unknown variable `lerning`",
        ],
    );
    let last = &check("x.rhai", text)[4].text;
    assert_eq!(
        last,
        "x.rhai:4:7: error: unknown variable `lerning`\n4 | print(lerning);\n  |       ^^^^^^^\nalso at 5:7\n"
    );
}

#[test]
fn functions_and_their_numbers_of_arguments() {
    finds("let n = 3 + abs(1).to_int(); nn::linear(n)", &["1:30 `nn::linear` does not take 1 argument"]);
    finds("fn area(w, h) { w * h }\nlet n = [3]; area(n[0])", &["2:14 `area` does not take 1 argument"]);
    finds("prnt(1)", &["1:1 unknown function `prnt`; did you mean `print`?"]);
    finds("tensr::ones(1)", &["1:1 unknown namespace `tensr`; did you mean `tensor`?"]);
    finds("let f = |x| x;\nf(1)", &["2:1 `f` is a variable, not a function"]);
    finds("report::table([1])", &["1:1 `report::table` does not take (list)"]);
    finds("report::cell(1, 2)", &["1:1 unknown function `report::cell`"]);
    finds(
        "let f = |x| x.relux(); f.call(tensor::ones(1))",
        &["1:15 no type has a method `relux`; did you mean `relu`?"],
    );
}

#[test]
fn methods_and_properties() {
    finds(
        "let t = tensor::ones([2]);\nt.detatch()",
        &["2:3 a Tensor has no method `detatch`; did you mean `detach`?"],
    );
    finds("let t = tensor::ones([2]) * 2.0;\nt.grad_fnn", &["2:3 a Tensor has no property `grad_fnn`"]);
    finds("let x = [tensor::ones([2])];\nx[0].shape()", &["2:6 `shape` is a property, not a method"]);
    finds("let x = [nn::relu()];\nx[0].layers(1, 2, 3)", &["2:6 `.layers` does not take 3 arguments"]);
    finds("nn::relu().layers", &["1:12 `layers` is a method of a Net, not a property"]);
    finds("tensor::ones([2]).mean().itme()", &["1:26 a Tensor has no method `itme`; did you mean `item`?"]);
    finds("let a = [1]; a.psh(2)", &["1:16 a list has no method `psh`; did you mean `push`?"]);
    finds("if tensor::ones([2]) > 1 { print(1) }", &["1:22 expected a bool, got a Tensor"]);
    finds(
        "let l = [1]; let t = tensor::ones([1]); t * l",
        &["1:43 `*` cannot be applied to a Tensor and a list"],
    );
}

#[test]
fn options_and_literals() {
    finds(
        "let b = true; nn::linear(2, 2, #{bais: b, biass: 1})",
        &[
            "1:15 nn::linear: unknown option `bais`; did you mean `bias`?",
            "1:15 nn::linear: unknown option `biass`; did you mean `bias`?",
        ],
    );
    finds("optim::adam(#{lrr: 1e-3})", &["1:1 optim::adam: unknown option `lrr`; did you mean `lr`?"]);
    finds("optim::adam(#{lr: \"x\"})", &["1:1 optim::adam: option `lr`: expected number, got string \"x\""]);
    finds(
        "optim::adam(nn::relu(), #{lrr: 1})",
        &["1:1 optim::adam: unknown option `lrr`; did you mean `lr`?"],
    );
    finds(
        "tensor::zeros(\"2\")",
        &["1:1 tensor::zeros: argument `shape`: expected integer or list of integers, got string \"2\""],
    );
    finds(
        "tensor::zeros([2], #{dtype: \"flaot32\"})",
        &["1:1 tensor::zeros: option `dtype`: unknown dtype `flaot32`; did you mean `float32`?"],
    );
    finds("nn::relu().layers(3)", &["1:12 Net.layers: argument `containers`: expected bool, got integer 3"]);
    finds(
        "const N = \"3\"; nn::linear(N, 2)",
        &["1:16 nn::linear: argument `in_features`: expected positive integer, got string \"3\""],
    );
    let nets = "let nets = [nn::relu()];";
    finds(
        &format!("{nets} nets[0].count_parameters(7)"),
        &["1:34 Net.count_parameters: argument `trainable`: expected bool, got integer 7"],
    );
}

#[test]
fn variables() {
    finds("{ let a = 1; }\na", &["2:1 unknown variable `a`"]);
    finds("for i in 0..2 {}\ni", &["2:1 unknown variable `i`"]);
    finds("let f = |x| x + scale;", &["1:17 unknown variable `scale`"]);
    finds("a = 1;", &["1:1 unknown variable `a`"]);
    finds("let t = tensor;", &["1:9 unknown variable `tensor`"]);
    finds("let t = tensor::ones;", &["1:9 unknown variable `tensor::ones`"]);
    finds("export a;", &["1:8 unknown variable `a`"]);
    finds("fn f() { global::A }\nf()", &["1:10 unknown variable `global::A`"]);
    finds(
        "let a = 1;\nfn f() { a }\nf()",
        &["2:10 functions do not see the script's variables, and `a` is one"],
    );
    finds("print(`${nope}`)", &["1:10 unknown variable `nope`"]);
    finds("switch 1 { 1 if nope => 2, _ => 3 }", &["1:17 unknown variable `nope`"]);
}

/// Whatever looks wrong and is right.
#[test]
fn nothing_that_runs_is_a_fault() {
    let mut wrong = Vec::new();
    for text in [
        "let m = #{twice: |x| x * 2}; m.twice(3)",
        "let m = #{}; m.twice = |x| x * 2; m.twice(3)",
        "let m = #{}; m[\"twi\" + \"ce\"] = |x| x * 2; m.twice(3)",
        "let m = #{}; let f = |x| x; let k = \"tw\"; k += \"ice\"; m.set(k, f); m.twice(3)",
        "fn bump() { this += 1 } let x = 1; x.bump();",
        "fn make() { this = \"a\" } let x = [1]; x.make(); x.to_upper()",
        "fn Tensor.half() { this / 2 } let t = tensor::ones([2]); t.half()",
        "try { nope() } catch {}",
        "try { nope(nope) } catch (e) { print(e.message) }",
        "fn risky() { nope() } try { risky() } catch {}",
        "fn fails(f) { try { f.call(); false } catch { true } } fails(|| nn::linear(1))",
        "fn risky() { nope() } fn twice() { risky(); risky() } try { twice() } catch {}",
        "if is_def_fn(\"helper\", 1) { helper(1) }",
        "let x = 1; if is_def_var(\"y\") { y } else { x }",
        "eval(\"let z = 1\"); z + 1",
        "fn open() { hidden + 1 } let hidden = 2; open!()",
        "const A = 2; fn f() { global::A } f()",
        "fn g(x) { x + 1 } let f = g; f.call(1) + [1].map(g)[0]",
        "let x = 1; let x = x + 1; { let x = \"a\"; x.len(); } x + 1",
        "let x = 1; x = \"a\"; x.len()",
        "let x = tensor::ones([2]); let f = || { x = \"a\"; }; f.call(); x.to_upper()",
        "let t = tensor::ones([2]); let g = t.grad; g?.foobar()",
        "let add = |a| |b| a + b; add.call(1).call(2)",
        "let n = 0; while n < 3 { let sq = n * n; n += 1; if sq > 2 { break; } }",
        "let r = loop { break 3; }; r + 1",
        "do { let k = 1; k } until true;",
        "for (x, i) in [1, 2] { x + i }",
        "switch 3 { 1 => 2, 2..5 => { let w = 1; w }, _ => 4 }",
        "let a = [[1, 2], [3]]; a[0][1] = 5; a[0].push(4); a[1].len() + a[0].len",
        "let m = #{a: #{b: [1]}}; m.a.b[0] += 1; m[\"a\"].c = 2; m.a.c",
        "push([1], 2); len(\"abc\"); \"lr\".param(0.1); type_of(1); 1.type_of()",
        "let f = Fn(\"abs\"); f.call(1); call(curry(f, 2)); f.curry(3).call()",
        "let x = \"a\" + 1 + tensor::ones([1]); 2 * [1].len() + 'a'.to_string().len()",
        "let t = tensor::ones([2]); t == (); t != \"x\".len(); let u = t > 1; u.any()",
        "let q = (); q ?? 3; if q == () { 1 } else { 2 }",
        "nn::linear(2, 2, #{bias: param(\"bias\", true)}); optim::adam(#{})",
        "tensor::ones([2], #{device: \"cpu\"}); tensor::arange(3, #{dtype: \"float32\"})",
        "let e = #{message: 1}; try { throw e } catch (err) { err.message } print(e.message)",
        "exit(0); print(\"not here\")",
        "let s = timestamp(); s.elapsed; 5.is_odd; PI()",
        "private fn p(x) { x } p(1)",
        "return 1; ",
    ] {
        if !found(text).is_empty() || run(text).is_err() {
            wrong.push(format!("{text}\n  found {:?}, run {:?}", found(text), run(text)));
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

/// The words of a script with one of them spoiled: a letter lost, or another word of the script in its place.
fn spoiled(text: &str, dice: &mut impl FnMut(usize) -> usize) -> String {
    let word = |c: char| c.is_alphanumeric() || c == '_';
    let starts: Vec<usize> = text
        .char_indices()
        .filter(|&(i, c)| c.is_alphabetic() && !text[..i].ends_with(word))
        .map(|(i, _)| i)
        .collect();
    let at = |i: usize| {
        starts[i]..starts[i] + text[starts[i]..].find(|c| !word(c)).unwrap_or(text[starts[i]..].len())
    };
    let here = at(dice(starts.len()));
    let new = match dice(3) {
        0 => text[at(dice(starts.len()))].to_string(),
        1 => text[here.clone()].to_string() + "e",
        _ => text[here.clone()].chars().skip(1).collect(),
    };
    format!("{}{new}{}", &text[..here.start], &text[here.end..])
}

/// More than two thousand scripts with a mistake: those that run in spite of it are not accused.
#[test]
fn spoiled_scripts_that_run_are_not_accused() {
    let mut state = 1u64;
    let mut dice = move |n: usize| {
        state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (state >> 33) as usize % n
    };
    let folder = tempfile::tempdir().unwrap();
    let (mut wrong, mut found, mut failed, mut others) = (Vec::new(), 0, 0, 0);
    // A closure that is only kept may be wrong and yet run.
    for (_, text) in scripts_that_run()
        .iter()
        .filter(|(name, _)| !name.ends_with(".rhai") && !name.contains("target::custom"))
    {
        for _ in 0..5 {
            let text = spoiled(text, &mut dice);
            session::Start::test(folder.path().into()).begin().unwrap();
            let faults = check("x.rhai", &text);
            let run = run(&text);
            found += usize::from(!faults.is_empty());
            failed += usize::from(run.is_err());
            match (&faults[..], run) {
                ([first, ..], Ok(())) => wrong.push(format!("{text}{}", first.text)),
                // The run may know the type of a receiver, or stumble over something else first.
                ([one], Err(e)) if told(one) != e => others += 1,
                _ => {}
            }
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
    assert!(found * 10 > failed * 9, "of {failed} that fail only {found} are found");
    assert!(others * 50 < found, "{others} of {found} in other words than the run's");
}

/// Exit status, output and messages of the program in `folder`.
fn program(folder: &Path, args: &[&str]) -> (i32, String, String) {
    let mut c = Command::new(env!("CARGO_BIN_EXE_cs385"));
    let o = c.args(args).current_dir(folder).stdin(Stdio::null()).output().unwrap();
    let text = |b: &[u8]| String::from_utf8_lossy(b).into_owned();
    (o.status.code().unwrap(), text(&o.stdout), text(&o.stderr))
}

#[test]
fn a_run_with_faults_does_not_begin() {
    let p = tempfile::tempdir().unwrap();
    let cs385 = |args: &[&str]| program(p.path(), args);
    let write = |name: &str, text: &str| fs::write(p.path().join(name), text).unwrap();
    write("bad.rhai", "print(\"on\");\nnn::linear(1, 1).save(\"a.npz\");\nprnt(1);\nlet y = zz;");
    let (code, out, err) = cs385(&["run", "bad.rhai"]);
    assert_eq!((code, out.as_str()), (1, ""), "{err}");
    assert!(err.starts_with("bad.rhai:3:1: error: unknown function `prnt`"), "{err}");
    assert!(err.contains("bad.rhai:4:9: error: unknown variable `zz`"), "{err}");
    assert!(err.ends_with("2 faults: the script was not started\n"), "{err}");
    assert!(!p.path().join("outputs").exists());

    fs::create_dir(p.path().join("more")).unwrap();
    write("more/good.rhai", "print(1)");
    write("more/typo.rhai", "let x = (1;");
    assert_eq!(cs385(&["check", "more/good.rhai"]), (0, "1 script: no faults found\n".into(), String::new()));
    let (code, out, err) = cs385(&["check", "bad.rhai", "more"]);
    assert_eq!((code, out.as_str()), (1, ""));
    assert!(err.contains("more/typo.rhai:1:11: error: `)` is missing"), "{err}");
    assert!(err.ends_with("3 faults in 2 of 3 scripts\n"), "{err}");
    assert_eq!(cs385(&["check"]).0, 2);
    assert_eq!(cs385(&["check", "nowhere.rhai"]).0, 2);
    // What is imported is not looked into.
    write("lib.rhai", "fn f(x) { x } fn make() { #{hidden: 2} }");
    write("main.rhai", "import \"lib\" as l; print(l::f(1)); print(l::make().hidden);");
    assert_eq!(cs385(&["run", "main.rhai"]), (0, "1\n2\n".into(), String::new()));
}

/// What runs but hardly as it is meant is told, and keeps nothing from running.
#[test]
fn doubts_are_told_and_stop_nothing() {
    let p = tempfile::tempdir().unwrap();
    let cs385 = |args: &[&str]| program(p.path(), args);
    let text = "let share = 1 / 3;\nlet all = []; let by = #{};\nfor i in 0..3 {\n    all.push(|x| x + i);\n    by[`f${i}`] = || i * 2;\n    \
                let own = i;\n    all.push(|| own);\n    all.push([1].map(|x| x + 1)[0] + i);\n}\nprint(4 / 2 + share * 2 / 3);";
    fs::write(p.path().join("a.rhai"), text).unwrap();
    let (code, out, err) = cs385(&["check", "a.rhai"]);
    assert_eq!((code, out.as_str()), (0, "1 script: no faults found\n"), "{err}");
    let told: Vec<&str> = err.lines().filter(|l| l.contains("warning")).collect();
    assert_eq!(
        told,
        [
            "a.rhai:1:15: warning: 1 / 3 of whole numbers is the whole number 0",
            "a.rhai:4:22: warning: all closures made in this loop share `i`: they will see its last value",
            "a.rhai:5:22: warning: all closures made in this loop share `i`: they will see its last value",
        ]
    );
    assert!(
        err.contains("hint: 1.0 / 3 is a number") && err.contains("hint: give each its own: `let own = i;`"),
        "{err}"
    );
    let (code, out, err) = cs385(&["run", "a.rhai"]);
    assert_eq!((code, out.as_str()), (0, "2\n"), "{err}");
    assert!(err.contains("a.rhai:1:15: warning: "), "{err}");
    let (code, out, _) = cs385(&["check", "a.rhai", "--json"]);
    assert!(code == 0 && out.matches("\"severity\": \"warning\"").count() == 3, "{out}");
}

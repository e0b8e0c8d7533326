//! Thousands of spoiled scripts and calls with strange arguments: never a panic, never a crash, and the check and the
//! parser end.
//!
//! `CS385_FUZZ=600 cargo test --release --test script_fuzz -- --nocapture` goes on for so many seconds a target;
//! `CS385_FUZZ_SEED=n` tries others. What was once found lies in tests/fixtures/scripts and is tried first.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use cs385::bindings::guard;
use cs385::core::func::{Func, FuncKind};
use cs385::host::check::{attempt, examine};
use cs385::host::test::{find, test_engine};
use cs385::registry::session::{Start, scratch};
use cs385::registry::{examples, stdlib};
use rand::seq::IndexedRandom;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rhai::Engine;
use std::fs;
use std::path::PathBuf;
use std::time::{Duration, Instant};

fn long_run() -> Duration {
    Duration::from_secs(std::env::var("CS385_FUZZ").ok().and_then(|s| s.parse().ok()).unwrap_or(0))
}

fn dice() -> ChaCha8Rng {
    let seed = std::env::var("CS385_FUZZ_SEED").ok().and_then(|s| s.parse().ok()).unwrap_or(385);
    ChaCha8Rng::seed_from_u64(seed)
}

/// On a thread with the room that the program has, in a folder of its own.
fn fuzz(body: impl FnOnce(&Engine) + Send + 'static) {
    let work = move || {
        let folder = scratch().unwrap();
        Start::test(folder.path().into()).begin().unwrap();
        body(&test_engine().unwrap());
    };
    std::thread::Builder::new().stack_size(1 << 28).spawn(work).unwrap().join().unwrap();
}

/// Everything that is written in the language here.
fn seeds() -> Vec<String> {
    let files = find(&["scripts", "tests/scripts"].map(PathBuf::from)).unwrap();
    let mut all: Vec<String> = files.into_iter().map(|p| fs::read_to_string(p).unwrap()).collect();
    all.extend(stdlib::FILES.iter().map(|f| f.2.to_string()));
    all.extend(examples::all().into_iter().map(|(_, e)| e.code));
    all.retain(|t| t.len() < 20_000);
    all
}

/// Pieces that mean something to the language, and some that mean something to nobody.
#[rustfmt::skip]
const PIECES: &[&str] = &[
    "(", ")", "[", "]", "{", "}", "#{", "`", "\"", "'", "${", "//", "/*", "*/", "///", ";", ",", ".", "?.", "::",
    "..", "..=", "=>", "->", "|", "||", "|x|", "&&", "!", "==", "=", "+=", "**", "%", "<<", "@", "#", "$", "~", "_",
    "\\", "\u{0}", "é", "🦀", "\u{202e}", "\t", "\r\n", "0x", "0b2", "1e", "1e999", "9223372036854775807",
    "-9223372036854775808", "1.", ".5", "fn ", "let ", "const ", "if ", "else", "while ", "loop", "for ", " in ",
    "switch ", "return", "break", "continue", "try", "catch", "throw", "import ", " as ", "export ", "this",
    "global::", "eval(", "Fn(", "call(", "curry(", "is_def_var(", "print(", "tensor::", "nn::", "cam::", "true",
    "()", "[[..]]", "private ", "default", "new", "super", "do", "until",
];

fn mutate(rng: &mut ChaCha8Rng, seeds: &[String]) -> String {
    let mut chars: Vec<char> = seeds.choose(rng).unwrap().chars().collect();
    for _ in 0..rng.random_range(1..5) {
        let at = rng.random_range(0..=chars.len());
        let end = (at + rng.random_range(1..30)).min(chars.len());
        let piece: Vec<char> = PIECES.choose(rng).unwrap().chars().collect();
        match rng.random_range(0..6) {
            0 => drop(chars.drain(at..end)),
            1 => drop(chars.splice(at..at, piece)),
            2 => drop(chars.splice(at..end, piece)),
            3 => {
                let part = chars[at..end].to_vec();
                let to = rng.random_range(0..=chars.len());
                drop(chars.splice(to..to, part));
            }
            4 => {
                let other: Vec<char> = seeds.choose(rng).unwrap().chars().collect();
                let from = rng.random_range(0..=other.len());
                let part = other[from..(from + rng.random_range(0..60)).min(other.len())].to_vec();
                drop(chars.splice(at..at, part));
            }
            _ => chars.truncate(at),
        }
    }
    chars.into_iter().collect()
}

/// The words of a message never speak of a mistake of ours.
fn sound(text: &str, words: &str) {
    assert!(!words.contains("internal error"), "{words}\nof\n{text}");
}

fn examined(engine: &Engine, text: &str) {
    let found = guard::catch(|| Ok(examine(engine, "x.rhai", text)));
    let found = found.unwrap_or_else(|e| panic!("{e}\nof\n{text}"));
    found.iter().for_each(|f| sound(text, &f.text));
}

#[test]
fn what_was_once_found() {
    fuzz(|engine| {
        let mut kept: Vec<PathBuf> =
            fs::read_dir("tests/fixtures/scripts").unwrap().map(|e| e.unwrap().path()).collect();
        kept.sort();
        assert!(!kept.is_empty());
        for path in kept {
            let text = String::from_utf8_lossy(&fs::read(&path).unwrap()).into_owned();
            examined(engine, &text);
            if let Err(f) = attempt(engine, "x.rhai", &text) {
                sound(&text, &f.text);
            }
        }
    });
}

/// Nesting beyond any sense is an error, not the end of the stack.
#[test]
fn deep_nesting_is_refused() {
    fuzz(|engine| {
        let deep = |open: &str, middle: &str, close: &str, n: usize| {
            format!("let x = {}{middle}{};", open.repeat(n), close.repeat(n))
        };
        for n in [300, 900, 20_000] {
            for text in [
                deep("(", "1", ")", n),
                deep("[", "1", "]", n),
                deep("#{a: ", "1", "}", n),
                deep("!", "true", "", n),
                deep("-", "1", "", n),
                deep("|a| ", "a", "", n),
                deep("if true { ", "1", " }", n),
                deep("1 + ", "1", "", n),
                deep("x", "", ".a", n),
                deep("x", "", ".a()", n),
                deep("x", "", "[0]", n),
                deep("`${", "1", "}`", n),
                deep("abs(", "1", ")", n),
                deep("/*", "1", "*/", n),
                deep("1 ?? ", "1", "", n),
                deep("if true {} else ", "{}", "", n),
                deep("switch 1 { 1 => ", "1", " }", n),
            ] {
                examined(engine, &text);
            }
        }
    });
}

#[test]
fn parser_and_check_take_any_text() {
    fuzz(|engine| {
        let (seeds, mut rng, begin) = (seeds(), dice(), Instant::now());
        let (mut tried, mut faulty) = (0, 0);
        while tried < 1500 || begin.elapsed() < long_run() {
            let text = mutate(&mut rng, &seeds);
            tried += 1;
            let found = guard::catch(|| Ok(examine(engine, "x.rhai", &text)));
            let found = found.unwrap_or_else(|e| panic!("{e}\nof\n{text}"));
            found.iter().for_each(|f| sound(&text, &f.text));
            faulty += usize::from(!found.is_empty());
        }
        println!("{tried} texts, {faulty} with faults");
        assert!(faulty * 2 > tried && faulty < tried);
    });
}

/// One value as a script writes it, of any kind.
fn value(rng: &mut ChaCha8Rng, depth: usize) -> String {
    const ALL: &[&str] = &[
        "0",
        "1",
        "-1",
        "2",
        "3",
        "7",
        "64",
        "-9223372036854775808",
        "9223372036854775807",
        "0.0",
        "-0.5",
        "1e-3",
        "1e30",
        "1e308 * 10.0",
        "0.0 / 0.0",
        "true",
        "false",
        "()",
        "\"\"",
        "\"a\"",
        "\"fc\"",
        "\"float32\"",
        "\"jet\"",
        "\"é🦀\"",
        "[]",
        "[0]",
        "[1, 2]",
        "[2, 3]",
        "[-1]",
        "[[]]",
        "[0.5, 0.5]",
        "[\"a\", \"b\"]",
        "#{}",
        "#{lr: 0.1}",
        "0..3",
        "..2",
        "1..",
        "0..=-1",
        "x",
        "y",
        "e",
        "b",
        "s",
        "net",
        "conv",
        "p",
        "|| 1",
        "|a| a",
        "|a, b| a",
        "'c'",
        "[x, x]",
        "tensor::zeros([0, 3])",
        "nn::relu()",
    ];
    match rng.random_range(0..12) {
        0 if depth > 0 => {
            let n = rng.random_range(0..4);
            let inner: Vec<String> = (0..n).map(|_| value(rng, depth - 1)).collect();
            format!("[{}]", inner.join(", "))
        }
        _ => ALL.choose(rng).unwrap().to_string(),
    }
}

const GIVEN: &str = "let x = tensor::rand([2, 3]); let y = tensor::rand([1, 1, 8, 8]); let e = tensor::zeros([0]); \
    let b = x > 0.5; let s = tensor::of(1.0); let net = nn::linear(3, 2); \
    let conv = nn::sequential([[\"conv\", nn::conv2d(1, 2, 3)], [\"fc\", nn::adaptive_avg_pool2d(1)]]); \
    let p = image::filled(4, 3, \"red\");\n";

#[test]
fn tensors_take_any_index() {
    fuzz(|engine| {
        let (mut rng, begin) = (dice(), Instant::now());
        let (mut tried, mut fine) = (0, 0);
        while tried < 1500 || begin.elapsed() < long_run() {
            tried += 1;
            let of = ["x", "y", "e", "b", "s"].choose(&mut rng).unwrap();
            let at = value(&mut rng, 2);
            let text = match rng.random_range(0..3) {
                0 => format!("{GIVEN}{of}[{at}]"),
                1 => format!("{GIVEN}let r = {of}[{at}]; print(r); r.shape"),
                _ => format!("{GIVEN}{of}[{at}] = {}; {of}.sum()", value(&mut rng, 1)),
            };
            match attempt(engine, "x.rhai", &text) {
                Ok(()) => fine += 1,
                Err(f) => sound(&text, &f.text),
            }
        }
        println!("{tried} indices, {fine} valid");
        assert!(fine > 0 && fine < tried);
    });
}

/// What takes long, leaves the process's state behind, or goes to the network.
const LEFT_OUT: &[&str] = &["data", "train", "study", "vae", "gan", "embed", "models"];

#[test]
fn functions_take_any_arguments_and_options() {
    fuzz(|engine| {
        let all: Vec<&Func> = Func::all()
            .into_iter()
            .filter(|f| !LEFT_OUT.contains(&f.home))
            .filter(|f| !["Embedding", "Run", "Trainer", "Batches", "Optimizer"].contains(&f.home))
            .filter(|f| f.home != "cam" || !f.name().contains("explore"))
            .collect();
        let (mut rng, begin) = (dice(), Instant::now());
        let (mut tried, mut fine) = (0, 0);
        while tried < 800 || begin.elapsed() < long_run() {
            tried += 1;
            let f = all.choose(&mut rng).unwrap();
            let mut args: Vec<String> = Vec::new();
            for p in f.params {
                if p.optional && rng.random_bool(0.3) {
                    break;
                }
                let fields = (p.fields)();
                args.push(match fields.choose(&mut rng) {
                    Some(field) if rng.random_bool(0.9) => {
                        format!("#{{\"{}\": {}}}", field.name, value(&mut rng, 1))
                    }
                    // Mostly of the type that is asked for: what is behind the reader is to be reached.
                    _ if rng.random_bool(0.6) => match p.ty {
                        "Tensor" => ["x", "y", "e", "b", "s"].choose(&mut rng).unwrap().to_string(),
                        "Net" => ["net", "conv"].choose(&mut rng).unwrap().to_string(),
                        "Picture" => "p".to_string(),
                        _ => value(&mut rng, 1),
                    },
                    _ => value(&mut rng, 1),
                });
            }
            let rest = args.get(1..).unwrap_or_default().join(", ");
            let first = args.first().cloned().unwrap_or("x".to_string());
            let call = match f.kind {
                FuncKind::Function => format!("{}({})", f.path(), args.join(", ")),
                FuncKind::Method => format!("let v = {first}; v.{}({rest})", f.name()),
                FuncKind::Getter => format!("let v = {first}; v.{}", f.name()),
            };
            let text = format!("{GIVEN}{call}");
            // The check asks the same readers; it takes longer than the call.
            if tried % 8 == 0 {
                examined(engine, &text);
            }
            match attempt(engine, "x.rhai", &text) {
                Ok(()) => fine += 1,
                Err(e) => sound(&text, &e.text),
            }
        }
        println!("{tried} calls, {fine} valid");
        assert!(fine > 0 && fine < tried);
    });
}

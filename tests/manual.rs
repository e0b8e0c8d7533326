//! The manual: all code in guide and README runs, all links lead somewhere, and the page works in a browser.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "support/browser.rs"]
mod browser;
#[path = "support/conversation.rs"]
mod conversation;

use browser::Browser;
use clap::CommandFactory;
use conversation::{session, shown};
use cs385::host::cli::Cli;
use cs385::registry::{book, entries, session as engine};
use std::fs;
use std::rc::Rc;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Held by tests that run code: random numbers come from one generator in a process, and each must find it as it left it.
static ALONE: Mutex<()> = Mutex::new(());

fn alone() -> MutexGuard<'static, ()> {
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

const README: &str = include_str!("../README.md");

/// The commands in the ```sh blocks of a text, without their comments.
fn commands(text: &str) -> Vec<Vec<String>> {
    let mut inside = false;
    let mut out = Vec::new();
    for line in text.lines() {
        if let Some(lang) = line.strip_prefix("```") {
            inside = lang == "sh";
        } else if inside {
            let words = line.split(" #").next().unwrap().split_whitespace().map(str::to_string);
            out.push(words.collect());
        }
    }
    out
}

/// Every command shown is one that the program takes, and files of ours in it are there.
#[test]
fn commands_in_guide_and_readme_are_commands() {
    let texts = book::CHAPTERS.iter().map(|(name, text)| (*name, *text)).chain([("README", README)]);
    let mut tried = 0;
    for (name, text) in texts {
        for words in commands(text).into_iter().filter(|w| !w.is_empty()) {
            assert!(["cs385", "./cs385"].contains(&words[0].as_str()), "{name}: {words:?}");
            for file in words.iter().filter(|w| w.starts_with("scripts/") || w.starts_with("docs/")) {
                assert!(fs::metadata(file).is_ok(), "{name}: {file}");
            }
            if words[1] != "cargo" {
                let read = Cli::command().try_get_matches_from(&words);
                assert!(read.is_ok(), "{name}: {words:?}\n{}", read.unwrap_err());
                tried += 1;
            }
        }
    }
    assert!(tried > 10, "{tried}");
}

/// What the README types at the prompt, line by line.
#[test]
fn the_readme_session_runs() {
    let _alone = alone();
    let block = README.split("```\n$ ./cs385 repl\n").nth(1).unwrap().split("```").next().unwrap();
    let mut inputs: Vec<String> = Vec::new();
    for line in block.lines() {
        match line.strip_prefix("> ") {
            Some(new) => inputs.push(new.to_string()),
            None => *inputs.last_mut().unwrap() += &format!("\n{line}"),
        }
    }
    assert!(inputs.len() > 4);
    session(move |r| {
        for input in &inputs {
            let said = shown(r, input);
            assert!(!said.contains("error:"), "{input}\n{said}");
        }
    });
}

#[test]
fn wrong_code_and_dead_links_are_noticed() {
    let _alone = alone();
    let engine = Rc::new(engine::engine().unwrap());
    let run = |text: &str| book::run(&engine, text).map_err(|e| e.msg);
    assert!(run("# a\n```rhai\nlet x = 1;\n```\nand\n```rhai\nx + 1 // => 2\n```\n").is_ok());
    assert!(run("# a\n\n```rhai\n1 // => 2\n```\n").unwrap_err().starts_with("line 4: "));
    let faults = |text: &str| book::faults(&engine, text).unwrap();
    assert_eq!(faults("# a\n[x](prompt.md), `cam::grad_cam`, [y](../reference.md), `x::y`, <br>"), [""; 0]);
    assert_eq!(faults("# a\n[x](nowhere.md)"), ["test: the link nowhere.md leads nowhere"]);
    assert_eq!(faults("# a\n[x](#nothing)"), ["test: the link #nothing leads nowhere"]);
    assert_eq!(faults("# a\n## b c\n[x](#b-c)"), [""; 0]);
    assert_eq!(faults("# a\n`cam::grad_cm(net)`"), ["test: there is no `cam::grad_cm(net)`"]);
    assert_eq!(faults("# a\n```rhai\nnope\n```").len(), 1);
}

/// One page of everything, made once: its code runs, its links lead somewhere, and it does what a page does.
#[test]
fn the_manual_in_a_browser() {
    let _alone = alone();
    let work = || book::book(&Rc::new(engine::engine().unwrap())).map(|p| p.html()).map_err(|e| e.msg);
    let html = std::thread::Builder::new().stack_size(1 << 28).spawn(work).unwrap().join().unwrap().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("manual.html");
    fs::write(&path, &html).unwrap();
    assert!(html.len() < 12 << 20, "{} bytes", html.len());
    let mut b = Browser::open(&path);
    b.no_errors();
    // Every link leads to something in the page.
    let dead = "[...document.querySelectorAll('a[href^=\"#\"]')].map(a => decodeURIComponent(a.getAttribute('href').slice(1)))\
                .filter(id => !document.getElementById(id) && !document.getElementById(id + '/')).join(' ')";
    assert_eq!(b.text(dead), "");
    let twice = "(() => { const all = [...document.querySelectorAll('[id]')].map(e => e.id); \
                 return all.filter((id, i) => all.indexOf(id) !== i).join(' '); })()";
    assert_eq!(b.text(twice), "");
    // Every function has its article with an example.
    let articles = b.number("document.querySelectorAll('article').length") as usize;
    assert_eq!(articles, entries().len());
    assert_eq!(
        b.number("[...document.querySelectorAll('article')].filter(a => !a.querySelector('pre')).length"),
        0.0
    );
    assert!(b.number("document.querySelectorAll('#first_probe img').length") >= 2.0);
    assert!(b.number("document.querySelectorAll('article img').length") >= 10.0);
    // One page is shown; the address opens another, at the function.
    let seen = "[...document.querySelectorAll('.page')].filter(p => !p.hidden).map(p => p.id).join(' ')";
    assert_eq!(b.text(seen), "first_probe");
    b.eval("location.hash = '#cam::grad_cam'");
    b.wait("document.getElementById('cam::').hidden === false");
    assert_eq!(b.text(seen), "cam::");
    let top = b.number("document.getElementById('cam::grad_cam').getBoundingClientRect().top");
    assert!((0.0..300.0).contains(&top), "{top}");
    // Search by keys: / and words, Enter opens the best.
    b.key("/");
    b.write("tsne perplexity");
    b.wait("!document.getElementById('results').hidden");
    assert_eq!(b.text("document.querySelector('#results a b').textContent"), "embed::tsne");
    b.key("Enter");
    b.wait("document.getElementById('embed::').hidden === false");
    assert_eq!(b.text("decodeURIComponent(location.hash)"), "#embed::tsne");
    assert_eq!(b.text(seen), "embed::");
    // Narrow: nothing is wider than the window, and contents open.
    b.size(390, 800);
    b.eval("location.hash = '#pytorch'");
    b.wait("document.getElementById('pytorch').hidden === false");
    assert_eq!(b.number("document.documentElement.scrollWidth"), 390.0);
    assert_eq!(b.text("getComputedStyle(document.getElementById('contents')).display"), "none");
    b.click("#menu");
    assert_eq!(b.text("getComputedStyle(document.getElementById('contents')).display"), "block");
    b.click("#contents a[href='#language']");
    b.wait("document.getElementById('language').hidden === false");
    assert_eq!(b.text("getComputedStyle(document.getElementById('contents')).display"), "none");
    b.no_errors();
}

//! A conversation at the prompt, without the prompt.
#![allow(dead_code, clippy::unwrap_used)] // every test program uses a part of it

use cs385::host::repl::{Answer, Repl};
use cs385::registry::session::{Start, scratch};

/// Runs `body` on a thread with room for deep recursion, as the program does, with a run of its own.
pub fn session(body: impl FnOnce(&mut Repl) + Send + 'static) {
    let work = move || {
        let folder = scratch().unwrap();
        Start::test(folder.path().into()).begin().unwrap();
        body(&mut Repl::new().unwrap());
    };
    std::thread::Builder::new().stack_size(1 << 28).spawn(work).unwrap().join().unwrap();
}

/// What the prompt shows for `input`.
pub fn shown(repl: &mut Repl, input: &str) -> String {
    match repl.answer(input) {
        Answer::Silence => String::new(),
        Answer::Text(text) => text,
        Answer::Picture(p) => format!("picture of {}x{}", p.width(), p.height()),
        Answer::Failed(d) => d.render(false),
        Answer::Faults(all) => all.iter().map(|d| d.render(false)).collect(),
        Answer::Leave => "(leaves)".to_string(),
    }
}

/// What Tab offers at the end of `line`.
pub fn offers(repl: &Repl, line: &str) -> Vec<String> {
    repl.complete(line, line.len()).1.into_iter().map(|p| p.replacement).collect()
}

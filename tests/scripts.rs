//! Every script under tests/scripts is one test.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use cs385::host::test::{find, run, test_engine};
use libtest_mimic::{Arguments, Trial};
use std::cell::OnceCell;
use std::path::PathBuf;
use std::process::ExitCode;

thread_local!(static ENGINE: OnceCell<rhai::Engine> = const { OnceCell::new() });

fn main() -> ExitCode {
    cs385::bindings::guard::silence_panics();
    let mut args = Arguments::from_args();
    // Seed, threads and the run's folder belong to the process.
    args.test_threads = Some(1);
    let root = PathBuf::from("tests/scripts");
    let scripts = find(std::slice::from_ref(&root)).expect("tests/scripts is there");
    let trial = |script: PathBuf| {
        let name = script.strip_prefix(&root).unwrap_or(&script).with_extension("").display().to_string();
        Trial::test(name, move || {
            ENGINE.with(|e| {
                Ok(run(e.get_or_init(|| test_engine().expect("the library compiles")), &script, false)?)
            })
        })
    };
    libtest_mimic::run(&args, scripts.into_iter().map(trial).collect()).exit_code()
}

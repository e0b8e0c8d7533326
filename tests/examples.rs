//! Every example of the documentation is one test.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use cs385::registry::{examples, session};
use libtest_mimic::{Arguments, Trial};
use std::cell::OnceCell;
use std::process::ExitCode;
use std::rc::Rc;

thread_local!(static ENGINE: OnceCell<Rc<rhai::Engine>> = const { OnceCell::new() });

fn engine() -> Rc<rhai::Engine> {
    let mut engine = session::engine().expect("the library compiles");
    engine.on_print(|_| {});
    Rc::new(engine)
}

fn main() -> ExitCode {
    cs385::bindings::guard::silence_panics();
    let mut args = Arguments::from_args();
    // Seed, threads and the run's folder belong to the process.
    args.test_threads = Some(1);
    let trial = |(name, example): (String, cs385::registry::Example)| {
        Trial::test(name, move || {
            Ok(ENGINE.with(|e| examples::run(e.get_or_init(engine), &example).map(drop))?)
        })
    };
    libtest_mimic::run(&args, examples::all().into_iter().map(trial).collect()).exit_code()
}

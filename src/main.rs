//! The program: reads the command line and carries it out on a thread with room for deep recursion.

use clap::Parser;
use cs385::host::cli;
use std::io::Write;
use std::process::ExitCode;

/// Scripts nest calls 256 deep, and native functions call back into scripts.
const STACK: usize = 1 << 28;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    cs385::core::ffi::small_pages();
    cs385::core::ffi::keep_memory();
    let cli = cli::Cli::parse();
    cs385::bindings::guard::silence_panics();
    let main = std::thread::Builder::new().name("main".into()).stack_size(STACK).spawn(|| cli::main(cli));
    match main.map(std::thread::JoinHandle::join) {
        Ok(Ok(code)) => code,
        Ok(Err(_)) => fail("internal error: please report it with the script that caused it"),
        Err(e) => fail(&format!("no thread to run on: {e}")),
    }
}

fn fail(msg: &str) -> ExitCode {
    let _ = writeln!(std::io::stderr(), "error: {msg}");
    ExitCode::FAILURE
}

//! Where `print` and `debug` go: stdout and stderr, or a text that a test looks at. The run's log gets both.

use crate::core::run;
use std::cell::RefCell;
use std::io::{self, ErrorKind, Write};

thread_local!(static CAPTURED: RefCell<Option<String>> = const { RefCell::new(None) });

/// A script's `print`.
pub fn print(text: &str) {
    let line = format!("{text}\n");
    run::log(&line);
    let kept = CAPTURED.with_borrow_mut(|c| c.as_mut().map(|c| c.push_str(&line)).is_some());
    if !kept {
        write(&line);
    }
}

/// A script's `debug`: stderr, with its line.
pub fn debug(text: &str, source: Option<&str>, pos: rhai::Position) {
    let place = pos.line().map_or(String::new(), |l| format!("{}:{l}: ", source.unwrap_or("debug")));
    let line = format!("{place}{text}");
    run::log(&format!("{line}\n"));
    say(&line);
}

/// A line on stderr. One that cannot be written (a reader that has gone, a full disk) costs no work.
pub fn say(line: &str) {
    let _ = io::stderr().write_all(format!("{line}\n").as_bytes());
}

/// Writes on stdout. A reader that has gone (`| head`) ends the program quietly.
pub fn write(text: &str) {
    let mut out = io::stdout().lock();
    if let Err(e) = out.write_all(text.as_bytes()).and_then(|()| out.flush())
        && e.kind() == ErrorKind::BrokenPipe
    {
        let _ = run::finish("ok (nobody read the rest of the output)");
        std::process::exit(0);
    }
}

/// True while a test looks at what is printed.
pub fn captured() -> bool {
    CAPTURED.with_borrow(Option::is_some)
}

/// Runs `body` and gives what it printed.
pub fn capture<T>(body: impl FnOnce() -> T) -> (T, String) {
    let before = CAPTURED.replace(Some(String::new()));
    let out = body();
    (out, CAPTURED.replace(before).unwrap_or_default())
}

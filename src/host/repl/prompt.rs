//! The prompt itself: reads lines, shows answers.

use super::assist::Assistant;
use super::{Answer, NAME, Repl, watch};
use crate::core::{Error, Result, interrupt, params, run, screen};
use crate::host::engine::watch_interrupts;
use crate::host::limits::Limits;
use crate::host::render::{Diagnostic, no_colour};
use crate::host::run::{FAILED, OK, Options, USAGE, versions};
use crate::host::{check, output};
use rustyline::error::ReadlineError;
use rustyline::history::FileHistory;
use rustyline::{ColorMode, CompletionType, Config, Editor};
use std::cell::RefCell;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::rc::Rc;
use std::time::Instant;

/// Lines the history keeps.
const REMEMBERED: usize = 5000;

/// Shows what an input gave; false if the session is to end.
pub fn show(answer: Answer) -> bool {
    match answer {
        Answer::Silence => {}
        Answer::Text(text) => output::print(text.trim_end()),
        Answer::Picture(picture) => screen::show(picture.raster()),
        Answer::Failed(d) => d.report(),
        Answer::Faults(faults) => {
            let found = check::report(&faults);
            output::say(&format!("{}: the script was not run", check::count(found, "fault")));
        }
        Answer::Leave => return false,
    }
    true
}

/// `12 ms`, `3.4 s`.
fn spoken(seconds: f64) -> String {
    match seconds {
        s if s < 1e-3 => format!("{:.0} µs", s * 1e6),
        s if s < 1.0 => format!("{:.1} ms", s * 1e3),
        s => format!("{s:.2} s"),
    }
}

/// Reads, answers and shows one input; false if the session is to end.
fn turn(repl: &RefCell<Repl>, input: &str) -> bool {
    let text = input.trim();
    if text.is_empty() {
        return true;
    }
    run::log(&format!("> {input}\n"));
    if let Some(file) = text.strip_prefix(":watch ") {
        watch::watch(&mut repl.borrow_mut(), Path::new(file.trim()));
        return true;
    }
    let timed = repl.borrow().timing || text.starts_with(":time ");
    let begin = Instant::now();
    let answer = repl.borrow_mut().answer(input);
    let took = begin.elapsed().as_secs_f64();
    let on = show(answer);
    if !text.starts_with([':', '?']) {
        repl.borrow().doubts(input).iter().for_each(Diagnostic::report);
    }
    if timed && on {
        output::print(&format!("took {}", spoken(took)));
    }
    on
}

/// The history's file, in the user's data folder.
fn history() -> Option<PathBuf> {
    let set = |name| std::env::var_os(name).filter(|v| !v.is_empty()).map(PathBuf::from);
    let data = set("XDG_DATA_HOME").or_else(|| set("HOME").map(|h| h.join(".local/share")))?.join("cs385");
    std::fs::create_dir_all(&data).ok()?;
    Some(data.join("history"))
}

/// Runs `script` if there is one, then what is typed.
pub fn main(script: Option<&Path>, options: &Options) -> ExitCode {
    match talk(script, options) {
        Ok(code) => code,
        Err(e) => {
            Diagnostic::plain(e).report();
            FAILED.into()
        }
    }
}

fn talk(script: Option<&Path>, options: &Options) -> Result<ExitCode> {
    let repl = Rc::new(RefCell::new(Repl::new()?));
    let record = [("versions".to_string(), versions())];
    options.begin(NAME, record.into_iter().collect())?;
    watch_interrupts()?;
    Limits::default().watch();
    if let Some(path) = script {
        if !path.is_file() {
            Diagnostic::plain(Error::new(format!("{}: no such file", path.display()))).report();
            return Ok(USAGE.into());
        }
        let answer = repl.borrow_mut().run_file(path);
        show(answer);
        if let Err(unknown) = params::all_known() {
            Diagnostic::plain(unknown).report();
        }
    }
    let broken = |e: ReadlineError| Error::new(format!("the line editor failed: {e}"));
    let config = Config::builder()
        .completion_type(CompletionType::List)
        .completion_show_all_if_ambiguous(true)
        .color_mode(if no_colour() { ColorMode::Disabled } else { ColorMode::Enabled });
    let config = config.max_history_size(REMEMBERED).map_err(broken)?.build();
    let mut editor: Editor<Assistant, FileHistory> = Editor::with_config(config).map_err(broken)?;
    editor.set_helper(Some(Assistant::new(repl.clone())));
    let history = history();
    if let Some(file) = &history {
        let _ = editor.load_history(file);
    }
    let version = env!("CARGO_PKG_VERSION");
    output::write(&format!(
        "cs385 {version}: ?name helps, :help lists commands, Tab completes, Ctrl-C stops, Ctrl-D leaves\n"
    ));
    interrupt::rest();
    loop {
        match editor.readline("> ") {
            Ok(line) => {
                // At once: a second Ctrl-C leaves without a farewell.
                if editor.add_history_entry(&line).is_ok_and(|new| new)
                    && let Some(file) = &history
                {
                    let _ = editor.append_history(file);
                }
                if !turn(&repl, &line) {
                    break;
                }
            }
            Err(ReadlineError::Interrupted) => {}
            Err(ReadlineError::Eof) => break,
            Err(e) => return Err(broken(e)),
        }
    }
    run::finish("ok")?;
    Ok(OK.into())
}

//! What a run may take: time and memory. A thread looks at both and asks the computation to stop, as Ctrl-C does:
//! training writes its state first. What does not stop in time is left.

use super::output;
use crate::core::{ffi, interrupt, memory};
use std::time::{Duration, Instant};

/// How often it is looked.
const PAUSE: Duration = Duration::from_millis(20);
/// How long a computation may take to stop when its time is over.
const GRACE: Duration = Duration::from_secs(20);
/// Without `--max-memory`, this share of the machine's memory: beyond it the system ends the process without a word.
const SHARE: f64 = 0.95;

/// Limits that the command line gives.
#[derive(clap::Args, Clone, Debug, Default)]
pub struct Limits {
    /// Stop after this time: 90s, 30min, 8h
    #[arg(long, value_name = "TIME", value_parser = duration)]
    pub max_time: Option<Duration>,
    /// Stop when the program holds more memory: 500MB, 12GB [default: nearly all there is]
    #[arg(long, value_name = "SIZE", value_parser = size)]
    pub max_memory: Option<u64>,
}

/// Reads `90s`, `30min`, `1.5h`, `2d`; a plain number is seconds.
fn duration(text: &str) -> Result<Duration, String> {
    let text = text.trim();
    let unit = text.find(|c: char| c.is_alphabetic()).unwrap_or(text.len());
    let scale = match text[unit..].trim() {
        "" | "s" => 1.0,
        "m" | "min" => 60.0,
        "h" => 3600.0,
        "d" => 86_400.0,
        _ => 0.0,
    };
    let seconds = text[..unit].trim().parse().unwrap_or(0.0) * scale;
    match Duration::try_from_secs_f64(seconds) {
        Ok(d) if !d.is_zero() => Ok(d),
        _ => Err("write it 90s, 30min, 8h or 2d".to_string()),
    }
}

fn size(text: &str) -> Result<u64, String> {
    memory::read(text).ok_or("write it 500MB or 12GB".to_string())
}

/// The machine's memory, in bytes; less where the process is in a group with a limit of its own.
fn machine() -> Option<u64> {
    let info = std::fs::read_to_string("/proc/meminfo").ok()?;
    let total = info.lines().find_map(|l| l.strip_prefix("MemTotal:"))?;
    let total = total.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()? * 1024;
    let group = std::fs::read_to_string("/sys/fs/cgroup/memory.max").ok();
    let group = group.and_then(|t| t.trim().parse::<u64>().ok());
    Some(group.map_or(total, |g| g.min(total)))
}

impl Limits {
    /// Watches whatever is computed from here on.
    pub fn watch(&self) {
        let begin = Instant::now();
        let (time, given) = (self.max_time, self.max_memory);
        let most = given.or_else(|| machine().map(|m| (m as f64 * SHARE) as u64));
        std::thread::spawn(move || {
            loop {
                std::thread::sleep(PAUSE);
                // At the prompt nothing is computed, and what variables hold is held.
                if interrupt::idle() || interrupt::pending() {
                    continue;
                }
                if let Some((most, held)) = most.and_then(|m| Some((m, memory::above(m)?))) {
                    let limit = match given {
                        Some(_) => format!("--max-memory {}", memory::words(most)),
                        None => format!("the machine's {}", memory::words((most as f64 / SHARE) as u64)),
                    };
                    stop(
                        &format!("the program holds {}, more than {limit}", memory::words(held)),
                        Some(most),
                    );
                } else if let Some(time) = time.filter(|t| begin.elapsed() > *t) {
                    stop(&format!("--max-time {} s is over", time.as_secs_f64()), None);
                }
            }
        });
    }
}

/// Asks the computation to stop, then waits for it. With `most`, a program that goes on growing is left at once.
fn stop(why: &str, most: Option<u64>) {
    // What grows must not wait for the end of a training step.
    interrupt::stop(why, most.is_some());
    let asked = Instant::now();
    // A computation may answer by ending early, and the script goes on: it is asked again.
    let goes_on = || interrupt::pending() && !interrupt::idle();
    while asked.elapsed() < GRACE && goes_on() {
        std::thread::sleep(PAUSE);
        let grown = most.is_some_and(|m| memory::held().is_some_and(|h| h as f64 > m as f64 * 1.02));
        if grown && asked.elapsed() > 10 * PAUSE {
            break;
        }
    }
    if goes_on() {
        output::say(&format!("error: {why}, and what is computed does not stop: the program ends"));
        ffi::leave(1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read() {
        let read = ["90", "90s", "30min", "1.5 h", "2d"].map(|t| duration(t).unwrap().as_secs());
        assert_eq!(read, [90, 90, 1800, 5400, 172_800]);
        for bad in ["", "s", "0", "-1s", "3 weeks", "nan", "1e300h"] {
            assert!(duration(bad).is_err(), "{bad}");
        }
        assert!(machine().unwrap() > 100_000_000);
    }
}

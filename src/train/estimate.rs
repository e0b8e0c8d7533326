//! What a long run will take, said once after its first steps: before the hours, not after them.

use crate::core::memory;
use std::time::{Duration, Instant};

/// Shorter runs are not announced.
const LONG: Duration = Duration::from_secs(60);
/// The first steps allocate and choose kernels: they are not measured.
const WARM_UP: usize = 5;

/// Watches the first steps.
#[derive(Default)]
pub struct Estimate {
    seen: usize,
    /// When the last step was over, or the epoch began.
    last: Option<Instant>,
    /// What the steps after the first ones took.
    spent: Duration,
    said: bool,
}

impl Estimate {
    /// An epoch begins: what was done since its last step, validation say, is no step.
    pub fn begin_epoch(&mut self) {
        self.last = Some(Instant::now());
    }

    /// To be called after every step, `left` of which follow in the whole run. Gives what to say when it is known.
    pub fn after_step(&mut self, left: usize) -> Option<String> {
        if self.said {
            return None;
        }
        self.seen += 1;
        let took = self.last.replace(Instant::now()).map_or(Duration::ZERO, |l| l.elapsed());
        let measured = self.seen.saturating_sub(WARM_UP);
        if measured > 0 {
            self.spent += took;
        }
        // Two seconds of at least three steps, so that one slow step does not frighten.
        if self.spent < Duration::from_secs(2) || measured < 3 {
            return None;
        }
        self.said = true;
        said(self.spent.div_f64(measured as f64), left, memory::peak())
    }
}

/// The sentence, if the run is long.
fn said(step: Duration, left: usize, memory: Option<u64>) -> Option<String> {
    let total = step.mul_f64(left as f64);
    let memory = memory.map(|b| format!("; {:.1} GB of memory so far", b as f64 / 1e9)).unwrap_or_default();
    (total >= LONG).then(|| {
        format!("about {} to go: {left} steps of {:.0} ms{memory}", spoken(total), step.as_secs_f64() * 1e3)
    })
}

/// `40 s`, `14 min`, `2 h 05 min`.
pub(super) fn spoken(d: Duration) -> String {
    match d.as_secs() {
        s @ ..100 => format!("{s} s"),
        s @ ..5970 => format!("{} min", (s + 30) / 60),
        s => format!("{} h {:02} min", (s + 30) / 3600, (s + 30) % 3600 / 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_runs_are_announced_and_short_ones_are_not() {
        let ms = Duration::from_millis;
        assert_eq!(said(ms(10), 5000, None), None);
        assert_eq!(
            said(ms(12), 75_000, Some(2_340_000_000)).unwrap(),
            "about 15 min to go: 75000 steps of 12 ms; 2.3 GB of memory so far"
        );
        assert_eq!(spoken(Duration::from_secs(7530)), "2 h 06 min");
        assert_eq!(spoken(Duration::from_secs(3599 * 2)), "2 h 00 min");
    }

    #[test]
    fn it_speaks_once_and_only_after_the_warm_up() {
        let mut e = Estimate::default();
        for _ in 0..WARM_UP + 2 {
            assert_eq!(e.after_step(1 << 30), None);
        }
        // An epoch ends, and its validation takes a while: no step.
        e.last = Some(Instant::now() - Duration::from_secs(30));
        e.begin_epoch();
        assert_eq!(e.after_step(1 << 30), None);
        e.last = Some(Instant::now() - Duration::from_secs(3));
        assert!(e.after_step(1 << 30).is_some());
        assert_eq!(e.after_step(1 << 30), None);
    }
}

//! The lines under a training run's bar: how each measure went, epoch by epoch, training beside validation.

use crate::core::number::short;

/// Columns of the measures that are drawn; the others stand in the epoch's line.
const HALVES: [&str; 2] = ["train", "val"];

/// What was measured so far.
#[derive(Default)]
pub struct Board {
    epoch: f64,
    /// Name of the measure, its values in training and in validation.
    measures: Vec<(String, [Vec<f64>; 2])>,
}

impl Board {
    /// Takes the row of an epoch in; an epoch that does not come after the last one begins another run.
    pub fn add(&mut self, row: &[(String, f64)]) {
        let epoch = row.iter().find(|(n, _)| n == "epoch").map_or(0.0, |(_, v)| *v);
        if epoch <= self.epoch {
            self.measures.clear();
        }
        self.epoch = epoch;
        for (column, value) in row {
            let Some((half, name)) = column.split_once('_') else { continue };
            let Some(half) = HALVES.iter().position(|h| *h == half) else { continue };
            let at = self.measures.iter().position(|(n, _)| n == name).unwrap_or_else(|| {
                self.measures.push((name.to_string(), Default::default()));
                self.measures.len() - 1
            });
            self.measures[at].1[half].push(*value);
        }
    }

    /// A line a measure, at most `width` wide.
    pub fn lines(&self, width: usize) -> Vec<String> {
        let names = self.measures.iter().map(|(n, _)| n.chars().count()).max().unwrap_or(0);
        // Beside the name each half takes its own, a number and some spaces.
        let room = width.saturating_sub(names + 36) / 2;
        let line = |(name, halves): &(String, [Vec<f64>; 2])| {
            let all: Vec<f64> = halves.iter().flatten().copied().filter(|v| v.is_finite()).collect();
            let low = all.iter().copied().fold(f64::INFINITY, f64::min);
            let high = all.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            let half = |(values, what): (&Vec<f64>, &str)| {
                let last = values.last()?;
                Some(format!("  {what} {} {}", bars(values, low, high, room.clamp(4, 40)), short(*last)))
            };
            let halves = halves.iter().zip(HALVES).filter_map(half).collect::<String>();
            let line = format!("  {name:<names$}{halves}");
            line.chars().take(width.saturating_sub(1)).collect()
        };
        self.measures.iter().map(line).collect()
    }
}

/// A bar a value between `low` and `high`; of more than `room` values the last of each equal share.
fn bars(values: &[f64], low: f64, high: f64, room: usize) -> String {
    const BARS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
    let n = values.len().min(room);
    let bar = |i: usize| {
        let v = values[(i + 1) * values.len() / n - 1];
        let at = if high > low { (v - low) / (high - low) } else { 0.0 };
        if v.is_finite() { BARS[(at * 7.0).round() as usize] } else { ' ' }
    };
    (0..n).map(bar).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(epoch: f64, loss: f64, val: f64) -> Vec<(String, f64)> {
        let all = [("epoch", epoch), ("train_loss", loss), ("val_loss", val), ("lr", 0.1), ("seconds", 3.0)];
        all.map(|(n, v)| (n.to_string(), v)).to_vec()
    }

    #[test]
    fn measures_are_drawn_on_one_scale() {
        let mut b = Board::default();
        assert!(b.lines(80).is_empty());
        for (epoch, loss) in [(1.0, 7.0), (2.0, 3.0), (3.0, 0.0)] {
            b.add(&row(epoch, loss, loss / 2.0));
        }
        assert_eq!(b.lines(80), ["  loss  train █▄▁ 0.0000  val ▅▃▁ 0.0000"]);
        assert_eq!(b.lines(20), ["  loss  train █▄▁ 0"], "never wider than the terminal");
        b.add(&row(1.0, f64::NAN, 1.0));
        assert_eq!(b.lines(80), ["  loss  train   NaN  val ▁ 1.0000"], "a new run");
    }

    #[test]
    fn long_runs_are_thinned() {
        let values: Vec<f64> = (0..100).map(f64::from).collect();
        let drawn = bars(&values, 0.0, 99.0, 10);
        assert_eq!((drawn.chars().count(), drawn.chars().last()), (10, Some('█')));
    }
}

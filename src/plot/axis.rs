//! Axes: their range, and ticks at round numbers.

use super::usable;
use crate::core::{Error, Result};

/// What an axis must show.
#[derive(Clone, Debug)]
pub(super) struct Scale {
    pub lo: f64,
    pub hi: f64,
    pub log: bool,
    /// Only whole numbers occur: no tick at 2.5 epochs.
    pub whole: bool,
    /// Names at 0, 1, 2 … instead of numbers.
    pub names: Vec<String>,
    /// Runs downwards.
    pub flipped: bool,
}

impl Scale {
    /// The range of `values`, widened by the share `pad` of it at both ends, or `given`. Values without
    /// a place are left out. Errors: nothing left, an empty or endless range.
    pub fn of(
        values: impl Iterator<Item = f64>,
        log: bool,
        given: Option<(f64, f64)>,
        pad: f64,
    ) -> Result<Self> {
        let (mut lo, mut hi, mut whole) = (f64::INFINITY, f64::NEG_INFINITY, true);
        for v in values.filter(|v| usable(*v, log)) {
            (lo, hi, whole) = (lo.min(v), hi.max(v), whole && v.fract() == 0.0);
        }
        let scale = |lo, hi, whole| Self { lo, hi, log, whole, names: vec![], flipped: false };
        if let Some((a, b)) = given {
            if !(a < b && usable(a, log) && usable(b, log) && (b - a).is_finite()) {
                let wanted = if log {
                    "two positive numbers, the lower first"
                } else {
                    "two numbers, the lower first"
                };
                return Err(Error::new(format!("the range of an axis is [{a}, {b}]; expected {wanted}")));
            }
            return Ok(scale(a, b, whole));
        }
        if lo > hi {
            return Err(Error::new("no value has a place on the axis"));
        }
        if !(hi - lo).is_finite() {
            return Err(Error::new(format!(
                "the values reach from {lo:e} to {hi:e}; that is too far for an axis"
            )));
        }
        if log {
            let (a, b) = (lo.log10(), hi.log10());
            let pad = if b - a < 1e-9 { 0.5 } else { (b - a) * pad };
            return Ok(scale(10f64.powf(a - pad), 10f64.powf(b + pad), whole));
        }
        if hi - lo <= 1e-12 * hi.abs().max(lo.abs()) {
            let pad = if whole && hi.abs() < 1e6 { 1.0 } else { hi.abs() * 0.1 };
            return Ok(scale(lo - pad, hi + pad, whole && hi.abs() < 1e6));
        }
        Ok(scale(lo - (hi - lo) * pad, hi + (hi - lo) * pad, whole))
    }

    /// An axis of names.
    pub fn names(names: Vec<String>, flipped: bool) -> Self {
        Self { lo: -0.5, hi: names.len() as f64 - 0.5, log: false, whole: true, names, flipped }
    }

    /// Where `v` lies: 0 at the start of the axis, 1 at its end.
    pub fn share(&self, v: f64) -> f64 {
        let s = if self.log {
            (v.log10() - self.lo.log10()) / (self.hi.log10() - self.lo.log10())
        } else {
            (v - self.lo) / (self.hi - self.lo)
        };
        (if self.flipped { 1.0 - s } else { s }).clamp(-1e4, 1e4)
    }

    /// Ticks at round numbers, about `target` of them.
    pub fn ticks(&self, target: usize) -> Ticks {
        if !self.names.is_empty() {
            let at = (0..self.names.len()).map(|i| i as f64).collect();
            return Ticks {
                at,
                labels: self.names.iter().map(|n| vec![n.clone()]).collect(),
                minor: vec![],
                exponent: None,
            };
        }
        if self.log { self.log_ticks(target) } else { self.linear_ticks(target) }
    }

    fn inside(&self, v: f64) -> bool {
        (-1e-9..=1.0 + 1e-9).contains(&self.share(v))
    }

    fn linear_ticks(&self, target: usize) -> Ticks {
        let step = round_step((self.hi - self.lo) / target.max(1) as f64, self.whole);
        let first = (self.lo / step - 1e-9).ceil();
        let at: Vec<f64> =
            (0..200).map(|k| (first + f64::from(k)) * step).take_while(|v| self.inside(*v)).collect();
        let max = at.iter().fold(0.0f64, |m, v| m.max(v.abs()));
        let exponent = if max >= 99_999.5 || (max > 0.0 && max < 1e-3) {
            Some(max.log10().floor() as i32)
        } else {
            None
        };
        let unit = 10f64.powi(exponent.unwrap_or(0));
        let digits = decimals(step / unit);
        let labels = at.iter().map(|v| vec![signed(&format!("{:.digits$}", v / unit))]).collect();
        Ticks { at, labels, minor: vec![], exponent }
    }

    fn log_ticks(&self, target: usize) -> Ticks {
        let (a, b) = (self.lo.log10().floor() as i32, self.hi.log10().ceil() as i32);
        let every = |steps: &[f64], gap: i32| -> Vec<f64> {
            let decades = (a..=b).filter(|e| e.rem_euclid(gap) == 0);
            decades
                .flat_map(|e| steps.iter().map(move |s| s * 10f64.powi(e)))
                .filter(|v| self.inside(*v))
                .collect()
        };
        let gap = ((b - a) as usize).div_ceil(target.max(1)).max(1) as i32;
        let mut at = every(&[1.0], gap);
        if at.len() < 3 && b - a <= 3 {
            at = every(&[1.0, 2.0, 5.0], 1);
        }
        if at.len() < 2 {
            let plain = Self { log: false, whole: false, ..self.clone() }.linear_ticks(target);
            return Ticks { minor: vec![], ..plain };
        }
        let minor = if b - a <= 8 { every(&[2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0], 1) } else { vec![] };
        let minor = minor.into_iter().filter(|v| !at.contains(v)).collect();
        let plain = at.iter().all(|v| (0.99e-3..=1.01e4).contains(v));
        let label = |v: &f64| if plain { format!("{}", (v * 1e6).round() / 1e6) } else { power(*v) };
        let labels = at.iter().map(|v| vec![label(v)]).collect();
        Ticks { at, labels, minor, exponent: None }
    }
}

/// Places and labels (in lines) of the ticks, places of the small ones, and the power of ten all
/// labels are multiplied by.
#[derive(Debug)]
pub(super) struct Ticks {
    pub at: Vec<f64>,
    pub labels: Vec<Vec<String>>,
    pub minor: Vec<f64>,
    pub exponent: Option<i32>,
}

/// The least of 1, 2, 2.5, 5 times a power of ten that is not below `raw`.
fn round_step(raw: f64, whole: bool) -> f64 {
    let unit = 10f64.powf(raw.log10().floor());
    let fits = |m: &&f64| **m * unit >= raw * (1.0 - 1e-9);
    if whole && raw <= 1.0 {
        return 1.0;
    }
    let steps: &[f64] = if whole && unit < 10.0 { &[1.0, 2.0, 5.0] } else { &[1.0, 2.0, 2.5, 5.0] };
    steps.iter().find(fits).copied().unwrap_or(10.0) * unit
}

/// How many decimals a multiple of `step` needs.
fn decimals(step: f64) -> usize {
    (0..12)
        .find(|d| {
            let v = step * 10f64.powi(*d);
            (v - v.round()).abs() < 1e-6 * v.max(1e-300) || v.round() >= 1e6
        })
        .unwrap_or(12) as usize
}

/// With a real minus sign, and no minus before zero.
pub(super) fn signed(text: &str) -> String {
    if text.trim_start_matches('-').chars().all(|c| matches!(c, '0' | '.')) {
        return text.trim_start_matches('-').to_string();
    }
    text.replace('-', "\u{2212}")
}

/// `10³`, `2×10⁻⁵`.
fn power(v: f64) -> String {
    let e = (v.log10() + 1e-9).floor() as i32;
    let m = (v / 10f64.powi(e)).round();
    let ten = ten_to(e);
    if m == 1.0 { ten } else { format!("{m}×{ten}") }
}

/// `10³`.
pub(super) fn ten_to(e: i32) -> String {
    let up = |c: char| match c {
        '-' => '⁻',
        '1' => '¹',
        '2' => '²',
        '3' => '³',
        c => c.to_digit(10).and_then(|d| char::from_u32(0x2070 + d)).unwrap_or(c),
    };
    format!("10{}", e.to_string().chars().map(up).collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(values: &[f64], log: bool, target: usize) -> String {
        let s = Scale::of(values.iter().copied(), log, None, 0.0).unwrap();
        s.ticks(target).labels.concat().join(" ")
    }

    #[test]
    fn ticks_are_round_and_labels_no_longer_than_needed() {
        assert_eq!(labels(&[0.0, 1.0], false, 5), "0 1");
        assert_eq!(labels(&[0.0, 0.97], false, 5), "0.0 0.2 0.4 0.6 0.8");
        assert_eq!(labels(&[1.0, 10.0], false, 9), "1 2 3 4 5 6 7 8 9 10");
        assert_eq!(labels(&[0.0, 80.0], false, 8), "0 10 20 30 40 50 60 70 80");
        assert_eq!(labels(&[-0.5, 0.52], false, 4), "\u{2212}0.5 0.0 0.5");
        assert_eq!(labels(&[0.1, 0.9], false, 3), "0.5");
        assert_eq!(labels(&[0.0, 2.5e6], false, 5), "0.0 0.5 1.0 1.5 2.0 2.5");
        assert_eq!(labels(&[0.01, 120.0], true, 6), "0.01 0.1 1 10 100");
        assert_eq!(labels(&[1e-8, 1e-4], true, 4), "10⁻⁸ 10⁻⁷ 10⁻⁶ 10⁻⁵ 10⁻⁴");
        assert_eq!(labels(&[0.2, 1.5], true, 6), "0.2 0.5 1");
        assert_eq!(labels(&[0.31, 0.44], true, 3), "0.35 0.40");
    }

    #[test]
    fn ranges_are_never_empty() {
        for v in [0.0, 3.0, -1e-9, 1e12] {
            let s = Scale::of([v, v].into_iter(), false, None, 0.05).unwrap();
            assert!(s.lo < v && v < s.hi && s.ticks(5).at.len() >= 2, "{s:?}");
        }
        assert!(Scale::of([f64::NAN].into_iter(), false, None, 0.0).is_err());
        assert!(Scale::of([-1.0].into_iter(), true, None, 0.0).is_err());
        assert!(
            Scale::of([-1e308, 1e308].into_iter(), false, None, 0.0).unwrap_err().msg.contains("too far")
        );
        assert!(
            Scale::of([1.0].into_iter(), false, Some((2.0, 1.0)), 0.0)
                .unwrap_err()
                .msg
                .contains("lower first")
        );
        assert!(
            Scale::of([1.0].into_iter(), true, Some((0.0, 1.0)), 0.0).unwrap_err().msg.contains("positive")
        );
    }

    #[test]
    fn magnitudes_keep_their_power_of_ten() {
        let t = Scale::of([0.0, 4e5].into_iter(), false, None, 0.0).unwrap().ticks(4);
        assert_eq!((t.exponent, t.labels.concat().join(" ")), (Some(5), "0 1 2 3 4".into()));
        assert_eq!(ten_to(-12), "10⁻¹²");
    }
}

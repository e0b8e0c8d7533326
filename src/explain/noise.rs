//! Normal noise for the methods that smooth: the caller's, or drawn from the run's seed. What is drawn for a plane
//! depends on its sample, picture and channel alone, not on how they are batched.

use crate::core::{Error, Result, seed};
use rand::RngCore;
use std::ops::Range;
use tch::Tensor;

/// Noise for `samples` looks at every picture.
pub struct Noise<'a> {
    /// How many looks.
    pub samples: i64,
    std: f64,
    stream: &'a str,
    given: Option<&'a Tensor>,
}

impl<'a> Noise<'a> {
    /// `given`, which broadcasts to [samples, N, C, H, W]; or drawn with the deviation `std`.
    ///
    /// # Errors
    /// No samples; noise of another rank.
    pub fn new(stream: &'a str, samples: i64, std: f64, given: Option<&'a Tensor>) -> Result<Self> {
        let samples = match given {
            Some(t) if t.dim() != 5 => {
                return Err(Error::new(format!(
                    "option `noise` is [samples, N, C, H, W], got {:?}",
                    t.size()
                )));
            }
            Some(t) => t.size()[0],
            None => samples,
        };
        match samples < 1 {
            true => Err(Error::new(format!("`samples` must be at least 1, got {samples}"))),
            false => Ok(Self { samples, std, stream, given }),
        }
    }

    /// The noise of the channels `of` of picture `i` in look `s`, [channels, H, W]; `like` is all of the look's
    /// numbers, [N, C, ..] by the size `full`.
    ///
    /// # Errors
    /// Noise that does not fit.
    pub fn planes(&self, s: i64, i: i64, of: Range<i64>, full: [i64; 4], like: &Tensor) -> Result<Tensor> {
        let [n, c, h, w] = full;
        if let Some(given) = self.given {
            let all = given.f_expand([self.samples, n, c, h, w], false).map_err(|_| {
                let shape = [self.samples, n, c, h, w];
                Error::new(format!("option `noise` {:?} does not broadcast to {shape:?}", given.size()))
            })?;
            let planes = all.f_select(0, s)?.f_select(0, i)?.f_narrow(0, of.start, of.end - of.start)?;
            return Ok(planes.f_type_as(like)?);
        }
        let mut numbers = Vec::with_capacity(((of.end - of.start) * h * w) as usize);
        for channel in of.clone() {
            let mut rng = seed::stream(self.stream, ((s as u64) << 42) | ((i as u64) << 21) | channel as u64);
            // Box and Muller; in (0, 1], so that the logarithm is finite.
            let mut unit = || (f64::from(rng.next_u32()) + 1.0) / 4294967296.0;
            numbers.extend((0..h * w).map(|_| {
                let (u, v) = (unit(), unit());
                (self.std * (-2.0 * u.ln()).sqrt() * (std::f64::consts::TAU * v).cos()) as f32
            }));
        }
        Ok(Tensor::f_from_slice(&numbers)?.f_view([of.end - of.start, h, w])?.f_type_as(like)?)
    }

    /// The caller's own.
    pub fn is_given(&self) -> bool {
        self.given.is_some()
    }

    /// The noise of look `s` for pictures `x`, [N, C, H, W].
    ///
    /// # Errors
    /// Noise that does not fit.
    pub fn like(&self, s: i64, x: &Tensor) -> Result<Tensor> {
        let (n, c, h, w) = x.size4()?;
        let each = (0..n).map(|i| self.planes(s, i, 0..c, [n, c, h, w], x));
        Ok(Tensor::f_stack(&each.collect::<Result<Vec<_>>>()?, 0)?)
    }
}

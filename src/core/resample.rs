//! Resizing as Pillow does it (and with it torchvision on pictures): a separable filter that is
//! widened when shrinking (antialias), fixed point of 22 bits, columns first, then rows.
//! Pillow, src/libImaging/Resample.c; the tests compare every byte.

use crate::core::raster::{Raster, check_size};
use crate::core::{Error, Result};

/// How pixels are weighted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Filter {
    /// The nearest pixel, no antialias.
    Nearest,
    /// Triangle.
    #[default]
    Bilinear,
    /// Cubic convolution with a = -0.5.
    Bicubic,
    /// Lanczos with 3 lobes.
    Lanczos,
}

impl Filter {
    /// The names [`Filter::parse`] knows.
    pub const NAMES: [&str; 4] = ["nearest", "bilinear", "bicubic", "lanczos"];

    /// The filter called `name`.
    pub fn parse(name: &str) -> Result<Self> {
        Ok(match name {
            "nearest" => Self::Nearest,
            "bilinear" => Self::Bilinear,
            "bicubic" => Self::Bicubic,
            "lanczos" => Self::Lanczos,
            _ => return Err(Error::unknown("filter", name, Self::NAMES)),
        })
    }

    fn support(self) -> f64 {
        match self {
            Self::Nearest => 0.5,
            Self::Bilinear => 1.0,
            Self::Bicubic => 2.0,
            Self::Lanczos => 3.0,
        }
    }

    fn weight(self, x: f64) -> f64 {
        let x = x.abs();
        let sinc = |x: f64| {
            if x == 0.0 { 1.0 } else { (x * std::f64::consts::PI).sin() / (x * std::f64::consts::PI) }
        };
        match self {
            Self::Nearest => 1.0,
            Self::Bilinear => (1.0 - x).max(0.0),
            Self::Bicubic if x < 1.0 => (1.5 * x - 2.5) * x * x + 1.0,
            Self::Bicubic if x < 2.0 => ((-0.5 * x + 2.5) * x - 4.0) * x + 2.0,
            Self::Lanczos if x < 3.0 => sinc(x) * sinc(x / 3.0),
            _ => 0.0,
        }
    }
}

const BITS: u32 = 32 - 8 - 2;

/// For each output place: the first input place and the weights from there on.
fn taps(from: usize, to: usize, filter: Filter) -> Vec<(usize, Vec<i32>)> {
    let scale = from as f64 / to as f64;
    let wide = scale.max(1.0);
    let support = filter.support() * wide;
    let place = |i: usize| {
        let centre = (i as f64 + 0.5) * scale;
        let first = (centre - support + 0.5).max(0.0) as usize;
        let last = ((centre + support + 0.5) as usize).min(from);
        let k: Vec<f64> = (first..last).map(|x| filter.weight((x as f64 - centre + 0.5) / wide)).collect();
        let sum: f64 = k.iter().sum();
        let fixed = |w: &f64| (w / sum * f64::from(1 << BITS) + 0.5f64.copysign(*w / sum)) as i32;
        (first, k.iter().map(fixed).collect())
    };
    (0..to).map(place).collect()
}

fn byte(sum: i32) -> u8 {
    (sum >> BITS).clamp(0, 255) as u8
}

fn columns(src: &Raster, width: usize, filter: Filter) -> Raster {
    let taps = taps(src.width, width, filter);
    let mut rgb = Vec::with_capacity(width * src.height * 3);
    for row in src.rgb.chunks_exact(src.width * 3) {
        for (first, k) in &taps {
            let mut s = [1 << (BITS - 1); 3];
            for (p, k) in row[first * 3..].chunks_exact(3).zip(k) {
                (0..3).for_each(|c| s[c] += i32::from(p[c]) * k);
            }
            rgb.extend(s.map(byte));
        }
    }
    Raster { width, height: src.height, rgb }
}

fn rows(src: &Raster, height: usize, filter: Filter) -> Raster {
    let line = src.width * 3;
    let mut rgb = Vec::with_capacity(line * height);
    let mut sum = vec![0i32; line];
    for (first, k) in taps(src.height, height, filter) {
        sum.fill(1 << (BITS - 1));
        for (row, k) in src.rgb[first * line..].chunks_exact(line).zip(k) {
            sum.iter_mut().zip(row).for_each(|(s, p)| *s += i32::from(*p) * k);
        }
        rgb.extend(sum.iter().map(|s| byte(*s)));
    }
    Raster { width: src.width, height, rgb }
}

/// `src` at `width` times `height` pixels.
pub fn resize(src: &Raster, width: usize, height: usize, filter: Filter) -> Result<Raster> {
    check_size(width, height)?;
    if filter == Filter::Nearest {
        let at = |i: usize, from: usize, to: usize| {
            (((i as f64 + 0.5) * (from as f64 / to as f64)) as usize).min(from - 1)
        };
        let xs: Vec<usize> = (0..width).map(|x| at(x, src.width, width)).collect();
        return Ok(src.remap(width, height, |x, y| (xs[x], at(y, src.height, height))));
    }
    let narrow = if width == src.width { None } else { Some(columns(src, width, filter)) };
    let narrow = narrow.as_ref().unwrap_or(src);
    Ok(if height == src.height { narrow.clone() } else { rows(narrow, height, filter) })
}

impl crate::core::value::FromValue for Filter {
    const TYPE: &'static str = "name of a filter";
    fn from_value(v: &crate::core::Value) -> Result<Self> {
        Self::parse(&String::from_value(v)?)
    }
}

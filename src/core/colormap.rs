//! Colour maps: from a number in 0..1 to a colour.

use crate::core::raster::Rgb;
use crate::core::{Error, Result};

/// A colour map. `rdbu` runs from blue over white to red when `reversed`, as matplotlib's `RdBu_r`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Colormap {
    /// Which map.
    pub name: Name,
    /// Whether it runs from its last colour to its first.
    pub reversed: bool,
}

/// The maps. `jet` is OpenCV's, as CAM papers show it; the others are matplotlib's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Name {
    /// Blue, cyan, yellow, red.
    Jet,
    /// Violet, green, yellow; even to the eye.
    Viridis,
    /// Black, violet, orange, cream; even to the eye.
    Magma,
    /// Black to white.
    Gray,
    /// Blue, light grey, red.
    Coolwarm,
    /// Red, white, blue.
    RdBu,
}

const ALL: [(&str, Name); 6] = [
    ("jet", Name::Jet),
    ("viridis", Name::Viridis),
    ("magma", Name::Magma),
    ("gray", Name::Gray),
    ("coolwarm", Name::Coolwarm),
    ("rdbu", Name::RdBu),
];

impl Default for Colormap {
    fn default() -> Self {
        Self::JET
    }
}

impl Colormap {
    /// OpenCV's jet: the look of published CAMs.
    pub const JET: Self = Self { name: Name::Jet, reversed: false };
    /// Blue, grey, red: for signed maps.
    pub const COOLWARM: Self = Self { name: Name::Coolwarm, reversed: false };
    /// Black to white.
    pub const GRAY: Self = Self { name: Name::Gray, reversed: false };

    /// The map called `text`; `_r` at its end turns it round.
    pub fn parse(text: &str) -> Result<Self> {
        let lower = text.to_lowercase();
        let (base, reversed) = lower.strip_suffix("_r").map_or((lower.as_str(), false), |b| (b, true));
        let base = if base == "grey" { "gray" } else { base };
        match ALL.iter().find(|(n, _)| *n == base) {
            Some((_, name)) => Ok(Self { name: *name, reversed }),
            None => Err(Error::unknown("colour map", text, ALL.iter().map(|(n, _)| *n))
                .hint(format!("valid: {}; `_r` at the end turns one round", ALL.map(|(n, _)| n).join(", ")))),
        }
    }

    /// Whether its middle is neutral, so that it suits values of both signs.
    pub fn is_diverging(self) -> bool {
        matches!(self.name, Name::Coolwarm | Name::RdBu)
    }

    /// Its 256 colours.
    pub fn table(self) -> Vec<Rgb> {
        (0..256).map(|i| self.name.colour(if self.reversed { 255 - i } else { i })).collect()
    }

    /// The colour of `v` in 0..1; outside, the nearest end.
    pub fn at(self, v: f64) -> Rgb {
        let i = (v.clamp(0.0, 1.0) * 255.0).round() as usize;
        self.name.colour(if self.reversed { 255 - i } else { i })
    }
}

impl Name {
    fn colour(self, i: usize) -> Rgb {
        match self {
            Self::Gray => [i as u8; 3],
            Self::Jet => {
                let x = 4 * i as i32;
                [383 - (x - 765).abs(), 382 - (x - 510).abs(), 383 - (x - 255).abs()]
                    .map(|v| v.clamp(0, 255) as u8)
            }
            Self::Viridis => between(&VIRIDIS, i),
            Self::Magma => between(&MAGMA, i),
            Self::Coolwarm => between(&COOLWARM, i),
            Self::RdBu => between(&RDBU, i),
        }
    }
}

/// Linear interpolation of equally spaced anchors, `i` in 0..=255.
fn between(anchors: &[u32], i: usize) -> Rgb {
    let at = i as f64 / 255.0 * (anchors.len() - 1) as f64;
    let k = (at as usize).min(anchors.len() - 2);
    let f = at - k as f64;
    [16, 8, 0].map(|s| {
        let c = |n: usize| f64::from(anchors[n] >> s & 255);
        (c(k) + (c(k + 1) - c(k)) * f).round() as u8
    })
}

// Printed by tests/fixtures/image/make_oracles.py --anchors. viridis and magma: S. van der Walt and
// N. Smith, CC0; coolwarm: K. Moreland, "Diverging Color Maps for Scientific Visualization", 2009;
// RdBu: C. Brewer, ColorBrewer 2.0.
const VIRIDIS: [u32; 33] = [
    0x440154, 0x470d60, 0x48186a, 0x482374, 0x472d7b, 0x453681, 0x424086, 0x3f4989, 0x3b528b, 0x375a8d,
    0x33638d, 0x2f6a8e, 0x2c728e, 0x297a8e, 0x26818e, 0x23898e, 0x21908c, 0x1f988b, 0x1f9f88, 0x21a685,
    0x28ae80, 0x31b57b, 0x3ebc74, 0x4cc26c, 0x5dc963, 0x6ece58, 0x82d34c, 0x96d83f, 0xabdc32, 0xc0df24,
    0xd5e21a, 0xeae51a, 0xfde725,
];
const MAGMA: [u32; 33] = [
    0x000004, 0x030311, 0x0a0822, 0x130d33, 0x1d1146, 0x28115a, 0x36106a, 0x430f76, 0x50127c, 0x5d177f,
    0x691c81, 0x762181, 0x822681, 0x8f2a81, 0x9c2e7f, 0xa9327d, 0xb63779, 0xc33b75, 0xcf4170, 0xdb486a,
    0xe65163, 0xee5c5e, 0xf5695c, 0xf9785d, 0xfb8761, 0xfd9668, 0xfea571, 0xfeb47b, 0xfec387, 0xfed194,
    0xfde0a2, 0xfceeb0, 0xfcfdbf,
];
const COOLWARM: [u32; 33] = [
    0x3b4cc0, 0x445acc, 0x4d68d7, 0x5775e1, 0x6282ea, 0x6c8ef1, 0x779af7, 0x82a5fb, 0x8db0fe, 0x98b9ff,
    0xa3c2fe, 0xaec9fc, 0xb8d0f9, 0xc2d5f4, 0xccd9ee, 0xd5dbe6, 0xdddddd, 0xe5d8d1, 0xecd3c5, 0xf1ccb9,
    0xf4c4ad, 0xf7bba0, 0xf7b194, 0xf7a687, 0xf49a7b, 0xf18d6f, 0xec7f63, 0xe57058, 0xde604d, 0xd55042,
    0xcb3e38, 0xc0282f, 0xb40426,
];
const RDBU: [u32; 11] = [
    0x67001f, 0xb2182b, 0xd6604d, 0xf4a582, 0xfddbc7, 0xf7f7f7, 0xd1e5f0, 0x92c5de, 0x4393c3, 0x2166ac,
    0x053061,
];

impl crate::core::value::FromValue for Colormap {
    const TYPE: &'static str = "name of a colour map";
    fn from_value(v: &crate::core::Value) -> Result<Self> {
        Self::parse(&String::from_value(v)?)
    }
}

//! Colours by name, and the colours of series.

use crate::core::raster::Rgb;
use crate::core::value::{FromValue, mismatch};
use crate::core::{Error, Result, Value};

const NAMED: [(&str, Rgb); 14] = [
    ("black", [0, 0, 0]),
    ("white", [255, 255, 255]),
    ("gray", [128, 128, 128]),
    ("lightgray", [211, 211, 211]),
    ("darkgray", [80, 80, 80]),
    ("red", [220, 38, 38]),
    ("green", [0, 140, 70]),
    ("blue", [0, 114, 178]),
    ("orange", [230, 159, 0]),
    ("yellow", [240, 228, 66]),
    ("purple", [148, 80, 170]),
    ("cyan", [0, 190, 200]),
    ("magenta", [204, 60, 160]),
    ("lime", [60, 230, 60]),
];

/// The colour called `text`: a name, `#rgb` or `#rrggbb`.
pub fn parse(text: &str) -> Result<Rgb> {
    if let Some((_, c)) = NAMED.iter().find(|(n, _)| n.eq_ignore_ascii_case(text)) {
        return Ok(*c);
    }
    let wrong = || Error::unknown("colour", text, NAMED.iter().map(|(n, _)| *n).chain(["#rrggbb"]));
    let hex = text.strip_prefix('#').ok_or_else(wrong)?;
    if !hex.bytes().all(|b| b.is_ascii_hexdigit()) {
        return Err(wrong());
    }
    let v = u32::from_str_radix(hex, 16).map_err(|_| wrong())?;
    match hex.len() {
        6 => Ok([(v >> 16) as u8, (v >> 8) as u8, v as u8]),
        3 => Ok([(v >> 8) as u8, (v >> 4) as u8, v as u8].map(|c| (c & 15) * 17)),
        _ => Err(wrong()),
    }
}

/// Okabe and Ito's colours, distinct for colour-blind readers too, in the order in which they stand
/// out best on white; their yellow is left out, which does not.
pub const OKABE_ITO: [Rgb; 7] =
    [[0, 114, 178], [213, 94, 0], [0, 158, 115], [204, 121, 167], [230, 159, 0], [86, 180, 233], [0, 0, 0]];

/// Tableau's ten colours, for eight to ten groups.
const TEN: [Rgb; 10] = [
    [31, 119, 180],
    [255, 127, 14],
    [44, 160, 44],
    [214, 39, 40],
    [148, 103, 189],
    [140, 86, 75],
    [227, 119, 194],
    [110, 110, 110],
    [188, 189, 34],
    [23, 190, 207],
];

/// `n` distinct colours: Okabe and Ito's as long as they last, then Tableau's ten, else hues around the OKLCH circle in
/// two lightnesses (B. Ottosson, "A perceptual color space for image processing", 2020).
pub fn palette(n: usize) -> Vec<Rgb> {
    if n <= OKABE_ITO.len() {
        return OKABE_ITO[..n].to_vec();
    }
    if n <= TEN.len() {
        return TEN[..n].to_vec();
    }
    let one = |i: usize| {
        let hue = i as f64 / n as f64 * std::f64::consts::TAU + 0.4;
        let (light, chroma) = [(0.62, 0.16), (0.45, 0.13), (0.76, 0.12)][i % 3];
        oklch(light, chroma, hue)
    };
    (0..n).map(one).collect()
}

fn oklch(l: f64, c: f64, h: f64) -> Rgb {
    let (a, b) = (c * h.cos(), c * h.sin());
    let cone = |x: f64| x * x * x;
    let [l, m, s] = [
        cone(l + 0.396_337_777_4 * a + 0.215_803_757_3 * b),
        cone(l - 0.105_561_345_8 * a - 0.063_854_172_8 * b),
        cone(l - 0.089_484_177_5 * a - 1.291_485_548_0 * b),
    ];
    let linear = [
        4.076_741_662_1 * l - 3.307_711_591_3 * m + 0.230_969_929_2 * s,
        -1.268_438_004_6 * l + 2.609_757_401_1 * m - 0.341_319_396_5 * s,
        -0.004_196_086_3 * l - 0.703_418_614_7 * m + 1.707_614_701_0 * s,
    ];
    linear.map(|v| {
        let v = v.clamp(0.0, 1.0);
        let v = if v <= 0.003_130_8 { 12.92 * v } else { 1.055 * v.powf(1.0 / 2.4) - 0.055 };
        (v * 255.0).round() as u8
    })
}

/// Whether dark text reads better on `background` (ITU-R BT.601 luma).
pub fn is_light(background: Rgb) -> bool {
    let [r, g, b] = background.map(f32::from);
    0.299 * r + 0.587 * g + 0.114 * b > 140.0
}

/// A colour as scripts write it: a name, `#rrggbb`, or `[red, green, blue]` in 0..255.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Colour(pub Rgb);

impl FromValue for Colour {
    const TYPE: &'static str = "colour";
    fn from_value(v: &Value) -> Result<Self> {
        match v {
            Value::Str(s) => parse(s).map(Colour),
            Value::List(_) => {
                let rgb = <[i64; 3]>::from_value(v)?;
                match rgb.map(u8::try_from) {
                    [Ok(r), Ok(g), Ok(b)] => Ok(Colour([r, g, b])),
                    _ => Err(Error::new(format!("a colour is [red, green, blue] in 0..255, got {rgb:?}"))),
                }
            }
            _ => mismatch("colour name or [red, green, blue]", v),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_parse() {
        assert_eq!(parse("#0a141e").unwrap(), [10, 20, 30]);
        assert_eq!(parse("#f08").unwrap(), [255, 0, 136]);
        assert_eq!(parse("White").unwrap(), [255; 3]);
        assert!(parse("rad").unwrap_err().msg.contains("did you mean `red`"));
        assert!(parse("#12").is_err() && parse("#+12345").is_err() && parse("").is_err());
    }

    #[test]
    fn palettes_have_no_twins() {
        for n in [3, 7, 8, 10, 24, 120] {
            let mut p = palette(n);
            p.sort_unstable();
            p.dedup();
            assert_eq!(p.len(), n);
        }
        // OKLCH of sRGB red, from the definition
        let red = oklch(0.627_955, 0.257_683, 29.2339_f64.to_radians());
        assert!(red[0] >= 254 && red[1] <= 1 && red[2] <= 1, "{red:?}");
    }
}

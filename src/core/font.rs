//! Text on a picture, in DejaVu Sans, which is bundled: figures are equal on every machine.

use std::sync::OnceLock;

use ab_glyph::{Font, FontRef, Glyph, PxScale, ScaleFont, point};

use crate::core::raster::{Raster, Rgb};

/// Height of a capital or digit over the baseline, in units of the size.
pub const CAP: f64 = 0.729;
/// From one baseline to the next, in units of the size.
pub const LEADING: f64 = 1.25;

/// How text looks; `size` in pixels (of the em, as in matplotlib at 72 dpi).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Style {
    /// Size of the em in pixels.
    pub size: f64,
    /// Colour.
    pub colour: Rgb,
    /// Whether bold.
    pub bold: bool,
}

impl Style {
    /// Regular text.
    pub fn new(size: f64, colour: Rgb) -> Self {
        Self { size, colour, bold: false }
    }

    /// The same in bold.
    pub fn bold(self) -> Self {
        Self { bold: true, ..self }
    }
}

/// Which point of the line is given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Align {
    /// The start of the line.
    Left,
    /// Its middle.
    Centre,
    /// Its end.
    Right,
}

#[expect(clippy::expect_used, reason = "the font is part of the program, and a test opens it")]
fn face(bold: bool) -> &'static FontRef<'static> {
    static FACES: OnceLock<[FontRef<'static>; 2]> = OnceLock::new();
    let load = |bytes| FontRef::try_from_slice(bytes).expect("the bundled font is whole");
    &FACES.get_or_init(|| [load(dejavu::sans::regular()), load(dejavu::sans::bold())])[usize::from(bold)]
}

/// The glyphs of `text` along a baseline from (0, 0), and the width.
fn set(text: &str, style: &Style) -> (Vec<Glyph>, f64) {
    let font = face(style.bold);
    // ab_glyph's scale is the height from descent to ascent; `size` is the em.
    let em = f64::from(font.units_per_em().unwrap_or(2048.0));
    let scale = PxScale::from((style.size * f64::from(font.height_unscaled()) / em) as f32);
    let scaled = font.as_scaled(scale);
    let (mut glyphs, mut x, mut last) = (Vec::new(), 0.0f32, None);
    for c in text.chars().map(|c| if c.is_control() { ' ' } else { c }) {
        let id = scaled.glyph_id(c);
        x += last.map_or(0.0, |l| scaled.kern(l, id));
        glyphs.push(id.with_scale_and_position(scale, point(x, 0.0)));
        x += scaled.h_advance(id);
        last = Some(id);
    }
    (glyphs, f64::from(x))
}

/// The width of one line in pixels.
pub fn width(text: &str, style: &Style) -> f64 {
    set(text, style).1
}

/// Draws one line, `y` being its baseline; `x` its left end, centre or right end.
pub fn draw(raster: &mut Raster, x: f64, y: f64, text: &str, style: &Style, align: Align) {
    cover(text, style, align, (x, y.round()), |cx, cy, a| raster.blend(cx, cy, style.colour, a));
}

/// Draws one line reading upwards: `x` is its baseline, `y` its lower end, centre or upper end.
pub fn draw_up(raster: &mut Raster, x: f64, y: f64, text: &str, style: &Style, align: Align) {
    let (bx, by) = (x.round().clamp(-1e9, 1e9) as i64, y.round().clamp(-1e9, 1e9) as i64);
    cover(text, style, align, (0.0, 0.0), |cx, cy, a| raster.blend(bx + cy, by - 1 - cx, style.colour, a));
}

fn cover(text: &str, style: &Style, align: Align, at: (f64, f64), mut put: impl FnMut(i64, i64, f32)) {
    // Far outside every picture; the rasteriser needs coordinates that f32 resolves.
    if !(at.0.abs() < 1e6 && at.1.abs() < 1e6) {
        return;
    }
    let (glyphs, width) = set(text, style);
    let left = match align {
        Align::Left => at.0,
        Align::Centre => at.0 - width / 2.0,
        Align::Right => at.0 - width,
    };
    for mut glyph in glyphs {
        glyph.position.x += left as f32;
        glyph.position.y += at.1 as f32;
        if let Some(outline) = face(style.bold).outline_glyph(glyph) {
            let min = outline.px_bounds().min;
            outline.draw(|x, y, a| put(min.x as i64 + i64::from(x), min.y as i64 + i64::from(y), a.min(1.0)));
        }
    }
}

/// `text`, cut and ended with an ellipsis if it is wider than `max` pixels.
pub fn ellipsis(text: &str, style: &Style, max: f64) -> String {
    if width(text, style) <= max {
        return text.to_string();
    }
    let chars: Vec<char> = text.chars().collect();
    let cut = |n: usize| format!("{}…", chars[..n].iter().collect::<String>().trim_end());
    (1..chars.len())
        .rev()
        .map(cut)
        .find(|t| width(t, style) <= max)
        .unwrap_or_else(|| cut(chars.len().min(1)))
}

/// `text` in lines of at most `max` pixels, broken at spaces, in a word that is longer after `_`, `-` or
/// `/`, in a part that is longer anywhere; at most `lines` lines, the last one ending with an ellipsis if
/// text is left. A number keeps its `%`.
pub fn wrap(text: &str, style: &Style, max: f64, lines: usize) -> Vec<String> {
    let fits = |t: &str| width(t.trim(), style) <= max;
    let parts = |word: &'_ str| -> Vec<String> {
        if fits(word) {
            return vec![word.to_string()];
        }
        let split = word.split_inclusive(['_', '-', '/']);
        split
            .flat_map(|p| if fits(p) { vec![p.to_string()] } else { p.chars().map(String::from).collect() })
            .collect()
    };
    let mut out: Vec<String> = Vec::new();
    for paragraph in text.split('\n') {
        let mut line = String::new();
        let mut words: Vec<String> = Vec::new();
        for word in paragraph.split_inclusive(' ') {
            match words.last_mut() {
                Some(number) if word.starts_with('%') => *number += word,
                _ => words.push(word.to_string()),
            }
        }
        for part in words.iter().flat_map(|w| parts(w)) {
            if !line.trim().is_empty() && !fits(&format!("{line}{part}")) {
                out.push(std::mem::take(&mut line));
            }
            line += &part;
        }
        out.push(line);
    }
    let mut out: Vec<String> = out.into_iter().map(|l| l.trim().to_string()).collect();
    if out.len() > lines.max(1) {
        let rest = out[lines.max(1) - 1..].join(" ");
        out.truncate(lines.max(1) - 1);
        out.push(ellipsis(&rest, style, max));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    const S: Style = Style { size: 20.0, colour: [0; 3], bold: false };

    #[test]
    fn metrics_are_those_of_the_font() {
        // DejaVu Sans advances, in 1/2048 em: digits 1303, H 1540, i 569.
        let near = |text: &str, units: f64| (width(text, &S) - units / 2048.0 * 20.0).abs() < 0.01;
        assert!(near("0", 1303.0) && near("Hi", 1540.0 + 569.0), "{} {}", width("0", &S), width("Hi", &S));
        assert!(width("wide", &S.bold()) > width("wide", &S));
    }

    #[test]
    fn digits_stand_on_the_baseline_and_are_cap_high() {
        let mut r = Raster::new(40, 40, [255; 3]).unwrap();
        draw(&mut r, 20.0, 30.0, "1", &S, Align::Centre);
        let dark: Vec<usize> = (0..40).filter(|y| (0..40).any(|x| r.get(x, *y)[0] < 128)).collect();
        assert_eq!((dark[0], dark[dark.len() - 1]), ((30.0 - CAP * 20.0).round() as usize, 29));
        let mut up = Raster::new(40, 40, [255; 3]).unwrap();
        draw_up(&mut up, 30.0, 20.0, "1", &S, Align::Centre);
        let cols: Vec<usize> = (0..40).filter(|x| (0..40).any(|y| up.get(*x, y)[0] < 128)).collect();
        assert_eq!(cols, dark);
    }

    #[test]
    fn wrapping_keeps_the_width_and_loses_nothing_silently() {
        let text = "Yorkshire_terrier with a veryveryverylongunbreakablename at the end";
        let lines = wrap(text, &S, 110.0, 99);
        assert!(lines.iter().all(|l| width(l, &S) <= 110.0), "{lines:?}");
        let plain = |s: &str| s.replace(' ', "");
        assert_eq!(plain(&lines.concat()), plain(text));
        let short = wrap(text, &S, 110.0, 2);
        assert!(short.len() == 2 && short[1].ends_with('…') && width(&short[1], &S) <= 110.0, "{short:?}");
        assert_eq!(wrap("a\nb", &S, 110.0, 5), ["a", "b"]);
        assert_eq!(wrap("bulldog (100 %) or", &S, width("bulldog (100 ", &S), 5), ["bulldog", "(100 %) or"]);
        assert_eq!(wrap("ab", &S, 1.0, 1), ["a…"]);
    }
}

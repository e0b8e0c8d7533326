//! The legend of a grid: colours and what they mean, in lines below it.

use crate::core::canvas::Canvas;
use crate::core::font::{self, Align, CAP, LEADING, Style};
use crate::core::raster::{Rect, Rgb};

/// Entries in lines, each with its place from the left.
pub(super) struct Key {
    lines: Vec<Vec<(f64, Rgb, String)>>,
    widths: Vec<f64>,
    size: f64,
}

impl Key {
    /// As many entries a line as find room in `width` pixels; a longer one is cut.
    pub fn new(entries: &[(Rgb, String)], style: &Style, width: f64) -> Self {
        let (swatch, gap) = (style.size * 1.4, style.size * 1.6);
        let (mut lines, mut widths) = (Vec::<Vec<_>>::new(), Vec::<f64>::new());
        for (colour, text) in entries {
            let text = font::ellipsis(text, style, width - swatch);
            let need = swatch + font::width(&text, style);
            match (lines.last_mut(), widths.last_mut()) {
                (Some(line), Some(used)) if *used + gap + need <= width => {
                    line.push((*used + gap, *colour, text));
                    *used += gap + need;
                }
                _ => {
                    lines.push(vec![(0.0, *colour, text)]);
                    widths.push(need);
                }
            }
        }
        Self { lines, widths, size: style.size }
    }

    /// Height in pixels, with the space above.
    pub fn height(&self) -> usize {
        let lines = self.lines.len() as f64;
        if self.lines.is_empty() { 0 } else { (self.size * (0.9 + lines * LEADING * 1.1)).ceil() as usize }
    }

    /// Draws it from `top` on, as one block in the middle of a figure of `width` pixels.
    pub fn draw(&self, out: &mut Canvas, top: f64, width: f64, style: &Style) {
        let left = (width - self.widths.iter().copied().fold(0.0, f64::max)) / 2.0;
        let side = (self.size * 0.95).round();
        for (i, line) in self.lines.iter().enumerate() {
            let base = top + self.size * (0.9 + 0.9 + i as f64 * LEADING * 1.1);
            for (x, colour, text) in line {
                let y = base - (self.size * CAP + side) / 2.0;
                let at = Rect::new((left + x).round() as i64, y.round() as i64, side as usize, side as usize);
                out.fill(at, *colour);
                out.text(left + x + self.size * 1.4, base, text, style, Align::Left);
            }
        }
    }
}

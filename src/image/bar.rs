//! The colour bar of a figure.

use super::color_bar;
use crate::core::Result;
use crate::core::canvas::Canvas;
use crate::core::colormap::Colormap;
use crate::core::font::{self, Align, CAP, Style};
use crate::core::raster::Rect;

/// A colour bar beside a grid: the map, the values at its ends and what they are.
#[derive(Clone, Debug)]
pub struct ColorBar {
    /// Colours of the values.
    pub colormap: Colormap,
    /// Value at the lower end.
    pub lo: f64,
    /// Value at the upper end.
    pub hi: f64,
    /// What the values are.
    pub label: String,
}

/// The colour bar: space before it, the bar, three numbers, the label upright.
pub(super) struct Bar<'a> {
    spec: &'a ColorBar,
    thick: usize,
    ticks: [String; 3],
    pub width: usize,
}

impl<'a> Bar<'a> {
    pub fn new(spec: &'a ColorBar, text: &Style, cell: (usize, usize)) -> Self {
        let thick = (cell.0 / 14).clamp(8, 28);
        let ticks = [spec.lo, f64::midpoint(spec.lo, spec.hi), spec.hi].map(|v| number(v, spec.hi - spec.lo));
        let numbers = ticks.iter().map(|t| font::width(t, text)).fold(0.0, f64::max);
        let label = if spec.label.is_empty() { 0.0 } else { text.size * 1.4 };
        let width = (text.size * 1.4 + numbers + label).ceil() as usize + thick;
        Self { spec, thick, ticks, width }
    }

    pub fn draw(
        &self,
        out: &mut Canvas,
        right: usize,
        top: usize,
        bottom: usize,
        text: &Style,
    ) -> Result<()> {
        let x = right + text.size as usize;
        let bar = color_bar(self.thick, bottom - top, self.spec.colormap)?;
        out.paste(&bar.into(), x as i64, top as i64, 1)?;
        out.frame(Rect::new(x as i64, top as i64, self.thick, bottom - top), [110; 3], 1);
        let numbers = x as f64 + self.thick as f64 + text.size * 0.4;
        let high = text.size * CAP;
        let (top, bottom) = (top as f64, bottom as f64);
        for (tick, base) in self.ticks.iter().zip([bottom, (top + bottom + high) / 2.0, top + high]) {
            out.text(numbers, base, tick, text, Align::Left);
        }
        if !self.spec.label.is_empty() {
            let x = right as f64 + self.width as f64 - text.size * 0.2;
            let label = font::ellipsis(&self.spec.label, text, bottom - top);
            out.text_up(x, f64::midpoint(top, bottom), &label, text, Align::Centre);
        }
        Ok(())
    }
}

/// A number with as many digits as a range of `span` needs; with a real minus sign.
pub(super) fn number(v: f64, span: f64) -> String {
    let span = span.abs();
    let text = if !(1e-3..1e5).contains(&span) {
        format!("{v:.1e}")
    } else {
        let digits = (2.0 - span.log10().floor()).clamp(0.0, 5.0) as usize;
        let t = format!("{v:.digits$}");
        if t.contains('.') { t.trim_end_matches('0').trim_end_matches('.').to_string() } else { t }
    };
    if text.trim_start_matches('-').chars().all(|c| c == '0' || c == '.') {
        "0".into()
    } else {
        text.replace('-', "\u{2212}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_well() {
        assert_eq!(
            [number(0.5, 1.0), number(-0.25, 1.0), number(120.0, 240.0), number(-0.0, 1.0)],
            ["0.5", "\u{2212}0.25", "120", "0"]
        );
    }
}

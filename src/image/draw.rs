//! Drawing on a picture: each call makes a new one.

use super::Picture;
use crate::core::canvas::Canvas;
use crate::core::font::{self, Align, CAP, Style};
use crate::core::raster::{Rect, Rgb};

impl Picture {
    /// A box of `width` times `height` pixels at (`x`, `y`), its border `line` pixels wide, inwards.
    /// What lies outside the picture is not drawn.
    pub fn draw_box(&self, x: i64, y: i64, width: usize, height: usize, colour: Rgb, line: usize) -> Self {
        let mut out = Canvas::over(&self.figure);
        out.frame(Rect::new(x, y, width, height), colour, line);
        self.with(out)
    }

    /// Text with its top left corner at (`x`, `y`), `size` pixels high (em), one line for each `\n`.
    pub fn draw_text(&self, x: i64, y: i64, text: &str, size: f64, colour: Rgb) -> Self {
        let style = Style::new(size.clamp(1.0, 1000.0), colour);
        let mut out = Canvas::over(&self.figure);
        for (i, line) in text.split('\n').enumerate() {
            let baseline = y as f64 + CAP * style.size + i as f64 * font::LEADING * style.size;
            out.text(x as f64, baseline, line, &style, Align::Left);
        }
        self.with(out)
    }

    /// A mask `[H, W]` (true = inside) laid over the picture with opacity `alpha`. Row-major, as long as the picture has pixels.
    pub fn tint(&self, mask: &[bool], colour: Rgb, alpha: f64) -> Self {
        let mut out = self.raster().clone();
        for i in mask.iter().enumerate().filter(|(_, m)| **m).map(|(i, _)| i) {
            out.blend(
                (i % self.width()) as i64,
                (i / self.width()) as i64,
                colour,
                alpha.clamp(0.0, 1.0) as f32,
            );
        }
        self.with(out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn boxes_and_text_stay_inside_and_leave_the_original() {
        let p = Picture::filled(20, 20, [255; 3]).unwrap();
        let b = p.draw_box(15, 15, 10, 10, [255, 0, 0], 2);
        assert_eq!((b.pixel(15, 19).unwrap(), b.pixel(17, 17).unwrap()), ([255, 0, 0], [255; 3]));
        let t = p.draw_text(2, 3, "I", 12.0, [0; 3]);
        let dark: Vec<usize> =
            (0..400).filter(|i| t.pixel(i % 20, i / 20).unwrap()[0] < 100).map(|i| i / 20).collect();
        assert_eq!((dark[0], dark[dark.len() - 1]), (3, 11));
        assert!(p.pixel(15, 19).unwrap() == [255; 3]);
        let m = p.tint(&[true, false, true], [0; 3], 0.5);
        assert_eq!((m.pixel(0, 0).unwrap(), m.pixel(1, 0).unwrap()), ([128; 3], [255; 3]));
        p.draw_text(i64::MAX, i64::MIN, "far", 1e9, [0; 3]);
    }
}

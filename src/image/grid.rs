//! Figures of many pictures: a grid with title, labels, captions and a colour bar.

use super::Picture;
use super::bar::{Bar, ColorBar};
use super::key::Key;
use crate::core::canvas::Canvas;
use crate::core::colour::is_light;
use crate::core::font::{self, Align, CAP, LEADING, Style};
use crate::core::raster::{MAX_PIXELS, Rgb};
use crate::core::{Error, Result};

/// Cells are at least about this wide: smaller pictures are enlarged by a whole factor.
const CELL: usize = 128;

/// How a grid looks; 0 and empty mean: as suits the pictures.
#[derive(Clone, Debug)]
pub struct GridOptions {
    /// Above all.
    pub title: String,
    /// One label a row, at its left.
    pub row_labels: Vec<String>,
    /// One label a column, above it.
    pub column_labels: Vec<String>,
    /// Pixels between pictures.
    pub gap: Option<usize>,
    /// Whole factor by which the largest picture is enlarged; smaller ones fill its cell as far as a whole factor does.
    pub scale: usize,
    /// Colour behind all; text is dark on light, light on dark.
    pub background: Rgb,
    /// Of captions and labels, in pixels.
    pub font_size: f64,
    /// At most so many lines a caption, the last one ending with an ellipsis.
    pub caption_lines: usize,
    /// Colour of each caption, for instance right and wrong; black or white if there is none.
    pub caption_colors: Vec<Rgb>,
    /// At the right.
    pub color_bar: Option<ColorBar>,
    /// Colours and what they mean, below all.
    pub legend: Vec<(Rgb, String)>,
}

impl Default for GridOptions {
    fn default() -> Self {
        Self {
            title: String::new(),
            row_labels: Vec::new(),
            column_labels: Vec::new(),
            gap: None,
            scale: 0,
            background: [255; 3],
            font_size: 0.0,
            caption_lines: 3,
            caption_colors: Vec::new(),
            color_bar: None,
            legend: Vec::new(),
        }
    }
}

/// The pictures in one row, as [`grid`].
pub fn strip(pictures: &[Picture], captions: &[String], options: &GridOptions) -> Result<Picture> {
    grid(pictures, pictures.len(), captions, options)
}

/// The pictures row by row in `columns` columns (0: as many as rows), each with its caption below it.
/// Captions are wrapped to the width of a cell. Errors: no picture, a number of captions or labels that
/// does not fit, a figure of more than 128 megapixels.
pub fn grid(
    pictures: &[Picture],
    columns: usize,
    captions: &[String],
    options: &GridOptions,
) -> Result<Picture> {
    let n = pictures.len();
    if n == 0 {
        return Err(Error::new("a grid needs at least one picture"));
    }
    let columns = if columns == 0 { (n as f64).sqrt().ceil() as usize } else { columns.min(n) };
    let rows = n.div_ceil(columns);
    expect("captions", captions.len(), n)?;
    expect("caption_colors", options.caption_colors.len(), n)?;
    expect("row_labels", options.row_labels.len(), rows)?;
    expect("column_labels", options.column_labels.len(), columns)?;
    let plan = Plan::new(pictures, columns, rows, captions, options)?;
    plan.draw(pictures, options).map(Picture::from)
}

fn expect(what: &str, given: usize, wanted: usize) -> Result<()> {
    if given == 0 || given == wanted {
        return Ok(());
    }
    Err(Error::new(format!("{what} has {given} entries; expected {wanted}, or none")))
}

/// Where everything goes, in pixels.
struct Plan {
    columns: usize,
    cell: (usize, usize),
    gap: usize,
    margin: usize,
    text: Style,
    title: Vec<String>,
    head: Vec<Vec<String>>,
    side: Vec<Vec<String>>,
    captions: Vec<Vec<String>>,
    /// Left edge of the cells, top edge and height of each row, size of the figure.
    left: usize,
    tops: Vec<usize>,
    heights: Vec<usize>,
    size: (usize, usize),
    key: Key,
}

impl Plan {
    fn new(
        pictures: &[Picture],
        columns: usize,
        rows: usize,
        captions: &[String],
        o: &GridOptions,
    ) -> Result<Self> {
        let widest = pictures.iter().map(Picture::width).max().unwrap_or(1);
        let highest = pictures.iter().map(Picture::height).max().unwrap_or(1);
        let scale = if o.scale > 0 { o.scale } else { CELL.div_ceil(widest.max(highest)).max(1) };
        let cell = (widest.saturating_mul(scale), highest.saturating_mul(scale));
        if cell.0.saturating_mul(cell.1).saturating_mul(rows * columns) > MAX_PIXELS {
            return Err(Error::new(format!(
                "a grid of {rows} x {columns} cells of {} x {} pixels is too large",
                cell.0, cell.1
            ))
            .hint("show fewer pictures, or resize them first"));
        }
        let size = if o.font_size > 0.0 {
            o.font_size.clamp(4.0, 400.0)
        } else {
            (cell.0 as f64 / 20.0 + 8.0).clamp(13.0, 30.0)
        };
        let text = Style::new(size, if is_light(o.background) { [30; 3] } else { [235; 3] });
        let gap = o.gap.unwrap_or((cell.0 / 20).clamp(6, 24));
        let margin = (size * 0.9).ceil() as usize;
        let lead = size * LEADING;
        let wrap = |t: &String, width: f64| font::wrap(t, &text, width, o.caption_lines);
        // Captions may reach a little into the gap.
        let caption_width = cell.0 as f64 + gap as f64 * 0.5;
        let captions: Vec<_> =
            captions.iter().map(|c| if c.is_empty() { vec![] } else { wrap(c, caption_width) }).collect();
        let head: Vec<_> = o.column_labels.iter().map(|c| wrap(c, caption_width)).collect();
        let side: Vec<_> = o.row_labels.iter().map(|r| wrap(r, cell.0 as f64 * 1.2)).collect();
        let widths = side.iter().flatten().map(|l| font::width(l, &text));
        let side_width = widths.fold(0.0, f64::max).ceil() as usize;
        let left = margin + if side_width > 0 { side_width + (size * 0.7) as usize } else { 0 };

        let cells = columns * cell.0 + (columns - 1) * gap;
        let bar = o.color_bar.as_ref().map_or(0, |b| Bar::new(b, &text, cell).width);
        let big = title_style(&text);
        let mut width = left + cells + bar + margin;
        let wanted = font::width(&o.title, &big).ceil() as usize + 2 * margin;
        width = width.max(wanted.min(560));
        let left = left + (width - left - cells - bar - margin) / 2;
        let title = if o.title.is_empty() {
            vec![]
        } else {
            font::wrap(&o.title, &big, (width - 2 * margin) as f64, 6)
        };

        let lines = |l: &[Vec<String>]| l.iter().map(Vec::len).max().unwrap_or(0) as f64;
        let mut y = margin as f64 + title.len() as f64 * big.size * LEADING;
        y += if title.is_empty() { 0.0 } else { size * 0.5 };
        y += if head.is_empty() { 0.0 } else { lines(&head) * lead + size * 0.15 };
        let shown = |p: &Picture| p.height() * factor(p, cell);
        let heights: Vec<usize> =
            pictures.chunks(columns).map(|row| row.iter().map(shown).max().unwrap_or(1)).collect();
        let mut tops = Vec::new();
        for (row, high) in heights.iter().enumerate() {
            tops.push(y.ceil() as usize);
            let here = captions.get(row * columns..((row + 1) * columns).min(captions.len())).unwrap_or(&[]);
            y = y.ceil() + *high as f64;
            y += if lines(here) == 0.0 { 0.0 } else { lines(here) * lead + size * 0.35 };
            y += if row + 1 < rows { gap as f64 } else { 0.0 };
        }
        let key = Key::new(&o.legend, &text, (width - 2 * margin) as f64);
        let foot = y.ceil() as usize;
        let size = (width, foot + key.height() + margin);
        Ok(Self {
            key,
            columns,
            cell,
            gap,
            margin,
            text,
            title,
            head,
            side,
            captions,
            left,
            tops,
            heights,
            size,
        })
    }

    fn draw(&self, pictures: &[Picture], o: &GridOptions) -> Result<Canvas> {
        let mut out = Canvas::new(self.size.0, self.size.1, o.background)?;
        let cw = self.cell.0;
        let lead = self.text.size * LEADING;
        let column = |c: usize| self.left + c * (cw + self.gap);
        let centre = |c: usize| column(c) as f64 + cw as f64 / 2.0;

        let big = title_style(&self.text);
        let first = self.margin as f64 + big.size * CAP;
        write(&mut out, self.size.0 as f64 / 2.0, first, &self.title, &big, Align::Centre);
        for (c, lines) in self.head.iter().enumerate() {
            let last = self.tops[0] as f64 - self.text.size * 0.5;
            write(
                &mut out,
                centre(c),
                last - (lines.len() - 1) as f64 * lead,
                lines,
                &self.text,
                Align::Centre,
            );
        }
        for ((top, ch), lines) in self.tops.iter().zip(&self.heights).zip(&self.side) {
            let high = (lines.len() - 1) as f64 * lead + self.text.size * CAP;
            let base = *top as f64 + (*ch as f64 - high) / 2.0 + self.text.size * CAP;
            write(&mut out, self.left as f64 - self.text.size * 0.7, base, lines, &self.text, Align::Right);
        }
        for (i, picture) in pictures.iter().enumerate() {
            let (x, y) = (column(i % self.columns), self.tops[i / self.columns]);
            let (factor, ch) = (factor(picture, self.cell), self.heights[i / self.columns]);
            let (w, h) = (picture.width() * factor, picture.height() * factor);
            let at = ((x + (cw - w) / 2) as i64, (y + (ch - h) / 2) as i64);
            out.paste(picture.figure(), at.0, at.1, factor)?;
            if let Some(lines) = self.captions.get(i) {
                let style = Style {
                    colour: o.caption_colors.get(i).copied().unwrap_or(self.text.colour),
                    ..self.text
                };
                let base = (y + ch) as f64 + self.text.size * (0.35 + 0.93);
                write(&mut out, centre(i % self.columns), base, lines, &style, Align::Centre);
            }
        }
        if let Some(bar) = &o.color_bar {
            let last = self.tops.len() - 1;
            let bottom = self.tops[last] + self.heights[last];
            let x = column(self.columns - 1) + cw;
            Bar::new(bar, &self.text, self.cell).draw(&mut out, x, self.tops[0], bottom, &self.text)?;
        }
        let foot = self.size.1 - self.margin - self.key.height();
        self.key.draw(&mut out, foot as f64, self.size.0 as f64, &self.text);
        Ok(out)
    }
}

/// The whole factor by which a picture is enlarged: the same for equal ones; a smaller one among larger
/// as far as it fits.
fn factor(picture: &Picture, cell: (usize, usize)) -> usize {
    (cell.0 / picture.width()).min(cell.1 / picture.height()).max(1)
}

fn title_style(text: &Style) -> Style {
    Style { size: (text.size * 1.25).round(), ..*text }
}

pub(super) fn write(out: &mut Canvas, x: f64, baseline: f64, lines: &[String], style: &Style, align: Align) {
    for (i, line) in lines.iter().enumerate() {
        out.text(x, baseline + i as f64 * style.size * LEADING, line, style, align);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn digits(n: usize) -> Vec<Picture> {
        (0..n).map(|i| Picture::filled(28, 28, [i as u8 * 20; 3]).unwrap()).collect()
    }

    #[test]
    fn small_pictures_are_enlarged_by_a_whole_factor() {
        let g = grid(&digits(4), 0, &[], &GridOptions::default()).unwrap();
        let [h, w] = g.size();
        assert_eq!(h, w);
        for i in 0..4usize {
            let n = g.raster().rgb.chunks_exact(3).filter(|p| **p == [i as u8 * 20; 3]).count();
            assert_eq!(n, 140 * 140, "picture {i}");
        }
    }

    #[test]
    fn long_captions_make_room_and_labels_are_counted() {
        let captions = vec!["a caption that needs more than one line".to_string(), String::new()];
        let tall = grid(&digits(2), 2, &captions, &GridOptions::default()).unwrap();
        let flat = grid(&digits(2), 2, &[], &GridOptions::default()).unwrap();
        assert_eq!(tall.width(), flat.width());
        assert!(tall.height() >= flat.height() + 32);
        let e = grid(&digits(2), 2, &captions[..1], &GridOptions::default()).unwrap_err();
        assert_eq!(e.msg, "captions has 1 entries; expected 2, or none");
        let o = GridOptions { row_labels: vec!["a".into(); 2], ..GridOptions::default() };
        assert!(grid(&digits(2), 2, &[], &o).unwrap_err().msg.contains("row_labels"));
        assert!(grid(&[], 2, &[], &o).is_err());
        let o = GridOptions { scale: 1 << 40, ..GridOptions::default() };
        assert!(grid(&digits(2), 2, &[], &o).unwrap_err().msg.contains("too large"));
    }
}

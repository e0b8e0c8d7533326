//! The legend: in the emptiest corner, or right of the plot.

use crate::core::canvas::Canvas;
use crate::core::colour::is_light;
use crate::core::font::{self, Align, CAP, Style};
use crate::core::raster::{Rect, Rgb};
use crate::core::stroke::{Pen, Point, Shape};
use crate::core::{Error, Result};

/// Where the legend stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Legend {
    /// In a corner that holds nothing else, or right of the plot if there is none.
    #[default]
    Auto,
    /// Right of the plot.
    Outside,
    /// Nowhere.
    None,
    /// In this corner, whatever it covers.
    TopRight,
    /// In this corner.
    TopLeft,
    /// In this corner.
    BottomRight,
    /// In this corner.
    BottomLeft,
}

const PLACES: [(&str, Legend); 7] = [
    ("auto", Legend::Auto),
    ("outside", Legend::Outside),
    ("none", Legend::None),
    ("top right", Legend::TopRight),
    ("top left", Legend::TopLeft),
    ("bottom right", Legend::BottomRight),
    ("bottom left", Legend::BottomLeft),
];

impl Legend {
    /// The place called `name`.
    pub fn parse(name: &str) -> Result<Self> {
        let plain = name.to_lowercase().replace(['_', '-'], " ");
        let found = PLACES.iter().find(|(n, _)| *n == plain);
        found
            .map(|(_, l)| *l)
            .ok_or_else(|| Error::unknown("legend place", name, PLACES.iter().map(|(n, _)| *n)))
    }
}

/// What stands before a name.
#[derive(Clone, Debug)]
pub(super) enum Swatch {
    Line(Pen, Option<Shape>),
    Marker(Rgb, Shape),
    Patch(Rgb),
}

/// A swatch and the lines of the name beside it.
type Entry = (Option<Swatch>, Vec<String>);

/// The entries, laid out in columns.
pub(super) struct Entries {
    columns: Vec<Vec<Entry>>,
    widths: Vec<f64>,
    style: Style,
}

impl Entries {
    /// `None` if no entry has a name. Longer names are broken; what finds no room in `width` times `height`
    /// pixels is counted in a last line.
    pub fn new(all: &[(Swatch, String)], style: Style, width: f64, height: f64) -> Option<Self> {
        let max = width - style.size * 3.4;
        let named = all.iter().filter(|(_, n)| !n.is_empty());
        let mut list: Vec<Entry> =
            named.map(|(s, n)| (Some(s.clone()), font::wrap(n, &style, max, 3))).collect();
        let total = list.len();
        let mut keep = total;
        let cut = |list: &mut Vec<Entry>, keep: usize| {
            list.truncate(keep);
            list.push((None, vec![format!("… {} more", total - keep)]));
        };
        if total > 200 {
            keep = 200;
            cut(&mut list, keep);
        }
        while keep > 0 {
            let columns = split(&list, height - style.size * 0.7, &style);
            let wide = |c: &Vec<Entry>| {
                c.iter().flat_map(|e| &e.1).map(|l| font::width(l, &style)).fold(0.0, f64::max)
            };
            let widths: Vec<f64> = columns.iter().map(|c| wide(c) + style.size * 2.8).collect();
            let made = Self { columns, widths, style };
            if made.size().0 <= width || keep == 1 {
                return Some(made);
            }
            keep -= 1;
            cut(&mut list, keep);
        }
        None
    }

    /// Width and height in pixels.
    pub fn size(&self) -> (f64, f64) {
        let s = self.style.size;
        let high = |c: &Vec<Entry>| c.iter().map(|e| room(e, &self.style)).sum::<f64>();
        (
            self.widths.iter().sum::<f64>() + s * 0.6,
            self.columns.iter().map(high).fold(0.0, f64::max) + s * 0.7,
        )
    }

    /// The corner of `area` for it, if `busy` leaves one free (or `place` names one).
    pub fn corner(&self, area: Rect, place: Legend, busy: &[Point]) -> Option<Point> {
        let (w, h) = self.size();
        let gap = self.style.size * 0.6;
        let (l, t) = (area.x as f64 + gap, area.y as f64 + gap);
        let (r, b) = ((area.x + area.w as i64) as f64 - gap - w, (area.y + area.h as i64) as f64 - gap - h);
        match place {
            Legend::TopRight => return Some((r, t)),
            Legend::TopLeft => return Some((l, t)),
            Legend::BottomRight => return Some((r, b)),
            Legend::BottomLeft => return Some((l, b)),
            Legend::Outside | Legend::None => return None,
            Legend::Auto => {}
        }
        if w > area.w as f64 * 0.5 || h > area.h as f64 * 0.6 {
            return None;
        }
        let free = |&(x, y): &Point| {
            let hit = |p: &&Point| p.0 > x - gap && p.0 < x + w + gap && p.1 > y - gap && p.1 < y + h + gap;
            busy.iter().find(hit).is_none()
        };
        [(r, t), (r, b), (l, t), (l, b)].into_iter().find(free)
    }

    /// Draws it with its top left corner at `at`; with a border inside the plot.
    pub fn draw(&self, out: &mut Canvas, at: Point, boxed: bool) {
        let (w, h) = self.size();
        let s = self.style.size;
        if boxed {
            let r = Rect::new(at.0 as i64, at.1 as i64, w as usize, h as usize);
            out.tint(r, [255; 3], 0.88);
            out.frame(r, [205; 3], (s / 16.0).round().max(1.0) as usize);
        }
        let mut x = at.0 + s * 0.5;
        for (column, width) in self.columns.iter().zip(&self.widths) {
            let mut y = at.1 + s * 0.35;
            for entry in column {
                if let Some(swatch) = &entry.0 {
                    draw_swatch(out, swatch, (x, y + s * 0.725), s);
                }
                for (i, line) in entry.1.iter().enumerate() {
                    let base = y + s * (0.725 + CAP / 2.0 + i as f64 * LINE);
                    out.text(x + s * 2.3, base, line, &self.style, Align::Left);
                }
                y += room(entry, &self.style);
            }
            x += width;
        }
    }
}

/// From one line of a name to the next, and the space more to the next entry, in units of the font size.
const LINE: f64 = 1.15;
const SPACE: f64 = 0.3;

fn room(entry: &Entry, style: &Style) -> f64 {
    (entry.1.len() as f64 * LINE + SPACE) * style.size
}

/// In columns of at most `height` pixels, about equally long.
fn split(list: &[Entry], height: f64, style: &Style) -> Vec<Vec<Entry>> {
    let total: f64 = list.iter().map(|e| room(e, style)).sum();
    let high = (total / (total / height).ceil().max(1.0) + style.size).min(height);
    let mut out: Vec<Vec<Entry>> = vec![vec![]];
    let mut used = 0.0;
    for entry in list {
        let need = room(entry, style);
        if used + need > high && used > 0.0 {
            out.push(vec![]);
            used = 0.0;
        }
        used += need;
        if let Some(column) = out.last_mut() {
            column.push(entry.clone());
        }
    }
    out
}

fn draw_swatch(out: &mut Canvas, swatch: &Swatch, (x, y): Point, s: f64) {
    let everywhere = Rect::new(0, 0, out.width, out.height);
    let middle = (x + s * 0.95, y);
    match swatch {
        Swatch::Line(pen, shape) => {
            let clip = Rect::new(x as i64 - 9, (y - s) as i64, (s * 2.0) as usize + 18, (s * 2.0) as usize);
            out.line(clip, &[(x, y), (x + s * 1.9, y)], pen);
            if let Some(shape) = shape {
                out.marker(everywhere, *shape, middle, s * 0.5, &Pen::new(pen.colour, 1.0), 1.0);
            }
        }
        Swatch::Marker(colour, shape) => {
            out.marker(everywhere, *shape, middle, s * 0.62, &Pen::new(*colour, 1.0), 0.0)
        }
        Swatch::Patch(colour) => {
            let r =
                Rect::new((x + s * 0.1) as i64, (y - s * 0.4) as i64, (s * 1.7) as usize, (s * 0.8) as usize);
            out.fill(r, *colour);
            if is_light(*colour) {
                out.frame(r, colour.map(|c| c / 4 * 3), 1);
            }
        }
    }
}

impl crate::core::value::FromValue for Legend {
    const TYPE: &'static str = "place of the legend";
    fn from_value(v: &crate::core::Value) -> Result<Self> {
        Self::parse(&String::from_value(v)?)
    }
}

//! A figure as SVG: its lines and text in vectors, its photographs embedded as PNG.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::core::canvas::{Figure, Mark};
use crate::core::font::{self, Align};
use crate::core::raster::{Raster, Rect, Rgb};
use crate::core::stroke::{Pen, Point, Shape};
use crate::core::{Result, page, picture_file};

/// The figure as an SVG document.
///
/// # Errors
/// A picture that cannot be written.
pub fn document(figure: &Figure) -> Result<String> {
    let (w, h) = (figure.raster.width, figure.raster.height);
    let mut out = Writer { text: String::new(), clips: Vec::new(), nested: 0 };
    out.figure(figure)?;
    Ok(format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{w}\" height=\"{h}\" viewBox=\"0 0 {w} {h}\" \
         font-family=\"DejaVu Sans, Verdana, sans-serif\">\n{}</svg>\n",
        out.text
    ))
}

/// A picture as `data:image/png;base64,…`.
///
/// # Errors
/// A side too long for a file.
pub fn data_url(raster: &Raster) -> Result<String> {
    Ok(format!("data:image/png;base64,{}", STANDARD.encode(picture_file::png(raster)?)))
}

/// Text as XML shows it; what XML cannot hold becomes a space.
pub fn escaped(text: &str) -> String {
    let plain = |c: char| if c.is_control() { ' ' } else { c };
    let text: String = text.chars().map(plain).collect();
    page::escaped(&text)
}

struct Writer {
    text: String,
    /// Rectangles that have a clip path; its number is the place in the list.
    clips: Vec<(usize, Rect)>,
    /// How many figures were opened: a clip path belongs to one.
    nested: usize,
}

/// A number without needless digits.
fn short(v: f64) -> String {
    let text = format!("{:.2}", v.clamp(-1e7, 1e7));
    text.trim_end_matches('0').trim_end_matches('.').to_string()
}

fn hex([r, g, b]: Rgb) -> String {
    format!("#{r:02x}{g:02x}{b:02x}")
}

fn opacity(name: &str, alpha: f32) -> String {
    if alpha < 1.0 { format!(" {name}=\"{}\"", short(f64::from(alpha))) } else { String::new() }
}

fn points(all: &[Point]) -> String {
    all.iter().map(|p| format!("{},{}", short(p.0), short(p.1))).collect::<Vec<_>>().join(" ")
}

impl Writer {
    fn figure(&mut self, f: &Figure) -> Result<()> {
        match &f.marks {
            Some(marks) => {
                self.nested += 1;
                marks.iter().try_for_each(|m| self.mark(m))
            }
            None => self.pixels(f, (0, 0), 1),
        }
    }

    fn pixels(&mut self, f: &Figure, (x, y): (i64, i64), factor: usize) -> Result<()> {
        let (w, h) = (f.raster.width * factor, f.raster.height * factor);
        // Enlarged pixels stay squares, as in the picture.
        let sharp = if factor > 1 { " style=\"image-rendering:pixelated\"" } else { "" };
        let url = data_url(&f.raster)?;
        let _ = writeln!(
            self.text,
            "<image x=\"{x}\" y=\"{y}\" width=\"{w}\" height=\"{h}\" preserveAspectRatio=\"none\"{sharp} href=\"{url}\"/>"
        );
        Ok(())
    }

    /// ` clip-path="…"` for a rectangle, defined when first used.
    fn clip(&mut self, r: Rect) -> String {
        let key = (self.nested, r);
        let at = self.clips.iter().position(|c| *c == key).unwrap_or_else(|| {
            self.clips.push(key);
            let n = self.clips.len() - 1;
            let _ = writeln!(
                self.text,
                "<clipPath id=\"c{n}\"><rect x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\"/></clipPath>",
                r.x, r.y, r.w, r.h
            );
            n
        });
        format!(" clip-path=\"url(#c{at})\"")
    }

    fn mark(&mut self, mark: &Mark) -> Result<()> {
        match mark {
            Mark::Fill(r, ..) if r.w == 0 || r.h == 0 => {}
            Mark::Fill(r, colour, alpha) => {
                let _ = writeln!(
                    self.text,
                    "<rect x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" fill=\"{}\"{}/>",
                    r.x,
                    r.y,
                    r.w,
                    r.h,
                    hex(*colour),
                    opacity("fill-opacity", *alpha)
                );
            }
            Mark::Figure(f, at, factor) if f.marks.is_none() => self.pixels(f, *at, *factor)?,
            Mark::Figure(f, (x, y), factor) => {
                let (w, h) = (f.raster.width, f.raster.height);
                let _ = writeln!(
                    self.text,
                    "<svg x=\"{x}\" y=\"{y}\" width=\"{}\" height=\"{}\" viewBox=\"0 0 {w} {h}\">",
                    w * factor,
                    h * factor
                );
                self.figure(f)?;
                self.text += "</svg>\n";
            }
            Mark::Text { at, text, style, align, upwards } => {
                let anchor = match align {
                    Align::Left => "",
                    Align::Centre => " text-anchor=\"middle\"",
                    Align::Right => " text-anchor=\"end\"",
                };
                let weight = if style.bold { " font-weight=\"bold\"" } else { "" };
                let place = match upwards {
                    true => format!("transform=\"translate({} {}) rotate(-90)\"", short(at.0), short(at.1)),
                    false => format!("x=\"{}\" y=\"{}\"", short(at.0), short(at.1.round())),
                };
                // As wide as in the bundled font, whatever font the reader has.
                let width = short(font::width(text, style));
                let _ = writeln!(
                    self.text,
                    "<text {place} font-size=\"{}\" fill=\"{}\"{anchor}{weight} textLength=\"{width}\" \
                     lengthAdjust=\"spacingAndGlyphs\">{}</text>",
                    short(style.size),
                    hex(style.colour),
                    escaped(text)
                );
            }
            Mark::Line(clip, line, pen) => self.line(*clip, line, pen),
            Mark::Area(clip, outline, colour, alpha) => {
                let clip = self.clip(*clip);
                let _ = writeln!(
                    self.text,
                    "<polygon points=\"{}\" fill=\"{}\"{}{clip}/>",
                    points(outline),
                    hex(*colour),
                    opacity("fill-opacity", *alpha)
                );
            }
            Mark::Marker(clip, shape, at, size, pen, edge) => {
                self.marker(*clip, *shape, *at, *size, pen, *edge);
            }
        }
        Ok(())
    }

    fn line(&mut self, clip: Rect, line: &[Point], pen: &Pen) {
        let clip = self.clip(clip);
        // A single point is a dot: the round cap of a line of no length.
        let all = if let [only] = line { points(&[*only, *only]) } else { points(line) };
        let dash: Vec<String> = pen.dash.iter().map(|d| short(d * pen.width)).collect();
        let dash =
            if dash.is_empty() { String::new() } else { format!(" stroke-dasharray=\"{}\"", dash.join(" ")) };
        let _ = writeln!(
            self.text,
            "<polyline points=\"{all}\" fill=\"none\" stroke=\"{}\" stroke-width=\"{}\" stroke-linecap=\"round\" \
             stroke-linejoin=\"round\"{dash}{}{clip}/>",
            hex(pen.colour),
            short(pen.width),
            opacity("stroke-opacity", pen.alpha)
        );
    }

    fn marker(&mut self, clip: Rect, shape: Shape, (x, y): Point, size: f64, pen: &Pen, edge: f64) {
        let r = size / 2.0;
        let inside = x - size >= clip.x as f64
            && y - size >= clip.y as f64
            && x + size <= (clip.x + clip.w as i64) as f64
            && y + size <= (clip.y + clip.h as i64) as f64;
        let clip = if inside { String::new() } else { self.clip(clip) };
        let white = match edge > 0.0 {
            true => format!(" stroke=\"#fff\" stroke-width=\"{}\" paint-order=\"stroke\"", short(2.0 * edge)),
            false => String::new(),
        };
        let look = format!("fill=\"{}\"{}{white}{clip}", hex(pen.colour), opacity("opacity", pen.alpha));
        let (s, d, t) = (r * 0.886, r * 1.253, r * 0.78);
        let corners: Vec<Point> = match shape {
            Shape::Circle => {
                let _ = writeln!(
                    self.text,
                    "<circle cx=\"{}\" cy=\"{}\" r=\"{}\" {look}/>",
                    short(x),
                    short(y),
                    short(r)
                );
                return;
            }
            Shape::Square => vec![(-s, -s), (s, -s), (s, s), (-s, s)],
            Shape::Diamond => vec![(0.0, -d), (d, 0.0), (0.0, d), (-d, 0.0)],
            Shape::Triangle => vec![(0.0, -2.0 * t), (1.732 * t, t), (-1.732 * t, t)],
            Shape::Down => vec![(0.0, 2.0 * t), (1.732 * t, -t), (-1.732 * t, -t)],
        };
        let corners: Vec<Point> = corners.into_iter().map(|c| (x + c.0, y + c.1)).collect();
        let _ = writeln!(self.text, "<polygon points=\"{}\" {look}/>", points(&corners));
    }
}

//! Figures of numbers: curves, points, bars, histograms, photos at places. Each call returns a raster.

mod axis;
mod bars;
mod curves;
mod frame;
mod hist;
mod legend;
mod matrix;
mod points;
mod script;

pub use bars::bar;
pub use curves::curves;
pub use hist::{bin_edges, hist};
pub use legend::Legend;
pub use matrix::matrix;
pub use points::{photos, scatter};
pub use script::PlotOptions;

use crate::core::raster::Rgb;
use crate::core::{Error, Result};

/// A named row of points. Where `xs` is empty they are 0, 1, 2 …; NaN makes a gap.
#[derive(Clone, Debug, Default)]
pub struct Series {
    /// Its name in the legend; empty: not there.
    pub name: String,
    /// Places; empty: 0, 1, 2 ….
    pub xs: Vec<f64>,
    /// Values.
    pub ys: Vec<f64>,
    /// Half width of the band (curves) or whisker (bars) around each value; empty: none.
    pub error: Vec<f64>,
    /// Its colour; unless given, the next of Okabe and Ito's.
    pub colour: Option<Rgb>,
    /// Drawn dashed; unless given, once the colours are used up.
    pub dashed: Option<bool>,
}

impl Series {
    /// A series of points (`xs[i]`, `ys[i]`).
    pub fn new(name: impl Into<String>, xs: &[f64], ys: &[f64]) -> Self {
        Self { name: name.into(), xs: xs.to_vec(), ys: ys.to_vec(), ..Self::default() }
    }

    /// A series of values: heights of bars, a sample of a histogram, a curve over 0, 1, 2 ….
    pub fn values(name: impl Into<String>, ys: &[f64]) -> Self {
        Self { name: name.into(), ys: ys.to_vec(), ..Self::default() }
    }

    /// The point `i`.
    fn point(&self, i: usize) -> (f64, f64) {
        (if self.xs.is_empty() { i as f64 } else { self.xs[i] }, self.ys[i])
    }

    fn called(&self) -> String {
        if self.name.is_empty() { "a series".into() } else { format!("series `{}`", self.name) }
    }

    /// Error: lists of unequal lengths, or nothing that can be drawn.
    fn check(&self, o: &Options) -> Result<()> {
        let n = self.ys.len();
        if !self.xs.is_empty() && self.xs.len() != n {
            return Err(Error::new(format!(
                "{} has {} x and {n} y values; expected as many",
                self.called(),
                self.xs.len()
            )));
        }
        if !self.error.is_empty() && self.error.len() != n {
            return Err(Error::new(format!(
                "{} has {n} values and {} errors; expected as many",
                self.called(),
                self.error.len()
            )));
        }
        if n == 0 {
            return Err(Error::new(format!("{} has no points", self.called())));
        }
        let drawable = |i: usize| usable(self.point(i).0, o.log_x) && usable(self.point(i).1, o.log_y);
        if !(0..n).any(drawable) {
            let why =
                if o.log_x || o.log_y { "finite and, on a logarithmic axis, positive" } else { "finite" };
            return Err(Error::new(format!("{} has no point whose values are {why}", self.called())));
        }
        Ok(())
    }
}

/// Whether a value has a place on an axis.
fn usable(v: f64, log: bool) -> bool {
    v.is_finite() && (!log || v > 0.0)
}

/// How a figure looks; shared by all kinds.
#[derive(Clone, Debug)]
pub struct Options {
    /// Above the plot.
    pub title: String,
    /// Below the plot.
    pub x_label: String,
    /// Left of the plot, upright.
    pub y_label: String,
    /// Width and height in pixels.
    pub size: (usize, usize),
    /// In pixels; 0: by the size of the figure. Lines, ticks and markers grow with it.
    pub font_size: f64,
    /// A logarithmic x axis.
    pub log_x: bool,
    /// A logarithmic y axis.
    pub log_y: bool,
    /// Ends of the x axis; unless given, those of the data and a little more.
    pub x_range: Option<(f64, f64)>,
    /// Ends of the y axis, likewise.
    pub y_range: Option<(f64, f64)>,
    /// A marker at the points of curves.
    pub markers: bool,
    /// Where the names of the series stand.
    pub legend: Legend,
    /// Light lines at the ticks.
    pub grid: bool,
    /// Numbers and ticks at the axes; embeddings need none.
    pub ticks: bool,
    /// One unit is as long in x as in y.
    pub equal: bool,
    /// Bars lie; unless given, where their names do not fit below them.
    pub horizontal: Option<bool>,
    /// The number at each bar; unless given, where there is room.
    pub numbers: Option<bool>,
    /// Of a histogram; 0: numpy's `auto` rule.
    pub bins: usize,
    /// A histogram whose area is 1.
    pub density: bool,
}

impl Options {
    /// Labels of the axes where none were given.
    pub fn label(&mut self, x: &str, y: &str) {
        for (label, own) in [(&mut self.x_label, x), (&mut self.y_label, y)] {
            if label.is_empty() {
                *label = own.to_string();
            }
        }
    }
}

impl Default for Options {
    fn default() -> Self {
        Self {
            title: String::new(),
            x_label: String::new(),
            y_label: String::new(),
            size: (960, 600),
            font_size: 0.0,
            log_x: false,
            log_y: false,
            x_range: None,
            y_range: None,
            markers: false,
            legend: Legend::Auto,
            grid: true,
            ticks: true,
            equal: false,
            horizontal: None,
            numbers: None,
            bins: 0,
            density: false,
        }
    }
}

impl Options {
    /// The font size in pixels.
    fn font(&self) -> f64 {
        if self.font_size > 0.0 {
            self.font_size.clamp(4.0, 200.0)
        } else {
            ((self.size.0 as f64 * self.size.1 as f64).sqrt() / 45.0).clamp(11.0, 60.0)
        }
    }
}

/// Error: no series at all, or one that cannot be drawn.
fn check(series: &[Series], o: &Options) -> Result<()> {
    if series.is_empty() {
        return Err(Error::new("nothing to draw: no series was given"));
    }
    series.iter().try_for_each(|s| s.check(o))
}

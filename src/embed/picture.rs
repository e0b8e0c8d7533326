//! Maps as static pictures: points by class, thumbnails at their places, several maps side by side, SVG.

use super::embedding::{Embedding, Made};
use crate::core::colour::palette;
use crate::core::raster::{Raster, Rgb};
use crate::core::{Error, Opts, Result, atomic, paths, svg};
use crate::image::{self, GridOptions, Picture};
use crate::plot::{self, Legend, Options, Series};
use std::path::PathBuf;

options! {
    /// Options of a picture of points.
    pub struct MapOptions {
        /// Above the plot.
        title: String = String::new(),
        /// Width and height in pixels.
        size: [usize; 2] = [960, 900],
        /// Size of the text in pixels; by the size of the figure if left out.
        font_size: f64 = 0.0,
        /// auto, outside, none, or a corner: "top left" …
        legend: Legend = Legend::Auto => "auto",
        /// Which two dimensions are drawn.
        dims: [usize; 2] = [0, 1],
        /// Of three dimensions: turned by these degrees about the upright axis, then towards the viewer.
        view: [f64; 2] = [30.0, 20.0],
        /// The part of the map that is drawn: [x from, y from, x to, y to].
        zoom: Option<[f64; 4]> = None,
        /// Numbers at the axes.
        ticks: bool = false,
        /// Long side of each thumbnail in pixels.
        side: usize = 28,
        /// One thumbnail in each patch of the map as large as itself; all if false.
        thin: bool = true,
    }
}

impl MapOptions {
    fn drawing(&self) -> Options {
        Options {
            title: self.title.clone(),
            size: (self.size[0], self.size[1]),
            font_size: self.font_size,
            legend: self.legend,
            equal: true,
            ticks: self.ticks,
            grid: self.ticks,
            x_range: self.zoom.map(|z| (z[0], z[2])),
            y_range: self.zoom.map(|z| (z[1], z[3])),
            ..Options::default()
        }
    }
}

/// Where points are drawn, and which they are.
struct Drawn {
    which: Vec<usize>,
    xs: Vec<f64>,
    ys: Vec<f64>,
}

/// Two coordinates of every point inside the zoom.
fn flat(e: &Embedding, o: &MapOptions) -> Result<Drawn> {
    let x = e.points();
    let (n, d) = x.dim();
    if o.dims.iter().any(|c| *c >= d.max(2)) {
        return Err(Error::new(format!("`dims` is {:?}; the points have {d} dimensions, 0..{d}", o.dims)));
    }
    if let Some(z) = o.zoom
        && !(z[0] < z[2] && z[1] < z[3])
    {
        return Err(Error::new(format!("`zoom` is {z:?}; expected [x from, y from, x to, y to]")));
    }
    let at = |i: usize, c: usize| x.get((i, c)).map_or(0.0, |v| f64::from(*v));
    let place = |i: usize| {
        // Three dimensions are seen from a side, as if from far away.
        if d == 3 && o.dims == [0, 1] {
            let (a, b) = (o.view[0].to_radians(), o.view[1].to_radians());
            let (px, py, pz) = (at(i, 0), at(i, 1), at(i, 2));
            let (x, depth) = (px * a.cos() + pz * a.sin(), pz * a.cos() - px * a.sin());
            return (x, py * b.cos() - depth * b.sin());
        }
        (at(i, o.dims[0]), at(i, o.dims[1]))
    };
    let mut out = Drawn { which: Vec::new(), xs: Vec::new(), ys: Vec::new() };
    for i in 0..n {
        let (x, y) = place(i);
        if o.zoom.is_none_or(|z| (z[0]..=z[2]).contains(&x) && (z[1]..=z[3]).contains(&y)) {
            out.which.push(i);
            out.xs.push(x);
            out.ys.push(y);
        }
    }
    if out.which.is_empty() {
        return Err(Error::new("no point lies in the part of the map that `zoom` names"));
    }
    Ok(out)
}

/// The classes there are, in order, and their colours; the same whatever part is drawn.
fn classes(e: &Embedding) -> Vec<(i64, Rgb)> {
    let mut all = e.about().labels.clone();
    all.sort_unstable();
    all.dedup();
    let colours = palette(all.len());
    all.into_iter().zip(colours).collect()
}

/// Points by class: one series a class.
fn series(e: &Embedding, drawn: &Drawn) -> Vec<Series> {
    let classes = classes(e);
    if classes.is_empty() {
        return vec![Series::new("", &drawn.xs, &drawn.ys)];
    }
    let mut out: Vec<Series> = classes
        .iter()
        .map(|(k, colour)| Series { name: e.class(*k), colour: Some(*colour), ..Series::default() })
        .collect();
    for (p, i) in drawn.which.iter().enumerate() {
        if let Ok(c) = classes.binary_search_by_key(&e.about().labels[*i], |c| c.0) {
            out[c].xs.push(drawn.xs[p]);
            out[c].ys.push(drawn.ys[p]);
        }
    }
    out.retain(|s| !s.ys.is_empty());
    out
}

/// Points in the colours of their classes.
///
/// # Errors
/// No point in the zoom, a figure too small.
pub fn scatter(e: &Embedding, o: &MapOptions) -> Result<Picture> {
    Ok(plot::scatter(&series(e, &flat(e, o)?), &o.drawing())?.into())
}

/// Thumbnails at their places, framed in the colours of their classes.
///
/// # Errors
/// Points without thumbnails.
pub fn photos(e: &Embedding, o: &MapOptions) -> Result<Picture> {
    let about = e.about();
    if about.thumbnails.is_empty() {
        return Err(Error::new("these points have no thumbnails").hint(
            "embed::of(points, #{thumbnails: pictures}), or embed::features of a data set of pictures",
        ));
    }
    let mut drawn = flat(e, o)?;
    if o.thin {
        thin(&mut drawn, o);
    }
    let classes = classes(e);
    let colour = |i: &usize| {
        let found = classes.binary_search_by_key(&about.labels[*i], |c| c.0);
        found.map_or([0; 3], |c| classes[c].1)
    };
    let colours: Vec<Rgb> =
        if classes.is_empty() { Vec::new() } else { drawn.which.iter().map(colour).collect() };
    let pictures: Vec<Raster> = drawn.which.iter().map(|i| about.thumbnails[*i].raster().clone()).collect();
    let mut drawing = o.drawing();
    // A given part leaves no room for half a picture at its ends.
    let wider = |r: Option<(f64, f64)>, pixels: usize| {
        r.map(|(a, b)| {
            let room = (b - a) * 0.55 * o.side as f64 / pixels.max(1) as f64;
            (a - room, b + room)
        })
    };
    drawing.x_range = wider(drawing.x_range, o.size[0]);
    drawing.y_range = wider(drawing.y_range, o.size[1]);
    Ok(plot::photos(&drawn.xs, &drawn.ys, &pictures, &colours, o.side, &drawing)?.into())
}

/// Keeps the first point of every patch that one thumbnail covers.
fn thin(drawn: &mut Drawn, o: &MapOptions) {
    let ends =
        |v: &[f64]| v.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(a, b), x| (a.min(*x), b.max(*x)));
    let ((x0, x1), (y0, y1)) = (ends(&drawn.xs), ends(&drawn.ys));
    let patches = (o.size[0].min(o.size[1]) as f64 / (o.side as f64 * 1.15)).max(1.0);
    let step = ((x1 - x0).max(y1 - y0) / patches).max(1e-30);
    let mut taken = std::collections::HashSet::new();
    let keep: Vec<bool> = drawn
        .xs
        .iter()
        .zip(&drawn.ys)
        .map(|(x, y)| taken.insert((((x - x0) / step) as i64, ((y - y0) / step) as i64)))
        .collect();
    let kept = |v: &[f64]| v.iter().zip(&keep).filter(|(_, k)| **k).map(|(v, _)| *v).collect();
    (drawn.xs, drawn.ys) = (kept(&drawn.xs), kept(&drawn.ys));
    drawn.which = drawn.which.iter().zip(&keep).filter(|(_, k)| **k).map(|(i, _)| *i).collect();
}

options! {
    /// Options of `embed::multiples`.
    pub struct MultiplesOptions {
        /// A title a map; what made it if left out.
        titles: Vec<String> = Vec::new(),
        /// Maps in a row; as suits their number if left out.
        columns: usize = 0,
        /// Width and height of each in pixels.
        size: [usize; 2] = [480, 450],
        /// Above all.
        title: String = String::new(),
        /// Thumbnails instead of points.
        photos: bool = false,
    }
}

fn multiples(maps: &[Embedding], o: MultiplesOptions) -> Result<Picture> {
    if !o.titles.is_empty() && o.titles.len() != maps.len() {
        return Err(Error::new(format!(
            "{} titles for {} maps; expected as many, or none",
            o.titles.len(),
            maps.len()
        )));
    }
    let one = |(i, e): (usize, &Embedding)| {
        let made = match e.made() {
            Made::Given(what) => what.clone(),
            Made::Pca(p) => format!("PCA, {:.0} % of the variance", 100.0 * p.ratio.iter().sum::<f64>()),
            Made::Tsne { kl, .. } => format!("t-SNE, KL {kl:.2}"),
        };
        let title = o.titles.get(i).cloned().unwrap_or(made);
        let own = MapOptions { title, size: o.size, legend: Legend::None, ..MapOptions::default() };
        if o.photos { photos(e, &own) } else { scatter(e, &own) }
    };
    let pictures: Vec<Picture> = maps.iter().enumerate().map(one).collect::<Result<_>>()?;
    // Maps of the same points: their colours mean the same in all.
    let named =
        maps.first().into_iter().flat_map(|e| classes(e).into_iter().map(|(k, rgb)| (rgb, e.class(k))));
    let legend = named.collect();
    let options = GridOptions { title: o.title, scale: 1, legend, font_size: 15.0, ..GridOptions::default() };
    image::grid(&pictures, o.columns, &[], &options)
}

functions! {
    in "embed";
    /// Several maps side by side, in the same colours.
    /// ```rhai
    /// let x = embed::of(tensor::rand([4, 4]), #{labels: [0, 1, 0, 1]});
    /// embed::multiples([embed::pca(x), x], #{titles: ["PCA", "first two"], columns: 2}).width > 960 // => true
    /// ```
    fn multiples(maps: Vec<Embedding>, options: Opts<MultiplesOptions>) -> Picture {
        multiples(&maps, options.0)?
    }

    on "Embedding";
    /// A picture of the points in the colours of their classes.
    ///
    /// Three dimensions are seen from a side (`view`); of more, two are drawn (`dims`).
    /// ```rhai
    /// embed::of(tensor::rand([4, 2]), #{labels: [0, 1, 0, 1]}).scatter().size // => [900, 960]
    /// ```
    fn scatter(points: Embedding, options: Opts<MapOptions>) -> Picture {
        scatter(&points, &options.0)?
    }

    /// A picture of the points' thumbnails at their places.
    ///
    /// Each is framed in the colour of its class.
    /// ```rhai
    /// let dots = [image::filled(8, 8, "red"), image::filled(8, 8, "blue")];
    /// embed::of(tensor::rand([2, 2]), #{thumbnails: dots}).photos(#{side: 16}).size // => [900, 960]
    /// ```
    fn photos(points: Embedding, options: Opts<MapOptions>) -> Picture {
        photos(&points, &options.0)?
    }

    /// Writes the points as an SVG drawing.
    /// ```rhai
    /// embed::of(tensor::rand([20, 2])).svg("points.svg")
    /// ```
    fn svg(points: Embedding, path: PathBuf, options: Opts<MapOptions>) {
        let drawing = svg::document(scatter(&points, &options.0)?.figure())?;
        atomic::write(paths::writable(&path)?, drawing.as_bytes())?
    }
}

//! A page to walk through points: WebGL in two and three dimensions, pictures, neighbours, search, lasso.

mod columns;
mod sheets;
pub mod tensorboard;

use super::check;
use super::embedding::{Embedding, Made};
use super::knn;
use super::script::Points;
use super::tsne::pool;
use crate::core::colormap::Colormap;
use crate::core::colour::palette;
use crate::core::page::Page;
use crate::core::value::{FromValue, Object};
use crate::core::{Error, Map, Opts, Result};
use columns::Columns;
use serde_json::json;
use sheets::Sheets;
use std::path::PathBuf;

/// Dimensions that go into the page: more can be chosen from by nobody.
const DIMS: usize = 16;
/// Up to so many points, neighbours are found by comparing all pairs.
const EXACT: usize = 30_000;
/// Pictures in so many points are what is seen first.
const PICTURES: usize = 2_000;

options! {
    /// Options of `projector`.
    pub struct ProjectorOptions {
        /// Above the page.
        title: String = "Projector".to_string(),
        /// Other places of the same points by name: #{"PCA": pca}.
        others: Map = Map::new(),
        /// Lists by name, a text or a number for each point: #{"file": names}.
        metadata: Map = Map::new(),
        /// Where the points were while this map was made, in order: what `on_iteration` was given.
        steps: Vec<Points> = Vec::new(),
        /// So many neighbours of each point, in the space that the points were made from; 0: none.
        neighbours: usize = 10,
    }
}

/// A short name of a map.
fn name(e: &Embedding) -> &'static str {
    match e.made() {
        Made::Given(_) => "Points",
        Made::Pca(_) => "PCA",
        Made::Tsne { .. } => "t-SNE",
    }
}

/// What the axes are called.
fn axes(e: &Embedding, dims: usize) -> Vec<String> {
    let one = |c: usize| match e.made() {
        Made::Pca(p) => format!("component {} · {:.1} %", c + 1, 100.0 * p.ratio.get(c).unwrap_or(&0.0)),
        _ => format!("dimension {}", c + 1),
    };
    (0..dims).map(one).collect()
}

/// The maps of a page, this one first.
fn maps(e: &Embedding, others: &Map) -> Result<Vec<(String, Embedding)>> {
    let mut own = name(e).to_string();
    while others.contains_key(&own) {
        own += " (this)";
    }
    let mut all = vec![(own, e.clone())];
    for (name, v) in others {
        let other = Points::from_value(v).map_err(|e| e.within(format!("`others`, \"{name}\"")))?.0;
        all.push((name.clone(), other));
    }
    let n = e.points().nrows();
    for (name, map) in &all {
        let rows = map.points().nrows();
        if rows != n {
            return Err(Error::new(format!("`others`, \"{name}\": {rows} points, the embedding has {n}"))
                .hint("all maps of a page show the same points in the same order"));
        }
        check::finite(&map.points().view()).map_err(|e| e.within(format!("\"{name}\"")))?;
    }
    Ok(all)
}

/// The nearest of every point, where the points came from.
fn nearest(e: &Embedding, k: usize) -> Result<knn::Neighbours> {
    let x = e.origin().points().view();
    check::finite(&x)?;
    let metric = e.metric();
    pool(0)?.install(|| match x.nrows() {
        ..=EXACT => knn::exact(&x, k, metric),
        _ => knn::approximate(&x, k, metric, 0.1, 0),
    })
}

/// Writes the page.
///
/// # Errors
/// Maps or lists of another number of points, numbers that are not finite, a path that may not be written.
pub fn write(e: &Embedding, path: PathBuf, o: &ProjectorOptions) -> Result<()> {
    page(e, o)?.write(path).map(drop)
}

/// The page.
///
/// # Errors
/// As [`write`].
pub fn page(e: &Embedding, o: &ProjectorOptions) -> Result<Page> {
    let n = e.points().nrows();
    let maps = maps(e, &o.others)?;
    let columns = Columns::new(&o.metadata, n)?;
    let sheets = Sheets::new(&e.about().thumbnails)?;
    let k = o.neighbours.min(n.saturating_sub(1));
    let mut page = Page::new(&o.title)
        .css(include_str!("page.css"))
        .body(include_str!("page.html"))
        .script(include_str!("data.js"))
        .script(include_str!("gl.js"))
        .script(include_str!("view.js"))
        .script(include_str!("panel.js"))
        .script(include_str!("legend.js"))
        .script(include_str!("input.js"));
    let mut told = Vec::new();
    for (i, (name, map)) in maps.iter().enumerate() {
        let x = map.points();
        let dims = x.ncols().min(DIMS);
        let about = map.show();
        told.push(
            json!({"name": name, "about": about, "dims": dims, "of": x.ncols(), "axes": axes(map, dims)}),
        );
        let first = x.slice(ndarray::s![.., ..dims]);
        page = page.floats(&format!("map{i}"), first.iter().copied());
    }
    for (i, step) in o.steps.iter().enumerate() {
        let x = step.0.points();
        if x.dim() != e.points().dim() {
            let (n, d) = e.points().dim();
            return Err(Error::new(format!(
                "`steps`, item {i}: expected places {:?}, got {:?}",
                [n, d],
                x.shape()
            ))
            .hint("`embed::tsne(x, #{on_iteration: |p| steps.push(p.points)})` gives them"));
        }
        check::finite(&x.view()).map_err(|e| e.within(format!("`steps`, item {i}")))?;
        page =
            page.floats(&format!("step{i}"), x.slice(ndarray::s![.., ..x.ncols().min(DIMS)]).iter().copied());
    }
    let mut classes = e.about().labels.clone();
    classes.sort_unstable();
    classes.dedup();
    let names: Vec<String> = classes.iter().map(|c| e.class(*c)).collect();
    let label = |l: &i64| classes.binary_search(l).map_or(-1, |i| i as i32);
    page = page.ints("labels", e.about().labels.iter().map(label));
    if k > 0 {
        let near = nearest(e, k)?;
        page = page.ints("near", near.index.iter().map(|i| *i as i32)).floats("far", near.distance);
    }
    let metric = match e.metric() {
        knn::Metric::Euclidean => "Euclidean",
        knn::Metric::Cosine => "cosine",
    };
    let space = e.origin().points().ncols();
    let cells = json!({"cell": sheets.cell, "columns": sheets.columns, "per": sheets.per,
        "sizes": sheets.pictures.iter().map(|p| p.size).collect::<Vec<_>>()});
    for (i, sheet) in sheets.pictures.iter().enumerate() {
        page = page.bytes(&format!("sheet{i}"), &sheet.png);
    }
    let ramp: Vec<u8> = Colormap::parse("viridis")?.table().into_iter().flatten().collect();
    let palettes: Vec<_> = (0..=40).map(palette).collect();
    page.bytes("extents", &sheets.extents).bytes("ramp", &ramp).json("columns", &columns.0)?.json(
        "about",
        &json!({
            "title": o.title, "n": n, "k": k, "metric": metric, "space": space, "maps": told, "classes": names,
            "steps": o.steps.len(), "sheets": cells, "pictures": !e.about().thumbnails.is_empty() && n <= PICTURES,
            "palettes": palettes, "own": palette(names.len()),
        }),
    )
}

functions! {
    on "Embedding";
    /// Writes a page to walk through the points, which opens in any browser.
    ///
    /// One file without a server: points or their thumbnails in two and three dimensions, colours by class or by a
    /// list of `metadata`, a legend that filters, search, a lasso that exports CSV, the nearest neighbours of a clicked
    /// point in the space that the map was made from (up to 30,000 points exact, beyond that most of them), and an
    /// animated passage to other maps of the same points and through the steps of making this one. Drag to move or turn,
    /// turn the wheel to zoom, drag with Shift to choose.
    /// ```rhai
    /// let x = embed::of(tensor::rand([6, 5]), #{labels: [0, 1, 0, 1, 0, 1]});
    /// embed::pca(x, #{dims: 3}).projector("map.html", #{
    ///     others: #{"features": x}, metadata: #{"order": tensor::arange(6)}, neighbours: 3, title: "Six points",
    /// });
    /// ```
    fn projector(points: Embedding, path: PathBuf, options: Opts<ProjectorOptions>) {
        write(&points, path, &options.0)?
    }
}

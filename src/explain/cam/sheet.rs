//! Maps in rows and columns on one colour scale: layers, epochs, networks, methods.

use crate::core::colormap::Colormap;
use crate::core::raster::Rgb;
use crate::core::value::FromValue;
use crate::core::{Error, Opts, Result, Value};
use crate::explain::Heatmap;
use crate::explain::attrib::deprocess::grey;
use crate::image::{self, ColorBar, FromTensor, GridOptions, HeatOptions, Picture};
use tch::{Kind, Tensor};

/// The colour of the box of an area.
const BOX: Rgb = [255, 255, 255];

options! {
    /// Options of `cam::sheet`.
    pub struct SheetOptions {
        /// "shared" (one colour scale for all), "row", "column", "own" (a scale a map) or [low, high].
        range: MaybeRange = MaybeRange::Shared => "shared",
        /// One label a column of maps.
        column_labels: Vec<String> = Vec::new(),
        /// One label a row.
        row_labels: Vec<String> = Vec::new(),
        /// Below the maps: a text each, row by row.
        captions: Vec<String> = Vec::new(),
        /// Above all.
        title: String = String::new(),
        /// jet, viridis, magma, gray, coolwarm or rdbu; jet, or coolwarm for signed maps, if left out.
        colormap: Option<Colormap> = None,
        /// Weight of the maps against the pictures, in 0..1.
        alpha: f64 = 0.5,
        /// What the colour bar's values are.
        color_label: String = String::new(),
        /// The pictures to draw on; what the network sees of `x` if left out.
        pictures: Vec<Picture> = Vec::new(),
        /// A first column with the pictures themselves.
        input: bool = true,
        /// A box [x, y, width, height] drawn on every cell: the area that is explained.
        area: Option<[i64; 4]> = None,
        /// Width and height of the picture that `area` is in; the input's if left out.
        area_in: Option<[i64; 2]> = None,
        /// Pictures shown, from the first on.
        shown: usize = 8,
    }
}

/// Which maps share a colour scale.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum MaybeRange {
    /// All.
    Shared,
    /// Those of a row.
    Row,
    /// Those of a column.
    Column,
    /// None.
    Own,
    /// The values at the ends.
    Given(f64, f64),
}

impl MaybeRange {
    /// One scale for all.
    pub fn one(self) -> bool {
        matches!(self, MaybeRange::Shared | MaybeRange::Given(..))
    }
}

impl FromValue for MaybeRange {
    const TYPE: &'static str = "\"shared\", \"row\", \"column\", \"own\" or [low, high]";
    fn from_value(v: &Value) -> Result<Self> {
        if let Value::List(_) = v {
            let [lo, hi] = <[f64; 2]>::from_value(v)?;
            return match lo < hi && (hi - lo).is_finite() {
                true => Ok(MaybeRange::Given(lo, hi)),
                false => Err(Error::new(format!("range is [{lo}, {hi}]; expected the lower end first"))),
            };
        }
        match String::from_value(v).or_else(|_| crate::core::value::mismatch(Self::TYPE, v))?.as_str() {
            "shared" => Ok(MaybeRange::Shared),
            "row" => Ok(MaybeRange::Row),
            "column" => Ok(MaybeRange::Column),
            "own" => Ok(MaybeRange::Own),
            other => Err(Error::unknown("range", other, ["shared", "row", "column", "own"])),
        }
    }
}

/// What is seen of a picture [C, H, W] of any number of channels.
pub fn shown(x: &Tensor) -> Result<Picture> {
    let x = match x.size()[0] {
        1 | 3 => x.shallow_clone(),
        _ => x.f_mean_dim([0].as_slice(), true, None::<Kind>)?,
    };
    Picture::from_tensor(&x, &FromTensor { stretch: true, normalized: None })
}

/// What can stand in a sheet: maps, or pictures as they are.
enum Cell {
    Map(Heatmap),
    Pictures(Vec<Picture>),
}

impl Cell {
    fn read(v: &Value) -> Result<Self> {
        if let Some(map) = v.downcast::<Heatmap>() {
            return Ok(Cell::Map(map.clone()));
        }
        match v {
            Value::Tensor(t) => {
                let t = if t.dim() == 3 { t.f_unsqueeze(0)? } else { t.shallow_clone() };
                let grey = if t.kind() == Kind::Uint8 { t } else { grey(&t)? };
                let of = FromTensor { stretch: false, normalized: None };
                Ok(Cell::Pictures(Picture::from_batch(&grey, &of)?))
            }
            v => Picture::from_value(v).map(|p| Cell::Pictures(vec![p])).map_err(|_| {
                Error::new(format!("expected a Heatmap, an attribution or a Picture, got {}", v.describe()))
            }),
        }
    }

    fn len(&self) -> usize {
        match self {
            Cell::Map(m) => m.tensor().size()[0] as usize,
            Cell::Pictures(all) => all.len(),
        }
    }
}

/// Where a cell of the sheet comes from: which cell, which picture of it.
type Place<'a> = (&'a Cell, usize);

/// Least and greatest of maps: from 0 where nothing is below it, the same on both sides of 0 where they are signed.
fn span<'a>(maps: impl Iterator<Item = (&'a Heatmap, Option<usize>)>) -> Result<Option<(f64, f64)>> {
    let (mut lo, mut hi, mut signed, mut any) = (0.0f64, 0.0f64, false, false);
    for (m, i) in maps {
        let t = match i {
            Some(i) => m.at(i as i64)?,
            None => m.tensor().shallow_clone(),
        };
        let (a, b) = (t.f_min()?.f_double_value(&[])?, t.f_max()?.f_double_value(&[])?);
        if !(a.is_finite() && b.is_finite()) {
            return Err(Error::new("a map holds NaN or infinite values"));
        }
        (lo, hi, any) = (lo.min(a), hi.max(b), true);
        signed |= m.is_signed() || a < 0.0;
    }
    let top = if hi.max(-lo) > 0.0 { hi.max(-lo) } else { 1.0 };
    Ok(any.then_some(if signed { (-top, top) } else { (0.0, top) }))
}

/// The maps in a list of lists of lists.
fn collect(v: &Value, out: &mut Vec<Heatmap>) {
    match v {
        Value::List(all) => all.iter().for_each(|v| collect(v, out)),
        Value::Map(all) => all.values().for_each(|v| collect(v, out)),
        v => out.extend(v.downcast::<Heatmap>().cloned()),
    }
}

fn short(v: f64) -> String {
    let text = if v == 0.0 {
        "0".to_string()
    } else if (1e-3..1e4).contains(&v.abs()) {
        let digits = (2.0 - v.abs().log10().floor()).clamp(0.0, 5.0) as usize;
        format!("{v:.digits$}")
    } else {
        format!("{v:.1e}")
    };
    text.replace('-', "\u{2212}")
}

/// The rows of the sheet, and the number of the picture each of them shows.
fn rows<'a>(
    cells: &'a [Vec<Cell>],
    flat: bool,
    o: &SheetOptions,
) -> Result<(Vec<Vec<Place<'a>>>, Vec<usize>)> {
    if flat {
        let n = cells[0].iter().map(Cell::len).max().unwrap_or(0);
        if let Some(c) = cells[0].iter().find(|c| c.len() != n && c.len() != 1) {
            return Err(Error::new(format!("one column has {} pictures, another {n}", c.len())));
        }
        let n = n.min(o.shown.max(1));
        let row = |i: usize| cells[0].iter().map(|c| (c, i.min(c.len() - 1))).collect();
        return Ok(((0..n).map(row).collect(), (0..n).collect()));
    }
    let wide = cells[0].len();
    if let Some((i, row)) = cells.iter().enumerate().find(|(_, r)| r.len() != wide) {
        return Err(Error::new(format!("row {i} has {} maps, row 0 has {wide}", row.len())));
    }
    Ok((cells.iter().map(|r| r.iter().map(|c| (c, 0)).collect()).collect(), vec![0; cells.len()]))
}

fn read(maps: &Value) -> Result<(Vec<Vec<Cell>>, bool)> {
    let Value::List(all) = maps else {
        return Ok((vec![vec![Cell::read(maps)?]], true));
    };
    let nested = all.iter().all(|v| matches!(v, Value::List(_)));
    let cells: Vec<Vec<Cell>> = match nested {
        true => all.iter().map(row_of).collect::<Result<_>>()?,
        false => vec![all.iter().map(Cell::read).collect::<Result<_>>()?],
    };
    if cells.is_empty() || cells.iter().any(Vec::is_empty) {
        return Err(
            Error::new("no maps given").hint("a list of Heatmaps (one a column), or a list of such rows")
        );
    }
    Ok((cells, !nested))
}

fn row_of(v: &Value) -> Result<Vec<Cell>> {
    match v {
        Value::List(all) => all.iter().map(Cell::read).collect(),
        v => Ok(vec![Cell::read(v)?]),
    }
}

fn sheet(x: &Tensor, maps: &Value, o: SheetOptions) -> Result<Picture> {
    let x = if x.dim() == 3 { x.f_unsqueeze(0)? } else { x.shallow_clone() };
    if x.dim() != 4 {
        return Err(Error::new(format!("a picture batch is [N, C, H, W] or [C, H, W], got {:?}", x.size())));
    }
    let (cells, flat) = read(maps)?;
    let (rows, which) = rows(&cells, flat, &o)?;
    let given = if o.pictures.is_empty() { x.size()[0] as usize } else { o.pictures.len() };
    if let Some(i) = which.iter().find(|i| **i >= given) {
        return Err(Error::new(format!("the maps show picture {i}; there are {given}")));
    }
    let size = o.area_in.unwrap_or([x.size()[3], x.size()[2]]);
    let boxed = |p: &Picture| with_area(p, o.area, size);
    let map = |(c, i): &Place| match c {
        Cell::Map(m) => Some((m.clone(), *i)),
        Cell::Pictures(_) => None,
    };
    let of = |places: Vec<&Place>| -> Result<Option<(f64, f64)>> {
        let maps: Vec<_> = places.into_iter().filter_map(map).collect();
        span(maps.iter().map(|(m, i)| (m, Some(*i))))
    };
    let all = of(rows.iter().flatten().collect())?;
    let signed = all.is_some_and(|r| r.0 < 0.0);
    let colormap = o.colormap.unwrap_or(if signed { Colormap::COOLWARM } else { Colormap::JET });
    let (mut drawn, mut captions) = (Vec::new(), Vec::new());
    for (r, row) in rows.iter().enumerate() {
        let picture = match o.pictures.get(which[r]) {
            Some(p) => p.clone(),
            None => shown(&x.f_select(0, which[r] as i64)?)?,
        };
        if o.input {
            drawn.push(boxed(&picture));
            captions.push(String::new());
        }
        for (c, place) in row.iter().enumerate() {
            let range = match o.range {
                MaybeRange::Given(lo, hi) => Some((lo, hi)),
                MaybeRange::Shared => all,
                MaybeRange::Row => of(row.iter().collect())?,
                MaybeRange::Column => of(rows.iter().map(|r| &r[c]).collect())?,
                MaybeRange::Own => of(vec![place])?,
            };
            // On a diverging colour map 0 lies in the middle of every cell.
            let even = colormap.is_diverging() && !matches!(o.range, MaybeRange::Given(..));
            let range = if even { range.map(|(lo, hi)| (lo.min(-hi), hi)) } else { range };
            let mut caption: Vec<String> = o.captions.get(r * row.len() + c).cloned().into_iter().collect();
            drawn.push(match place {
                (Cell::Map(m), i) => {
                    let heat = HeatOptions { colormap, alpha: o.alpha, range };
                    let map = m.at(*i as i64)?;
                    if let (false, Some((lo, hi))) = (o.range.one(), range) {
                        let empty = map.f_abs()?.f_max()?.f_double_value(&[])? == 0.0;
                        let told = format!("{} to {}", short(lo), short(hi));
                        caption.push(if empty { "zero everywhere".to_string() } else { told });
                    }
                    boxed(&picture.overlay(&map, &heat)?)
                }
                (Cell::Pictures(p), i) => boxed(&p[*i]),
            });
            captions.push(caption.join("\n"));
        }
    }
    let columns = rows[0].len();
    let per = |what: &str, given: &[String], n: usize| match given.len() {
        0 => Ok(()),
        k if k == n => Ok(()),
        k => Err(Error::new(format!("option `{what}` has {k} entries; expected {n}, or none"))),
    };
    per("column_labels", &o.column_labels, columns)?;
    per("captions", &o.captions, columns * rows.len())?;
    let mut heads = o.column_labels.clone();
    if o.input && !heads.is_empty() {
        heads.insert(0, "picture".to_string());
    }
    if captions.iter().all(String::is_empty) {
        captions.clear();
    }
    let range = if let MaybeRange::Given(lo, hi) = o.range { Some((lo, hi)) } else { all };
    let bar =
        range.filter(|_| o.range.one()).map(|(lo, hi)| ColorBar { colormap, lo, hi, label: o.color_label });
    let options = GridOptions {
        title: o.title,
        row_labels: o.row_labels,
        column_labels: heads,
        color_bar: bar,
        ..GridOptions::default()
    };
    image::grid(&drawn, columns + usize::from(o.input), &captions, &options)
}

/// A picture with the box of an area of a picture of `size`, scaled to it: white between two dark lines.
pub fn with_area(p: &Picture, area: Option<[i64; 4]>, size: [i64; 2]) -> Picture {
    let Some([x, y, w, h]) = area else { return p.clone() };
    let scale = |v: i64, from: i64, to: usize| (v as f64 * to as f64 / from.max(1) as f64).round() as i64;
    let (x0, y0) = (scale(x, size[0], p.width()), scale(y, size[1], p.height()));
    let (x1, y1) = (scale(x + w, size[0], p.width()), scale(y + h, size[1], p.height()));
    let line = (p.width().min(p.height()) / 90).max(1) as i64;
    let ring = |p: &Picture, by: i64, colour: Rgb, line: i64| {
        let (w, h) = ((x1 - x0 + 2 * by).max(1) as usize, (y1 - y0 + 2 * by).max(1) as usize);
        p.draw_box(x0 - by, y0 - by, w, h, colour, line as usize)
    };
    match p.width().min(p.height()) < 90 {
        true => ring(p, 0, [230, 30, 140], 1),
        false => ring(&ring(p, 2 * line, [0; 3], 3 * line), line, BOX, line),
    }
}

functions! {
    in "cam";
    /// Maps in rows and columns over their pictures, on one colour scale with its bar.
    ///
    /// `maps` is a list of Heatmaps, one a column (layers, epochs, networks, methods), each with a map a picture, one a row; or a list
    /// of such rows, whose maps are of the first picture (methods × epochs). Attributions [N, C, H, W] are drawn as
    /// `attrib::deprocess` draws them, pictures as they are. With one scale (`range: "shared"`) colours can be compared: take raw
    /// maps (`form: "raw"`); with a scale a row, column or map, each caption tells its range.
    /// ```rhai
    /// let net = nn::sequential([["conv", nn::conv2d(1, 4, 3)], ["act", nn::relu()], ["gap", nn::adaptive_avg_pool2d(1)],
    ///                           ["flat", nn::flatten()], ["fc", nn::linear(4, 3)]]);
    /// let x = tensor::rand([2, 1, 8, 8]);
    /// let maps = cam::layers(net, ["conv", "act"], x, 1, #{form: "raw"});
    /// cam::sheet(x, maps, #{column_labels: ["conv", "act"]}).save("layers.svg");
    /// cam::sheet(x, [maps, maps], #{range: "row", row_labels: ["epoch 1", "epoch 2"], area: [2, 2, 4, 4]}).width > 300 // => true
    /// ```
    fn sheet(x: Tensor, maps: Value, options: Opts<SheetOptions>) -> Picture {
        sheet(&x, &maps, options.0)?
    }

    /// The common range [low, high] of maps in a list (of lists), for one colour scale.
    ///
    /// From 0 where no map is below it; as far below 0 as above where one is.
    /// ```rhai
    /// let net = nn::sequential([["conv", nn::conv2d(1, 2, 3)], ["gap", nn::adaptive_avg_pool2d(1)], ["f", nn::flatten()]]);
    /// let map = cam::grad_cam(net, "conv", tensor::rand([1, 1, 9, 9]), 0, #{form: "signed"});
    /// cam::range([map, [map]]) // ~> [-1.0, 1.0]
    /// ```
    fn range(maps: Value) -> Vec<f64> {
        let mut all = Vec::new();
        collect(&maps, &mut all);
        match span(all.iter().map(|m| (m, None)))? {
            Some((lo, hi)) => vec![lo, hi],
            None => Err(Error::new(format!("there is no Heatmap in {}", maps.describe())))?,
        }
    }
}

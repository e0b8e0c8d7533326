//! Methods side by side: scores and pictures.

use super::MaybeTarget;
use super::sheet::shown;
use super::together::{all, as_map};
use crate::core::value::IntoValue;
use crate::core::{Error, Map, Opts, Result, Value};
use crate::explain::attrib::Look;
use crate::explain::metric::{CurveOptions, Maps, RoadOptions, curves, drop_and_increase, road};
use crate::explain::{Heatmap, probe};
use crate::image::{self, GridOptions, HeatmapOptions, Picture};
use crate::nn::{Layer, Net, Tap, net::Names};
use std::cell::RefCell;
use std::rc::Rc;
use tch::{Kind, Tensor};

options! {
    /// Options of `cam::compare`.
    pub struct CompareOptions {
        /// The layers of the CAMs; the last one with a feature map if left out.
        layers: Option<Names> = None,
        /// Steps of deletion and insertion.
        steps: i64 = 20,
        /// Percentiles of ROAD.
        percentiles: Vec<f64> = vec![20.0, 40.0, 60.0, 80.0] => "[20, 40, 60, 80]",
        /// Pictures shown, from the first on.
        shown: usize = 8,
    }
}

/// Finds the last layer, pooling aside, whose output has places.
#[derive(Default)]
struct LastMap(RefCell<Option<String>>);

impl Tap for LastMap {
    fn after(&self, path: &str, layer: &dyn Layer, _: &Value, output: Value) -> Result<Value> {
        // What a pooling layer gives is the map before it, coarser.
        let own = layer.children().is_empty() && !path.is_empty() && !layer.describe().contains("Pool");
        if let (Value::Tensor(t), true) = (&output, own)
            && t.dim() == 4
            && t.size()[2..] != [1, 1]
        {
            self.0.replace(Some(path.to_string()));
        }
        Ok(output)
    }
}

const SCORES: [&str; 5] = ["insertion", "deletion", "road", "drop", "increase"];

/// The scores of a map, [N] each, in the order of [`SCORES`].
fn scores(look: &Look, map: &Heatmap, o: &CompareOptions) -> Result<Vec<Tensor>> {
    let maps = Maps(map.tensor().shallow_clone());
    let steps = CurveOptions { steps: crate::nn::Count(o.steps), ..CurveOptions::default() };
    let road =
        road(look, &maps, &RoadOptions { percentiles: o.percentiles.clone(), ..RoadOptions::default() })?;
    let c = drop_and_increase(look, &maps, true)?;
    Ok(vec![
        curves(look, &maps, true, &steps)?.auc()?,
        curves(look, &maps, false, &steps)?.auc()?,
        road.combined()?,
        c.drop,
        c.increase,
    ])
}

fn mean(t: &Tensor) -> Result<f64> {
    Ok(t.f_mean(Kind::Double)?.f_double_value(&[])?)
}

/// `grad_cam  0.81  0.20 …`, one line a method.
fn text(names: &[String], rows: &[Vec<f64>]) -> String {
    let width = names.iter().map(String::len).max().unwrap_or(0).max(6);
    let head: String = SCORES.iter().map(|s| format!("{s:>11}")).collect();
    let line = |(name, row): (&String, &Vec<f64>)| {
        format!("{name:<width$}{}", row.iter().map(|v| format!("{v:>11.4}")).collect::<String>())
    };
    let lines: Vec<String> = names.iter().zip(rows).map(line).collect();
    format!("{:<width$}{head}\n{}", "method", lines.join("\n"))
}

fn compare(net: &Net, x: &Tensor, target: &MaybeTarget, names: &[String], o: &CompareOptions) -> Result<Map> {
    if names.is_empty() {
        return Err(Error::new("no method given").hint("such as [\"grad_cam\", \"hires_cam\", \"saliency\"]"));
    }
    if o.steps < 1 {
        return Err(Error::new(format!("`steps` must be at least 1, got {}", o.steps)));
    }
    let look = Look::new(net, x, &target.0)?;
    let layers = match &o.layers {
        Some(names) => names.0.clone(),
        None => {
            let last = Rc::new(LastMap::default());
            let taps: [Rc<dyn Tap>; 1] = [last.clone()];
            let _ = probe::scores(net, &look.x, &target.0, &taps)?;
            last.0.take().into_iter().collect()
        }
    };
    let mut maps = Map::new();
    let (mut rows, mut table) = (Vec::new(), Vec::new());
    let mut columns = Vec::new();
    for (name, v) in all(net, &layers, &look.x, &target.0, names)? {
        let map = as_map(&v)?;
        let each = scores(&look, &map, o)?;
        let row = each.iter().map(mean).collect::<Result<Vec<f64>>>()?;
        let mut entry: Map = SCORES.iter().zip(&row).map(|(k, v)| (k.to_string(), v.into_value())).collect();
        entry.insert("method".to_string(), name.clone().into_value());
        table.push(Value::Map(entry));
        rows.push(row);
        maps.insert(name.clone(), v);
        columns.push((name, map, each));
    }
    let picture = draw(&look, &columns, o)?;
    let named = [
        ("text", text(names, &rows).into_value()),
        ("table", Value::List(table)),
        ("maps", Value::Map(maps)),
        ("picture", picture.into_value()),
        ("layers", layers.into_value()),
    ];
    Ok(named.map(|(k, v)| (k.to_string(), v)).into())
}

/// A row a picture: the picture, then every method's map over it with its scores.
fn draw(look: &Look, columns: &[(String, Heatmap, Vec<Tensor>)], o: &CompareOptions) -> Result<Picture> {
    let (mut cells, mut captions) = (Vec::new(), Vec::new());
    for i in 0..look.x.size()[0].min(o.shown.max(1) as i64) {
        let picture = shown(&look.x.f_select(0, i)?)?;
        cells.push(picture.clone());
        captions.push(String::new());
        for (_, map, each) in columns {
            let heat = HeatmapOptions::default().heat(map.is_signed());
            cells.push(picture.overlay(&map.at(i)?, &heat)?);
            let at = |k: usize| each[k].f_double_value(&[i]);
            captions.push(format!("ins {:.2}, del {:.2}, ROAD {:.2}", at(0)?, at(1)?, at(2)?));
        }
    }
    let heads = std::iter::once("picture".to_string()).chain(columns.iter().map(|c| c.0.clone())).collect();
    let options = GridOptions { column_labels: heads, ..GridOptions::default() };
    image::grid(&cells, columns.len() + 1, &captions, &options)
}

functions! {
    in "cam";
    /// Methods side by side: one table of scores and one grid of pictures.
    ///
    /// Methods are those of `cam::together`. Gives `#{table, text, picture, maps, layers}`: rows `#{method, insertion, deletion,
    /// road, drop, increase}` (the mean over the pictures: areas under the curves, ROAD combined, relative average drop,
    /// share of increases; high insertion and road, low deletion and drop are good), the same as text, the grid, what each method
    /// gave, and the layers.
    /// ```rhai
    /// let net = nn::sequential([["conv", nn::conv2d(1, 4, 3)], ["act", nn::relu()], ["gap", nn::adaptive_avg_pool2d(1)],
    ///                           ["flat", nn::flatten()], ["fc", nn::linear(4, 3)]]);
    /// let all = cam::compare(net, tensor::rand([2, 1, 8, 8]), target::softmax(1), ["hires_cam", "saliency"], #{steps: 4});
    /// all.layers // => ["act"]
    /// all.table[1].method // => "saliency"
    /// ```
    fn compare(net: Net, x: Tensor, target: MaybeTarget, methods: Vec<String>, options: Opts<CompareOptions>) -> Map {
        compare(&net, &x, &target, &methods, &options.0)?
    }
}

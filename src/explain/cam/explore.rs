//! A page on which maps are explored: one HTML file that opens from a disk.

use super::base::map_by;
use super::sheet::shown;
use super::together::{all, find};
use crate::core::colormap::Colormap;
use crate::core::colour::palette;
use crate::core::page::Page;
use crate::core::raster::Raster;
use crate::core::value::{FromValue, mismatch};
use crate::core::{Error, Map, Opts, Result, Value, interrupt, svg};
use crate::explain::attrib::Look;
use crate::explain::attrib::heat::{Channels, HeatOptions, heat};
use crate::explain::metric::{CurveOptions, Maps, curves};
use crate::explain::{Heatmap, Target, probe};
use crate::image::{FromTensor, Picture};
use crate::nn::{Count, Net, net::Names};
use serde::Serialize;
use serde_json::json;
use tch::{Kind, Tensor};

/// Longest side of a map in the page.
const SIDE: i64 = 64;

/// Networks by name: one, or several of one structure (epochs, ways of training).
pub struct Nets(Vec<(String, Net)>);

impl FromValue for Nets {
    const TYPE: &'static str = "Net, or list of [name, Net]";
    fn from_value(v: &Value) -> Result<Self> {
        let pair = |v: &Value| match v {
            Value::List(p) if p.len() == 2 => Ok((String::from_value(&p[0])?, Net::from_value(&p[1])?)),
            v => mismatch("[name, Net]", v),
        };
        match v {
            Value::List(list) if list.is_empty() => Err(Error::new("no network given")),
            Value::List(list) => list.iter().map(pair).collect::<Result<_>>().map(Nets),
            v => Net::from_value(v)
                .map(|n| Nets(vec![(String::new(), n)]))
                .or_else(|_| mismatch(Self::TYPE, v)),
        }
    }
}

options! {
    /// Options of `cam::explore`.
    pub struct ExploreOptions {
        /// Where the page is written.
        path: String = "explore.html".to_string() => "explore.html",
        /// Above all.
        title: String = "Where the network looks".to_string() => "Where the network looks",
        /// CAMs and attributions, by name.
        methods: Vec<String> = ["grad_cam", "hires_cam", "layer_cam", "eigen_cam"].map(str::to_string).to_vec() => "[grad_cam, hires_cam, layer_cam, eigen_cam]",
        /// The names of the network's classes.
        classes: Vec<String> = Vec::new(),
        /// Classes explained, by number; each picture's `top` highest if left out.
        targets: Vec<i64> = Vec::new(),
        /// So many of each picture's highest classes are explained.
        top: usize = 3,
        /// Of a network that gives pictures: boxes by the grids they are cells of; 4: 4 × 4 boxes.
        areas: Vec<usize> = vec![1, 2, 4] => "[1, 2, 4]",
        /// The pictures to draw on; what the network sees of `x` if left out.
        pictures: Vec<Picture> = Vec::new(),
        /// Insertion and deletion of every map of a class, in so many steps; none if 0.
        steps: usize = 4,
        /// The largest page that is written, in MB.
        limit: f64 = 64.0,
    }
}

/// What is explained: a class of each picture, or a box for all.
struct Asked {
    target: Target,
    classes: Vec<i64>,
    area: Option<[i64; 4]>,
}

/// A map as the page holds it: bytes from `low` to `high`.
#[derive(Serialize)]
struct Kept {
    at: usize,
    w: i64,
    h: i64,
    low: f64,
    high: f64,
}

/// All maps: their bytes, and of each where they begin.
#[derive(Default)]
struct Store {
    bytes: Vec<u8>,
    maps: Vec<Kept>,
    /// The numbers of the pictures' maps, for every network, question, layer and method.
    index: Vec<Vec<usize>>,
    /// Insertion and deletion of the pictures' maps, in the same order; none where they are not measured.
    scores: Vec<Vec<[f64; 2]>>,
}

impl Store {
    /// Keeps the map [h, w]; gives its number.
    fn keep(&mut self, map: &Tensor) -> Result<usize> {
        let (mut h, mut w) = (map.size()[0], map.size()[1]);
        let mut t = map.f_to_kind(Kind::Float)?.f_to_device(tch::Device::Cpu)?;
        if h.max(w) > SIDE {
            let scale = SIDE as f64 / h.max(w) as f64;
            (h, w) = (((h as f64 * scale).round() as i64).max(1), ((w as f64 * scale).round() as i64).max(1));
            t = t
                .f_unsqueeze(0)?
                .f_unsqueeze(0)?
                .f_adaptive_avg_pool2d([h, w])?
                .f_squeeze()?
                .f_view([h, w])?;
        }
        let (low, high) = (t.f_min()?.f_double_value(&[])?, t.f_max()?.f_double_value(&[])?);
        if !(low.is_finite() && high.is_finite()) {
            return Err(Error::new("the map holds NaN or infinite values"));
        }
        let unit = t.f_sub_scalar(low)?.f_mul_scalar(255.0 / (high - low).max(1e-300))?;
        let at = self.bytes.len();
        self.bytes.extend(
            Vec::<f32>::try_from(unit.f_flatten(0, -1)?)?.iter().map(|v| v.round().clamp(0.0, 255.0) as u8),
        );
        self.maps.push(Kept { at, w, h, low, high });
        Ok(self.maps.len() - 1)
    }
}

/// The raw maps of a method at a layer, at the layer's own size where it has one.
fn maps(net: &Net, layer: &str, x: &Tensor, target: &Target, method: &str) -> Result<Heatmap> {
    if find(method)?.home == "cam" {
        let raw = [("form", Value::Str("raw".into())), ("resize", Value::Bool(false))];
        let options: Map = raw.map(|(k, v)| (k.to_string(), v)).into();
        return map_by(find(method)?.name(), net, vec![layer.to_string()], x, target.clone(), options);
    }
    let found = all(net, &[layer.to_string()], x, target, &[method.to_string()])?.swap_remove(0).1;
    let options = HeatOptions { channels: Channels::Abs, form: super::Form::Raw };
    match (&found, found.downcast::<Heatmap>()) {
        (_, Some(map)) => Ok(map.clone()),
        (Value::Tensor(t), None) => heat(t, &options),
        (v, None) => Err(Error::new(format!("{method} gives {}, no map", v.describe()))),
    }
}

/// A picture that a network gave, [C, H, W]: as it is, or its classes in colours.
fn drawn(t: &Tensor) -> Result<Picture> {
    let (c, h, w) = t.size3()?;
    if c == 1 || c == 3 {
        let (lo, hi) = (t.f_min()?.f_double_value(&[])?, t.f_max()?.f_double_value(&[])?);
        let t = if lo < 0.0 && hi > 1.0 { t.f_sigmoid()? } else { t.f_clamp(0.0, 1.0)? };
        return Picture::from_tensor(&t, &FromTensor { stretch: false, normalized: None });
    }
    let colours = palette(c as usize);
    let classes = Vec::<i64>::try_from(t.f_argmax(0, false)?.f_flatten(0, -1)?)?;
    let rgb = classes.iter().flat_map(|k| colours[*k as usize]).collect();
    Ok(Raster::from_rgb(w as usize, h as usize, rgb)?.into())
}

/// The boxes of grids of so many cells a side, the largest first.
fn boxes(grids: &[usize], [h, w]: [i64; 2]) -> Result<Vec<[i64; 4]>> {
    let mut out = Vec::new();
    for g in grids.iter().map(|g| *g as i64) {
        if g < 1 || g > h.min(w) {
            return Err(Error::new(format!(
                "option `areas` asks for {g} × {g} boxes in a picture of {w} × {h} pixels"
            )));
        }
        let edge = |i: i64, n: i64| i * n / g;
        for (r, c) in (0..g).flat_map(|r| (0..g).map(move |c| (r, c))) {
            let (x, y) = (edge(c, w), edge(r, h));
            out.push([x, y, edge(c + 1, w) - x, edge(r + 1, h) - y]);
        }
    }
    Ok(out)
}

/// Bytes as people read them.
fn size(bytes: f64) -> String {
    if bytes < 1e6 { format!("{:.0} kB", bytes / 1e3) } else { format!("{:.1} MB", bytes / 1e6) }
}

/// What is asked of a network whose output for `x` is `out`.
fn asked(out: &Tensor, first: &Tensor, o: &ExploreOptions) -> Result<Vec<Asked>> {
    let n = out.size()[0];
    if out.dim() == 4 {
        let all = boxes(&o.areas, [out.size()[2], out.size()[3]])?.into_iter();
        return Ok(all
            .map(|b| Asked { target: Target::boxed(b), classes: vec![-1; n as usize], area: Some(b) })
            .collect());
    }
    if out.dim() != 2 {
        return Err(Error::new(format!(
            "the network gives {:?}; a page shows classes [N, K] or pictures [N, C, H, W]",
            out.size()
        )));
    }
    let many = out.size()[1];
    if let Some(k) = o.targets.iter().find(|k| !(0..many).contains(*k)) {
        return Err(Error::new(format!("there is no class {k}: the network has classes 0 to {}", many - 1)));
    }
    if !o.classes.is_empty() && o.classes.len() as i64 != many {
        return Err(Error::new(format!(
            "option `classes` names {}; the network has {many}",
            o.classes.len()
        )));
    }
    let columns: Vec<Vec<i64>> = match o.targets.is_empty() {
        false => o.targets.iter().map(|k| vec![*k; n as usize]).collect(),
        true => {
            let top = first.f_topk((o.top.max(1) as i64).min(many), 1, true, true)?.1;
            Vec::<Vec<i64>>::try_from(top.f_tr()?)?
        }
    };
    let one = |classes: Vec<i64>| Asked { target: Target::classes_of(&classes), classes, area: None };
    Ok(columns.into_iter().map(one).collect())
}

fn explore(nets: &Nets, layers: &[String], x: &Tensor, o: &ExploreOptions) -> Result<Map> {
    let x = &probe::batch(&nets.0[0].1, x)?;
    let n = x.size()[0];
    if layers.is_empty() || o.methods.is_empty() {
        return Err(
            Error::new("a page needs a layer and a method").hint("cam::explore(net, [\"layer4\"], x)")
        );
    }
    if !o.pictures.is_empty() && o.pictures.len() as i64 != n {
        return Err(Error::new(format!("{} pictures for {n} inputs", o.pictures.len())));
    }
    o.methods.iter().try_for_each(|m| find(m).map(drop))?;
    let output = |net: &Net| {
        net.check_layers(layers)?;
        probe::look_at(net, x, |out| match out {
            Value::Tensor(t) => Ok(t.f_to_device(tch::Device::Cpu)?.f_to_kind(Kind::Float)?),
            v => Err(Error::new(format!("the network gives {}; a page shows tensors", v.describe()))),
        })
    };
    let outputs = nets.0.iter().map(|(_, net)| output(net)).collect::<Result<Vec<_>>>()?;
    let questions = asked(&outputs[0], &outputs[outputs.len() - 1], o)?;
    let count = nets.0.len() * n as usize * questions.len() * layers.len() * o.methods.len();
    // Before anything is computed: base64 takes 4 bytes for 3, and each map a line of numbers.
    let sides = layer_sizes(&nets.0[0].1, layers, x)?;
    let each = sides.iter().map(|s| s[0].min(SIDE) * s[1].min(SIDE)).sum::<i64>() as f64 / sides.len() as f64;
    let expected =
        count as f64 * (each * 4.0 / 3.0 + 70.0) + n as f64 * (x.size()[2] * x.size()[3]) as f64 * 2.0;
    if expected > o.limit * 1e6 {
        return Err(Error::new(format!(
            "the page would hold {count} maps, about {}; the limit is {} MB",
            size(expected),
            o.limit
        ))
        .hint("show fewer pictures, layers, methods, `targets` or `areas`, or raise `limit`"));
    }
    let mut store = Store::default();
    for (_, net) in &nets.0 {
        for q in &questions {
            probe::shared(false, || {
                let _ = probe::probe(net, layers, x, &q.target);
                let first = store.index.len();
                for (l, layer) in layers.iter().enumerate() {
                    for (m, method) in o.methods.iter().enumerate() {
                        interrupt::check()?;
                        let measure = o.steps > 0 && q.area.is_none();
                        // What takes no layer is the same at each.
                        if l > 0 && !find(method)?.params.iter().any(|p| p.name.starts_with("layer")) {
                            store.index.push(store.index[first + m].clone());
                            if measure {
                                store.scores.push(store.scores[first + m].clone());
                            }
                            continue;
                        }
                        let map = maps(net, layer, x, &q.target, method).map_err(|e| e.within(method))?;
                        let each = (0..n).map(|i| store.keep(&map.at(i)?)).collect::<Result<_>>()?;
                        store.index.push(each);
                        if measure {
                            store.scores.push(measured(net, x, &q.classes, &map, o.steps)?);
                        }
                    }
                }
                Ok(())
            })?;
        }
    }
    let bytes = assemble(nets, layers, x, o, &outputs, &questions, &store)?.write(&o.path)?;
    let cells = [
        ("path", Value::Str(o.path.clone())),
        ("maps", Value::Int(store.maps.len() as i64)),
        ("bytes", Value::Int(bytes as i64)),
    ];
    Ok(cells.map(|(k, v)| (k.to_string(), v)).into())
}

/// Height and width of what the layers give.
fn layer_sizes(net: &Net, layers: &[String], x: &Tensor) -> Result<Vec<[i64; 2]>> {
    let _eval = net.evaluating();
    let one = Value::Tensor(x.f_narrow(0, 0, 1)?);
    let acts = tch::no_grad(|| net.capture(one, layers, false))?.1;
    let each = acts.iter().zip(layers).map(|(t, l)| match t.size()[..] {
        [_, _, h, w] => Ok([h, w]),
        _ => Err(Error::new(format!(
            "layer `{l}` gives {:?}; a CAM needs a feature map [N, C, h, w]",
            t.size()
        ))),
    });
    each.collect()
}

/// Insertion and deletion of the classes' probabilities, for every picture.
fn measured(net: &Net, x: &Tensor, classes: &[i64], map: &Heatmap, steps: usize) -> Result<Vec<[f64; 2]>> {
    let target = Target::probabilities_of(classes);
    let look = Look::new(net, x, &target)?;
    let steps = CurveOptions { steps: Count(steps as i64), ..CurveOptions::default() };
    let auc = |insert: bool| -> Result<Vec<f64>> {
        let auc = curves(&look, &Maps(map.tensor().shallow_clone()), insert, &steps)?.auc()?;
        Ok(Vec::<f64>::try_from(auc.f_to_kind(Kind::Double)?)?)
    };
    Ok(auc(true)?.into_iter().zip(auc(false)?).map(|(a, b)| [a, b]).collect())
}

fn assemble(
    nets: &Nets,
    layers: &[String],
    x: &Tensor,
    o: &ExploreOptions,
    outputs: &[Tensor],
    questions: &[Asked],
    store: &Store,
) -> Result<Page> {
    let n = x.size()[0];
    let picture = |i: i64| match o.pictures.get(i as usize) {
        Some(p) => svg::data_url(p.raster()),
        None => svg::data_url(shown(&x.f_select(0, i)?)?.raster()),
    };
    let pictures = (0..n).map(picture).collect::<Result<Vec<_>>>()?;
    let areas: Vec<_> = questions.iter().filter_map(|q| q.area).collect();
    let (mut drawn_by, mut probabilities) = (Vec::new(), Vec::new());
    for out in outputs {
        if areas.is_empty() {
            let p = Vec::<Vec<f64>>::try_from(out.f_softmax(1, Kind::Double)?)?;
            // The highest of each picture, and what is asked for.
            let row = |(i, p): (usize, &Vec<f64>)| {
                let mut order: Vec<usize> = (0..p.len()).collect();
                order.sort_by(|a, b| p[*b].total_cmp(&p[*a]));
                order.truncate(5);
                order.extend(questions.iter().map(|q| q.classes[i] as usize).filter(|k| p.len() > *k));
                let mut seen = std::collections::HashSet::new();
                order.retain(|k| seen.insert(*k));
                order.into_iter().map(|k| json!([k, p[k]])).collect::<Vec<_>>()
            };
            probabilities.push(p.iter().enumerate().map(row).collect::<Vec<_>>());
        } else {
            let url = |i: i64| svg::data_url(drawn(&out.f_select(0, i)?)?.raster());
            drawn_by.push((0..n).map(url).collect::<Result<Vec<_>>>()?);
        }
    }
    let size = outputs[0].size();
    let tables = ["jet", "viridis", "magma", "gray", "coolwarm"];
    let tables = tables
        .map(|t| Ok(json!([t, Colormap::parse(t)?.table()])))
        .into_iter()
        .collect::<Result<Vec<_>>>()?;
    let meta = json!({
        "title": o.title, "layers": layers, "methods": o.methods, "classes": o.classes,
        "nets": nets.0.iter().map(|(n, _)| n).collect::<Vec<_>>(), "pictures": pictures, "width": x.size()[3], "height": x.size()[2],
        "targets": questions.iter().map(|q| &q.classes).collect::<Vec<_>>(), "areas": areas, "outputs": drawn_by,
        "output": if size.len() == 4 { json!([size[3], size[2]]) } else { json!(null) },
        "probabilities": probabilities, "maps": store.maps, "index": store.index, "scores": store.scores, "tables": tables,
    });
    Page::new(&o.title)
        .css(include_str!("explore/page.css"))
        .script(include_str!("explore/page.js"))
        .body(include_str!("explore/page.html"))
        .bytes("maps", &store.bytes)
        .json("explore", &meta)
}

functions! {
    in "cam";
    /// Writes a page to explore maps: pictures, classes or areas, layers, methods.
    ///
    /// One HTML file that opens from a disk and loads nothing. `net` is a network, or a list of `[name, net]` of one structure (epochs).
    /// Maps are raw, at their layer's size (at most 64 a side); the page scales them each by itself or together over layers and
    /// networks. With networks that give pictures [N, C, H, W] a box drawn on the output shows the map of the nearest of the boxes
    /// computed (`areas`). Arrow keys change layer and network. Gives `#{path, maps, bytes}`.
    /// ```rhai
    /// let net = nn::sequential([["conv", nn::conv2d(1, 4, 3)], ["act", nn::relu()], ["gap", nn::adaptive_avg_pool2d(1)],
    ///                           ["flat", nn::flatten()], ["fc", nn::linear(4, 3)]]);
    /// let made = cam::explore(net, ["conv", "act"], tensor::rand([2, 1, 12, 12]), #{path: "maps.html", classes: ["a", "b", "c"]});
    /// made.maps // => 48
    /// ```
    fn explore(net: Nets, layers: Names, x: Tensor, options: Opts<ExploreOptions>) -> Map {
        explore(&net, &layers.0, &x, &options.0)?
    }
}

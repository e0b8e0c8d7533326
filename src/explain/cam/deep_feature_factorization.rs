//! Deep feature factorization (Collins, Achanta and Süsstrunk, ECCV 2018, https://arxiv.org/abs/1806.10206).

use super::nmf;
use super::rerun::Replace;
use super::sheet::shown;
use crate::core::colour::palette;
use crate::core::raster::{Raster, Rgb};
use crate::core::value::{FromValue, IntoValue, record};
use crate::core::{Error, Map, Opts, Result, Value};
use crate::explain::heatmap::resize;
use crate::explain::probe::batch;
use crate::image::{self, GridOptions, Picture};
use crate::nn::{Net, Tap};
use std::rc::Rc;
use tch::{Kind, Tensor};

/// What the concepts' maps are divided by.
#[derive(Clone, Copy, PartialEq)]
pub enum Scale {
    /// By the greatest value of the concept in all pictures.
    Concept,
    /// Every map from 0 to 1 by itself.
    Map,
    /// As factorised.
    Raw,
}

impl FromValue for Scale {
    const TYPE: &'static str = "\"concept\", \"map\" or \"raw\"";
    fn from_value(v: &Value) -> Result<Self> {
        match String::from_value(v)?.as_str() {
            "concept" => Ok(Scale::Concept),
            "map" => Ok(Scale::Map),
            "raw" => Ok(Scale::Raw),
            other => Err(Error::unknown("scale", other, ["concept", "map", "raw"])),
        }
    }
}

options! {
    /// Options of `cam::deep_feature_factorization`.
    pub struct FactorOptions {
        /// "concept" (1 where a concept is strongest in all pictures), "map" (0 to 1 in each map) or "raw".
        scale: Scale = Scale::Concept => "concept",
        /// Enlarges the maps to the pictures' size.
        resize: bool = true,
        /// Classes named for each concept.
        top: usize = 3,
        /// The names of the network's classes.
        classes: Vec<String> = Vec::new(),
        /// The pictures to draw on; what the network sees of `x` if left out.
        pictures: Vec<Picture> = Vec::new(),
        /// Pictures shown, from the first on.
        shown: usize = 8,
        /// Rounds of the factorisation, at most.
        rounds: i64 = 200,
        /// It ends when the projected gradient has fallen to this share of the first round's.
        tolerance: f64 = 1e-4,
    }
}

/// The layer's output [N, C, h, w], and its places as columns [C, N·h·w] above each channel's least value [C, 1].
fn columns(net: &Net, layer: &str, x: &Tensor) -> Result<(Tensor, Tensor, Tensor)> {
    let _eval = net.evaluating();
    let x = Value::Tensor(x.shallow_clone());
    let act = tch::no_grad(|| net.capture(x, &[layer.to_string()], false))?.1.swap_remove(0);
    if act.dim() != 4 {
        return Err(Error::new(format!(
            "layer `{layer}` gives {:?}; concepts need a feature map [N, C, h, w]",
            act.size()
        ))
        .hint(format!("layers: {}", net.layer_names(true).join(", "))));
    }
    let flat = act.f_transpose(0, 1)?.f_flatten(1, -1)?.f_to_kind(Kind::Double)?;
    if flat.f_isfinite()?.f_all()?.f_int64_value(&[])? == 0 {
        return Err(Error::new(format!("layer `{layer}` gives NaN or infinite values")));
    }
    let least = flat.f_amin([1], true)?;
    Ok((act, flat.f_sub(&least)?, least))
}

/// What the network makes of the concepts [k, C] everywhere in a layer's output of `size`: scores [k, classes]; none where
/// it gives no classes, or where they depend on the picture too, by a way around the layer.
fn behind(net: &Net, layer: &str, x: &Tensor, concepts: &Tensor, size: &[i64]) -> Result<Option<Tensor>> {
    let [k, c] = [concepts.size()[0], concepts.size()[1]];
    let rows = concepts.f_view([k, c, 1, 1])?.f_expand([k, c, size[2], size[3]], false)?.f_contiguous()?;
    let of = |x: &Tensor| -> Result<Option<Tensor>> {
        let taps: [Rc<dyn Tap>; 1] =
            [Rc::new(Replace { layer: layer.to_string(), rows: rows.shallow_clone() })];
        let mut size = x.size();
        size[0] = k;
        let x = Value::Tensor(x.f_narrow(0, 0, 1)?.f_expand(size, false)?);
        Ok(match net.forward_with(x, &taps)? {
            Value::Tensor(t) if t.dim() == 2 && t.size()[1] > 1 => Some(t),
            _ => None,
        })
    };
    let _eval = net.evaluating();
    tch::no_grad(|| {
        let Some(scores) = of(x)? else { return Ok(None) };
        let other = of(&x.f_flip([2, 3])?.f_neg()?)?;
        let moved = other.map(|o| o.f_sub(&scores)?.f_abs()?.f_max()?.f_double_value(&[])).transpose()?;
        let scale = scores.f_abs()?.f_max()?.f_double_value(&[])?;
        Ok(moved.is_some_and(|d| d <= 1e-6 * scale).then_some(scores))
    })
}

/// The `top` classes of scores [k, classes] and their probabilities, a list a concept.
fn named(scores: &Tensor, o: &FactorOptions) -> Result<Vec<Vec<(i64, String, f64)>>> {
    let classes = scores.size()[1];
    if !o.classes.is_empty() && o.classes.len() as i64 != classes {
        return Err(Error::new(format!(
            "option `classes` names {}; the network has {classes}",
            o.classes.len()
        )));
    }
    let (p, which) = scores.f_softmax(1, Kind::Double)?.f_topk((o.top as i64).min(classes), 1, true, true)?;
    let (p, which) = (Vec::<Vec<f64>>::try_from(p)?, Vec::<Vec<i64>>::try_from(which)?);
    let name = |k: i64| o.classes.get(k as usize).cloned().unwrap_or_else(|| k.to_string());
    let row =
        |(p, which): (Vec<f64>, Vec<i64>)| which.into_iter().zip(p).map(|(k, p)| (k, name(k), p)).collect();
    Ok(p.into_iter().zip(which).map(row).collect())
}

/// A picture in the colours of its strongest concepts [k, H, W], on pale grey.
fn painted(picture: &Picture, maps: &Tensor, colours: &[Rgb]) -> Result<Picture> {
    let (h, w) = (picture.height(), picture.width());
    let maps = resize(maps, [h as i64, w as i64])?;
    let (value, which) = maps.f_max_dim(0, false)?;
    let values = Vec::<f64>::try_from(value.f_clamp(0.0, 1.0)?.f_flatten(0, -1)?.f_to_kind(Kind::Double)?)?;
    let which = Vec::<i64>::try_from(which.f_flatten(0, -1)?)?;
    let grey = picture.grayscale();
    let mixed = grey.raster().rgb.chunks_exact(3).zip(values.iter().zip(&which)).flat_map(|(p, (v, k))| {
        let (pale, colour) = (f64::from(p[0]) * 0.6 + 102.0, colours[*k as usize]);
        colour.map(|c| (pale + (f64::from(c) - pale) * v * 0.8) as u8)
    });
    Ok(Raster::from_rgb(w, h, mixed.collect())?.into())
}

/// The pictures above, what they hold below, the concepts' names in a legend.
fn draw(
    x: &Tensor,
    maps: &Tensor,
    shares: &[Vec<f64>],
    classes: Option<&[Vec<(i64, String, f64)>]>,
    o: &FactorOptions,
) -> Result<Picture> {
    let k = maps.size()[1];
    let colours = palette(k as usize);
    let n = (x.size()[0] as usize).min(o.shown.max(1));
    let top = maps.f_amax([0, 2, 3], true)?.f_clamp_min(1e-300)?;
    let maps = maps.f_div(&top)?;
    let pictures: Vec<Picture> = match o.pictures.is_empty() {
        true => (0..n).map(|i| shown(&x.f_select(0, i as i64)?)).collect::<Result<_>>()?,
        false => o.pictures[..n].to_vec(),
    };
    let mut cells = pictures.clone();
    let mut captions = vec![String::new(); n];
    for (i, picture) in pictures.iter().enumerate() {
        cells.push(painted(picture, &maps.f_select(0, i as i64)?, &colours)?);
        let mut order: Vec<usize> = (0..k as usize).collect();
        order.sort_by(|a, b| shares[i][*b].total_cmp(&shares[i][*a]));
        let parts = order.iter().take(3).map(|c| format!("{}: {:.0}%", c + 1, 100.0 * shares[i][*c]));
        captions.push(parts.collect::<Vec<_>>().join(", "));
    }
    let label = |c: usize| match classes.map(|all| &all[c]) {
        Some(top) if !top.is_empty() => {
            let parts = top.iter().map(|(_, name, p)| format!("{name} {p:.2}"));
            format!("concept {}: {}", c + 1, parts.collect::<Vec<_>>().join(", "))
        }
        _ => format!("concept {}", c + 1),
    };
    let legend = colours.iter().enumerate().map(|(c, colour)| (*colour, label(c))).collect();
    image::grid(&cells, n, &captions, &GridOptions { legend, ..GridOptions::default() })
}

fn factorise(net: &Net, layer: &str, x: &Tensor, k: i64, o: &FactorOptions) -> Result<Map> {
    let x = batch(net, x)?;
    let n = x.size()[0];
    if !o.pictures.is_empty() && o.pictures.len() as i64 != n {
        return Err(Error::new(format!("{} pictures for {n} inputs", o.pictures.len())));
    }
    let (act, all, least) = columns(net, layer, &x)?;
    let (s, most) = (act.size(), all.size()[0].min(all.size()[1]));
    if !(1..=most).contains(&k) || o.rounds < 1 {
        return Err(Error::new(format!(
            "{k} concepts in {} rounds: layer `{layer}` has {} channels and {} places; expected 1 to {most} concepts",
            o.rounds,
            all.size()[0],
            all.size()[1]
        )));
    }
    let found = tch::no_grad(|| nmf::factors(&all, k, o.rounds, o.tolerance))?;
    // A concept's vector is what the layer gives where the concept is strongest: scale is nobody's choice.
    let top = found.h.f_amax([1], true)?;
    let concepts =
        found.w.f_mul(&top.f_tr()?)?.f_add(&least)?.f_tr()?.f_to_kind(act.kind())?.f_contiguous()?;
    let maps = found.h.f_view([k, n, s[2], s[3]])?.f_transpose(0, 1)?;
    let whole = found.w.f_sum_dim_intlist([0].as_slice(), false, None::<Kind>)?;
    let each = maps.f_sum_dim_intlist([2, 3].as_slice(), false, None::<Kind>)?.f_mul(&whole)?;
    let total = each.f_sum_dim_intlist([1].as_slice(), true, None::<Kind>)?.f_clamp_min(1e-300)?;
    let shares = each.f_div(&total)?;
    let top = top.f_view([1, k, 1, 1])?.f_clamp_min(1e-300)?;
    let unit = maps.f_div(&top)?;
    let scaled = match o.scale {
        Scale::Raw => maps.shallow_clone(),
        Scale::Concept => unit.shallow_clone(),
        Scale::Map => {
            let low = maps.f_sub(&maps.f_amin([2, 3], true)?)?;
            low.f_div(&low.f_amax([2, 3], true)?.f_add_scalar(1e-7)?)?
        }
    };
    let large = |t: &Tensor| -> Result<Tensor> {
        let flat = resize(&t.f_flatten(0, 1)?, [x.size()[2], x.size()[3]])?;
        Ok(flat.f_view([n, k, x.size()[2], x.size()[3]])?)
    };
    let scaled = if o.resize { large(&scaled)? } else { scaled }.f_to_kind(act.kind())?;
    let scores = behind(net, layer, &x, &concepts, &s)?;
    let classes = scores.as_ref().map(|t| named(t, o)).transpose()?;
    let numbers = Vec::<Vec<f64>>::try_from(&shares)?;
    let picture = draw(&x, &large(&unit)?, &numbers, classes.as_deref(), o)?;
    let one = |(k, name, p): (i64, String, f64)| {
        record([("class", k.into_value()), ("name", name.into_value()), ("score", p.into_value())])
    };
    let list = |all: Vec<Vec<(i64, String, f64)>>| {
        Value::List(all.into_iter().map(|c| Value::List(c.into_iter().map(one).collect())).collect())
    };
    let cells = [
        ("maps", scaled.into_value()),
        ("concepts", concepts.into_value()),
        ("shares", shares.f_to_kind(act.kind())?.into_value()),
        ("scores", scores.into_value()),
        ("classes", classes.map_or(Value::Nil, list)),
        ("error", found.error.into_value()),
        ("rounds", found.rounds.into_value()),
        ("picture", picture.into_value()),
    ];
    Ok(cells.map(|(n, v)| (n.to_string(), v)).into())
}

functions! {
    in "cam";
    /// Deep feature factorization: the concepts that all pictures' activations share.
    ///
    /// The places of a layer's output, of all pictures together, are factorised `X ≈ W · H` without negative numbers (X [C, N·h·w],
    /// each channel above its least value; coordinate descent from NNDSVD, so the same numbers every time). Gives a map:
    /// `maps` [N, k, H, W], where each concept is; `concepts` [k, C], the layer's output where it is strongest; `shares` [N, k],
    /// how much of each picture it is (each row sums to 1); `scores` [k, classes] and `classes`, the best of them as `#{class,
    /// name, score}` with their probability, of what the layers behind make of a picture that is this concept everywhere (`()` where
    /// they give no classes, or look at the picture by a way around the layer); `error`, what is left of |X|; `rounds`; `picture`.
    /// ```rhai
    /// let net = nn::sequential([["conv", nn::conv2d(3, 6, 3)], ["act", nn::relu()], ["gap", nn::adaptive_avg_pool2d(1)],
    ///                           ["flat", nn::flatten()], ["fc", nn::linear(6, 4)]]);
    /// let found = cam::deep_feature_factorization(net, "act", tensor::rand([2, 3, 10, 12]), 3, #{top: 1});
    /// [found.maps.shape, found.concepts.shape, found.classes.len()] // => [[2, 3, 10, 12], [3, 6], 3]
    /// found.shares.sum(1) // => tensor([1., 1.])
    /// ```
    fn deep_feature_factorization(net: Net, layer: String, x: Tensor, k: i64, options: Opts<FactorOptions>) -> Map {
        factorise(&net, &layer, &x, k, &options.0)?
    }
}

//! Where maps point over a data set whose things are known.

use super::localisation::{Region, hits, share};
use crate::augment::IGNORED;
use crate::core::value::{FromValue, IntoValue, record};
use crate::core::{Error, Map, Opts, Result, Value, interrupt, progress};
use crate::data::{Batch, Dataset, LoaderOptions};
use crate::explain::cam::{all, as_map, quietly};
use crate::explain::{Target, probe};
use crate::nn::net::Names;
use crate::nn::{Count, Net};
use std::collections::BTreeMap;
use tch::{Kind, Tensor};

options! {
    /// Options of `metrics::localisation`.
    pub struct LocalisationOptions {
        /// What is explained; each picture's own class if left out.
        target: Option<Target> = None,
        /// Pictures at once.
        batch_size: Count = Count(32) => 32,
        /// How many pixels beside the thing still count in the pointing game.
        tolerance: i64 = 0,
    }
}

/// One number a picture and method.
#[derive(Default)]
struct Sums {
    energy: Vec<f64>,
    pointing: Vec<f64>,
    in_box: Vec<f64>,
    parts: BTreeMap<String, Vec<f64>>,
}

fn numbers(t: &Tensor) -> Result<Vec<f64>> {
    Ok(Vec::<f64>::try_from(t.f_to_device(tch::Device::Cpu)?.f_to_kind(Kind::Double)?)?)
}

/// Mean of the numbers that are numbers: a map of zeros has no share.
fn mean(v: &[f64]) -> f64 {
    let (n, sum) = v.iter().filter(|x| x.is_finite()).fold((0, 0.0), |(n, s), x| (n + 1, s + x));
    if n == 0 { f64::NAN } else { sum / f64::from(n) }
}

/// How many maps are zero everywhere: their share of anything is no number.
fn dark(energy: &[f64]) -> i64 {
    energy.iter().filter(|e| e.is_nan()).count() as i64
}

/// What is known of a batch: its thing's mask [N, H, W], the pixels that do not count, and the masks of parts.
struct Known {
    mask: Tensor,
    uncounted: Tensor,
    bounds: Tensor,
    parts: Vec<(String, Tensor)>,
}

impl Known {
    fn of(batch: &Batch, names: &[String]) -> Result<Self> {
        let size = [batch.input.size()[0], batch.input.size()[2], batch.input.size()[3]];
        let bounds = |t: &Tensor| -> Result<Tensor> {
            let each = numbers(&t.f_flatten(0, -1)?)?;
            let boxes = each.chunks_exact(4).map(|b| whole([b[0], b[1], b[2], b[3]], size[2], size[1]));
            Region::Boxes(boxes.collect::<Result<_>>()?).mask(&size)
        };
        let known = (&batch.truth.mask, &batch.truth.boxes);
        let (mask, uncounted, parts, bounds) = match known {
            (Some(m), boxes) => {
                let uncounted = m.f_eq(i64::from(IGNORED))?;
                let mask = Region::Mask(m.f_masked_fill(&uncounted, 0)?).mask(&size)?;
                let own = |(i, n): (usize, &String)| Ok((n.clone(), m.f_eq(i as i64)?));
                let parts = names.iter().enumerate().skip(1).map(own).collect::<Result<_>>()?;
                let bounds = boxes.as_ref().map_or_else(|| Ok(mask.shallow_clone()), bounds)?;
                (mask, uncounted, parts, bounds)
            }
            (None, Some(b)) => {
                let bounds = bounds(b)?;
                (bounds.shallow_clone(), bounds.f_zeros_like()?, Vec::new(), bounds)
            }
            (None, None) => {
                return Err(Error::new(
                    "this data set does not know where things are: it has neither masks nor boxes",
                )
                .hint("data::critters knows; data::stanford_dogs too where its Annotation folder is there"));
            }
        };
        Ok(Known { mask, uncounted, bounds, parts })
    }

    /// The share of each picture that its thing takes, [N].
    fn area(&self) -> Result<Tensor> {
        let even = self.mask.f_ones_like()?.f_to_kind(Kind::Float)?;
        share(&self.counted(&even)?, &self.mask)
    }

    /// A map [N, H, W] as it is measured: pixels that do not count are below all others.
    fn counted(&self, map: &Tensor) -> Result<Tensor> {
        Ok(map.f_to_device(tch::Device::Cpu)?.f_masked_fill(&self.uncounted, f64::NEG_INFINITY)?)
    }
}

/// A box in whole pixels of a picture, at least one.
fn whole([x, y, w, h]: [f64; 4], width: i64, height: i64) -> Result<[i64; 4]> {
    if w <= 0.0 || h <= 0.0 {
        return Err(Error::new("the box of a picture lies outside of what is seen of it").hint(
            "data sets cut out the middle square of a photo, and augmentations may cut more: leave such pictures out",
        ));
    }
    let (x, y) = ((x.round() as i64).clamp(0, width - 1), (y.round() as i64).clamp(0, height - 1));
    Ok([x, y, (w.round() as i64).clamp(1, width - x), (h.round() as i64).clamp(1, height - y)])
}

fn localise(
    net: &Net,
    layers: &[String],
    data: &Dataset,
    methods: &[String],
    o: &LocalisationOptions,
) -> Result<Map> {
    if data.is_empty() {
        return Err(Error::new("the data set is empty"));
    }
    if methods.is_empty() {
        return Err(Error::new("no method given").hint("such as [\"grad_cam\", \"hires_cam\", \"saliency\"]"));
    }
    let parts = data.parts();
    let (mut sums, mut area): (Vec<Sums>, Vec<f64>) =
        (methods.iter().map(|_| Sums::default()).collect(), Vec::new());
    let loader =
        data.loader(&LoaderOptions { batch_size: o.batch_size.0 as usize, ..LoaderOptions::default() })?;
    progress::begin("localisation", loader.len() as u64);
    for (done, batch) in loader.enumerate() {
        interrupt::check()?;
        let batch = batch?;
        let known = Known::of(&batch, &parts)?;
        area.extend(numbers(&known.area()?)?);
        let target = match (&o.target, &batch.target) {
            (Some(t), _) => t.clone(),
            (None, Some(own)) => Target::from_value(&Value::Tensor(own.shallow_clone()))?,
            (None, None) => Target::top(),
        };
        let x = probe::batch(net, &batch.input)?;
        for (s, (_, v)) in sums.iter_mut().zip(quietly(|| all(net, layers, &x, &target, methods))?) {
            let map = known.counted(as_map(&v)?.tensor())?;
            s.energy.extend(numbers(&share(&map, &known.mask)?)?);
            s.in_box.extend(numbers(&share(&map, &known.bounds)?)?);
            s.pointing.extend(numbers(&hits(&map, &known.mask, o.tolerance)?)?);
            for (name, mask) in &known.parts {
                s.parts.entry(name.clone()).or_default().extend(numbers(&share(&map, mask)?)?);
            }
        }
        progress::advance(done as u64 + 1, String::new);
    }
    progress::finish("");
    let row = |(name, s): (&String, &Sums)| {
        record([
            ("method", name.clone().into_value()),
            ("energy", mean(&s.energy).into_value()),
            ("pointing", mean(&s.pointing).into_value()),
            ("in_box", mean(&s.in_box).into_value()),
            ("parts", Value::Map(s.parts.iter().map(|(k, v)| (k.clone(), mean(v).into_value())).collect())),
            ("zero", dark(&s.energy).into_value()),
            ("each", s.energy.clone().into_value()),
        ])
    };
    let table = methods.iter().zip(&sums).map(row).collect();
    let width = methods.iter().map(String::len).max().unwrap_or(0).max(6);
    let head =
        format!("{:<width$}{:>10}{:>10}{:>10}{:>11}", "method", "energy", "pointing", "in box", "zero maps");
    let line = |(n, s): (&String, &Sums)| {
        let [energy, pointing, in_box] = [&s.energy, &s.pointing, &s.in_box].map(|v| mean(v));
        format!("{n:<width$}{energy:>10.4}{pointing:>10.4}{in_box:>10.4}{:>11}", dark(&s.energy))
    };
    let lines: Vec<String> = std::iter::once(head).chain(methods.iter().zip(&sums).map(line)).collect();
    Ok([
        ("table".to_string(), Value::List(table)),
        ("text".to_string(), lines.join("\n").into_value()),
        ("area".to_string(), mean(&area).into_value()),
        ("pictures".to_string(), (area.len() as i64).into_value()),
    ]
    .into())
}

functions! {
    in "metrics";
    /// How much of their energy maps put on the thing, over a data set with masks.
    ///
    /// Methods are those of `cam::together`, all with one look a batch; maps stream, none is kept. Gives `#{table, text, area,
    /// pictures}`: rows `#{method, energy, pointing, in_box, parts, zero, each}` with the mean over the pictures of the share of the
    /// map inside the mask (`metrics::energy_in`), of the pointing game (a hit: the highest place lies at most `tolerance`
    /// pixels from the mask), of the share inside the box (or the mask, where there are no boxes), and inside each part; `each`
    /// is the energy picture by picture, NaN where a map is zero everywhere (`zero` counts these; the means leave them out). `area` is the share of
    /// the pictures that the things take: what a map without preference would score. Pixels that do not count (255 in a mask:
    /// a border, what an augmentation left empty) are left out of all of this.
    ///
    /// Pictures come from the data set as they are in it, augmentations included.
    /// ```rhai
    /// let critters = data::critters(#{size: 16, train: 2, test: 6, classes: 3});
    /// let net = models::plain_cnn(#{classes: 3, width: 4});
    /// let where = metrics::localisation(net, net.layers()[0], critters.test, ["grad_cam", "saliency"]);
    /// where.table[1].method // => "saliency"
    /// where.area < 0.6 && where.table[0].each.len() == 6 // => true
    /// ```
    fn localisation(net: Net, layers: Names, data: Dataset, methods: Vec<String>, options: Opts<LocalisationOptions>) -> Map {
        localise(&net, &layers.0, &data, &methods, &options.0)?
    }
}

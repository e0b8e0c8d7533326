//! A data set as scripts hold it: a source, and which of its items belong.

use super::places::Places;
use super::view::{Finish, Plan};
use super::{Dense, Loader, LoaderOptions, Source, View};
use crate::augment::Aug;
use crate::core::value::FromValue;
use crate::core::{Error, Opts, Result, Value, device, seed};
use rand::seq::SliceRandom;
use std::path::Path;
use std::rc::Rc;
use std::sync::Arc;
use tch::Tensor;

/// Items of a source, in an order. Cheap to clone.
#[derive(Clone)]
pub struct Dataset(pub(super) Rc<Inner>);

#[derive(Clone)]
pub(super) struct Inner {
    pub(super) name: String,
    pub(super) source: Rc<dyn Source>,
    /// Which items of the source, if not all.
    pub(super) index: Option<Vec<i64>>,
    /// Mean and standard deviation of each channel, taken off and divided by.
    pub(super) norm: Option<(Vec<f64>, Vec<f64>)>,
    /// Augmentations, one after the other.
    pub(super) stages: Vec<Aug>,
    /// Targets are a class for each pixel.
    pub(super) dense: Option<Dense>,
}

object!(Dataset, "Dataset", |d| {
    let classes = match d.classes().len() {
        0 => String::new(),
        n => format!(", {n} classes"),
    };
    format!("Dataset {}: {} × {:?}{classes}", d.0.name, d.len(), d.shape())
});

impl Dataset {
    /// All items of `source`.
    pub fn new(name: &str, source: impl Source + 'static) -> Self {
        let (name, dense) = (name.to_string(), source.dense());
        let source = Rc::new(source);
        Dataset(Rc::new(Inner { name, source, index: None, norm: None, stages: Vec::new(), dense }))
    }

    fn with(&self, change: impl FnOnce(&mut Inner)) -> Self {
        let mut inner = (*self.0).clone();
        change(&mut inner);
        Dataset(Rc::new(inner))
    }

    /// The same items, augmented anew in every pass.
    ///
    /// # Errors
    /// Items that are no pictures; a mixture that does not stand last.
    pub fn augmented(&self, aug: &Aug) -> Result<Self> {
        let shape = self.0.source.shape();
        if !matches!(shape[..], [1 | 3, _, _]) {
            return Err(Error::new(format!(
                "items of shape {shape:?} are no pictures that can be augmented"
            ))
            .hint("pictures are [3, height, width] or [1, height, width]"));
        }
        let stages = Plan::stages(&self.0.stages, aug, &*self.0.source, self.0.dense.is_some())?;
        Ok(self.with(|d| d.stages = stages))
    }

    /// The same items whose target is a class for each pixel, as `dense` says.
    pub(super) fn with_targets(&self, dense: Dense) -> Self {
        self.with(|d| d.dense = Some(dense))
    }

    /// Items are read, drawn or augmented one by one, which many threads do faster.
    pub(super) fn one_by_one(&self) -> bool {
        self.0.source.pictures() || !self.0.stages.is_empty()
    }

    /// Items are pictures that are read or made one by one.
    pub(super) fn has_pictures(&self) -> bool {
        self.0.source.pictures()
    }

    /// How many items there are.
    pub fn len(&self) -> usize {
        self.0.index.as_ref().map_or_else(|| self.0.source.len(), Vec::len)
    }

    /// True when there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Names of the classes.
    pub fn classes(&self) -> Arc<[String]> {
        match self.0.dense {
            Some(dense) => dense.classes(&*self.0.source),
            None => self.0.source.classes(),
        }
    }

    /// Mean and standard deviation of each channel, taken off and divided by.
    pub fn normalisation(&self) -> Option<&(Vec<f64>, Vec<f64>)> {
        self.0.norm.as_ref()
    }

    /// Shape of one input.
    pub fn shape(&self) -> Vec<i64> {
        let shape = self.0.source.shape();
        match self.0.stages.iter().rev().find_map(|a| a.0.size()) {
            Some([h, w]) => vec![shape[0], h as i64, w as i64],
            None => shape,
        }
    }

    /// Class number of every item.
    ///
    /// # Errors
    /// Targets that are no classes.
    pub fn labels(&self) -> Result<Vec<i64>> {
        let all = self
            .0
            .source
            .labels()
            .ok_or_else(|| Error::new("the targets of this data set are no classes"))?;
        Ok(match &self.0.index {
            Some(index) => index.iter().map(|i| all[*i as usize]).collect(),
            None => all,
        })
    }

    /// The items at these places.
    ///
    /// # Errors
    /// A place that does not exist.
    pub fn subset(&self, places: &[i64]) -> Result<Self> {
        let n = self.len() as i64;
        let at = |p: &i64| match if *p < 0 { p + n } else { *p } {
            i if (0..n).contains(&i) => Ok(self.0.index.as_ref().map_or(i, |all| all[i as usize])),
            _ => Err(Error::new(format!("there is no item {p}: the data set holds {n}"))),
        };
        let index = Some(places.iter().map(at).collect::<Result<_>>()?);
        Ok(self.with(|d| d.index = index))
    }

    /// Names of the parts, by the number that masks hold.
    pub fn parts(&self) -> Arc<[String]> {
        self.0.source.parts()
    }

    /// A reader of pass `epoch` for another thread.
    ///
    /// # Errors
    /// Augmentations in an order that cannot be.
    pub fn reader(&self, epoch: u64) -> Result<View> {
        let finish = Finish {
            plan: Plan::new(&self.0.stages)?,
            norm: self.0.norm.clone(),
            channels: self.0.source.shape().first().map_or(3, |c| *c as usize),
            classes: self.classes().len().max(self.most_classes()),
            dense: self.0.dense,
            seed: seed::get(),
            epoch,
        };
        let (inner, index) = (self.0.source.reader(), self.0.index.clone());
        Ok(View { inner, index, pictures: self.one_by_one(), finish })
    }

    /// One more than the greatest label, where a mixture needs to know.
    fn most_classes(&self) -> usize {
        let mixes = self.0.stages.iter().any(|a| a.0.mixes());
        let labels = mixes.then(|| self.0.source.labels()).flatten().unwrap_or_default();
        labels.iter().max().map_or(0, |k| *k as usize + 1)
    }

    /// The same items as they are: neither augmented nor normalised.
    pub fn plain(&self) -> Self {
        self.with(|d| (d.norm, d.stages) = (None, Vec::new()))
    }

    /// The file item `i` is read from, if there is one.
    pub fn file(&self, i: usize) -> Option<&Path> {
        let at = self.0.index.as_ref().map_or(Some(i), |all| all.get(i).map(|p| *p as usize))?;
        self.0.source.file(at)
    }

    /// What was left out so far, and why.
    pub fn skipped(&self) -> Vec<String> {
        self.0.source.skipped()
    }

    /// The batches of one pass, made on another thread.
    ///
    /// # Errors
    /// A batch size of 0.
    pub fn loader(&self, o: &LoaderOptions) -> Result<Loader> {
        Loader::new(self, o)
    }

    /// Places in a random order that depends on the seed only.
    fn shuffled_places(&self, seed: Option<i64>) -> Vec<i64> {
        let mut places: Vec<i64> = (0..self.len() as i64).collect();
        places.shuffle(&mut seed::stream("split", seed.unwrap_or(0) as u64));
        places
    }
}

options! {
    /// Options of `data::from_tensors`.
    pub struct FromTensorsOptions {
        /// Names of the classes.
        classes: Vec<String> = Vec::new(),
        /// What the data set is called when printed.
        name: String = "tensors".to_string(),
    }
}

options! {
    /// Options of `split`.
    pub struct SplitOptions {
        /// Another seed, another split; the run's seed counts too.
        seed: Option<i64> = None,
        /// Every class is split in the same share.
        stratify: bool = false,
    }
}

functions! {
    in "data";
    /// A data set of inputs [N, ..] and targets [N, ..] that lie in memory.
    ///
    /// Inputs of type uint8 become float in 0..1 batch by batch.
    /// ```rhai
    /// data::from_tensors(tensor::zeros([6, 2]), tensor::of([0, 1, 0, 1, 0, 1])).len() // => 6
    /// ```
    fn from_tensors(x: Tensor, y: Option<Tensor>, options: Opts<FromTensorsOptions>) -> Dataset {
        let o = options.0;
        Dataset::of_tensors(&o.name, x, y, o.classes)?
    }

    on "Dataset";
    /// How many items there are.
    /// ```rhai
    /// data::from_tensors(tensor::zeros([6, 2])).len() // => 6
    /// ```
    fn len(data: Dataset) -> usize {
        data.len()
    }

    /// One item: a map with `input`, `target` and `index`.
    ///
    /// Where they are known also `parts` [H, W] (numbers, see `.parts`), `mask` [H, W] (true on the thing) and `box`
    /// [x, y, width, height].
    /// ```rhai
    /// data::from_tensors(tensor::arange(6).reshape([3, 2])).get(1).input // => tensor([2, 3])
    /// ```
    fn get(data: Dataset, i: i64) -> Value {
        let batch = data.subset(&[i])?.reader(0)?.fetch(&[0], 0)?.to(device::current())?;
        let Value::Map(mut item) = batch.to_value()? else { return Ok(Value::Nil) };
        for v in item.values_mut() {
            if let Value::Tensor(t) = v {
                *v = Value::Tensor(t.f_select(0, 0)?);
            }
        }
        item.insert("index".to_string(), Value::Int(i));
        Value::Map(item)
    }

    /// The items at these places, in this order.
    /// ```rhai
    /// data::from_tensors(tensor::zeros([6, 2])).subset([0, 2, 5]).len() // => 3
    /// ```
    fn subset(data: Dataset, places: Places) -> Dataset {
        data.subset(&places.list(data.len())?)?
    }

    /// The first `n` items.
    /// ```rhai
    /// data::from_tensors(tensor::zeros([6, 2])).take(2).len() // => 2
    /// ```
    fn take(data: Dataset, n: usize) -> Dataset {
        data.subset(&(0..n.min(data.len()) as i64).collect::<Vec<_>>())?
    }

    /// The items in a random order that the run's seed (and `seed`) settles.
    /// ```rhai
    /// data::from_tensors(tensor::zeros([6, 2])).shuffled().len() // => 6
    /// ```
    fn shuffled(data: Dataset, seed: Option<i64>) -> Dataset {
        data.subset(&data.shuffled_places(seed))?
    }

    /// The items of one class, or of several.
    /// ```rhai
    /// data::from_tensors(tensor::zeros([4, 2]), tensor::of([0, 1, 2, 1])).only([1, 2]).len() // => 3
    /// ```
    fn only(data: Dataset, classes: Value) -> Dataset {
        let wanted = i64::from_value(&classes).map(|k| vec![k]).or_else(|_| Vec::from_value(&classes))?;
        let labels = data.labels()?;
        let places: Vec<i64> = (0..labels.len()).filter(|i| wanted.contains(&labels[*i])).map(|i| i as i64).collect();
        data.subset(&places)?
    }

    /// Splits at random into parts of these shares: a list of data sets.
    ///
    /// A single number gives two parts, in random order. The split depends on the run's seed and on `seed` only.
    /// ```rhai
    /// let parts = data::from_tensors(tensor::zeros([10, 2])).split(0.8);
    /// [parts[0].len(), parts[1].len()] // => [8, 2]
    /// ```
    fn split(data: Dataset, shares: Value, options: Opts<SplitOptions>) -> Vec<Dataset> {
        let shares = f64::from_value(&shares).map(|s| vec![s, 1.0 - s]).or_else(|_| Vec::<f64>::from_value(&shares))?;
        let sum: f64 = shares.iter().sum();
        if shares.iter().any(|s| *s < 0.0) || sum > 1.0 + 1e-9 {
            Err(Error::new(format!("shares are positive and sum to at most 1, got {shares:?}")))?;
        }
        let places = data.shuffled_places(options.0.seed);
        let groups = match options.0.stratify {
            false => vec![places],
            true => {
                let labels = data.labels()?;
                let mut by_class = std::collections::BTreeMap::<i64, Vec<i64>>::new();
                places.iter().for_each(|p| by_class.entry(labels[*p as usize]).or_default().push(*p));
                by_class.into_values().collect()
            }
        };
        let mut parts: Vec<Vec<i64>> = vec![Vec::new(); shares.len()];
        for group in groups {
            let (mut begin, mut share) = (0, 0.0);
            for (part, s) in parts.iter_mut().zip(&shares) {
                share += s;
                let end = ((share * group.len() as f64).round() as usize).min(group.len());
                part.extend(&group[begin..end]);
                begin = end;
            }
        }
        if options.0.stratify {
            // Not class by class: a part's first dozen are of any class.
            let mut order = seed::stream("split order", options.0.seed.unwrap_or(0) as u64);
            parts.iter_mut().for_each(|p| p.shuffle(&mut order));
        }
        parts.iter().map(|p| data.subset(p)).collect::<Result<Vec<_>>>()?
    }

    /// The same items with `(input − mean) / std` for every channel.
    /// ```rhai
    /// data::from_tensors(tensor::ones([2, 1, 4])).normalized([0.5], [0.5]).get(0).input // => tensor([[1., 1., 1., 1.]])
    /// ```
    fn normalized(data: Dataset, mean: Vec<f64>, std: Vec<f64>) -> Dataset {
        let channels = data.0.source.shape().first().copied().unwrap_or(1) as usize;
        if mean.len() != std.len() || (mean.len() != channels && mean.len() != 1) || std.contains(&0.0) {
            Err(Error::new(format!(
                "mean and std need one number for each of the {channels} channel(s), std not 0; got {mean:?} and {std:?}"
            )))?;
        }
        data.with(|d| d.norm = Some((mean, std)))
    }

    /// All items as one pair of tensors: a map with `input`, `target` and `index`.
    ///
    /// On the current device, as all tensors that scripts are given.
    /// ```rhai
    /// data::from_tensors(tensor::zeros([6, 2])).subset([1, 3]).tensors().input.shape // => [2, 2]
    /// ```
    fn tensors(data: Dataset) -> Value {
        let places: Vec<i64> = (0..data.len() as i64).collect();
        data.reader(0)?.fetch(&places, 0)?.to(device::current())?.to_value()?
    }

    get "Dataset";
    /// Names of the classes.
    /// ```rhai
    /// data::from_tensors(tensor::zeros([2, 3]), tensor::of([0, 1]), #{classes: ["cat", "dog"]}).classes // => ["cat", "dog"]
    /// ```
    fn classes(data: Dataset) -> Vec<String> {
        data.classes().to_vec()
    }

    /// Class number of every item.
    /// ```rhai
    /// data::from_tensors(tensor::zeros([2, 3]), tensor::of([0, 1])).labels // => [0, 1]
    /// ```
    fn labels(data: Dataset) -> Vec<i64> {
        data.labels()?
    }

    /// The shape of one input.
    /// ```rhai
    /// data::from_tensors(tensor::zeros([6, 2, 3])).shape // => [2, 3]
    /// ```
    fn shape(data: Dataset) -> Vec<i64> {
        data.shape()
    }
}

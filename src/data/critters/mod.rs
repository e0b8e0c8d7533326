//! `data::critters`: drawn animals of which everything is known, in the spirit of FunnyBirds (Hesse et al. 2023).

mod animal;
mod dice;
mod ground;
mod paint;
mod scene;
mod species;
mod things;

use super::Dataset;
use super::cache::Cache;
use super::pictures::{PictureSource, Pictures};
use crate::augment::{Mask, Sample};
use crate::core::raster::Raster;
use crate::core::{Error, Map, Opts, Result, Value};
use dice::Dice;
use species::SPECIES;
use std::sync::Arc;

/// A picture is drawn when it is asked for.
struct Critters {
    key: u64,
    size: usize,
    background: f64,
    labels: Vec<i64>,
    classes: Arc<[String]>,
    cache: Cache,
}

impl Pictures for Critters {
    fn len(&self) -> usize {
        self.labels.len()
    }
    fn size(&self) -> [usize; 2] {
        [self.size; 2]
    }
    fn labels(&self) -> &[i64] {
        &self.labels
    }
    fn classes(&self) -> Arc<[String]> {
        self.classes.clone()
    }
    fn parts(&self) -> Arc<[String]> {
        animal::PARTS.iter().map(|p| p.to_string()).collect()
    }
    fn sample(&self, i: usize, _: bool) -> Result<Option<Sample>> {
        self.cache.get(i, || self.draw(i)).map(Some)
    }
}

impl Critters {
    fn draw(&self, i: usize) -> Result<Sample> {
        let scene = scene::paint(self.key, i as u64, self.labels[i] as usize, self.background, self.size);
        let mask = Mask { width: self.size, height: self.size, values: scene.part };
        let boxes = vec![mask.bounds().unwrap_or([0.0; 4])];
        let picture = Raster::from_rgb(self.size, self.size, scene.rgb)?;
        Ok(Sample { mask: Some(mask), boxes, ..Sample::from(picture) })
    }
}

options! {
    /// Options of `data::critters`.
    pub struct CrittersOptions {
        /// Height and width in pixels.
        size: usize = 64,
        /// How many species, 2 to 20.
        classes: usize = 10,
        /// Pictures to learn from.
        train: usize = 2000,
        /// Pictures to test on.
        test: usize = 500,
        /// How much the background betrays the class: 0 nothing, 1 everything.
        background: f64 = 0.0,
        /// The same for the test pictures; as `background` if left out.
        test_background: Option<f64> = None,
        /// Another seed, other pictures; the run's seed plays no part.
        seed: i64 = 0,
    }
}

/// What a species looks like, for scripts.
fn looks(s: &species::Species) -> Value {
    let words = [
        ("name", s.name),
        ("ears", s.ears.word()),
        ("tail", s.tail.word()),
        ("coat", s.coat.word()),
        ("legs", s.legs.word()),
        ("muzzle", s.muzzle.word()),
    ];
    Value::Map(words.map(|(k, v)| (k.to_string(), Value::Str(v.to_string()))).into())
}

functions! {
    in "data";
    /// Drawn animals with known masks, parts and boxes, to see what networks look at.
    ///
    /// A map of two data sets `train` and `test`, and `species`: what each class looks like. The species differ in
    /// ears, tail, coat, legs and muzzle; pose, size, light, colours and the things that lie about are random.
    /// Items are a picture [3, size, size] in 0..1, its class, `parts` [size, size] (numbers, see `.parts`), `mask`
    /// (true on the animal) and `box` [x, y, width, height].
    ///
    /// With `background: p` the ground is the one on which the species is at home (lawn, sand, snow, …, one for
    /// each of ten classes; more classes share) with probability p, else any of the ten. The animals do not depend
    /// on it: `test_background: 0` turns the ground of the same test pictures alone.
    ///
    /// Pictures depend on the options only, not on the run's seed; they are drawn when they are asked for, and kept
    /// while memory lasts.
    /// ```rhai
    /// let critters = data::critters(#{size: 32, train: 20, test: 10});
    /// let item = critters.train.get(3);
    /// [item.input.shape, item.parts.shape, critters.species[3].ears] // => [[3, 32, 32], [32, 32], "round"]
    /// ```
    fn critters(options: Opts<CrittersOptions>) -> Map {
        let o = options.0;
        if !(2..=SPECIES.len()).contains(&o.classes) {
            Err(Error::new(format!("option `classes` is 2 to {}, got {}", SPECIES.len(), o.classes)))?;
        }
        if !(8..=2048).contains(&o.size) {
            Err(Error::new(format!("option `size` is 8 to 2048 pixels, got {}", o.size)))?;
        }
        let shares = [("background", o.background), ("test_background", o.test_background.unwrap_or(o.background))];
        if let Some((name, p)) = shares.iter().find(|(_, p)| !(0.0..=1.0).contains(p)) {
            Err(Error::new(format!("option `{name}` is 0 to 1, got {p}")))?;
        }
        let half = |name: &str, n: usize, salt: u64, background: f64| {
            let labels = (0..n).map(|i| (i % o.classes) as i64).collect();
            let classes = SPECIES[..o.classes].iter().map(|s| s.name.to_string()).collect();
            let key = (o.seed as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ salt;
            let half = Critters { key, size: o.size, background, labels, classes, cache: Cache::new(None) };
            (name.to_string(), Value::object(Dataset::new(&format!("critters {name}"), PictureSource(Arc::new(half)))))
        };
        Map::from([
            half("train", o.train, 0x7261, shares[0].1),
            half("test", o.test, 0x7e57, shares[1].1),
            ("species".to_string(), Value::List(SPECIES[..o.classes].iter().map(looks).collect())),
        ])
    }
}

//! `data::pets`: Oxford-IIIT Pet (Parkhi et al. 2012), cats and dogs with a mask each.

use super::Dataset;
use super::dogs::seeded;
use super::files::{FileOptions, Item};
use super::folder::{pictures, set};
use super::mask_file::{self, Values};
use crate::augment::{IGNORED, Mask};
use crate::core::value::{FromValue, mismatch};
use crate::core::{Error, Map, Opts, Result, Value, paths};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// What the classes are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PetClasses {
    /// 37 of them in the whole data set.
    Breed,
    /// Cat and dog.
    Species,
}

impl FromValue for PetClasses {
    const TYPE: &'static str = "\"breed\" or \"species\"";
    fn from_value(v: &Value) -> Result<Self> {
        match v {
            Value::Str(s) if s == "breed" => Ok(Self::Breed),
            Value::Str(s) if s == "species" => Ok(Self::Species),
            Value::Str(s) => Err(Error::unknown("kind of class", s, ["breed", "species"])),
            _ => mismatch(Self::TYPE, v),
        }
    }
}

options! {
    /// Options of `data::pets`.
    pub struct PetOptions {
        /// Folder with `images` and `annotations/trimaps` (or `trimaps`).
        root: Option<PathBuf> = None => (),
        /// What the classes are: "breed" or "species" (cat, dog).
        classes: PetClasses = PetClasses::Breed => "breed",
        /// Share of each class to learn from, where the official lists are missing.
        split: f64 = 0.8,
        /// Another seed, another split; the run's seed plays no part.
        seed: i64 = 0,
    }
}

/// The trimap of a picture: 1 the animal, 0 the ground; the border between them is unknown.
///
/// # Errors
/// A file that cannot be read, or holds other numbers than 1, 2 and 3.
pub(super) fn trimap(file: &Path) -> Result<Mask> {
    let raw = mask_file::read(file)?;
    let Values::Numbers(numbers) = raw.values else {
        return Err(Error::new(format!("{}: a trimap has grey values, not colours", file.display())));
    };
    let value = |v: &u16| match v {
        1 => Ok(1),
        2 => Ok(0),
        3 => Ok(IGNORED),
        other => Err(Error::new(format!("{}: a trimap holds 1, 2 and 3, found {other}", file.display()))),
    };
    Ok(Mask {
        width: raw.width,
        height: raw.height,
        values: numbers.iter().map(value).collect::<Result<_>>()?,
    })
}

/// Breed of a picture by its name, `american_bulldog_100`: all but the number. Cats are written large.
fn class(path: &Path, by: PetClasses) -> Option<String> {
    let stem = path.file_stem()?.to_str()?;
    let (breed, number) = stem.rsplit_once('_')?;
    let cat = breed.chars().next()?.is_uppercase();
    number.parse::<u32>().ok()?;
    Some(match by {
        PetClasses::Breed => breed.replace('_', " "),
        PetClasses::Species => if cat { "cat" } else { "dog" }.to_string(),
    })
}

/// The names that an official list has, `Abyssinian_100 1 1 1` …
fn listed(file: &Path) -> Result<Vec<String>> {
    let text = std::fs::read_to_string(file).map_err(|e| Error::io(file, &e))?;
    let lines = text.lines().filter(|l| !l.starts_with('#'));
    Ok(lines.filter_map(|l| l.split_whitespace().next()).map(str::to_string).collect())
}

/// The items of the official lists.
fn official(all: &[Vec<Item>], lists: [&Path; 2]) -> Result<[Vec<Item>; 2]> {
    let stem = |i: &Item| i.path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let by_name: BTreeMap<String, &Item> = all.iter().flatten().map(|i| (stem(i), i)).collect();
    let half = |list: &Path| -> Result<Vec<Item>> {
        let missing = |name: &str| {
            Error::new(format!("{}: lists {name}, of which there is no picture", list.display()))
        };
        listed(list)?.iter().map(|n| by_name.get(n).map(|i| (*i).clone()).ok_or_else(|| missing(n))).collect()
    };
    Ok([half(lists[0])?, half(lists[1])?])
}

functions! {
    in "data";
    /// Oxford-IIIT Pet: cats and dogs of 37 breeds, each with its mask.
    ///
    /// A map of two data sets, `train` and `test`, and `split`: "official", by `annotations/trainval.txt` and `test.txt`
    /// where they lie there, else "seeded": of each class the share `split`. Masks come from the trimaps: the animal, the
    /// ground, and a border between them that does not count. Parkhi et al. 2012; CC BY-SA 4.0.
    /// ```rhai
    /// for name in ["Abyssinian_1", "Abyssinian_2", "beagle_1", "beagle_2"] {
    ///     image::filled(8, 8, "red").save(`pets/images/${name}.png`);
    ///     image::from_tensor(tensor::full([3, 8, 8], 1.0 / 255)).save(`pets/annotations/trimaps/${name}.png`);
    /// }
    /// let pets = data::pets(#{root: "pets", classes: "species", size: 4, split: 0.5});
    /// [pets.train.classes, pets.train.labels, pets.split] // => [["cat", "dog"], [0, 1], "seeded"]
    /// pets.test.get(0).mask.float().mean() // => tensor(1.)
    /// ```
    fn pets(options: Opts<(PetOptions, FileOptions)>) -> Map {
        let (p, o) = options.0;
        let hint = "get images.tar.gz and annotations.tar.gz from https://www.robots.ox.ac.uk/~vgg/data/pets, \
                    unpack them into one folder, and give it as #{root: \"…\"}";
        let root = p.root.ok_or_else(|| Error::new("Oxford-IIIT Pet is not fetched: `root` says where it lies").hint(hint))?;
        let root = paths::readable(root)?;
        let maps = ["annotations/trimaps", "trimaps"].map(|f| root.join(f)).into_iter().find(|f| f.is_dir());
        let (Some(maps), true) = (maps, root.join("images").is_dir()) else {
            return Err(Error::new(format!("{}: holds no folders images and annotations/trimaps", root.display())).hint(hint));
        };
        let mut by_class: BTreeMap<String, Vec<Item>> = BTreeMap::new();
        for path in pictures(&root.join("images"))? {
            let mask = maps.join(path.file_stem().unwrap_or_default()).with_extension("png");
            // Other files lie in the official folder too.
            let Some(class) = class(&path, p.classes).filter(|_| mask.is_file()) else { continue };
            by_class.entry(class).or_default().push(Item { path, label: 0, boxed: None, mask: Some(mask) });
        }
        let classes: Vec<String> = by_class.keys().cloned().collect();
        let mut all: Vec<Vec<Item>> = by_class.into_values().collect();
        for (label, items) in all.iter_mut().enumerate() {
            items.iter_mut().for_each(|i| i.label = label as i64);
        }
        let lists = ["trainval.txt", "test.txt"].map(|f| root.join("annotations").join(f));
        let (halves, split) = match lists.iter().all(|l| l.is_file()) {
            true => (official(&all, [&lists[0], &lists[1]])?, "official"),
            false => (seeded("pets", all, p.split, p.seed), "seeded"),
        };
        let [train, test] = halves;
        let half = |n: &str, items: Vec<Item>| -> Result<(String, Value)> {
            let reading = FileOptions { size: o.size, on_error: o.on_error, cache: o.cache };
            let data = set(&format!("pets {n}"), items, classes.clone(), reading);
            Ok((n.to_string(), Value::object::<Dataset>(data.map_err(|e| e.within(root.display()))?)))
        };
        Map::from([half("train", train)?, half("test", test)?, ("split".to_string(), Value::Str(split.to_string()))])
    }
}

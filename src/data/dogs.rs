//! `data::stanford_dogs`: 120 breeds (Khosla et al. 2011), from a folder in its official form or any of its cuts.

use super::Dataset;
use super::files::{FileOptions, Item};
use super::folder::{entries, name, pictures, set};
use super::mat::{self, Var};
use crate::core::{Error, Map, Opts, Result, Value, paths};
use std::collections::HashMap;
use std::path::{Path, PathBuf};

/// `Images`, `images`, or the folder itself.
fn below(root: &Path, names: &[&str]) -> Option<PathBuf> {
    names.iter().map(|n| root.join(n)).find(|p| p.exists())
}

/// A breed's name: `n02085620-Chihuahua` is "Chihuahua".
fn breed(folder: &str) -> String {
    folder.split_once('-').map_or(folder, |(_, b)| b).replace('_', " ")
}

/// The number between `<tag>` and `</tag>`.
fn tag(text: &str, tag: &str) -> Option<f32> {
    let rest = &text[text.find(&format!("<{tag}>"))? + tag.len() + 2..];
    rest[..rest.find('<')?].trim().parse().ok()
}

/// The first box of an annotation.
fn boxed(file: &Path) -> Option<[f32; 4]> {
    let text = std::fs::read_to_string(file).ok()?;
    let [x0, y0, x1, y1] =
        [tag(&text, "xmin")?, tag(&text, "ymin")?, tag(&text, "xmax")?, tag(&text, "ymax")?];
    Some([x0, y0, x1 - x0, y1 - y0])
}

/// The files of an official list: `n02085620-Chihuahua/n02085620_10074.jpg` …
fn listed(file: &Path) -> Result<Vec<String>> {
    let bytes = std::fs::read(file).map_err(|e| Error::io(file, &e))?;
    let vars = mat::parse(&bytes).map_err(|e| e.within(file.display()))?;
    let Some(Var::Cell(cells)) = vars.get("file_list") else {
        return Err(Error::new(format!("{}: holds no `file_list`", file.display())));
    };
    let text = |v: &Var| match v {
        Var::Text(t) => Some(t.clone()),
        _ => None,
    };
    Ok(cells.iter().filter_map(text).collect())
}

options! {
    /// Options of `data::stanford_dogs`.
    pub struct DogsOptions {
        /// Folder with `Images` (and `Annotation`, `train_list.mat`, `test_list.mat`), or of one folder a breed.
        root: Option<PathBuf> = None => (),
        /// Share of each breed to learn from, where the official lists are missing.
        split: f64 = 0.6,
        /// Another seed, another split; the run's seed plays no part.
        seed: i64 = 0,
    }
}

functions! {
    in "data";
    /// Stanford Dogs: pictures of 120 breeds, to learn from and to test on.
    ///
    /// A map of two data sets `train` and `test`, and `split`: "official", by the lists train_list.mat and
    /// test_list.mat where they lie in the folder or its `lists`, else "seeded": of each breed the share `split`.
    /// Boxes come from `Annotation`, where it is. The pictures are ImageNet's (non-commercial research).
    /// ```rhai,no_run
    /// let dogs = data::stanford_dogs(#{root: "/data/StanfordDogs", size: 224});
    /// print(`${dogs.train.len()} to learn from, ${dogs.split} split`);
    /// ```
    fn stanford_dogs(options: Opts<(DogsOptions, FileOptions)>) -> Map {
        let (d, o) = options.0;
        let hint = "get images.tar (and annotation.tar, lists.tar) from \
                    http://vision.stanford.edu/aditya86/ImageNetDogs, unpack them into one folder, \
                    and give it as #{root: \"…\"}";
        let root = d.root.ok_or_else(|| Error::new("Stanford Dogs is not fetched: `root` says where it lies").hint(hint))?;
        let root = paths::readable(root)?;
        let images = below(&root, &["Images", "images"]).unwrap_or_else(|| root.clone());
        let notes = below(&root, &["Annotation", "annotation", "Annotations"]);
        let folders: Vec<PathBuf> = entries(&images)?.into_iter().filter(|p| p.is_dir()).collect();
        if folders.len() < 2 {
            Err(Error::new(format!("{}: holds no folder a breed", images.display())).hint(hint))?;
        }
        let lists = ["train_list.mat", "test_list.mat"].map(|f| below(&root, &[f, &format!("lists/{f}")]));
        let mut by_breed: Vec<Vec<Item>> = Vec::new();
        for (label, folder) in folders.iter().enumerate() {
            let item = |path: PathBuf| {
                let note = notes.as_ref().map(|n| n.join(name(folder)).join(path.file_stem().unwrap_or_default()));
                Item { boxed: note.and_then(|n| boxed(&n)), label: label as i64, path, mask: None }
            };
            by_breed.push(pictures(folder)?.into_iter().map(item).collect());
        }
        let (halves, split) = match lists {
            [Some(train), Some(test)] => (official(&images, &by_breed, [&train, &test])?, "official"),
            _ => (seeded("stanford_dogs", by_breed, d.split, d.seed), "seeded"),
        };
        let classes: Vec<String> = folders.iter().map(|f| breed(&name(f))).collect();
        let [train, test] = halves;
        let reading = || FileOptions { size: o.size, on_error: o.on_error, cache: o.cache };
        let half = |n: &str, items: Vec<Item>| -> Result<(String, Value)> {
            let data = set(&format!("stanford_dogs {n}"), items, classes.clone(), reading());
            Ok((n.to_string(), Value::object::<Dataset>(data.map_err(|e| e.within(root.display()))?)))
        };
        Map::from([half("train", train)?, half("test", test)?, ("split".to_string(), Value::Str(split.to_string()))])
    }
}

/// The items of the official lists; those whose picture is missing are an error.
fn official(images: &Path, by_breed: &[Vec<Item>], lists: [&Path; 2]) -> Result<[Vec<Item>; 2]> {
    let all: HashMap<&Path, &Item> = by_breed.iter().flatten().map(|i| (i.path.as_path(), i)).collect();
    let half = |list: &Path| -> Result<Vec<Item>> {
        let item = |file: &String| {
            let path = images.join(file);
            let missing = || {
                Error::new(format!("{}: no such picture, but {} lists it", path.display(), list.display()))
            };
            all.get(path.as_path()).map(|i| (*i).clone()).ok_or_else(missing)
        };
        listed(list)?.iter().map(item).collect()
    };
    Ok([half(lists[0])?, half(lists[1])?])
}

/// Of each breed the share `split` at random, and the rest.
pub(super) fn seeded(name: &str, by_breed: Vec<Vec<Item>>, split: f64, seed: i64) -> [Vec<Item>; 2] {
    use rand::seq::SliceRandom;
    let mut halves = [Vec::new(), Vec::new()];
    for (label, mut items) in by_breed.into_iter().enumerate() {
        items.shuffle(&mut crate::core::seed::stream_of(seed, name, label as u64));
        let n = (split.clamp(0.0, 1.0) * items.len() as f64).round() as usize;
        halves[1].extend(items.split_off(n));
        halves[0].extend(items);
    }
    halves
}

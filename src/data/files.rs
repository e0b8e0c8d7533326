//! Picture files as a data set: read when they are wanted, kept decoded as long as they fit, the bad ones named.

use super::cache::Cache;
use super::pets::trimap;
use super::pictures::Pictures;
use crate::augment::{IGNORED, Sample};
use crate::core::raster::Rect;
use crate::core::resample::Filter;
use crate::core::value::{FromValue, mismatch};
use crate::core::{Error, Kind, Result, Value, picture_file};
use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

/// One picture file.
#[derive(Clone, Debug)]
pub struct Item {
    /// Where it is.
    pub path: PathBuf,
    /// Its class.
    pub label: i64,
    /// `[x, y, width, height]` of what it shows, in pixels.
    pub boxed: Option<[f32; 4]>,
    /// The file that tells which pixels are what it shows, a trimap.
    pub mask: Option<PathBuf>,
}

/// What is done about a file that cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnError {
    /// An error that names it.
    Stop,
    /// It is left out, and named by `data.skipped`.
    Skip,
}

impl FromValue for OnError {
    const TYPE: &'static str = "\"stop\" or \"skip\"";
    fn from_value(v: &Value) -> Result<Self> {
        match v {
            Value::Str(s) if s == "stop" => Ok(Self::Stop),
            Value::Str(s) if s == "skip" => Ok(Self::Skip),
            Value::Str(s) => Err(Error::unknown("choice", s, ["stop", "skip"])),
            _ => mismatch(Self::TYPE, v),
        }
    }
}

options! {
    /// How picture files are read.
    pub struct FileOptions {
        /// Height and width of the pictures: the short side is resized to it, the middle cut out.
        size: usize = 224,
        /// What is done about a file that cannot be read: "stop", or "skip" it.
        on_error: OnError = OnError::Stop => "stop",
        /// Megabytes of decoded pictures that are kept; a quarter of the free memory if left out.
        cache: Option<usize> = None => (),
    }
}

/// Picture files.
pub struct Files {
    items: Vec<Item>,
    labels: Vec<i64>,
    classes: Arc<[String]>,
    o: FileOptions,
    cache: Cache,
    skipped: Skipped,
}

/// What was left out, and why.
#[derive(Default)]
pub struct Skipped(Mutex<BTreeMap<PathBuf, String>>);

impl Skipped {
    /// What was read of the file `path`; nothing if it could not be and is to be left out.
    ///
    /// # Errors
    /// Those of `read` where they stop.
    pub fn judge<T>(&self, o: OnError, path: &Path, read: Result<T>) -> Result<Option<T>> {
        match read {
            Ok(s) => Ok(Some(s)),
            Err(e) if e.kind != Kind::User => Err(e),
            Err(e) if o == OnError::Skip => {
                if let Ok(mut all) = self.0.lock() {
                    all.insert(path.to_path_buf(), e.msg);
                }
                Ok(None)
            }
            Err(e) => Err(match e.hint {
                Some(_) => e,
                None => e.hint("get the file again, or leave bad ones out: #{on_error: \"skip\"}"),
            }),
        }
    }

    /// The reasons, by path.
    pub fn list(&self) -> Vec<String> {
        let all = self.0.lock().map(|all| all.clone()).unwrap_or_default();
        all.into_values().collect()
    }
}

impl Files {
    /// The files `items` of these classes.
    ///
    /// # Errors
    /// None at all; a size of 0.
    pub fn new(items: Vec<Item>, classes: Vec<String>, o: FileOptions) -> Result<Self> {
        if items.is_empty() {
            return Err(Error::new("no picture was found").hint(format!(
                "pictures end in {}",
                picture_file::EXTENSIONS.map(|e| format!(".{e}")).join(", ")
            )));
        }
        if o.size == 0 {
            return Err(Error::new("option `size` is at least 1 pixel, got 0"));
        }
        let labels = items.iter().map(|i| i.label).collect();
        let cache = Cache::new(o.cache);
        Ok(Self { items, labels, classes: classes.into(), o, cache, skipped: Skipped::default() })
    }

    fn read(&self, i: usize) -> Result<Sample> {
        let Item { path, mask, .. } = &self.items[i];
        self.cache.get(i, || {
            let mut s = Sample::from(picture_file::read(path)?);
            if let Some(file) = mask {
                let mask = trimap(file)?;
                let (w, h) = (s.picture.width, s.picture.height);
                if [mask.width, mask.height] != [w, h] {
                    let sizes = format!("{} x {} pixels, its picture {w} x {h}", mask.width, mask.height);
                    return Err(Error::new(format!("{}: the mask has {sizes}", file.display())));
                }
                (s.mask, s.outside) = (Some(mask), IGNORED);
            }
            Ok(s)
        })
    }
}

impl Pictures for Files {
    fn len(&self) -> usize {
        self.items.len()
    }
    fn size(&self) -> [usize; 2] {
        [self.o.size; 2]
    }
    fn labels(&self) -> &[i64] {
        &self.labels
    }
    fn classes(&self) -> Arc<[String]> {
        self.classes.clone()
    }
    fn stamp(&self, i: usize) -> u64 {
        let mut all = DefaultHasher::new();
        let file = std::fs::metadata(&self.items[i].path).ok();
        file.map(|f| (f.len(), f.modified().ok())).hash(&mut all);
        all.finish()
    }
    fn sample(&self, i: usize, whole: bool) -> Result<Option<Sample>> {
        // The hint is that of a data set, not of one picture.
        let read = self.read(i).map_err(|e| Error { hint: None, ..e });
        let Some(mut s) = self.skipped.judge(self.o.on_error, &self.items[i].path, read)? else {
            return Ok(None);
        };
        let ([h, w], n) = (s.size(), self.o.size);
        s.boxes.extend(self.items[i].boxed);
        if !whole && w.min(h) > 0 {
            // The square in the middle alone is resized: the rest would be cut away.
            let side = w.min(h);
            let at = Rect::new(((w - side) / 2) as i64, ((h - side) / 2) as i64, side, side);
            if [w, h] != [n, n] {
                s.zoom(at, n, n, Filter::Bilinear)?;
            }
        }
        Ok(Some(s))
    }
    fn file(&self, i: usize) -> Option<&Path> {
        Some(&self.items[i].path)
    }
    fn skipped(&self) -> Vec<String> {
        self.skipped.list()
    }
}

//! Picture files as a data set: read when they are wanted, kept decoded as long as they fit, the bad ones named.

use super::pictures::Pictures;
use crate::augment::Sample;
use crate::core::raster::{Raster, Rect};
use crate::core::resample::Filter;
use crate::core::value::{FromValue, mismatch};
use crate::core::{Error, Result, Value, picture_file};
use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;
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

/// Decoded pictures, as many as fit. What is read is the same with and without.
struct Cache {
    room: usize,
    kept: HashMap<usize, Arc<Raster>>,
}

/// Picture files.
pub struct Files {
    items: Vec<Item>,
    labels: Vec<i64>,
    classes: Arc<[String]>,
    o: FileOptions,
    cache: Mutex<Cache>,
    skipped: Mutex<BTreeMap<PathBuf, String>>,
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
        let room = o.cache.map_or_else(|| free_memory() / 4, |mb| mb << 20);
        let labels = items.iter().map(|i| i.label).collect();
        let cache = Mutex::new(Cache { room, kept: HashMap::new() });
        Ok(Self { items, labels, classes: classes.into(), o, cache, skipped: Mutex::default() })
    }

    fn read(&self, i: usize) -> Result<Arc<Raster>> {
        let poisoned = || Error::new("a reading thread failed before");
        if let Some(kept) = self.cache.lock().map_err(|_| poisoned())?.kept.get(&i) {
            return Ok(kept.clone());
        }
        let read = Arc::new(picture_file::read(&self.items[i].path)?);
        let mut cache = self.cache.lock().map_err(|_| poisoned())?;
        if let Some(room) = cache.room.checked_sub(read.rgb.len()) {
            cache.room = room;
            cache.kept.insert(i, read.clone());
        }
        Ok(read)
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
    fn sample(&self, i: usize, whole: bool) -> Result<Option<Sample>> {
        let read = match self.read(i) {
            Ok(read) => read,
            Err(e) if self.o.on_error == OnError::Skip => {
                if let Ok(mut all) = self.skipped.lock() {
                    all.insert(self.items[i].path.clone(), e.msg);
                }
                return Ok(None);
            }
            Err(e) => return Err(e.hint("to leave bad files out: #{on_error: \"skip\"}")),
        };
        let (w, h, n) = (read.width, read.height, self.o.size);
        let mut s = Sample::from(Arc::unwrap_or_clone(read));
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
    fn skipped(&self) -> Vec<String> {
        let all = self.skipped.lock().map(|all| all.clone()).unwrap_or_default();
        all.into_iter().map(|(_, why)| why).collect()
    }
}

/// Bytes of memory that nobody uses, as far as the system says; 1 GB where it does not.
fn free_memory() -> usize {
    let text = std::fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let line = text.lines().find_map(|l| l.strip_prefix("MemAvailable:"));
    let kb = line.and_then(|l| l.split_whitespace().next()?.parse::<usize>().ok());
    kb.map_or(1 << 30, |kb| kb << 10)
}

//! Pictures that are kept once they were read or drawn, as many as fit. What is read is the same with and without.

use crate::augment::Sample;
use crate::core::{Error, Result};
use std::collections::HashMap;
use std::sync::{Arc, Mutex};

/// Pictures by number, for many threads at once.
pub struct Cache(Mutex<Kept>);

struct Kept {
    /// Bytes that may still be taken.
    room: usize,
    all: HashMap<usize, Arc<Sample>>,
}

impl Cache {
    /// Room for this many megabytes; for a quarter of the free memory if not told.
    pub fn new(megabytes: Option<usize>) -> Self {
        let room = megabytes.map_or_else(|| free_memory() / 4, |mb| mb.saturating_mul(1 << 20));
        Self(Mutex::new(Kept { room, all: HashMap::new() }))
    }

    /// Picture `i`, which `make` makes where it is not kept.
    ///
    /// # Errors
    /// Those of `make`.
    pub fn get(&self, i: usize, make: impl FnOnce() -> Result<Sample>) -> Result<Sample> {
        let lock = || self.0.lock().map_err(|_| Error::new("a reading thread failed before"));
        let kept = lock()?.all.get(&i).cloned();
        if let Some(kept) = kept {
            return Ok((*kept).clone());
        }
        let made = make()?;
        let bytes = made.picture.rgb.len() + made.mask.as_ref().map_or(0, |m| m.values.len());
        let mut kept = lock()?;
        if kept.room >= bytes && !kept.all.contains_key(&i) {
            kept.room -= bytes;
            kept.all.insert(i, Arc::new(made.clone()));
        }
        Ok(made)
    }
}

/// Bytes of memory that nobody uses, as far as the system says; 1 GB where it does not.
fn free_memory() -> usize {
    let text = std::fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let line = text.lines().find_map(|l| l.strip_prefix("MemAvailable:"));
    let kb = line.and_then(|l| l.split_whitespace().next()?.parse::<usize>().ok());
    kb.map_or(1 << 30, |kb| kb << 10)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::raster::Raster;

    #[test]
    fn pictures_are_made_once_as_long_as_they_fit() {
        let cache = Cache::new(Some(1));
        let mut made = 0;
        for i in [0, 1, 0, 1, 1] {
            let one = cache.get(i, || {
                made += 1;
                Ok(Raster::new(512, 512, [i as u8; 3])?.into())
            });
            assert_eq!(one.unwrap().picture.rgb[0], i as u8);
        }
        // The second, of 768 kB as the first, never fits into the rest of the megabyte.
        assert_eq!(made, 4);
        assert!(cache.get(2, || Err(Error::new("no"))).is_err());
    }
}

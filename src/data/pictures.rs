//! Data sets of pictures, made or read one by one: what all of them share.

use super::{Batch, Dataset, Dense, Reader, Source, Truth};
use crate::augment::{Aug, IGNORED, Mask, Sample};
use crate::core::raster::Raster;
use crate::core::{Error, Map, Result, Value};
use crate::image::Picture;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::Path;
use std::sync::Arc;
use tch::{Device, Kind, Tensor};

/// Pictures by number, for many threads at once.
pub trait Pictures: Send + Sync + 'static {
    /// How many.
    fn len(&self) -> usize;
    /// True when there is none.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }
    /// `[height, width]` of those not asked for whole.
    fn size(&self) -> [usize; 2];
    /// Class number of each; nothing where pictures have no class.
    fn labels(&self) -> &[i64];
    /// Names of the classes.
    fn classes(&self) -> Arc<[String]>;
    /// Names of the parts, by the number that masks hold.
    fn parts(&self) -> Arc<[String]> {
        Arc::new([])
    }
    /// Masks hold the class of each pixel, and are the targets.
    fn dense(&self) -> Option<Dense> {
        None
    }
    /// The file picture `i` is read from, if there is one.
    fn file(&self, _i: usize) -> Option<&Path> {
        None
    }
    /// What was left out so far, and why.
    fn skipped(&self) -> Vec<String> {
        Vec::new()
    }
    /// A number that is another one when what picture `i` is read from may have changed.
    fn stamp(&self, _i: usize) -> u64 {
        0
    }
    /// Picture `i`, cut to [`Pictures::size`] or `whole`; None if it is to be left out.
    ///
    /// # Errors
    /// One that cannot be read.
    fn sample(&self, i: usize, whole: bool) -> Result<Option<Sample>>;
}

/// The source that [`Pictures`] are.
pub struct PictureSource(pub Arc<dyn Pictures>);

impl Source for PictureSource {
    fn len(&self) -> usize {
        self.0.len()
    }
    fn reader(&self) -> Box<dyn Reader + Send> {
        Box::new(PictureReader(self.0.clone()))
    }
    fn shape(&self) -> Vec<i64> {
        let [h, w] = self.0.size();
        vec![3, h as i64, w as i64]
    }
    fn labels(&self) -> Option<Vec<i64>> {
        let labels = self.0.labels();
        (labels.len() == self.0.len()).then(|| labels.to_vec())
    }
    fn classes(&self) -> Arc<[String]> {
        self.0.classes()
    }
    fn parts(&self) -> Arc<[String]> {
        self.0.parts()
    }
    fn stamp(&self, index: Option<&[i64]>) -> u64 {
        let mut all = DefaultHasher::new();
        match index {
            Some(index) => index.iter().for_each(|i| self.0.stamp(*i as usize).hash(&mut all)),
            None => (0..self.0.len()).for_each(|i| self.0.stamp(i).hash(&mut all)),
        }
        all.finish()
    }
    fn dense(&self) -> Option<Dense> {
        self.0.dense()
    }
    fn pictures(&self) -> bool {
        true
    }
    fn file(&self, i: usize) -> Option<&Path> {
        self.0.file(i)
    }
    fn skipped(&self) -> Vec<String> {
        self.0.skipped()
    }
}

struct PictureReader(Arc<dyn Pictures>);

impl Reader for PictureReader {
    fn fetch(&mut self, index: &[i64]) -> Result<Batch> {
        let (mut samples, mut read) = (Vec::new(), Vec::new());
        for i in index {
            if let Some(s) = self.sample(*i, false)? {
                samples.push(s);
                read.push(*i);
            }
        }
        collate(&samples, 3, self.targets(&read)?, &read)
    }
    fn sample(&mut self, i: i64, whole: bool) -> Result<Option<Sample>> {
        self.0.sample(i as usize, whole)
    }
    fn targets(&mut self, index: &[i64]) -> Result<Option<Tensor>> {
        let labels = self.0.labels();
        if labels.len() < self.0.len() {
            return Ok(None);
        }
        Ok(Some(Tensor::f_from_slice(&index.iter().map(|i| labels[*i as usize]).collect::<Vec<_>>())?))
    }
}

/// Samples of one size as a batch of `channels` channels.
///
/// # Errors
/// Samples of several sizes.
pub fn collate(samples: &[Sample], channels: usize, target: Option<Tensor>, index: &[i64]) -> Result<Batch> {
    let [h, w] = samples.first().map_or([0, 0], Sample::size);
    if let Some(odd) = samples.iter().find(|s| s.size() != [h, w]) {
        let (a, b) = (odd.picture.width, odd.picture.height);
        return Err(Error::new(format!("pictures of {w} x {h} and of {a} x {b} cannot be one batch"))
            .hint("let the augmentation end in one size: augment::resize([224, 224])"));
    }
    let n = samples.len() as i64;
    let input = Tensor::f_empty([n, (channels * h * w) as i64], (Kind::Float, Device::Cpu))?;
    // One picture at a time, which stays in the cache on its way.
    let mut planes: Vec<f32> = Vec::with_capacity(channels * h * w);
    for (i, s) in samples.iter().enumerate() {
        planes.clear();
        add_planes(&mut planes, s, channels);
        input.f_select(0, i as i64)?.f_copy_(&Tensor::f_from_slice(&planes)?)?;
    }
    let input = input.f_view([n, channels as i64, h as i64, w as i64])?;
    let masks: Vec<&Mask> = samples.iter().filter_map(|s| s.mask.as_ref()).collect();
    let mask = (n > 0 && masks.len() == samples.len())
        .then(|| masks.iter().flat_map(|m| &m.values).copied().collect());
    let mask =
        mask.map(|v: Vec<u8>| Tensor::f_from_slice(&v)?.f_reshape([n, h as i64, w as i64])).transpose()?;
    let boxes: Vec<f32> = samples.iter().filter_map(|s| s.boxes.first()).flatten().copied().collect();
    let boxes = (n > 0 && boxes.len() == 4 * samples.len()).then_some(boxes);
    let boxes = boxes.map(|v| Tensor::f_from_slice(&v)?.f_reshape([n, 4])).transpose()?;
    Ok(Batch { input, target, index: Tensor::f_from_slice(index)?, truth: Truth { mask, boxes } })
}

/// Adds the picture channel by channel, in 0..1 or normalised; by table, as the bytes lie interleaved.
fn add_planes(out: &mut Vec<f32>, s: &Sample, channels: usize) {
    for c in 0..channels {
        let (mean, std) =
            s.norm.as_ref().map_or((0.0, 1.0), |(m, d)| (m[c.min(m.len() - 1)], d[c.min(d.len() - 1)]));
        let table: [f32; 256] = std::array::from_fn(|v| ((v as f64 / 255.0 - mean) / std) as f32);
        out.extend(s.picture.rgb.chunks_exact(3).map(|p| table[usize::from(p[c])]));
    }
}

/// An input [3|1, H, W] in 0..1 as a picture.
///
/// # Errors
/// What is no picture.
pub fn to_raster(input: &Tensor) -> Result<Raster> {
    let size = input.size();
    let (c, h, w) = match size[..] {
        [c @ (1 | 3), h, w] => (c, h, w),
        _ => {
            return Err(Error::new(format!("items of shape {size:?} are no pictures"))
                .hint("pictures are [3, height, width] or [1, height, width]"));
        }
    };
    let bytes = input.f_mul_scalar(255.0)?.f_round()?.f_clamp(0.0, 255.0)?.f_to_kind(Kind::Uint8)?;
    let bytes = bytes.f_expand([3, h, w], false)?.f_permute([1, 2, 0])?.f_contiguous()?;
    debug_assert!(c <= 3);
    let rgb = Vec::<u8>::try_from(bytes.f_flatten(0, -1)?)?;
    Raster::from_rgb(w as usize, h as usize, rgb)
}

impl Truth {
    /// As scripts see it: `parts` [.., H, W] (numbers), `mask` (true on the thing), `box` [x, y, width, height].
    pub(super) fn add_to(&self, map: &mut Map) -> Result<()> {
        if let Some(parts) = &self.mask {
            map.insert("parts".to_string(), Value::Tensor(parts.shallow_clone()));
            let known = parts.f_ne(i64::from(IGNORED))?;
            map.insert("mask".to_string(), Value::Tensor(parts.f_gt(0)?.f_logical_and(&known)?));
        }
        if let Some(boxes) = &self.boxes {
            map.insert("box".to_string(), Value::Tensor(boxes.shallow_clone()));
        }
        Ok(())
    }
}

functions! {
    on "Dataset";
    /// The same pictures, augmented anew in every epoch.
    ///
    /// It is done ahead of the step, on all processors. Masks and boxes follow; of tensors those of int64 [N, H, W] do, all
    /// other targets stay as they are. Where the first augmentation settles the size (a crop, `resize`) it gets the whole
    /// picture as it was read, else the picture as the data set gives it. What is random depends on the run's seed, the
    /// epoch and the item's place only, not on the number of threads.
    /// ```rhai
    /// let critters = data::critters(#{size: 64, train: 8, test: 1}).train;
    /// critters.augment(augment::random_resized_crop(32)).shape // => [3, 32, 32]
    /// ```
    fn augment(data: Dataset, augmentation: Aug) -> Dataset {
        data.augmented(&augmentation)?
    }

    /// Item `i` as a picture, neither augmented nor normalised.
    /// ```rhai
    /// data::critters(#{train: 4, test: 1, size: 32}).train.picture(0) // => Picture of 32 × 32 pixels
    /// ```
    fn picture(data: Dataset, i: i64) -> Picture {
        let batch = data.subset(&[i])?.plain().reader(0)?.fetch(&[0], 0)?;
        if batch.is_empty() {
            Err(Error::new(format!("item {i} cannot be read")).hint("data.skipped says why"))?;
        }
        Picture::from(to_raster(&batch.input.f_select(0, 0)?)?)
    }

    get "Dataset";
    /// Names of the parts, by the number that `parts` of an item holds.
    ///
    /// Empty where nothing is known of the parts; 0 is the background.
    /// ```rhai
    /// data::critters(#{train: 4, test: 1}).train.parts[4] // => "ears"
    /// ```
    fn parts(data: Dataset) -> Vec<String> {
        data.parts().to_vec()
    }
}

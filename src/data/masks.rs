//! `data::segmentation`: a folder of pictures and a folder of their masks.

use super::Dataset;
use super::cache::Cache;
use super::dense::Dense;
use super::files::{OnError, Skipped};
use super::folder::{name, pictures};
use super::mask_file::{self, Raw, Values};
use super::pictures::{PictureSource, Pictures};
use crate::augment::{IGNORED, Mask, Sample};
use crate::core::colour::Colour;
use crate::core::raster::Rect;
use crate::core::resample::Filter;
use crate::core::value::{FromValue, mismatch};
use crate::core::{Error, Opts, Result, Value, paths, picture_file};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// `[height, width]`, or one number for both.
pub(super) struct Size([usize; 2]);

impl FromValue for Size {
    const TYPE: &'static str = "integer or [height, width]";
    fn from_value(v: &Value) -> Result<Self> {
        let read = usize::from_value(v).map(|n| [n, n]).or_else(|_| <[usize; 2]>::from_value(v));
        match read {
            Ok(size) if size.iter().all(|n| *n > 0) => Ok(Size(size)),
            Ok(_) => Err(Error::new("a size is at least 1 pixel")),
            Err(_) => mismatch(Self::TYPE, v),
        }
    }
}

/// How a picture gets its size.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Fit {
    Stretch,
    Crop,
}

impl FromValue for Fit {
    const TYPE: &'static str = "\"stretch\" or \"crop\"";
    fn from_value(v: &Value) -> Result<Self> {
        match v {
            Value::Str(s) if s == "stretch" => Ok(Self::Stretch),
            Value::Str(s) if s == "crop" => Ok(Self::Crop),
            Value::Str(s) => Err(Error::unknown("fit", s, ["stretch", "crop"])),
            _ => mismatch(Self::TYPE, v),
        }
    }
}

options! {
    /// How pictures and masks are read.
    pub struct MaskOptions {
        /// [height, width] of the pictures, or one number for both.
        size: Size = Size([224, 224]) => 224,
        /// The whole picture in other proportions ("stretch"), or the largest middle in those of `size` ("crop").
        fit: Fit = Fit::Stretch => "stretch",
        /// Names of the classes, by number.
        classes: Vec<String> = Vec::new() => "[]",
        /// The mask's value of each class; its number if left out.
        values: Option<Vec<i64>> = None => (),
        /// The mask's colour of each class, where masks are in colours.
        colors: Vec<Colour> = Vec::new() => "[]",
        /// Two classes, of which the second is where a mask is at least so bright (0 to 255).
        threshold: Option<i64> = None => (),
        /// Values of pixels that do not count; 255 if left out, none with `threshold`.
        ignore: Option<Vec<i64>> = None => (),
        /// What mask files are called behind the picture's name, as in `a_mask.png` of `a.jpg`.
        suffix: String = String::new(),
        /// Pictures to leave out, by their name without ending.
        skip: Vec<String> = Vec::new() => "[]",
        /// Masks of another size than their picture are scaled to it, if their proportions are the same within 2 %.
        scale_masks: bool = false,
        /// What is done about a bad file or one without a partner: "stop", or "skip" it.
        on_error: OnError = OnError::Stop => "stop",
        /// Megabytes of decoded pictures that are kept; a quarter of the free memory if left out.
        cache: Option<usize> = None => (),
    }
}

/// Pictures with a mask each.
struct MaskFiles {
    pairs: Vec<[PathBuf; 2]>,
    classes: Arc<[String]>,
    o: MaskOptions,
    cache: Cache,
    skipped: Skipped,
}

/// Files by their path in the folder, without ending and `suffix`.
fn by_name(root: &Path, suffix: &str) -> Result<BTreeMap<String, PathBuf>> {
    let mut all = BTreeMap::new();
    for path in pictures(root)? {
        let inside = path.strip_prefix(root).unwrap_or(&path).with_extension("");
        let inside = inside.to_string_lossy().into_owned();
        let Some(key) = inside.strip_suffix(suffix) else { continue };
        if let Some(other) = all.insert(key.to_string(), path.clone()) {
            return Err(Error::new(format!("{} and {} have one name", other.display(), name(&path))));
        }
    }
    Ok(all)
}

impl MaskOptions {
    /// Number of classes, which options settle together.
    pub(super) fn count(&self) -> Option<usize> {
        match (self.threshold, &self.values, self.colors.len(), self.classes.len()) {
            (Some(_), ..) => Some(2),
            (_, Some(values), ..) => Some(values.len()),
            (_, _, n @ 1.., _) => Some(n),
            (_, _, _, n) => (n > 0).then_some(n),
        }
    }

    fn check(&self) -> Result<Vec<String>> {
        let given = [self.threshold.is_some(), self.values.is_some(), !self.colors.is_empty()]
            .iter()
            .filter(|g| **g)
            .count();
        if given > 1 {
            return Err(Error::new(
                "options `threshold`, `values` and `colors` say the same: give one of them",
            ));
        }
        if !self.colors.is_empty() && self.ignore.is_some() {
            return Err(Error::new("option `ignore` holds values, and these masks are in colours")
                .hint("white and VOC's border [224, 224, 192] do not count unless they are among `colors`"));
        }
        let n = self.count().ok_or_else(|| {
            Error::new("which classes do the masks hold?").hint(
                "name them: #{classes: [\"background\", \"horse\"]}; for black and white masks: #{threshold: 128}",
            )
        })?;
        if n > usize::from(IGNORED) {
            return Err(Error::new(format!("at most 255 classes fit into a mask, got {n}")));
        }
        let names: Vec<String> = match (self.classes.len(), self.threshold) {
            (0, Some(_)) => ["background", "thing"].map(String::from).to_vec(),
            (0, None) => (0..n).map(|i| i.to_string()).collect(),
            (m, _) if m == n => self.classes.clone(),
            (m, _) => return Err(Error::new(format!("option `classes` has {m} names for {n} classes"))),
        };
        Ok(names)
    }

    fn is_ignored(&self, v: i64) -> bool {
        self.ignore.as_ref().map_or(v == 255, |all| all.contains(&v))
    }

    /// The class of a mask's value.
    fn class(&self, v: i64) -> Option<u8> {
        match (&self.values, self.threshold) {
            (_, Some(_)) if self.ignore.is_some() && self.is_ignored(v) => Some(IGNORED),
            (_, Some(least)) => Some(u8::from(v >= least)),
            (Some(all), _) if all.contains(&v) => all.iter().position(|a| *a == v).map(|k| k as u8),
            _ if self.is_ignored(v) => Some(IGNORED),
            (Some(_), _) => None,
            (None, _) => u8::try_from(v).ok().filter(|k| usize::from(*k) < self.classes.len()),
        }
    }

    /// The classes of a file's pixels.
    fn mask(&self, raw: &Raw, jpeg: bool) -> Result<Mask> {
        let at = |i: usize| format!("at column {}, row {}", i % raw.width, i / raw.width);
        let values = match &raw.values {
            Values::Numbers(all) if self.colors.is_empty() => {
                if jpeg && self.threshold.is_none() {
                    return Err(Error::new("jpeg changes the values of a mask")
                        .hint("black and white masks are read with #{threshold: 128}; keep others as png"));
                }
                let mut known = [None; 256];
                let one = |(i, v): (usize, &u16)| {
                    let slot = known.get_mut(usize::from(*v));
                    if let Some(Some(k)) = slot {
                        return Ok(*k);
                    }
                    let k = self.class(i64::from(*v)).ok_or_else(|| self.stranger(*v, &at(i)))?;
                    if let Some(slot) = slot {
                        *slot = Some(k);
                    }
                    Ok(k)
                };
                all.iter().enumerate().map(one).collect::<Result<Vec<u8>>>()?
            }
            values => {
                let colours: Vec<[u8; 3]> = match values {
                    Values::Colours(all) => all.clone(),
                    Values::Numbers(all) => all.iter().map(|v| [(*v).min(255) as u8; 3]).collect(),
                };
                if self.colors.is_empty() {
                    return Err(Error::new("the mask is in colours, not in numbers")
                        .hint("say which colour each class has: #{colors: [\"black\", \"#800000\", …]}"));
                }
                let one = |(i, c): (usize, &[u8; 3])| match self.colors.iter().position(|k| k.0 == *c) {
                    Some(k) => Ok(k as u8),
                    None if *c == [255; 3] || *c == [224, 224, 192] => Ok(IGNORED), // VOC's border
                    None => Err(Error::new(format!(
                        "the mask holds the colour {c:?} {}, which is none of `colors`",
                        at(i)
                    ))),
                };
                colours.iter().enumerate().map(one).collect::<Result<_>>()?
            }
        };
        if values.iter().all(|v| *v == IGNORED) {
            return Err(Error::new(match values.is_empty() {
                true => "the mask is empty",
                false => "no pixel of the mask counts: all are ignored",
            })
            .hint("leave such pictures out with #{on_error: \"skip\"}; black and white masks need #{threshold: 128}"));
        }
        Ok(Mask { width: raw.width, height: raw.height, values })
    }

    fn stranger(&self, v: u16, at: &str) -> Error {
        let known = match &self.values {
            Some(values) => format!("`values` are {values:?}"),
            None => format!("classes are 0 to {}", self.classes.len() - 1),
        };
        let ignored = self.ignore.clone().unwrap_or(vec![255]);
        Error::new(format!("the mask holds the value {v} {at}; {known}, ignored {ignored:?}")).hint(
            "name all classes in `classes`, map other values with `values`, or leave them out with `ignore`",
        )
    }
}

impl MaskFiles {
    fn read(&self, i: usize) -> Result<Sample> {
        let [picture, file] = &self.pairs[i];
        let raster = picture_file::read(picture)?;
        let raw = if self.o.threshold.is_some() { mask_file::bright(file)? } else { mask_file::read(file)? };
        let ending = file.extension().unwrap_or_default().to_string_lossy().to_lowercase();
        let mut mask = self.o.mask(&raw, ending.starts_with("jp")).map_err(|e| e.within(file.display()))?;
        let ([w, h], [mw, mh]) = ([raster.width, raster.height], [mask.width, mask.height]);
        if [w, h] != [mw, mh] {
            let off = (mw * h) as f64 / (mh * w) as f64;
            let sizes = format!(
                "{}: the mask has {mw} x {mh} pixels, its picture {} has {w} x {h}",
                file.display(),
                picture.display()
            );
            if !self.o.scale_masks {
                return Err(
                    Error::new(sizes).hint("masks of other sizes are scaled with #{scale_masks: true}")
                );
            }
            if !(0.98..1.02).contains(&off) {
                return Err(Error::new(format!("{sizes}, of other proportions")));
            }
            mask = mask
                .remap(w, h, IGNORED, |x, y| Some(((2 * x + 1) * mw / (2 * w), (2 * y + 1) * mh / (2 * h))));
        }
        Ok(Sample { mask: Some(mask), outside: IGNORED, ..Sample::from(raster) })
    }
}

impl Pictures for MaskFiles {
    fn len(&self) -> usize {
        self.pairs.len()
    }
    fn size(&self) -> [usize; 2] {
        self.o.size.0
    }
    fn labels(&self) -> &[i64] {
        &[]
    }
    fn classes(&self) -> Arc<[String]> {
        self.classes.clone()
    }
    fn parts(&self) -> Arc<[String]> {
        self.classes.clone()
    }
    fn dense(&self) -> Option<Dense> {
        Some(Dense::Parts)
    }
    fn sample(&self, i: usize, whole: bool) -> Result<Option<Sample>> {
        let read = self.cache.get(i, || self.read(i));
        let Some(mut s) = self.skipped.judge(self.o.on_error, &self.pairs[i][0], read)? else {
            return Ok(None);
        };
        let ([h, w], [oh, ow]) = (s.size(), self.o.size.0);
        if !whole && [h, w] != [oh, ow] {
            let (cw, ch) = match self.o.fit {
                Fit::Stretch => (w, h),
                Fit::Crop if w * oh > h * ow => ((h * ow / oh).max(1), h),
                Fit::Crop => (w, (w * oh / ow).max(1)),
            };
            s.zoom(
                Rect::new(((w - cw) / 2) as i64, ((h - ch) / 2) as i64, cw, ch),
                ow,
                oh,
                Filter::Bilinear,
            )?;
        }
        Ok(Some(s))
    }
    fn file(&self, i: usize) -> Option<&Path> {
        Some(&self.pairs[i][0])
    }
    fn skipped(&self) -> Vec<String> {
        self.skipped.list()
    }
}

/// A data set of these pairs, the first of which are looked at at once.
pub(super) fn set(
    name: &str,
    pairs: Vec<[PathBuf; 2]>,
    skipped: Skipped,
    mut o: MaskOptions,
) -> Result<Dataset> {
    o.classes = o.check()?;
    let files =
        MaskFiles { pairs, classes: o.classes.clone().into(), cache: Cache::new(o.cache), o, skipped };
    if files.pairs.is_empty() {
        return Err(Error::new("no picture with a mask was found"));
    }
    let mut only = [false; 256];
    for i in 0..files.len().min(4) {
        let Some(s) = files.sample(i, true)? else { continue };
        s.mask.iter().flat_map(|m| &m.values).for_each(|v| only[usize::from(*v)] = true);
    }
    let seen: Vec<usize> = (0..256).filter(|v| only[*v]).collect();
    if seen == [0, usize::from(IGNORED)] && files.o.ignore.is_none() && files.o.values.is_none() {
        return Err(Error::new(format!(
            "{}: the masks hold 0 and 255 alone, and 255 does not count",
            files.pairs[0][1].display()
        ))
        .hint("if 255 is the second class: #{threshold: 128}; if it is to be left out: #{ignore: [255]}"));
    }
    Ok(Dataset::new(name, PictureSource(Arc::new(files))))
}

functions! {
    in "data";
    /// Pictures and their masks, in two folders: a class for each pixel.
    ///
    /// Files belong together by name, without the ending. Masks are PNG with a palette or grey values that are the classes'
    /// numbers, or with other `values` or `colors`; black and white ones, JPEG too, have a `threshold`. Items are a picture
    /// [3, H, W] and a target [H, W], int64, -100 where pixels do not count. Augmentations move both alike.
    ///
    /// Oxford-IIIT Pet's trimaps: `#{values: [2, 1], ignore: [3], classes: ["background", "pet"]}`. Weizmann's horses:
    /// `#{threshold: 128, scale_masks: true, skip: ["horse318"], classes: ["background", "horse"]}`.
    /// ```rhai
    /// let critters = data::critters(#{size: 32, train: 4, test: 1}).train;
    /// for i in 0..4 {
    ///     critters.picture(i).save(`pictures/${i}.png`);
    ///     image::from_tensor(critters.get(i).mask.float()).save(`masks/${i}.png`);
    /// }
    /// let set = data::segmentation("pictures", "masks", #{size: [24, 32], threshold: 128, classes: ["ground", "animal"]});
    /// set.get(3).target.shape // => [24, 32]
    /// ```
    fn segmentation(pictures: String, masks: String, options: Opts<MaskOptions>) -> Dataset {
        let o = options.0;
        let roots = [paths::readable(&pictures)?, paths::readable(&masks)?];
        let (mut seen, mut shown) = (by_name(&roots[0], "")?, by_name(&roots[1], &o.suffix)?);
        for stem in &o.skip {
            if seen.remove(stem).is_none() & shown.remove(stem).is_none() {
                Err(Error::new(format!("there is no picture {stem:?} to leave out")).within("option `skip`"))?;
            }
        }
        let skipped = Skipped::default();
        let mut pairs = Vec::new();
        for (key, picture) in seen {
            let missing = || Error::new(format!("{}: there is no mask {key}{} in {}", picture.display(), o.suffix, roots[1].display()))
                .hint("files belong together by name without ending; leave those without a partner out: #{on_error: \"skip\"}");
            match shown.remove(&key) {
                Some(mask) => pairs.push([picture, mask]),
                None => drop(skipped.judge::<()>(o.on_error, &picture, Err(missing()))?),
            }
        }
        for (key, mask) in shown {
            let alone = Error::new(format!("{}: there is no picture {key} in {}", mask.display(), roots[0].display()))
                .hint("files belong together by name without ending; leave those without a partner out: #{on_error: \"skip\"}");
            skipped.judge::<()>(o.on_error, &mask, Err(alone))?;
        }
        set(&name(&roots[0]), pairs, skipped, o)?
    }
}

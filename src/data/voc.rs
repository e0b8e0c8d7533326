//! `data::voc`: the layout of PASCAL VOC's segmentation task (Everingham et al. 2010).

use super::Dataset;
use super::files::Skipped;
use super::masks::{MaskOptions, set};
use crate::core::{Error, Opts, paths};
use std::path::{Path, PathBuf};

const CLASSES: [&str; 21] = [
    "background",
    "aeroplane",
    "bicycle",
    "bird",
    "boat",
    "bottle",
    "bus",
    "car",
    "cat",
    "chair",
    "cow",
    "diningtable",
    "dog",
    "horse",
    "motorbike",
    "person",
    "pottedplant",
    "sheep",
    "sofa",
    "train",
    "tvmonitor",
];

options! {
    /// Options of `data::voc`.
    pub struct VocOptions {
        /// The list in ImageSets/Segmentation: "train", "val", "trainval" or one of your own.
        split: String = "train".to_string(),
    }
}

/// The folder with `JPEGImages`: this one or one inside.
fn base(root: &Path) -> Option<PathBuf> {
    let inside = ["", "VOC2012", "VOCdevkit/VOC2012", "VOC2007", "VOCdevkit/VOC2007"];
    inside.iter().map(|p| root.join(p)).find(|p| p.join("JPEGImages").is_dir())
}

functions! {
    in "data";
    /// PASCAL VOC's segmentation: 20 classes and background, borders left out.
    ///
    /// Everingham et al. 2010. `root` is the folder with `JPEGImages`, `SegmentationClass` and
    /// `ImageSets/Segmentation/train.txt`, or one above it. `classes` names others, for data in the same layout.
    /// ```rhai,no_run
    /// let train = data::voc("VOCdevkit/VOC2012", #{split: "train", size: 256});
    /// train.classes[13] // => "horse"
    /// ```
    fn voc(root: String, options: Opts<(VocOptions, MaskOptions)>) -> Dataset {
        let (v, mut o) = options.0;
        let root = paths::readable(&root)?;
        let base = base(&root).ok_or_else(|| Error::new(format!("{}: holds no folder JPEGImages", root.display()))
            .hint("get VOCtrainval_11-May-2012.tar from http://host.robots.ox.ac.uk/pascal/VOC/voc2012 and unpack it"))?;
        let list = base.join("ImageSets/Segmentation").join(format!("{}.txt", v.split));
        let text = std::fs::read_to_string(&list).map_err(|e| Error::io(&list, &e))?;
        if o.count().is_none() {
            o.classes = CLASSES.map(String::from).to_vec();
        }
        let skipped = Skipped::default();
        let mut pairs = Vec::new();
        for stem in text.split_whitespace().filter(|s| !o.skip.iter().any(|k| k == s)) {
            let pair = [base.join(format!("JPEGImages/{stem}.jpg")), base.join(format!("SegmentationClass/{stem}.png"))];
            match pair.iter().find(|p| !p.is_file()) {
                None => pairs.push(pair),
                Some(gone) => {
                    let e = Error::new(format!("{}: no such file, but {} lists it", gone.display(), list.display()));
                    skipped.judge::<()>(o.on_error, gone, Err(e))?;
                }
            }
        }
        set(&format!("voc {}", v.split), pairs, skipped, o)?
    }
}

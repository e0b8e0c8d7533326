//! Targets that are a class for each pixel: made of a picture's mask, so that they go through its geometry.

use super::{Batch, Dataset, Source};
use crate::augment::IGNORED;
use crate::core::value::{FromValue, mismatch};
use crate::core::{Error, Result, Value};
use std::sync::Arc;
use tch::{Kind, Tensor};

/// The target of pixels that do not count: what losses and measures leave out by themselves.
pub const IGNORE: i64 = -100;

/// Which classes pixels have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dense {
    /// Background and the thing.
    Thing,
    /// The numbers of the mask.
    Parts,
}

impl FromValue for Dense {
    const TYPE: &'static str = "\"mask\" or \"parts\"";
    fn from_value(v: &Value) -> Result<Self> {
        match v {
            Value::Str(s) if s == "mask" => Ok(Self::Thing),
            Value::Str(s) if s == "parts" => Ok(Self::Parts),
            Value::Str(s) => Err(Error::unknown("kind of mask", s, ["mask", "parts"])),
            _ => mismatch(Self::TYPE, v),
        }
    }
}

impl Dense {
    /// The classes [N, H, W] of a batch's pixels, int64; [`IGNORE`] where they do not count.
    ///
    /// # Errors
    /// Pictures without masks.
    pub fn target(self, batch: &Batch) -> Result<Option<Tensor>> {
        let Some(mask) = &batch.truth.mask else {
            if batch.is_empty() {
                return Ok(None);
            }
            return Err(Error::new("these pictures have no masks that could be targets"));
        };
        let classes = mask.f_to_kind(Kind::Int64)?;
        let classes = if self == Self::Thing { classes.f_clamp_max(1)? } else { classes };
        Ok(Some(classes.f_masked_fill(&mask.f_eq(i64::from(IGNORED))?, IGNORE)?))
    }

    /// The names of those classes.
    pub fn classes(self, source: &dyn Source) -> Arc<[String]> {
        let parts = source.parts();
        match self {
            Self::Thing => ["background", "thing"].map(String::from).into(),
            Self::Parts if parts.is_empty() => source.classes(),
            Self::Parts => parts,
        }
    }
}

functions! {
    on "Dataset";
    /// The same pictures, with a class for each pixel as target: [N, H, W].
    ///
    /// `"mask"`: background and thing; `"parts"`: the numbers of `data.parts`. Augmentations move picture and target
    /// alike; what they bring in from outside the picture is -100, which losses and measures leave out.
    /// ```rhai
    /// let critters = data::critters(#{size: 32, train: 4, test: 1}).train;
    /// critters.with_masks("parts").classes // => ["background", "body", "head", "muzzle", "ears", "legs", "tail"]
    /// critters.with_masks("mask").get(0).target.shape // => [32, 32]
    /// ```
    fn with_masks(data: Dataset, kind: Dense) -> Dataset {
        if !data.has_pictures() {
            Err(Error::new("the items of this data set are tensors, which have no masks")
                .hint("targets [N, H, W] of data::from_tensors are masks as they are"))?;
        }
        let data = data.with_targets(kind);
        if kind == Dense::Parts && data.parts().is_empty() {
            Err(Error::new("these pictures have no parts").hint("`parts` of data::critters has; folders of masks are such targets already"))?;
        }
        if !data.is_empty() {
            data.subset(&[0])?.reader(0)?.fetch(&[0], 0)?; // it says if there are none
        }
        data
    }
}

//! Classifiers without their heads, cut where networks that draw maps take what they know: the outputs at an eighth, a
//! sixteenth and a thirty-second of the picture's size.

use super::parts::{Part, restart, usual_start};
use super::weights::Named;
use super::{Spec, alexnet, resnet, vgg};
use crate::core::value::{FromValue, mismatch};
use crate::core::{Error, Result, Value};
use crate::nn::init::he_fan_out;
use crate::nn::{Sequential, Tent};
use std::rc::Rc;

/// The stages' names in every network that has an encoder: the last layer of each lies at this stride.
pub(super) const STAGES: [&str; 3] = ["stage_8", "stage_16", "stage_32"];

/// A classifier whose convolutions are used.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Encoder {
    AlexNet,
    Vgg16,
    Vgg16Bn,
    ResNet18,
}

const NAMES: [(&str, Encoder); 4] = [
    ("alexnet", Encoder::AlexNet),
    ("vgg16", Encoder::Vgg16),
    ("vgg16_bn", Encoder::Vgg16Bn),
    ("resnet18", Encoder::ResNet18),
];

impl FromValue for Encoder {
    const TYPE: &'static str = "\"alexnet\", \"vgg16\", \"vgg16_bn\" or \"resnet18\"";
    fn from_value(v: &Value) -> Result<Self> {
        let Value::Str(s) = v else { return mismatch(Self::TYPE, v) };
        let found = NAMES.iter().find(|(n, _)| n == s).map(|(_, e)| *e);
        found.ok_or_else(|| Error::unknown("encoder", s, NAMES.iter().map(|(n, _)| *n)))
    }
}

impl Encoder {
    /// Its name in `models::`.
    pub fn name(self) -> &'static str {
        NAMES.iter().find(|(_, e)| *e == self).map_or("", |(n, _)| n)
    }

    /// Channels of the three stages.
    pub fn channels(self) -> [i64; 3] {
        match self {
            Encoder::AlexNet => [64, 192, 256],
            Encoder::Vgg16 | Encoder::Vgg16Bn => [256, 512, 512],
            Encoder::ResNet18 => [128, 256, 512],
        }
    }

    /// The smallest picture of which something is left at the last stage.
    pub fn least(self) -> i64 {
        if self == Encoder::AlexNet { 63 } else { 32 }
    }

    /// The way up from a stage: how to enlarge, and at which row and column of that the finer stage (or the picture, with
    /// `pixels`) begins, so that every place stays where its receptive field has its middle. Cell i of a stage has it in
    /// cell 2 i + 1 of the one before for AlexNet (windows of three without a border), between 2 i and 2 i + 1 for VGG
    /// (windows of two), in 2 i for ResNet (three with a border); a tent puts it at `factor · i + (side - 1) / 2`.
    pub fn way_up(self, factor: i64, pixels: bool) -> (Tent, i64) {
        let odd = !(pixels || matches!(self, Encoder::Vgg16 | Encoder::Vgg16Bn));
        let tent = Tent { factor, side: 2 * factor - i64::from(odd), margin: 0 };
        let begin = match self {
            Encoder::AlexNet => 0,
            Encoder::Vgg16 | Encoder::Vgg16Bn => factor / 2,
            Encoder::ResNet18 if pixels => factor,
            Encoder::ResNet18 => factor - 1,
        };
        (tent, begin)
    }

    /// The classifier's linear layers by their place in `classifier`, and the side of the first one's window; none
    /// where it has but one.
    pub fn wide(self) -> Option<([usize; 2], i64)> {
        match self {
            Encoder::AlexNet => Some(([1, 4], 6)),
            Encoder::Vgg16 | Encoder::Vgg16Bn => Some(([0, 3], 7)),
            Encoder::ResNet18 => None,
        }
    }

    /// The classifier it is part of.
    pub const fn spec(self) -> &'static Spec {
        match self {
            Encoder::AlexNet => &alexnet::SPEC,
            Encoder::Vgg16 => &vgg::VGG16,
            Encoder::Vgg16Bn => &vgg::VGG16_BN,
            Encoder::ResNet18 => &resnet::RESNET18,
        }
    }

    /// The last layer of the first two stages.
    fn cuts(self) -> [usize; 2] {
        match self {
            Encoder::AlexNet => [2, 5],
            Encoder::Vgg16 => [16, 23],
            Encoder::Vgg16Bn => [23, 33],
            Encoder::ResNet18 => [5, 6],
        }
    }

    /// The stages; layers inside are called as in torchvision, `features` apart: `stage_32.28` is VGG16's last
    /// convolution, `features.28`.
    ///
    /// # Errors
    /// libtorch's.
    pub fn stages(self, channels: i64) -> Result<[Part; 3]> {
        let numbered = |all: Vec<Part>| -> Vec<(String, Part)> {
            all.into_iter().enumerate().map(|(i, p)| (i.to_string(), p)).collect()
        };
        let mut layers = match self {
            Encoder::AlexNet => numbered(alexnet::features(channels)?),
            Encoder::Vgg16 => numbered(vgg::features(vgg::D, false, channels)?),
            Encoder::Vgg16Bn => numbered(vgg::features(vgg::D, true, channels)?),
            Encoder::ResNet18 => {
                let trunk = resnet::trunk([2, 2, 2, 2], 1, channels)?.0;
                trunk.into_iter().map(|(n, p)| (n.to_string(), p)).collect()
            }
        };
        let [a, b] = self.cuts();
        let last = layers.split_off(b + 1);
        let middle = layers.split_off(a + 1);
        let stage = |layers| Ok::<Part, Error>(Rc::new(Sequential::new(layers)?));
        let stages = [stage(layers)?, stage(middle)?, stage(last)?];
        for s in &stages {
            match self {
                Encoder::AlexNet => {}
                Encoder::ResNet18 => restart(s, |_, shape| (shape.len() == 4).then(|| he_fan_out(shape)))?,
                _ => restart(s, usual_start)?,
            }
        }
        Ok(stages)
    }

    /// Where a tensor of the classifier stands in a network with this encoder.
    fn place(self, theirs: &str) -> Option<String> {
        let (name, which) = match self {
            Encoder::ResNet18 => {
                let order = ["conv1", "bn1", "relu", "maxpool", "layer1", "layer2", "layer3", "layer4"];
                (theirs, order.iter().position(|n| Some(*n) == theirs.split('.').next())?)
            }
            _ => {
                let name = theirs.strip_prefix("features.")?;
                (name, name.split('.').next()?.parse().ok()?)
            }
        };
        let stage = self.cuts().iter().filter(|cut| which > **cut).count();
        Some(format!("{}.{name}", STAGES[stage]))
    }

    /// The tensors of a classifier's file as a network with this encoder has them; of its head, with `wide`, the linear
    /// layers as convolutions fc6 and fc7. Files of such networks stay as they are.
    ///
    /// # Errors
    /// libtorch's.
    pub fn adapt(self, tensors: Named, wide: bool) -> Result<Named> {
        let tensors = (self.spec().adapt)(tensors)?;
        if tensors.iter().any(|(n, _)| STAGES.iter().any(|s| n.starts_with(s))) {
            return Ok(tensors);
        }
        let mut ours = Named::new();
        for (name, t) in tensors {
            if let Some(place) = self.place(&name) {
                ours.push((place, t));
            } else if let Some((head, what)) =
                name.strip_prefix("classifier.").and_then(|n| n.split_once('.'))
            {
                let Some((places, side)) = self.wide().filter(|_| wide) else { continue };
                let Some(i) = places.iter().position(|p| p.to_string() == head) else { continue };
                let side = if i == 0 { side } else { 1 };
                let t = match t.size()[..] {
                    [o, n] if n % (side * side) == 0 => t.f_view([o, n / (side * side), side, side])?,
                    _ => t,
                };
                ours.push((format!("{}.{what}", ["fc6", "fc7"][i]), t));
            } else if !name.starts_with("fc.") {
                ours.push((name, t));
            }
        }
        Ok(ours)
    }
}

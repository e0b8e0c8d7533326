//! Looking again: the target's value for many variants of every picture, in batches.

use crate::core::Result;
use crate::explain::{Target, probe};
use crate::nn::{Layer, Net};
use std::ops::Range;
use tch::Tensor;

/// What a method that looks again knows of the first look.
pub struct Look<'a> {
    /// The network.
    pub net: &'a Net,
    /// The layer that is explained.
    pub layer: &'a str,
    /// The pictures, [N, C, H, W].
    pub x: &'a Tensor,
    /// The layer's output, [N, C, h, w].
    pub act: &'a Tensor,
    /// The target; its classes are those of the first look.
    pub target: &'a Target,
    /// The target's value for every picture, [N].
    pub scores: &'a Tensor,
    /// Rows of one pass of the network.
    pub batch: i64,
}

impl Look<'_> {
    /// The size of the pictures.
    pub fn size(&self) -> [i64; 2] {
        [self.x.size()[2], self.x.size()[3]]
    }

    /// How many channels the layer has.
    pub fn channels(&self) -> i64 {
        self.act.size()[1]
    }

    /// The values [N, C] of one variant of every picture for each channel: `run` gives those of some channels of
    /// picture `i`.
    ///
    /// # Errors
    /// `run`'s.
    pub fn each_channel(&self, run: impl Fn(i64, Range<i64>, &Target) -> Result<Tensor>) -> Result<Tensor> {
        let mut rows = Vec::new();
        for i in 0..self.x.size()[0] {
            let target = self.target.one(i)?;
            let starts = (0..self.channels()).step_by(self.batch as usize);
            let parts = starts.map(|k| run(i, k..(k + self.batch).min(self.channels()), &target));
            rows.push(Tensor::f_cat(&parts.collect::<Result<Vec<_>>>()?, 0)?);
        }
        Ok(Tensor::f_stack(&rows, 0)?)
    }

    /// The values [N, C] of every picture under one mask a channel: `mask` makes [channels, 1, H, W] of some
    /// channels [channels, 1, h, w] of picture `i`.
    ///
    /// # Errors
    /// `mask`'s, the network's.
    pub fn masked(&self, mask: impl Fn(i64, Range<i64>, &Tensor) -> Result<Tensor>) -> Result<Tensor> {
        self.each_channel(|i, of, target| {
            let planes = self.act.f_select(0, i)?.f_narrow(0, of.start, of.end - of.start)?.f_unsqueeze(1)?;
            self.run(i, &mask(i, of, &planes)?, target)
        })
    }

    /// [`masked`](Look::masked) where the mask depends on the channel's [`unit`] plane alone: flat channels, which all
    /// make the same one, are run once.
    ///
    /// # Errors
    /// As there.
    pub fn masked_alike(&self, mask: impl Fn(&Tensor) -> Result<Tensor>) -> Result<Tensor> {
        let mut rows = Vec::new();
        for i in 0..self.x.size()[0] {
            let (target, act) = (self.target.one(i)?, self.act.f_select(0, i)?);
            let flat = act.f_amax([1, 2], false)?.f_eq_tensor(&act.f_amin([1, 2], false)?)?;
            let flat = Vec::<bool>::try_from(flat.f_to_device(tch::Device::Cpu)?)?;
            let (mut runs, mut of, mut first) = (Vec::new(), Vec::new(), None);
            for (c, flat) in flat.into_iter().enumerate() {
                let known = if flat { first } else { None };
                of.push(known.unwrap_or(runs.len() as i64));
                if known.is_none() {
                    first = if flat { of.last().copied() } else { first };
                    runs.push(c as i64);
                }
            }
            let mut parts = Vec::new();
            for some in runs.chunks(self.batch as usize) {
                let which = Tensor::f_from_slice(some)?.f_to_device(act.device())?;
                parts.push(self.run(i, &mask(&act.f_index_select(0, &which)?.f_unsqueeze(1)?)?, &target)?);
            }
            let of = Tensor::f_from_slice(&of)?.f_to_device(act.device())?;
            rows.push(Tensor::f_cat(&parts, 0)?.f_index_select(0, &of)?);
        }
        Ok(Tensor::f_stack(&rows, 0)?)
    }

    /// The target's value [n] of picture `i` under masks [n, 1, H, W].
    fn run(&self, i: i64, masks: &Tensor, target: &Target) -> Result<Tensor> {
        let x = masks.f_mul(&self.x.f_narrow(0, i, 1)?)?;
        // A picture's channels side by side in memory: convolutions of a CPU are a quarter faster so.
        let x = match x.device() == tch::Device::Cpu && any_layout(self.net) {
            true => x.f_permute([0, 2, 3, 1])?.f_contiguous()?.f_permute([0, 3, 1, 2])?,
            false => x,
        };
        probe::scores(self.net, &x, target, &[])
    }
}

/// Nothing in the network depends on how its numbers lie in memory, as code of the user's own may.
fn any_layout(net: &Net) -> bool {
    let known = [
        "Conv2d",
        "BatchNorm2d",
        "ReLU",
        "MaxPool2d",
        "AvgPool2d",
        "AdaptiveAvgPool2d",
        "AdaptiveMaxPool2d",
        "Dropout",
        "Dropout2d",
        "Identity",
        "Flatten",
        "Linear",
        "BasicBlock",
        "Bottleneck",
        "Residual",
    ];
    let fits = |layer: &dyn Layer| layer.chain().is_some() || known.contains(&layer.kind().as_str());
    let inside = |name: &String| net.part(name).is_ok_and(|p| fits(&*p.layer()));
    !net.is_tapped() && fits(&*net.layer()) && net.layer_names(false).iter().all(inside)
}

/// Weights [N, C, 1, 1] of scores [N, C]: their softmax over the channels.
///
/// # Errors
/// libtorch's.
pub fn softmax(scores: &Tensor) -> Result<Tensor> {
    Ok(scores.f_softmax(1, None)?.f_unsqueeze(2)?.f_unsqueeze(3)?)
}

/// Every plane of [.., h, w] from 0 to 1, as the references do it with their 1e-8.
///
/// # Errors
/// libtorch's.
pub fn unit(planes: &Tensor) -> Result<Tensor> {
    let low = planes.f_sub(&planes.f_amin([-2, -1], true)?)?;
    Ok(low.f_div(&low.f_amax([-2, -1], true)?.f_add_scalar(1e-8)?)?)
}

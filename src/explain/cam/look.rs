//! Looking again: the target's value for many variants of every picture, in batches.

use crate::core::Result;
use crate::explain::{Target, probe};
use crate::nn::Net;
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
            let x = mask(i, of, &planes)?.f_mul(&self.x.f_narrow(0, i, 1)?)?;
            probe::scores(self.net, &x, target, &[])
        })
    }
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

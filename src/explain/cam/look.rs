//! Looking again: the target's value for many variants of every picture, in batches.

use crate::core::{Error, Result, Value};
use crate::explain::{Target, probe};
use crate::nn::{Fast, Net};
use std::cell::OnceCell;
use std::ops::Range;
use tch::{Device, Tensor};

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
    /// The network made ready for many passes, once it is needed and where it can be.
    pub fast: OnceCell<Option<Fast>>,
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
    /// make the same one, are run once, as zeros (enlarged, other values differ in their last bits, which `unit` blows up).
    ///
    /// # Errors
    /// As there.
    pub fn masked_alike(&self, mask: impl Fn(&Tensor) -> Result<Tensor>) -> Result<Tensor> {
        let mut rows = Vec::new();
        for i in 0..self.x.size()[0] {
            let (target, act) = (self.target.one(i)?, self.act.f_select(0, i)?);
            let scores = |act: &Tensor| {
                let planes = act.f_unsqueeze(1)?.f_split(self.batch, 0)?;
                let parts = planes.iter().map(|planes| self.run(i, &mask(planes)?, &target));
                Ok::<_, Error>(Tensor::f_cat(&parts.collect::<Result<Vec<_>>>()?, 0)?)
            };
            let flat = flat(&act)?;
            if !flat.contains(&true) {
                rows.push(scores(&act)?);
                continue;
            }
            let (mut runs, mut of) = (Vec::new(), Vec::new());
            for (c, flat) in (0i64..).zip(flat) {
                of.push(if flat { 0 } else { runs.len() as i64 + 1 });
                runs.extend((!flat).then_some(c));
            }
            let index = |all: &[i64]| Tensor::f_from_slice(all)?.f_to_device(act.device());
            let zeros = act.f_narrow(0, 0, 1)?.f_zeros_like()?;
            let once = Tensor::f_cat(&[zeros, act.f_index_select(0, &index(&runs)?)?], 0)?;
            rows.push(scores(&once)?.f_index_select(0, &index(&of)?)?);
        }
        Ok(Tensor::f_stack(&rows, 0)?)
    }

    /// The target's value [n] of picture `i` under masks [n, 1, H, W].
    fn run(&self, i: i64, masks: &Tensor, target: &Target) -> Result<Tensor> {
        let x = masks.f_mul(&self.x.f_narrow(0, i, 1)?)?;
        if self.fast.get().is_none() {
            let may = target.needs().layer.is_none();
            let _ = self.fast.set(if may { Fast::new(self.net)? } else { None });
        }
        match self.fast.get() {
            Some(Some(net)) => target.scores(&Value::Tensor(net.forward(&x)?), &x),
            _ => probe::scores(self.net, &x, target, &[]),
        }
    }
}

/// Which channels of [C, h, w] are flat; none where values cannot be read, as on libtorch's `meta` device.
fn flat(act: &Tensor) -> Result<Vec<bool>> {
    let flat = act.f_amax([1, 2], false)?.f_eq_tensor(&act.f_amin([1, 2], false)?)?;
    let read = flat.f_to_device(Device::Cpu).and_then(|t| Vec::try_from(&t));
    Ok(read.unwrap_or_else(|_| vec![false; act.size()[0] as usize]))
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

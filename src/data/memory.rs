//! Data sets that lie in memory as two tensors.

use super::pictures::to_raster;
use super::{Batch, Dense, Reader, Source, Truth};
use crate::augment::{IGNORED, Mask, Sample};
use crate::core::{Error, Result};
use std::sync::Arc;
use tch::{Kind, Tensor};

/// Inputs [N, ..] (float, or uint8 that becomes float in 0..1) and targets [N, ..].
pub struct Memory {
    input: Tensor,
    target: Option<Tensor>,
    classes: Arc<[String]>,
}

impl Memory {
    /// Checks that both have as many items.
    ///
    /// # Errors
    /// Another count; a scalar.
    pub fn new(input: Tensor, target: Option<Tensor>, classes: Vec<String>) -> Result<Self> {
        let n =
            input.size().first().copied().ok_or_else(|| Error::new("inputs are [N, ..], got one number"))?;
        if let Some(t) = &target
            && t.size().first() != Some(&n)
        {
            return Err(Error::new(format!("{n} inputs, but targets of shape {:?}", t.size())));
        }
        let input = input.f_detach()?.f_to_device(tch::Device::Cpu)?.f_contiguous()?;
        let target = target.map(|t| t.f_detach()?.f_to_device(tch::Device::Cpu)).transpose()?;
        let memory = Self { input, target, classes: classes.into() };
        if let (Some(labels), false) = (memory.labels(), memory.classes.is_empty())
            && let Some(bad) = labels.iter().find(|l| !(0..memory.classes.len() as i64).contains(l))
        {
            return Err(Error::new(format!(
                "target {bad} has no name: there are {} classes",
                memory.classes.len()
            )));
        }
        Ok(memory)
    }
}

impl Source for Memory {
    fn len(&self) -> usize {
        self.input.size()[0] as usize
    }
    fn reader(&self) -> Box<dyn Reader + Send> {
        let target = self.target.as_ref().map(Tensor::shallow_clone);
        Box::new(MemoryReader { input: self.input.shallow_clone(), target })
    }
    fn stamp(&self, _: Option<&[i64]>) -> u64 {
        // The script may hold the tensors too, and libtorch counts what is written into them.
        let changes = |t: &Tensor| t.f_internal_version().unwrap_or(-1) as u64;
        changes(&self.input) + self.target.as_ref().map_or(0, changes)
    }
    fn shape(&self) -> Vec<i64> {
        self.input.size()[1..].to_vec()
    }
    fn labels(&self) -> Option<Vec<i64>> {
        let t = self.target.as_ref()?;
        if t.kind() != Kind::Int64 || t.dim() != 1 { None } else { Vec::<i64>::try_from(t).ok() }
    }
    fn classes(&self) -> Arc<[String]> {
        self.classes.clone()
    }
    fn pinned(&self) -> Option<Vec<i64>> {
        let (x, y) = (self.input.size(), self.target.as_ref()?.size());
        let large = x.len() == 4 && y.len() > 2 && y[y.len() - 2..] == x[2..];
        (large && self.dense().is_none()).then_some(y)
    }
    fn dense(&self) -> Option<Dense> {
        self.target.as_ref().filter(|t| are_masks(&self.input, t)).map(|_| Dense::Parts)
    }
}

/// Targets are a class for each pixel of pictures.
fn are_masks(x: &Tensor, y: &Tensor) -> bool {
    let (x, s) = (x.size(), y.size());
    y.kind() == Kind::Int64 && x.len() == 4 && s.len() == 3 && s[1..] == x[2..]
}

/// The classes [H, W] of one picture as a mask.
fn mask(t: &Tensor) -> Result<Mask> {
    let size = t.size();
    let values = Vec::<i64>::try_from(t.f_contiguous()?.f_flatten(0, -1)?)?;
    let one = |v: &i64| match v {
        -100 => Ok(IGNORED),
        v => u8::try_from(*v)
            .map_err(|_| Error::new(format!("a mask holds {v}; classes are 0 to 254, and -100 is ignored"))),
    };
    let values = values.iter().map(one).collect::<Result<Vec<u8>>>()?;
    Ok(Mask { width: size[1] as usize, height: size[0] as usize, values })
}

struct MemoryReader {
    input: Tensor,
    target: Option<Tensor>,
}

impl Reader for MemoryReader {
    fn fetch(&mut self, index: &[i64]) -> Result<Batch> {
        let index = Tensor::f_from_slice(index)?;
        let mut input = self.input.f_index_select(0, &index)?;
        if input.kind() == Kind::Uint8 {
            input = input.f_to_kind(Kind::Float)?.f_div_scalar_(255.0)?;
        }
        let target = self.target.as_ref().map(|t| t.f_index_select(0, &index)).transpose()?;
        Ok(Batch { input, target, index, truth: Truth::default() })
    }
    fn sample(&mut self, i: i64, _: bool) -> Result<Option<Sample>> {
        let x = self.input.f_get(i)?;
        let x = if x.kind() == Kind::Uint8 { x.f_to_kind(Kind::Float)?.f_div_scalar(255.0)? } else { x };
        if x.f_min()?.f_double_value(&[])? < 0.0 || x.f_max()?.f_double_value(&[])? > 1.0 {
            return Err(Error::new("pictures that are augmented have values in 0..1")
                .hint("normalise behind it: data.augment(…).normalized(mean, std)"));
        }
        let mut s = Sample::from(to_raster(&x)?);
        if let Some(y) = self.target.as_ref().filter(|y| are_masks(&self.input, y)) {
            s.mask = Some(mask(&y.f_get(i)?)?);
        }
        Ok(Some(s))
    }
    fn targets(&mut self, index: &[i64]) -> Result<Option<Tensor>> {
        let index = Tensor::f_from_slice(index)?;
        Ok(self.target.as_ref().map(|t| t.f_index_select(0, &index)).transpose()?)
    }
}

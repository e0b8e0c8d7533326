//! A data set being read: its source, which items, normalised.

use super::{Batch, Reader};
use crate::core::Result;
use tch::{Kind, Tensor};

/// Reads the items of a data set by their places in it.
pub struct View {
    pub(super) inner: Box<dyn Reader + Send>,
    pub(super) index: Option<Vec<i64>>,
    pub(super) norm: Option<(Vec<f64>, Vec<f64>)>,
}

impl Reader for View {
    fn fetch(&mut self, places: &[i64]) -> Result<Batch> {
        let mut batch = match &self.index {
            Some(all) => self.inner.fetch(&places.iter().map(|p| all[*p as usize]).collect::<Vec<_>>())?,
            None => self.inner.fetch(places)?,
        };
        if let Some(norm) = &self.norm {
            batch.input = normalized(&batch.input, norm)?;
        }
        batch.index = Tensor::f_from_slice(places)?;
        Ok(batch)
    }
}

/// `(x − mean) / std` for each channel of [N, C, ..].
fn normalized(x: &Tensor, (mean, std): &(Vec<f64>, Vec<f64>)) -> Result<Tensor> {
    let axes = vec![1i64; x.dim().saturating_sub(2)];
    let shape = [&[1, mean.len() as i64], &axes[..]].concat();
    let per_channel = |v: &[f64]| -> Result<Tensor> {
        Ok(Tensor::f_from_slice(v)?.f_to_kind(Kind::Float)?.f_reshape(&shape)?)
    };
    Ok(x.f_sub(&per_channel(mean)?)?.f_div(&per_channel(std)?)?)
}

//! Features of a data set: what a layer says of every item.

use super::embedding::{About, Embedding, Made};
use crate::core::{Error, Result, Value, device, interrupt, progress};
use crate::data::{Dataset, LoaderOptions};
use crate::image::{FromTensor, Picture};
use crate::nn::Net;
use ndarray::Array2;
use tch::{Kind, Tensor};

options! {
    /// Options of `embed::features`.
    pub struct FeaturesOptions {
        /// "mean": the mean over the map's pixels; "max"; "flatten": all values. "auto": mean of maps, else flatten.
        pool: String = "auto".to_string(),
        /// Items at once.
        batch_size: usize = 64,
        /// Long side of the pictures kept for maps, in pixels; 0: none.
        thumbnails: usize = 32,
    }
}

/// One row an item.
fn pooled(t: &Tensor, pool: &str) -> Result<Tensor> {
    let n = t.size().first().copied().unwrap_or(0);
    let flat = |t: &Tensor| -> Result<Tensor> { Ok(t.f_reshape([n, -1])?) };
    match (pool, t.dim()) {
        (_, 0) => Err(Error::new("the layer gives a single number for a batch, not one row an item")),
        ("auto" | "mean", 3..) => {
            Ok(flat(&t.f_flatten(2, -1)?.f_mean_dim([-1].as_slice(), false, Kind::Float)?)?)
        }
        ("max", 3..) => Ok(t.f_flatten(2, -1)?.f_amax([-1].as_slice(), false)?),
        ("auto" | "mean" | "max" | "flatten", _) => flat(t),
        _ => Err(Error::unknown("pool", pool, ["auto", "mean", "max", "flatten"])),
    }
}

/// Small pictures of a batch [N, C, H, W]; none of anything else.
fn thumbnails(input: &Tensor, side: usize, data: &Dataset) -> Result<Vec<Picture>> {
    let size = input.size();
    let &[_, channels, height, width] = size.as_slice() else { return Ok(Vec::new()) };
    if side == 0 || !(channels == 1 || channels == 3) {
        return Ok(Vec::new());
    }
    let shrink = (side as f64 / height.max(width) as f64).min(1.0);
    let to = |n: i64| ((n as f64 * shrink).round() as usize).max(1);
    let options = FromTensor { stretch: false, normalized: data.normalisation().cloned() };
    let pictures = Picture::from_batch(input, &options)?;
    let small = |p: &Picture| p.resize(to(width), to(height), crate::core::resample::Filter::Bilinear);
    pictures.iter().map(small).collect()
}

/// What layer `layer` of `net` says of every item of `data`, in their order.
///
/// # Errors
/// A layer that does not exist, an item that cannot be read, Ctrl-C.
pub fn features(net: &Net, layer: &str, data: &Dataset, o: &FeaturesOptions) -> Result<Embedding> {
    if data.is_empty() {
        return Err(Error::new("the data set is empty: there are no features to take"));
    }
    if o.batch_size == 0 {
        return Err(Error::new("`batch_size` must be at least 1, got 0"));
    }
    if !layer.is_empty() {
        net.check_layers(&[layer.to_string()])?;
    }
    let _mode = net.evaluating();
    let _no_grad = tch::no_grad_guard();
    let options = LoaderOptions { batch_size: o.batch_size, ..LoaderOptions::default() };
    let loader = data.loader(&options)?;
    let (mut rows, mut width, mut small, mut read) = (Vec::new(), 0, Vec::new(), Vec::new());
    progress::begin("features", loader.len() as u64);
    for (done, batch) in loader.enumerate() {
        interrupt::check()?;
        let batch = batch?;
        read.extend(Vec::<i64>::try_from(&batch.index)?);
        small.extend(thumbnails(&batch.input, o.thumbnails, data)?);
        let input = Value::Tensor(batch.input.f_to_device(net.device())?);
        let out = match layer {
            "" => net.forward(input)?,
            _ => Value::Tensor(net.capture(input, &[layer.to_string()], false)?.1.swap_remove(0)),
        };
        let Value::Tensor(out) = out else {
            return Err(Error::new(format!("the network gives {}, features need a Tensor", out.describe()))
                .hint("name a layer whose output is a Tensor"));
        };
        let out = pooled(&out, &o.pool)?;
        width = out.size()[1] as usize;
        let flat = out.f_to_device(tch::Device::Cpu)?.f_to_kind(Kind::Float)?.f_contiguous()?;
        rows.extend(Vec::<f32>::try_from(flat.f_flatten(0, -1)?)?);
        progress::advance(done as u64 + 1, String::new);
    }
    progress::finish("");
    let points = Array2::from_shape_vec((rows.len() / width.max(1), width), rows)
        .map_err(|e| Error::new(format!("layer `{layer}` gives rows of unequal length: {e}")))?;
    // Pictures that were skipped have neither features nor labels.
    let labels = data.labels().unwrap_or_default();
    let about = About {
        labels: read.iter().filter_map(|i| labels.get(*i as usize).copied()).collect(),
        classes: data.classes().to_vec(),
        thumbnails: small,
    };
    let place = if layer.is_empty() { "the output".to_string() } else { format!("`{layer}`") };
    let on = device::name(net.device());
    Embedding::new(points, about, Made::Given(format!("features of {place} on {on}")))
}

//! A network that draws masks, measured on a whole data set.

use super::boundary::scores;
use super::overlap::{Overlap, histogram, mean};
use crate::core::value::{IntoValue, record};
use crate::core::{Error, Map, Opts, Result, Value, interrupt, progress};
use crate::data::{Dataset, IGNORE, LoaderOptions};
use crate::nn::Net;
use tch::{Device, Tensor};

options! {
    /// Options of `metrics::segmentation`.
    pub struct SegmentationOptions {
        /// Pictures a batch.
        batch_size: usize = 16,
        /// Looks at every picture in a mirror too, and takes the mean of both probabilities.
        flip: bool = false,
        /// How many pixels an outline may be off; 0.75 % of the diagonal, at least 1, if left out.
        tolerance: Option<f64> = None => (),
        /// Targets with this value do not count.
        ignore_index: i64 = IGNORE => -100,
    }
}

/// Probabilities [N, C, H, W] of a network that gives logits; the mean of those with left and right exchanged, if asked.
fn probabilities(net: &Net, x: &Tensor, flip: bool) -> Result<Tensor> {
    let one = |x: &Tensor| -> Result<Tensor> {
        let y = net.forward_tensor(x)?;
        match y.dim() {
            4 => Ok(y.f_softmax(1, None)?),
            _ => Err(Error::new(format!(
                "expected logits [N, classes, H, W] from the network, got {:?}",
                y.size()
            ))),
        }
    };
    match flip {
        false => one(x),
        true => Ok(one(x)?.f_add(&one(&x.f_flip([3])?)?.f_flip([3])?)?.f_mul_scalar(0.5)?),
    }
}

options! {
    /// Options of `train::segment`.
    pub struct SegmentOptions {
        /// Looks at every picture in a mirror too, and takes the mean of both probabilities.
        flip: bool = false,
    }
}

functions! {
    in "train";
    /// The class of every pixel, [N, H, W], as a network that draws masks says it.
    ///
    /// In evaluation mode, without gradient.
    /// ```rhai
    /// let net = models::unet(#{classes: 3, width: 2, depth: 2});
    /// train::segment(net, tensor::rand([2, 3, 8, 12])).shape // => [2, 8, 12]
    /// ```
    fn segment(net: Net, x: Tensor, options: Opts<SegmentOptions>) -> Tensor {
        let (_evaluating, _no_grad) = (net.evaluating(), tch::no_grad_guard());
        probabilities(&net, &x, options.0.flip)?.f_argmax(1, false)?
    }

    in "metrics";
    /// The measures of a network that draws masks, over a data set of masks.
    ///
    /// Those of `metrics::overlap`, of one confusion matrix of all pixels, which is there as `confusion`; `boundary_f1`, the
    /// mean over pictures; and `each`, a map a picture with its `index`, `pixel_accuracy`, `mean_iou`, `foreground_iou` and
    /// `boundary_f1`. Sort it to see the worst.
    /// ```rhai
    /// let animals = data::critters(#{size: 32, train: 1, test: 6}).test.with_masks("mask");
    /// let m = metrics::segmentation(models::unet(#{classes: 2, width: 2, depth: 2}), animals, #{flip: true});
    /// [m.each.len(), m.confusion.sum().item()] // => [6, 6144]
    /// ```
    fn segmentation(net: Net, data: Dataset, options: Opts<SegmentationOptions>) -> Map {
        let o = options.0;
        let (_evaluating, _no_grad) = (net.evaluating(), tch::no_grad_guard());
        let loader = data.loader(&LoaderOptions { batch_size: o.batch_size, ..LoaderOptions::default() })?;
        let (mut total, mut each, mut outlines): (Option<Tensor>, Vec<Value>, Vec<f64>) = (None, Vec::new(), Vec::new());
        progress::begin("segmentation", loader.len() as u64);
        for (i, batch) in loader.enumerate() {
            interrupt::check()?;
            let batch = batch?.to(net.device())?;
            let y = batch.target.as_ref().filter(|y| y.dim() == 3);
            let y = y.ok_or_else(|| Error::new("the targets of this data set are no masks")
                .hint("data.with_masks(\"mask\"), or data::segmentation(pictures, masks, …)"))?;
            let p = probabilities(&net, &batch.input, o.flip).map_err(|e| data.blame(&batch, e))?;
            let classes = p.size()[1];
            let (said, y) = (p.f_argmax(1, false)?.f_to_device(Device::Cpu)?, y.f_to_device(Device::Cpu)?);
            let f1 = scores(&said, &y, classes, o.ignore_index, o.tolerance)?;
            let places = Vec::<i64>::try_from(&batch.index)?;
            for (k, (place, f1)) in places.into_iter().zip(f1).enumerate() {
                let row = |t: &Tensor| t.f_select(0, k as i64);
                let m = histogram(&row(&said)?, &row(&y)?, classes, o.ignore_index)?;
                let own = Overlap::of(&m)?;
                each.push(record([
                    ("index", place.into_value()), ("pixel_accuracy", own.accuracy.into_value()),
                    ("mean_iou", own.mean(|k| k.iou).into_value()), ("foreground_iou", own.foreground_iou().into_value()),
                    ("boundary_f1", f1.into_value()),
                ]));
                outlines.push(f1);
                total = Some(match total { Some(t) => t.f_add(&m)?, None => m });
            }
            progress::advance(i as u64 + 1, String::new);
        }
        progress::finish("");
        let total = total.ok_or_else(|| Error::new("the data is empty"))?;
        let mut all = Overlap::of(&total)?.to_map(&data.classes());
        let more = [("confusion", total.into_value()), ("boundary_f1", mean(outlines).into_value()), ("each", Value::List(each))];
        all.extend(more.map(|(n, v)| (n.to_string(), v)));
        all
    }
}

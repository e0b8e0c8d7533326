//! What a network says of a whole data set.

use super::backbone::Backbone;
use crate::core::value::{IntoValue, record};
use crate::core::{Error, Opts, Value, interrupt, progress};
use crate::data::{Dataset, LoaderOptions};
use crate::nn::{Net, Precision};
use tch::Tensor;

options! {
    /// Options of `train::predict`.
    pub struct PredictOptions {
        /// Pictures a batch.
        batch_size: usize = 256,
        /// Megabytes of features of a frozen part that are kept.
        cache: usize = 512,
    }
}

functions! {
    in "train";
    /// The outputs of a network for a whole data set, in its order.
    ///
    /// Features of a frozen part of the network that `train::fit` kept are used again.
    ///
    /// Gives `output` [N, ..] and `target` [N, ..] (or ()) on the CPU, `index` [N], their places in the data set (some are
    /// missing where pictures were skipped), and `classes`, the names the data set has. Without gradients, in evaluation
    /// mode; `metrics::` functions take output and target.
    /// ```rhai
    /// let data = data::from_tensors(tensor::rand([10, 4]), tensor::zeros([10]).long());
    /// let p = train::predict(nn::linear(4, 2), data);
    /// p.output.shape // => [10, 2]
    /// metrics::confusion(p.output, p.target).sum().item() // => 10
    /// ```
    fn predict(net: Net, data: Dataset, options: Opts<PredictOptions>) -> Value {
        let (_evaluating, _no_grad) = (net.evaluating(), tch::no_grad_guard());
        let (mut outputs, mut targets, mut index) = (Vec::new(), Vec::new(), Vec::new());
        let backbone = Backbone::new(&net, Precision::default(), options.0.cache);
        let classes = data.classes().to_vec();
        let data = backbone.data(&data)?;
        let loader = data.loader(&LoaderOptions { batch_size: options.0.batch_size, ..LoaderOptions::default() })?;
        progress::begin("predict", loader.len() as u64);
        for (i, batch) in loader.enumerate() {
            interrupt::check()?;
            let batch = batch?;
            index.push(backbone.places(&batch)?);
            targets.extend(batch.target.as_ref().map(Tensor::shallow_clone));
            outputs.push(match backbone.forward(&batch.to(net.device())?)? {
                Value::Tensor(out) => out.f_to_device(tch::Device::Cpu)?,
                other => Err(Error::new(format!("the network gives {}, a Tensor is needed here", other.describe())))?,
            });
            progress::advance(i as u64 + 1, String::new);
        }
        progress::finish("");
        if outputs.is_empty() {
            return Err(Error::new("the data is empty"));
        }
        let target = if targets.is_empty() { Value::Nil } else { Value::Tensor(Tensor::f_cat(&targets, 0)?) };
        record([
            ("index", Tensor::f_cat(&index, 0)?.into_value()),
            ("output", Tensor::f_cat(&outputs, 0)?.into_value()),
            ("target", target),
            ("classes", classes.into_value()),
        ])
    }
}

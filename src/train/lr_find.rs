//! The learning-rate range test (Smith 2017, section 3.3): a short run with a rate that grows by a constant factor.

use super::aside::aside;
use super::loss::Loss;
use super::optim::Optimizer;
use super::supervised::{forward, loss_of};
use crate::core::value::{IntoValue, record};
use crate::core::{Error, Opts, Value, progress};
use crate::data::{Dataset, LoaderOptions};
use crate::image::Picture;
use crate::nn::Net;
use crate::plot;
use crate::tensor::tape;

options! {
    /// Options of `train::lr_find`.
    pub struct FindOptions {
        /// How the weights are changed.
        optimizer: Option<Optimizer> = None,
        /// What is made small: a name from `loss::` (cross_entropy if left out), or `|output, target| …`.
        loss: Option<Loss> = None,
        /// Pictures a batch.
        batch_size: usize = 64,
        /// The first rate.
        min_lr: f64 = 1e-7,
        /// The last rate.
        max_lr: f64 = 10.0,
        /// Steps from the first rate to the last.
        steps: usize = 100,
        /// Share of the running mean of the loss that each step keeps.
        smooth: f64 = 0.95,
    }
}

/// The rate of the steepest fall of `losses`, by central differences over the logarithm of the rate.
fn steepest(rates: &[f64], losses: &[f64]) -> Option<f64> {
    let slope = |i: usize| (losses[i + 1] - losses[i - 1]) / (rates[i + 1] / rates[i - 1]).ln();
    let falls = (1..losses.len().saturating_sub(1)).filter(|i| slope(*i) < 0.0);
    falls.min_by(|a, b| slope(*a).total_cmp(&slope(*b))).map(|i| rates[i])
}

functions! {
    in "train";
    /// Looks for a learning rate: trains a few steps with a growing one.
    ///
    /// Gives `lr` (where the smoothed loss falls most steeply over the logarithm of the rate, or ()), `rates`,
    /// `losses` and `plot`, a picture of the loss against the rate. It stops where the loss is four times its lowest.
    /// The network, its optimizer and the random numbers are as before afterwards (Smith 2017, section 3.3).
    /// ```rhai
    /// let data = data::from_tensors(tensor::rand([64, 4]), tensor::zeros([64]).long());
    /// let found = train::lr_find(nn::linear(4, 2), data, #{optimizer: optim::sgd(), steps: 30});
    /// found.lr > 1e-3 && found.lr < 10 // => true
    /// found.plot.width // => 960
    /// ```
    fn lr_find(net: Net, data: Dataset, options: Opts<FindOptions>) -> Value {
        let o = options.0;
        if !(o.min_lr > 0.0 && o.min_lr < o.max_lr) || o.steps < 3 || !(0.0..1.0).contains(&o.smooth) {
            return Err(Error::new("`min_lr` must be above 0 and below `max_lr`, `steps` at least 3, `smooth` in [0, 1)"));
        }
        let given = o.optimizer.ok_or_else(|| Error::new("no optimizer given").hint("for example #{optimizer: optim::adam()}"))?;
        let loss = o.loss.map_or_else(|| Loss::named("cross_entropy"), Ok)?;
        // A copy of the optimizer's rules with a state of its own; of the network a copy of all it holds.
        let optimizer = given.over(std::slice::from_ref(&net))?;
        let device = net.device();
        let walk = || -> crate::core::Result<(Vec<f64>, Vec<f64>)> {
            net.set_training(true);
            let (mut rates, mut losses, mut mean, mut lowest) = (Vec::new(), Vec::new(), 0.0, f64::INFINITY);
            let growth = (o.max_lr / o.min_lr).powf(1.0 / (o.steps - 1) as f64);
            let mut epoch = 0;
            while rates.len() < o.steps {
                let options = LoaderOptions { batch_size: o.batch_size, shuffle: true, epoch, ..LoaderOptions::default() };
                let mut empty = true;
                for batch in data.loader(&options)? {
                    crate::core::interrupt::check()?;
                    let (i, batch) = (rates.len(), batch?.to(device)?);
                    if i == o.steps {
                        break;
                    }
                    empty = false;
                    let lr = o.min_lr * growth.powi(i as i32);
                    let (value, _) = tch::with_grad(|| forward(&net, &batch, &loss))?;
                    optimizer.zero_grad()?;
                    tape::backward(&loss_of(&value)?, None, tape::Graph::default())?;
                    optimizer.set_lr(lr);
                    optimizer.step()?;
                    mean = o.smooth * mean + (1.0 - o.smooth) * value.f_double_value(&[])?;
                    let smoothed = mean / (1.0 - o.smooth.powi(i as i32 + 1));
                    if !smoothed.is_finite() || smoothed > 4.0 * lowest {
                        return Ok((rates, losses));
                    }
                    lowest = lowest.min(smoothed);
                    rates.push(lr);
                    losses.push(smoothed);
                }
                if empty {
                    return Err(Error::new("the training data is empty"));
                }
                epoch += 1;
            }
            Ok((rates, losses))
        };
        let walked = aside(&net, walk);
        optimizer.zero_grad()?;
        let (rates, losses) = walked?;
        let lr = steepest(&rates, &losses);
        progress::say(&lr.map_or("no rate lets the loss fall".to_string(), |lr| format!("steepest at a learning rate of {lr:.2e}")));
        let drawing = plot::Options {
            title: "Learning-rate range test".to_string(), x_label: "learning rate".to_string(), y_label: "loss, smoothed".to_string(),
            log_x: true, ..plot::Options::default()
        };
        let picture = Picture::from(plot::curves(&[plot::Series::new("loss", &rates, &losses)], &drawing)?);
        record([("lr", lr.into_value()), ("rates", rates.into_value()), ("losses", losses.into_value()), ("plot", picture.into_value())])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_steepest_fall_is_found() {
        let rates: Vec<f64> = (0..8).map(|i| 10f64.powi(i - 6)).collect();
        assert_eq!(steepest(&rates, &[2.3, 2.3, 2.2, 1.9, 1.2, 1.0, 1.1, 3.0]), Some(1e-3));
        assert_eq!(steepest(&rates, &[1.0, 1.1, 1.2, 1.3, 1.4, 1.5, 1.6, 1.7]), None);
        assert_eq!(steepest(&[], &[]), None);
    }
}

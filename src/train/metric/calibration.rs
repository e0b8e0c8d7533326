//! Is a network as sure as it is right? (Guo et al. 2017.)

use super::rows;
use crate::core::value::{IntoValue, record};
use crate::core::{Error, Opts, Value};
use tch::{Kind, Tensor};

options! {
    /// Options of `metrics::calibration`.
    pub struct CalibrationOptions {
        /// Bins of equal width between 0 and 1.
        bins: usize = 15,
        /// The outputs are logits, before softmax; `false`: probabilities.
        logits: bool = true,
    }
}

functions! {
    in "metrics";
    /// How well the confidence of a classifier agrees with its accuracy.
    ///
    /// Gives `ece` (expected calibration error, equation 3 of Guo et al. 2017), `mce` (the largest of a bin,
    /// equation 5) and `bins`: maps with `confidence`, `accuracy` and `count` of each bin that is not empty.
    /// ```rhai
    /// let c = metrics::calibration(tensor::of([[0.9, 0.1], [0.8, 0.2]]), tensor::of([0, 1]), #{logits: false, bins: 1});
    /// c.ece // ~> 0.35
    /// ```
    fn calibration(output: Tensor, target: Tensor, options: Opts<CalibrationOptions>) -> Value {
        let (n, _) = rows("calibration", &output, &target)?;
        let o = options.0;
        if o.bins == 0 {
            Err(Error::new("`bins` must be at least 1, got 0"))?;
        }
        let p = output.f_to_kind(Kind::Double)?;
        let (sure, class) = (if o.logits { p.f_softmax(1, Kind::Double)? } else { p }).f_max_dim(1, false)?;
        let right = Vec::<f64>::try_from(class.f_eq_tensor(&target)?.f_to_kind(Kind::Double)?)?;
        let sure = Vec::<f64>::try_from(sure)?;
        let mut sums = vec![(0.0, 0.0, 0usize); o.bins];
        for (c, r) in sure.iter().zip(&right) {
            // Bins are open below and closed above, as in the paper.
            let bin = ((c * o.bins as f64).ceil() as usize).clamp(1, o.bins) - 1;
            let (confidence, accuracy, count) = &mut sums[bin];
            (*confidence, *accuracy, *count) = (*confidence + c, *accuracy + r, *count + 1);
        }
        let (mut ece, mut mce, mut bins) = (0.0, 0.0f64, Vec::new());
        for (confidence, accuracy, count) in sums.into_iter().filter(|s| s.2 > 0) {
            let (confidence, accuracy) = (confidence / count as f64, accuracy / count as f64);
            ece += (confidence - accuracy).abs() * count as f64 / n as f64;
            mce = mce.max((confidence - accuracy).abs());
            bins.push(record([("confidence", confidence.into_value()), ("accuracy", accuracy.into_value()), ("count", count.into_value())]));
        }
        record([("ece", ece.into_value()), ("mce", mce.into_value()), ("bins", Value::List(bins))])
    }
}

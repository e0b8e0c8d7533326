//! `augment::mixup`.

use super::draws::beta;
use super::{Aug, Rng, Transform, mixed};
use crate::core::{Error, Result};
use tch::Tensor;

struct Mixup(f64);

impl Transform for Mixup {
    fn name(&self) -> &'static str {
        "mixup"
    }
    fn mixes(&self) -> bool {
        true
    }
    fn draw(&self, _: [usize; 2], rng: &mut Rng) -> Vec<f64> {
        vec![beta(rng, self.0)]
    }
    fn mix(&self, x: Tensor, y: Tensor, with: &[f64]) -> Result<(Tensor, Tensor)> {
        Ok((mixed(&x, with[0])?, mixed(&y, with[0])?))
    }
}

functions! {
    in "augment";
    /// Mixes each picture of a batch, and its target, with another's.
    ///
    /// Zhang et al. 2018: the weight is from Beta(alpha, alpha), alpha 1 if left out. Targets become
    /// probabilities [N, classes], which `loss::cross_entropy` takes. It stands last in `augment::compose`.
    /// ```rhai
    /// let data = data::critters(#{size: 16, train: 8, test: 1}).train.augment(augment::mixup(0.4));
    /// for batch in data.batches(4) { assert_shape(batch.target, [4, 10]); }
    /// ```
    fn mixup(alpha: Option<f64>) -> Aug {
        let alpha = alpha.unwrap_or(1.0);
        if alpha <= 0.0 {
            Err(Error::new(format!("`alpha` is above 0, got {alpha}")))?;
        }
        Aug::new(Mixup(alpha))
    }
}

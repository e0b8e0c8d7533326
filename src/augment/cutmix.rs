//! `augment::cutmix`.

use super::draws::{below, beta};
use super::{Aug, Rng, Transform, mixed};
use crate::core::{Error, Result};
use tch::Tensor;

struct Cutmix(f64);

impl Transform for Cutmix {
    fn name(&self) -> &'static str {
        "cutmix"
    }
    fn mixes(&self) -> bool {
        true
    }
    fn draw(&self, [h, w]: [usize; 2], rng: &mut Rng) -> Vec<f64> {
        vec![beta(rng, self.0), below(rng, w), below(rng, h)]
    }
    fn mix(&self, x: Tensor, y: Tensor, with: &[f64]) -> Result<(Tensor, Tensor)> {
        let size = x.size();
        let [h, w] = [size[size.len() - 2], size[size.len() - 1]];
        let reach = 0.5 * (1.0 - with[0]).sqrt();
        let cut = |at: f64, n: i64| {
            let half = (reach * n as f64) as i64;
            ((at as i64 - half).max(0), (at as i64 + half).min(n))
        };
        let ((x0, x1), (y0, y1)) = (cut(with[1], w), cut(with[2], h));
        let mut out = x.f_zeros_like()?;
        out.f_copy_(&x)?;
        let part = |t: &Tensor| t.f_narrow(2, y0, y1 - y0)?.f_narrow(3, x0, x1 - x0);
        if x1 > x0 && y1 > y0 {
            part(&out)?.f_copy_(&part(&x.f_roll([1], [0])?)?)?;
        }
        let kept = 1.0 - ((x1 - x0) * (y1 - y0)) as f64 / (w * h) as f64;
        Ok((out, mixed(&y, kept)?))
    }
}

functions! {
    in "augment";
    /// Pastes a rectangle of another picture of the batch into each.
    ///
    /// CutMix (Yun et al. 2019): its share is from Beta(alpha, alpha), alpha 1 if left out. Targets become
    /// probabilities [N, classes], which `loss::cross_entropy` takes. It stands last in `augment::compose`.
    /// ```rhai
    /// let data = data::critters(#{size: 16, train: 8, test: 1}).train.augment(augment::cutmix());
    /// for batch in data.batches(4) { assert_shape(batch.target, [4, 10]); }
    /// ```
    fn cutmix(alpha: Option<f64>) -> Aug {
        let alpha = alpha.unwrap_or(1.0);
        if alpha <= 0.0 {
            Err(Error::new(format!("`alpha` is above 0, got {alpha}")))?;
        }
        Aug::new(Cutmix(alpha))
    }
}

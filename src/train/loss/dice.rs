//! `loss::dice`.

use super::check_classes;
use crate::core::Error;
use tch::{Kind, Tensor};

options! {
    /// Options of `loss::dice`.
    pub struct DiceOptions {
        /// Targets with this value do not count.
        ignore_index: i64 = -100,
        /// Class 0 counts as the others do.
        background: bool = true,
        /// Sums over the whole batch; otherwise picture by picture.
        batch: bool = true,
        /// Added above and below the line.
        smooth: f64 = 1e-5,
    }
}

loss! {
    /// Dice loss of logits [N, C, ..] and classes [N, ..]: how little they overlap.
    ///
    /// Milletari et al. 2016 (arXiv:1606.04797) with probabilities p (softmax) and classes y as 0 or 1:
    /// `1 - mean_c (2 Σ p y + smooth) / (Σ p + Σ y + smooth)`, the mean over the classes that are in the target.
    /// ```rhai
    /// let y = tensor::of([[[0, 1], [1, 1]]]);
    /// loss::dice(tensor::zeros([1, 2, 2, 2]), y) // ~> tensor(0.5333)
    /// loss::dice(tensor::zeros([1, 2, 2, 2]), y, #{background: false}) // ~> tensor(0.4)
    /// ```
    dice, DiceOptions, |output, target, o| {
        check_classes(output, target, o.ignore_index, false)?;
        let s = output.size();
        if s.len() < 2 || target.size() != [&s[..1], &s[2..]].concat() {
            Err(Error::new(format!("dice needs an output [N, C, ..] and classes [N, ..], got {s:?} and {:?}", target.size())))?;
        }
        let valid = target.f_ne(o.ignore_index)?;
        let classes = target.f_mul(&valid)?.f_unsqueeze(1)?;
        let valid = valid.f_unsqueeze(1)?.f_to_kind(output.kind())?;
        let y = output.f_zeros_like()?.f_scatter_value(1, &classes, 1.0)?.f_mul(&valid)?;
        let p = output.f_softmax(1, None)?.f_mul(&valid)?;
        // [N or 1, C, pixels]
        let flat = |t: Tensor| match o.batch {
            true => t.f_transpose(0, 1)?.f_flatten(1, -1)?.f_unsqueeze(0),
            false => t.f_flatten(2, -1),
        };
        let (p, y) = (flat(p.f_unsqueeze(-1)?)?, flat(y.f_unsqueeze(-1)?)?);
        let (p, y) = match o.background {
            true => (p, y),
            false => (p.f_narrow(1, 1, s[1] - 1)?, y.f_narrow(1, 1, s[1] - 1)?),
        };
        let sum = |t: &Tensor| t.f_sum_dim_intlist([2].as_slice(), false, None::<Kind>);
        let (common, in_y) = (sum(&p.f_mul(&y)?)?, sum(&y)?);
        let share = common.f_mul_scalar(2.0)?.f_add_scalar(o.smooth)?.f_div(&sum(&p)?.f_add(&in_y)?.f_add_scalar(o.smooth)?)?;
        let there = in_y.f_gt(0)?.f_to_kind(output.kind())?;
        let lacking = share.f_neg()?.f_add_scalar(1.0)?.f_mul(&there)?;
        lacking.f_sum(output.kind())?.f_div(&there.f_sum(output.kind())?.f_clamp_min(1.0)?)?
    }
}

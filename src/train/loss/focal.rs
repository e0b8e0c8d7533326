//! `loss::focal`.

use super::{MEAN, Reduction, check_classes};
use crate::core::Error;
use tch::Tensor;

options! {
    /// Options of `loss::focal`.
    pub struct FocalOptions {
        /// How much less right answers count the surer they are; 0 gives the cross-entropy.
        gamma: f64 = 2.0,
        /// One weight a class, [C].
        weight: Option<Tensor> = None,
        /// Targets with this value do not count.
        ignore_index: i64 = -100,
        /// "mean", "sum" or "none" (one loss an element).
        reduction: Reduction = MEAN => "mean",
    }
}

loss! {
    /// Focal loss: cross-entropy in which what is right already counts less.
    ///
    /// Of logits [N, C, ..] and classes [N, ..]. Lin et al. 2017 (arXiv:1708.02002), equation 5, for several classes: `-w_y (1 - p_y)^gamma log p_y`. The mean is over
    /// the weights of the targets that count, as in `loss::cross_entropy`.
    /// ```rhai
    /// loss::focal(tensor::of([[2.0, 0.0]]), tensor::of([0])) // ~> tensor(0.0018)
    /// loss::focal(tensor::of([[2.0, 0.0]]), tensor::of([0]), #{gamma: 0}) // ~> tensor(0.1269)
    /// ```
    focal, FocalOptions, |output, target, o| {
        check_classes(output, target, o.ignore_index, false)?;
        let s = output.size();
        if s.len() < 2 || target.size() != [&s[..1], &s[2..]].concat() {
            Err(Error::new(format!("focal needs an output [N, C, ..] and classes [N, ..], got {s:?} and {:?}", target.size())))?;
        }
        if o.gamma < 0.0 {
            Err(Error::new(format!("`gamma` is not negative, got {}", o.gamma)))?;
        }
        let valid = target.f_ne(o.ignore_index)?;
        let classes = target.f_mul(&valid)?;
        let valid = valid.f_to_kind(output.kind())?;
        let weight = match &o.weight {
            None => valid,
            Some(w) if w.size() == [s[1]] => {
                w.f_index_select(0, &classes.f_flatten(0, -1)?)?.f_view_as(&classes)?.f_mul(&valid)?
            }
            Some(w) => Err(Error::new(format!("`weight` has one number for each of the {} classes, got {:?}", s[1], w.size())))?,
        };
        let log_p = output.f_log_softmax(1, None)?.f_gather(1, &classes.f_unsqueeze(1)?, false)?.f_squeeze_dim(1)?;
        // A root has no slope at 0, where a sure pixel is.
        let least = if o.gamma > 0.0 && o.gamma < 1.0 { 1e-7 } else { 0.0 };
        let far = log_p.f_exp()?.f_neg()?.f_add_scalar(1.0)?.f_clamp_min(least)?.f_pow_tensor_scalar(o.gamma)?;
        let each = far.f_mul(&log_p)?.f_neg()?.f_mul(&weight)?;
        match o.reduction.0 {
            tch::Reduction::Mean => {
                each.f_sum(output.kind())?.f_div(&weight.f_sum(output.kind())?.f_clamp_min(1e-12)?)?
            }
            _ => o.reduction.apply(each)?,
        }
    }
}

//! Targets made of targets: of one picture and its variants, of mirrored pictures, of a class against others.

use super::Target;
use super::target::{What, Zone, class, logits, picture};
use crate::core::{Error, Result, Value};
use std::rc::Rc;
use tch::Tensor;

impl Target {
    /// The same target where it does not depend on the output any more: the highest logit becomes its class.
    ///
    /// # Errors
    /// An output of another kind.
    pub fn settle(&self, out: &Value, x: &Tensor) -> Result<Self> {
        Ok(Target(Rc::new(match &*self.0 {
            What::Top => What::Classes(logits(out)?.f_argmax(1, false)?),
            What::Mirrored(of) => What::Mirrored(of.settle(&mirror(out)?, &flipped(x)?)?),
            What::Each(all) => {
                let each = all.iter().enumerate().map(|(i, t)| t.settle(out, x)?.one(i as i64));
                What::Each(each.collect::<Result<_>>()?)
            }
            What::Difference(a, b) => What::Difference(a.settle(out, x)?, b.settle(out, x)?),
            What::Error { at, reference: None, o } => {
                What::Error { at: *at, reference: Some(x.f_detach()?), o: o.clone() }
            }
            What::Segment { class, zone, o } => {
                let zone = zone.settle(&picture(out, o.output.as_ref())?, *class)?;
                What::Segment { class: *class, zone, o: o.clone() }
            }
            _ => return Ok(self.clone()),
        })))
    }

    /// The target of picture `i`, for any number of its variants.
    ///
    /// # Errors
    /// libtorch's.
    pub fn one(&self, i: i64) -> Result<Self> {
        let row = |t: &Tensor| t.f_narrow(0, i, 1);
        Ok(Target(Rc::new(match &*self.0 {
            What::Each(all) => return Ok(all.get(i as usize).unwrap_or(self).clone()),
            What::Classes(k) if k.size()[0] > 1 => What::Classes(row(k)?),
            What::Finer { main, others, alpha } if main.size()[0] > 1 => {
                What::Finer { main: row(main)?, others: row(others)?, alpha: *alpha }
            }
            What::Mask { mask, o } if mask.dim() == 4 && mask.size()[0] > 1 => {
                What::Mask { mask: row(mask)?, o: o.clone() }
            }
            What::Mask { mask, o } if mask.dim() == 3 && mask.size()[0] > 1 => {
                What::Mask { mask: row(mask)?, o: o.clone() }
            }
            What::Segment { class, zone: Zone::Mask(m), o } if m.dim() > 2 && m.size()[0] > 1 => {
                What::Segment { class: *class, zone: Zone::Mask(row(m)?), o: o.clone() }
            }
            What::Error { at, reference: Some(r), o } if r.dim() == 4 && r.size()[0] > 1 => {
                What::Error { at: *at, reference: Some(row(r)?), o: o.clone() }
            }
            What::Similarity(to, o) if to.dim() == 2 && to.size()[0] > 1 => {
                What::Similarity(row(to)?, o.clone())
            }
            What::Difference(a, b) => What::Difference(a.one(i)?, b.one(i)?),
            What::Mirrored(of) => What::Mirrored(of.one(i)?),
            _ => return Ok(self.clone()),
        })))
    }

    /// The same target for mirrored pictures: an area or mask lies where the mirror puts it.
    #[must_use]
    pub fn mirrored(&self) -> Self {
        Target(Rc::new(What::Mirrored(self.clone())))
    }

    /// What a class (each picture's highest, or the one this target means) has over those most like it: by rank
    /// of `|y − y_main|`, the class itself being 0.
    ///
    /// # Errors
    /// A target that means no class.
    pub fn finer(&self, out: &Value, ranks: &[i64], alpha: f64) -> Result<Self> {
        let y = logits(out)?;
        let main = self.classes(&y)?;
        let distance = y.f_sub(&pick(&y, &main.f_unsqueeze(1)?)?)?.f_abs()?;
        let order = distance.f_sort_stable(true, 1, false)?.1;
        let ranks: Vec<i64> = ranks.iter().copied().filter(|r| *r < y.size()[1]).collect();
        if ranks.is_empty() || ranks.iter().any(|r| *r < 1) {
            return Err(Error::new("the classes to compare with are ranks from 1, the most like")
                .hint(format!("the network has {} classes", y.size()[1])));
        }
        let columns =
            ranks.iter().map(|r| order.f_narrow(1, *r, 1)).collect::<std::result::Result<Vec<_>, _>>()?;
        Ok(Target(Rc::new(What::Finer { main, others: Tensor::f_cat(&columns, 1)?, alpha })))
    }

    /// The class it means for every picture, [N].
    fn classes(&self, y: &Tensor) -> Result<Tensor> {
        match &*self.0 {
            What::Top => Ok(y.f_argmax(1, false)?),
            What::Classes(k) => Ok(k.shallow_clone()),
            What::Class(k) => {
                let _ = class(y, *k)?;
                Ok(y.f_argmax(1, false)?.f_zeros_like()?.f_add_scalar(*k)?)
            }
            What::Each(all) if all.len() == y.size()[0] as usize => {
                let each = all.iter().enumerate().map(|(i, t)| Ok(t.classes(y)?.f_select(0, i as i64)?));
                Ok(Tensor::f_stack(&each.collect::<Result<Vec<_>>>()?, 0)?)
            }
            _ => Err(Error::new(format!("a class is compared with others, got {}", self.describe()))
                .hint("give a class number, a list of them (one a picture), or () for the highest logit")),
        }
    }
}

/// `y` [N, classes] at `k` [N, K], or at [1, K] for all.
pub(super) fn pick(y: &Tensor, k: &Tensor) -> Result<Tensor> {
    if y.dim() != 2 {
        return Err(Error::new(format!("a class target needs an output [N, classes], got {:?}", y.size())));
    }
    Ok(y.f_gather(1, &k.f_expand([y.size()[0], k.size()[1]], false)?, false)?)
}

/// Pictures [N, C, H, W] from right to left; anything else, such as features [N, F], as it is.
pub(super) fn flipped(t: &Tensor) -> Result<Tensor> {
    Ok(if t.dim() == 4 { t.f_flip([3])? } else { t.shallow_clone() })
}

/// Every picture of an output from right to left.
pub(super) fn mirror(out: &Value) -> Result<Value> {
    Ok(match out {
        Value::Tensor(t) => Value::Tensor(flipped(t)?),
        Value::List(all) => Value::List(all.iter().map(mirror).collect::<Result<_>>()?),
        Value::Map(m) => {
            Value::Map(m.iter().map(|(k, v)| Ok((k.clone(), mirror(v)?))).collect::<Result<_>>()?)
        }
        other => other.clone(),
    })
}

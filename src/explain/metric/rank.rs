//! Explanations that a script's closure gives, and how alike two of them rank their places.

use super::super::Heatmap;
use crate::core::{Closure, Error, Result, Value};
use tch::{Kind, Tensor};

/// What the closure gives for `arg`: an attribution or the tensor of a heatmap.
///
/// # Errors
/// The closure's; something else than an explanation.
pub fn explanation(f: &Closure, x: &Tensor) -> Result<Tensor> {
    of_value(&f.call(vec![Value::Tensor(x.shallow_clone())])?)
}

/// An attribution, or the tensor of a heatmap.
///
/// # Errors
/// Something else.
pub fn of_value(v: &Value) -> Result<Tensor> {
    match (v, v.downcast::<Heatmap>()) {
        (_, Some(map)) => Ok(map.tensor().f_detach()?),
        (Value::Tensor(t), _) if t.dim() >= 2 => Ok(t.f_detach()?),
        _ => {
            Err(Error::new(format!("an explanation is a Heatmap or a Tensor [N, ..], got {}", v.describe())))
        }
    }
}

/// Ranks from 0; equal numbers share the mean of theirs.
fn ranks(values: &[f32]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|a, b| values[*a].total_cmp(&values[*b]));
    let mut ranks = vec![0.0; values.len()];
    let mut i = 0;
    while i < order.len() {
        let equal = order[i..].iter().take_while(|k| values[**k] == values[order[i]]).count().max(1);
        for k in &order[i..i + equal] {
            ranks[*k] = i as f64 + (equal - 1) as f64 / 2.0;
        }
        i += equal;
    }
    ranks
}

/// Spearman's rank correlation of the rows of two tensors [N, ..]; NaN where a row is constant.
///
/// # Errors
/// Tensors of different shapes.
pub fn spearman(a: &Tensor, b: &Tensor) -> Result<Vec<f64>> {
    if a.size() != b.size() {
        return Err(Error::new(format!("explanations {:?} and {:?} cannot be compared", a.size(), b.size())));
    }
    let row = |t: &Tensor, i: i64| -> Result<Vec<f64>> {
        let t = t.f_select(0, i)?.f_to_device(tch::Device::Cpu)?.f_to_kind(Kind::Float)?;
        Ok(ranks(&Vec::<f32>::try_from(t.f_contiguous()?.f_view([-1])?)?))
    };
    let one = |i: i64| {
        let (a, b) = (row(a, i)?, row(b, i)?);
        let mean = (a.len() as f64 - 1.0) / 2.0;
        let (mut ab, mut aa, mut bb) = (0.0, 0.0, 0.0);
        for (a, b) in a.iter().zip(&b) {
            let (a, b) = (a - mean, b - mean);
            (ab, aa, bb) = (ab + a * b, aa + a * a, bb + b * b);
        }
        Ok(ab / (aa * bb).sqrt())
    };
    (0..a.size()[0]).map(one).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn spearman_with_ties_is_scipys() {
        let row = |v: &[f32]| Tensor::from_slice(v).unsqueeze(0);
        // scipy.stats.spearmanr([1, 2, 2, 4, 5], [5, 6, 7, 8, 7]).statistic
        let got = spearman(&row(&[1.0, 2.0, 2.0, 4.0, 5.0]), &row(&[5.0, 6.0, 7.0, 8.0, 7.0])).unwrap();
        assert!((got[0] - 0.763_157_894_736_842_1).abs() < 1e-12, "{got:?}");
        assert!(spearman(&row(&[1.0, 1.0]), &row(&[1.0, 2.0])).unwrap()[0].is_nan());
    }
}

//! Where in an output a target looks.

use super::PictureOptions;
use crate::core::{Error, Result, Value};
use tch::{Kind, Tensor};

/// The output picture [N, C, H, W] of a network that gives a tensor, a list or a map.
pub fn picture(out: &Value, output: Option<&String>) -> Result<Tensor> {
    let hit = match (out, output) {
        (Value::Map(m), Some(key)) => m.get(key).ok_or_else(|| Error::unknown("output", key, m.keys()))?,
        (Value::Map(m), None) => {
            let mut pictures = m.values().filter(|v| matches!(v, Value::Tensor(t) if t.dim() == 4));
            match (pictures.next(), pictures.next()) {
                (Some(one), None) => one,
                _ => {
                    return Err(Error::new("the network gives a map: say which entry is the picture").hint(
                        format!(
                            "target option #{{output: …}}; entries: {}",
                            m.keys().cloned().collect::<Vec<_>>().join(", ")
                        ),
                    ));
                }
            }
        }
        (Value::List(items), None) => items.first().unwrap_or(&Value::Nil),
        (other, _) => other,
    };
    match hit {
        Value::Tensor(t) if t.dim() == 4 => Ok(t.shallow_clone()),
        other => {
            Err(Error::new(format!("an area needs an output picture [N, C, H, W], got {}", other.describe())))
        }
    }
}

/// The features [N, D] of an output: a tensor [N, D, ..], whose places count as features of their own.
pub fn features(out: &Value, o: &PictureOptions) -> Result<Tensor> {
    let hit = match (out, &o.output) {
        (Value::Map(m), Some(key)) => m.get(key).ok_or_else(|| Error::unknown("output", key, m.keys()))?,
        (Value::Map(m), None) => m.get("mu").ok_or_else(|| {
            Error::new("the network gives a map: say which entry is the code").hint(format!(
                "target option #{{output: …}}; entries: {}",
                m.keys().cloned().collect::<Vec<_>>().join(", ")
            ))
        })?,
        (Value::List(items), None) => items.first().unwrap_or(&Value::Nil),
        (other, _) => other,
    };
    match hit {
        Value::Tensor(t) if t.dim() >= 2 => Ok(t.f_flatten(1, -1)?),
        other => Err(Error::new(format!("a code is a tensor [N, D], got {}", other.describe()))
            .hint("target option #{layer: …} takes the output of a layer")),
    }
}

/// The sum over channels and places, [N].
pub fn sum(p: &Tensor) -> Result<Tensor> {
    Ok(p.f_sum_dim_intlist([1, 2, 3].as_slice(), false, None::<Kind>)?)
}

/// A box x, y, w, h of a picture.
pub fn boxed(p: &Tensor, [x, y, w, h]: [i64; 4]) -> Result<Tensor> {
    let s = p.size();
    let (height, width) = (s[2], s[3]);
    if x < 0 || y < 0 || w < 1 || h < 1 || x + w > width || y + h > height {
        return Err(Error::new(format!(
            "the area x {x}, y {y}, {w} × {h} does not lie in the output picture of {width} × {height} pixels"
        )));
    }
    Ok(p.f_narrow(3, x, w)?.f_narrow(2, y, h)?)
}

/// A picture under a mask [H, W], [N, H, W] or [N, C, H, W].
pub fn masked(p: &Tensor, mask: &Tensor) -> Result<Tensor> {
    let mask = if mask.dim() == 3 { mask.f_unsqueeze(1)? } else { mask.shallow_clone() };
    let (m, s) = (mask.size(), p.size());
    let fits = |i: usize| m.len() < 4 || m[i] == 1 || m[i] == s[i];
    if m[m.len().saturating_sub(2)..] != s[2..] || m.len() > 4 || !fits(0) || !fits(1) {
        return Err(Error::new(format!("the mask {m:?} does not fit the output picture {s:?}")));
    }
    Ok(p.f_mul(&mask.f_type_as(p)?)?) // dtype and device
}

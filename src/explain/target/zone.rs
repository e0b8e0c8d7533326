//! The part of a picture in which the logits of a class are summed.

use super::places::{masked, sum};
use crate::core::value::{FromValue, mismatch};
use crate::core::{Error, Result, Value};
use tch::{Device, Kind, Tensor};

/// A part of a picture.
pub enum Zone {
    /// Under a mask [.., H, W].
    Mask(Tensor),
    /// A box x, y, width, height.
    Box([i64; 4]),
    /// Where the class is the highest.
    Own,
    /// The connected piece of that which holds a pixel x, y, or the largest.
    Piece(Option<[i64; 2]>),
    /// So many pixels on both sides of its outline.
    Border(i64),
}

impl Clone for Zone {
    fn clone(&self) -> Self {
        match self {
            Zone::Mask(m) => Zone::Mask(m.shallow_clone()),
            Zone::Box(at) => Zone::Box(*at),
            Zone::Own => Zone::Own,
            Zone::Piece(at) => Zone::Piece(*at),
            Zone::Border(r) => Zone::Border(*r),
        }
    }
}

impl FromValue for Zone {
    const TYPE: &'static str = "mask [H, W] or box [x, y, width, height]";
    fn from_value(v: &Value) -> Result<Self> {
        match v {
            Value::Tensor(m) if m.dim() >= 2 => Ok(Zone::Mask(m.shallow_clone())),
            Value::Tensor(m) => Err(Error::new(format!("a mask is [H, W], got {:?}", m.size()))),
            Value::List(_) => <[i64; 4]>::from_value(v).map(Zone::Box).or_else(|_| mismatch(Self::TYPE, v)),
            _ => mismatch(Self::TYPE, v),
        }
    }
}

impl Zone {
    /// The logits `p` [N, C, H, W] of `class` in this part, [N].
    ///
    /// # Errors
    /// A class there is not; a part that does not lie in the picture.
    pub fn sum(&self, p: &Tensor, class: i64) -> Result<Tensor> {
        let classes = p.size()[1];
        if !(0..classes).contains(&class) {
            let last = classes - 1;
            return Err(Error::new(format!(
                "there is no class {class}: the network has classes 0 to {last}"
            )));
        }
        sum(&masked(&p.f_narrow(1, class, 1)?, &self.mask(p, class)?)?)
    }

    /// The same part, whatever becomes of the output.
    ///
    /// # Errors
    /// As [`Zone::sum`].
    pub fn settle(&self, p: &Tensor, class: i64) -> Result<Self> {
        self.mask(p, class).map(Zone::Mask)
    }

    fn mask(&self, p: &Tensor, class: i64) -> Result<Tensor> {
        // Where `class` is the highest, [N, H, W].
        let own = || Ok::<_, Error>(p.f_detach()?.f_argmax(1, false)?.f_eq(class)?);
        match self {
            Zone::Mask(m) => Ok(m.shallow_clone()),
            Zone::Box([x, y, w, h]) => {
                let m = p.f_detach()?.f_select(1, 0)?.f_zeros_like()?;
                let _ = super::boxed(&m.f_unsqueeze(1)?, [*x, *y, *w, *h])?.f_fill_(1.0)?;
                Ok(m)
            }
            Zone::Own => own(),
            Zone::Piece(at) => piece(&own()?, *at, class),
            Zone::Border(r) => {
                let m = own()?.f_to_kind(Kind::Float)?;
                let spread = |m: &Tensor| m.f_max_pool2d(2 * r + 1, 1, *r, 1, false);
                let outside = spread(&m.f_neg()?.f_add_scalar(1.0)?)?;
                Ok(spread(&m)?.f_mul(&outside)?)
            }
        }
    }

    pub(super) fn describe(&self) -> String {
        match self {
            Zone::Mask(m) => format!("under mask {:?}", m.size()),
            Zone::Box([x, y, w, h]) => format!("in x {x}, y {y}, {w} × {h}"),
            Zone::Own => "where it is the highest".to_string(),
            Zone::Piece(Some([x, y])) => format!("in its piece at x {x}, y {y}"),
            Zone::Piece(None) => "in its largest piece".to_string(),
            Zone::Border(r) => format!("within {r} pixels of its outline"),
        }
    }
}

/// One connected piece of each of the masks [N, H, W].
fn piece(own: &Tensor, at: Option<[i64; 2]>, class: i64) -> Result<Tensor> {
    let s = own.size();
    let (h, w) = (s[1], s[2]);
    if let Some([x, y]) = at
        && !(0..w).contains(&x) | !(0..h).contains(&y)
    {
        return Err(Error::new(format!(
            "the pixel x {x}, y {y} does not lie in the output picture of {w} × {h}"
        )));
    }
    let all = Vec::<u8>::try_from(own.f_to_device(Device::Cpu)?.f_to_kind(Kind::Uint8)?.f_flatten(0, -1)?)?;
    let mut out: Vec<u8> = Vec::with_capacity(all.len());
    let [h, w] = [h, w].map(|n| n as usize);
    for (n, mask) in all.chunks_exact(h * w).enumerate() {
        let pieces = label(mask, w);
        let chosen = match at {
            Some([x, y]) => pieces[y as usize * w + x as usize],
            None => {
                let mut sizes = vec![0usize; pieces.iter().max().map_or(1, |m| *m as usize + 1)];
                pieces.iter().filter(|k| **k > 0).for_each(|k| sizes[*k as usize] += 1);
                (1..sizes.len()).rev().max_by_key(|k| sizes[*k]).unwrap_or(0) as u32
            }
        };
        if chosen == 0 {
            let place = at.map_or(String::new(), |[x, y]| format!(" at x {x}, y {y}"));
            return Err(Error::new(format!("picture {n}: class {class} is nowhere the highest{place}"))
                .hint("train::segment(net, x) shows which class is where"));
        }
        out.extend(pieces.iter().map(|k| u8::from(*k == chosen)));
    }
    Ok(Tensor::f_from_slice(&out)?.f_view_as(own)?.f_to_device(own.device())?)
}

/// The number of each pixel's connected piece, from 1; 0 outside the mask.
fn label(mask: &[u8], w: usize) -> Vec<u32> {
    let (mut pieces, mut next, mut open) = (vec![0; mask.len()], 0, Vec::new());
    for start in 0..mask.len() {
        if mask[start] == 0 || pieces[start] > 0 {
            continue;
        }
        next += 1;
        pieces[start] = next;
        open.push(start);
        while let Some(i) = open.pop() {
            let x = i % w;
            let around = [(x > 0).then(|| i - 1), (x + 1 < w).then(|| i + 1), i.checked_sub(w), Some(i + w)];
            for j in around.into_iter().flatten().filter(|j| *j < mask.len()) {
                if mask[j] > 0 && pieces[j] == 0 {
                    pieces[j] = next;
                    open.push(j);
                }
            }
        }
    }
    pieces
}

//! Does a map point at the thing? Against masks and boxes.

use super::Maps;
use crate::core::value::{FromValue, mismatch};
use crate::core::{Error, Opts, Result, Value};
use tch::{Kind, Tensor};

/// Where the thing is: a mask [H, W] or [N, H, W], or boxes `[x, y, w, h]`, one or a list of one a picture.
pub enum Region {
    /// Not 0 where the thing is.
    Mask(Tensor),
    /// One box for all, or one a picture.
    Boxes(Vec<[i64; 4]>),
}

impl FromValue for Region {
    const TYPE: &'static str = "mask [N, H, W], or [x, y, w, h], or list of such boxes";
    fn from_value(v: &Value) -> Result<Self> {
        match v {
            Value::Tensor(t) => Ok(Region::Mask(t.f_detach()?)),
            Value::List(items) if matches!(items.first(), Some(Value::List(_))) => {
                Vec::from_value(v).map(Region::Boxes)
            }
            v => {
                <[i64; 4]>::from_value(v).map(|b| Region::Boxes(vec![b])).or_else(|_| mismatch(Self::TYPE, v))
            }
        }
    }
}

impl Region {
    /// Where the thing is for maps of the size [N, H, W], as truth values.
    pub(super) fn mask(&self, size: &[i64]) -> Result<Tensor> {
        let (n, h, w) = (size[0], size[1], size[2]);
        let mask = match self {
            Region::Mask(m) => {
                let m =
                    if m.dim() == 4 && m.size()[1] == 1 { m.f_squeeze_dim(1)? } else { m.shallow_clone() };
                m.f_ne(0)?.f_expand(size, false).map_err(|_| {
                    Error::new(format!("the mask {:?} does not fit maps {size:?}", m.size()))
                        .hint("a mask is as large as the map: enlarge the map, or resize the mask")
                })?
            }
            Region::Boxes(all) if all.len() as i64 != n && all.len() != 1 => {
                return Err(Error::new(format!("{} boxes for {n} map(s)", all.len())));
            }
            Region::Boxes(all) => {
                let mask = Tensor::f_zeros(size, (Kind::Bool, tch::Device::Cpu))?;
                for i in 0..n {
                    let [x, y, bw, bh] = all[if all.len() == 1 { 0 } else { i as usize }];
                    if x < 0 || y < 0 || bw < 1 || bh < 1 || x + bw > w || y + bh > h {
                        return Err(Error::new(format!(
                            "the box x {x}, y {y}, {bw} × {bh} does not lie in the map of {w} × {h} pixels"
                        )));
                    }
                    let _ = mask.f_select(0, i)?.f_narrow(0, y, bh)?.f_narrow(1, x, bw)?.f_fill_(1)?;
                }
                mask
            }
        };
        let full = mask.f_flatten(1, -1)?.f_any_dim(1, false)?;
        let full = Vec::<bool>::try_from(full.f_to_device(tch::Device::Cpu)?)?;
        match full.iter().position(|f| !f) {
            Some(i) => Err(Error::new(format!("the mask of picture {i} is empty: nothing to point at"))
                .hint("leave such pictures out")),
            None => Ok(mask),
        }
    }
}

options! {
    /// Options of `metrics::pointing_game`.
    pub struct PointingOptions {
        /// How many pixels beside the thing still count.
        tolerance: i64 = 15,
    }
}

/// 1 for every map [N, H, W] whose highest place lies in the mask or at most `tolerance` pixels from it, else 0, and NaN
/// for a map that is zero everywhere (but where it is -∞: pixels that do not count): [N].
///
/// # Errors
/// libtorch's.
pub fn hits(map: &Tensor, mask: &Tensor, tolerance: i64) -> Result<Tensor> {
    let w = map.size()[2];
    let dark = map.f_nan_to_num(0.0, None::<f64>, 0.0)?.f_flatten(1, -1)?.f_abs()?.f_amax([1], false)?;
    let dark = Vec::<f64>::try_from(dark.f_to_kind(Kind::Double)?)?;
    let peaks = Vec::<i64>::try_from(map.f_flatten(1, -1)?.f_argmax(1, false)?)?;
    let mut hits = Vec::new();
    for (i, peak) in peaks.iter().enumerate() {
        if dark[i] == 0.0 {
            hits.push(f32::NAN);
            continue;
        }
        let places = mask.f_select(0, i as i64)?.f_flatten(0, -1)?.f_nonzero()?.f_view([-1])?;
        let near = |p: &i64| (p / w - peak / w).pow(2) + (p % w - peak % w).pow(2) <= tolerance * tolerance;
        hits.push(f32::from(u8::from(Vec::<i64>::try_from(places)?.iter().any(near))));
    }
    Ok(Tensor::f_from_slice(&hits)?)
}

/// The share of what is above 0 in maps [N, H, W] that lies in the mask, [N].
///
/// # Errors
/// libtorch's.
pub fn share(map: &Tensor, mask: &Tensor) -> Result<Tensor> {
    let map = map.f_relu()?;
    let sum = |t: &Tensor| t.f_sum_dim_intlist([1, 2].as_slice(), false, None::<Kind>);
    Ok(sum(&map.f_mul(&mask.f_to_device(map.device())?)?)?.f_div(&sum(&map)?)?)
}

functions! {
    in "metrics";
    /// 1 for every map whose highest place lies in the region or nearly, else 0: [N].
    ///
    /// The region is a mask [H, W] or [N, H, W], a box `[x, y, w, h]`, or one a picture. A place at most `tolerance` pixels
    /// (in a straight line) from the region counts; a map of zeros points nowhere and gives NaN. Zhang et al. 2016,
    /// https://arxiv.org/abs/1608.00507, section 4.1.
    /// ```rhai
    /// let map = tensor::zeros([1, 20, 20]);
    /// map[[0, 4, 4]] = 1.0;
    /// metrics::pointing_game(map, [6, 4, 5, 5], #{tolerance: 2}) // => tensor([1.])
    /// metrics::pointing_game(map, [6, 4, 5, 5], #{tolerance: 1}) // => tensor([0.])
    /// ```
    fn pointing_game(map: Maps, region: Region, options: Opts<PointingOptions>) -> Tensor {
        let (map, tolerance) = (map.0, options.0.tolerance);
        if tolerance < 0 {
            Err(Error::new(format!("`tolerance` is at least 0, got {tolerance}")))?;
        }
        hits(&map, &region.mask(&map.size())?, tolerance)?
    }

    /// The share of what a map shows that lies in a region, [N].
    ///
    /// The region is a mask [H, W] or [N, H, W] (of a part of the thing: `parts == 3`), a box `[x, y, w, h]`, or one a
    /// picture. What speaks against the target counts as nothing; a map of zeros has no share and gives NaN. Wang et al.
    /// 2020, https://arxiv.org/abs/1910.01279, section 4.3.
    /// ```rhai
    /// metrics::energy_in(tensor::ones([1, 4, 4]), [0, 0, 2, 4]) // => tensor([0.5000])
    /// metrics::energy_in(tensor::ones([1, 4, 4]), tensor::eye(4)) // => tensor([0.2500])
    /// ```
    fn energy_in(map: Maps, region: Region) -> Tensor {
        share(&map.0, &region.mask(&map.0.size())?)?
    }
}

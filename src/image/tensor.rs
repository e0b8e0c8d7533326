//! Between pictures and tensors.

use tch::kind::Element;
use tch::{Kind, Tensor};

use super::Picture;
use crate::core::raster::Raster;
use crate::core::resample::Filter;
use crate::core::{Error, Result};

/// Mean of ImageNet's channels, in 0..1, as every torchvision classifier expects.
pub const IMAGENET_MEAN: [f64; 3] = [0.485, 0.456, 0.406];
/// Standard deviation of ImageNet's channels.
pub const IMAGENET_STD: [f64; 3] = [0.229, 0.224, 0.225];

/// How [`Picture::from_tensor`] reads values.
#[derive(Clone, Debug, Default)]
pub struct FromTensor {
    /// Scale so that the least value is black and the greatest white.
    pub stretch: bool,
    /// Undo a normalisation: `x * std + mean`, one number a channel or one for all.
    pub normalized: Option<(Vec<f64>, Vec<f64>)>,
}

impl FromTensor {
    /// Undo ImageNet's normalisation.
    pub fn imagenet() -> Self {
        Self { stretch: false, normalized: Some((IMAGENET_MEAN.to_vec(), IMAGENET_STD.to_vec())) }
    }
}

impl Picture {
    /// `[3, H, W]`, float in 0..1, on the CPU; as torchvision's `ToTensor`.
    pub fn to_tensor(&self) -> Result<Tensor> {
        self.planes(|_, v| f32::from(v) / 255.0)
    }

    /// `[3, H, W]`, uint8 in 0..255, on the CPU; as torchvision's `PILToTensor`.
    pub fn to_bytes(&self) -> Result<Tensor> {
        self.planes(|_, v| v)
    }

    /// `(x - mean) / std` of [`Picture::to_tensor`], one number a channel or one for all.
    pub fn normalize(&self, mean: &[f64], std: &[f64]) -> Result<Tensor> {
        let (mean, std) = (channels("mean", mean, 3)?, channels("std", std, 3)?);
        self.planes(|c, v| (f32::from(v) / 255.0 - mean[c]) / std[c])
    }

    /// `[3, H, W]` of a value for each channel and byte, by table: the bytes lie interleaved, and
    /// taking them apart here is several times faster than a permuted copy by libtorch.
    fn planes<T: Element + Copy>(&self, value: impl Fn(usize, u8) -> T) -> Result<Tensor> {
        let n = self.width() * self.height();
        let mut out = Vec::with_capacity(3 * n);
        for c in 0..3 {
            let table: Vec<T> = (0..=255).map(|v| value(c, v)).collect();
            out.extend(self.raster().rgb.iter().skip(c).step_by(3).map(|v| table[usize::from(*v)]));
        }
        Ok(Tensor::f_from_slice(&out)?.f_reshape([3, self.height() as i64, self.width() as i64])?)
    }

    /// `[1, 3, size, size]`, ready for an ImageNet classifier: torchvision's evaluation transform
    /// (short side to `size / 0.875`, centre crop, ImageNet normalisation).
    pub fn to_input(&self, size: usize) -> Result<Tensor> {
        let short = (size as f64 / 0.875).round_ties_even() as usize;
        let crop = self.resize_short(short, Filter::Bilinear)?.center_crop(size, size)?;
        Ok(crop.normalize(&IMAGENET_MEAN, &IMAGENET_STD)?.f_unsqueeze(0)?)
    }

    /// The picture a net sees in `[1, 3, H, W]` or `[3, H, W]` made by [`Picture::to_input`].
    pub fn from_input(input: &Tensor) -> Result<Self> {
        Self::from_tensor(input, &FromTensor::imagenet())
    }

    /// A picture of `[3|1, H, W]`, `[1, 3|1, H, W]` or `[H, W]`: float or bool in 0..1 (values outside
    /// are clipped) or uint8 in 0..255, on any device. Errors: another shape or kind, NaN.
    pub fn from_tensor(t: &Tensor, options: &FromTensor) -> Result<Self> {
        let size = t.size();
        let (c, h, w) = match size[..] {
            [h, w] => (1, h, w),
            [c @ (1 | 3), h, w] | [1, c @ (1 | 3), h, w] => (c, h, w),
            _ => return Err(wrong_shape(&size)),
        };
        if h == 0 || w == 0 {
            return Err(wrong_shape(&size));
        }
        let rgb = to_bytes(&t.f_detach()?.f_reshape([c, h, w])?, options)?;
        Ok(Raster::from_rgb(w as usize, h as usize, rgb)?.into())
    }

    /// The pictures of a batch `[N, 3|1, H, W]`, each as [`Picture::from_tensor`]; `stretch` is over
    /// the whole batch, so that they stay comparable.
    pub fn from_batch(t: &Tensor, options: &FromTensor) -> Result<Vec<Self>> {
        let (n, c, h, w) = match t.size()[..] {
            [n, c @ (1 | 3), h, w] if h > 0 && w > 0 => (n, c, h, w),
            _ => {
                let e = format!("shape {:?} is not a batch of pictures; expected [N, 3|1, H, W]", t.size());
                return Err(Error::new(e));
            }
        };
        if n == 0 {
            return Ok(Vec::new());
        }
        // One conversion for the whole batch, laid out as one tall picture, then cut.
        let tall = t.f_detach()?.f_transpose(0, 1)?.f_reshape([c, n * h, w])?;
        let tall = Self::from_tensor(&tall, options)?;
        let line = tall.raster().rgb.len() / n as usize;
        let cut = |rgb: &[u8]| Ok(Raster::from_rgb(w as usize, h as usize, rgb.to_vec())?.into());
        tall.raster().rgb.chunks_exact(line).map(cut).collect()
    }
}

fn wrong_shape(size: &[i64]) -> Error {
    let e = Error::new(format!(
        "a tensor of shape {size:?} is not a picture; expected [3, H, W], [1, H, W], [H, W] or [1, 3, H, W]"
    ));
    match size {
        [n, 1 | 3, _, _] if *n > 1 => {
            e.hint("this is a batch: take one picture of it with x[0], or show it as a grid")
        }
        [_, _, 1 | 3] => e.hint("the channels come first: x.permute([2, 0, 1])"),
        _ if size.contains(&0) => e.hint("it is empty: no height, width or channel may be 0"),
        _ => e.hint("choose three channels or one"),
    }
}

/// `[c, h, w]` as interleaved RGB bytes. Plain loops: of pictures, libtorch's parallel loops cost more
/// in waiting for threads than they save.
fn to_bytes(t: &Tensor, options: &FromTensor) -> Result<Vec<u8>> {
    let t = t.f_to_device(tch::Device::Cpu)?;
    let kind = t.f_kind()?;
    let plain = !options.stretch && options.normalized.is_none();
    if kind == Kind::Uint8 && plain {
        return Ok(interleave(&copied::<u8>(&t, kind, 0)?, t.size()[0]));
    }
    let mut x = match kind {
        Kind::Uint8 | Kind::Float | Kind::Double | Kind::Half | Kind::BFloat16 | Kind::Bool => {
            copied::<f32>(&t, Kind::Float, 0.0)?
        }
        kind => {
            return Err(Error::new(format!(
                "a tensor of kind {kind:?} is not a picture; expected float in 0..1 or uint8"
            ))
            .hint("convert it: x.to_float() / 255"));
        }
    };
    if kind == Kind::Uint8 {
        x.iter_mut().for_each(|v| *v /= 255.0);
    }
    let bad = x.iter().filter(|v| v.is_nan()).count();
    if bad > 0 {
        return Err(Error::new(format!("{bad} of {} values are NaN; a picture cannot show them", x.len()))
            .hint("find where they arise, or replace them: x.nan_to_num()"));
    }
    if let Some((mean, std)) = &options.normalized {
        let c = t.size()[0];
        let (mean, std) = (channels("mean", mean, c)?, channels("std", std, c)?);
        let plane = x.len() / c as usize;
        for (i, plane) in x.chunks_exact_mut(plane).enumerate() {
            plane.iter_mut().for_each(|v| *v = *v * std[i] + mean[i]);
        }
    }
    if options.stretch {
        let (min, max) =
            x.iter().fold((f32::INFINITY, f32::NEG_INFINITY), |(a, b), v| (a.min(*v), b.max(*v)));
        if !(max - min).is_finite() {
            return Err(Error::new("a tensor with infinite values cannot be stretched to a picture"));
        }
        let gain = if max > min { 1.0 / (max - min) } else { 1.0 };
        x.iter_mut().for_each(|v| *v = (*v - min) * gain);
    }
    // A cast saturates, which clips to 0..=255.
    let bytes: Vec<u8> = x.iter().map(|v| (v * 255.0 + 0.5) as u8).collect();
    Ok(interleave(&bytes, t.size()[0]))
}

/// The values of a tensor on the CPU, as `kind`.
fn copied<T: Element + Clone>(t: &Tensor, kind: Kind, zero: T) -> Result<Vec<T>> {
    let mut out = vec![zero; t.numel()];
    let n = out.len();
    t.f_to_kind(kind)?.f_contiguous()?.f_copy_data(&mut out, n)?;
    Ok(out)
}

/// Planes of one or three channels as RGB pixel by pixel.
fn interleave(planes: &[u8], c: i64) -> Vec<u8> {
    let n = planes.len() / c as usize;
    let (r, g, b) =
        if c == 3 { (&planes[..n], &planes[n..2 * n], &planes[2 * n..]) } else { (planes, planes, planes) };
    r.iter().zip(g).zip(b).flat_map(|((r, g), b)| [*r, *g, *b]).collect()
}

/// One number for each of `c` channels.
fn channels(what: &str, values: &[f64], c: i64) -> Result<Vec<f32>> {
    if values.len() as i64 != c && values.len() != 1 {
        return Err(Error::new(format!(
            "{what} has {} numbers; expected 1 or {c}, one a channel",
            values.len()
        )));
    }
    if what == "std" && values.contains(&0.0) {
        return Err(Error::new("std contains 0; expected positive numbers"));
    }
    Ok((0..c as usize).map(|i| values[i.min(values.len() - 1)] as f32).collect())
}

#[cfg(test)]
mod tests {
    use tch::kind::FLOAT_CPU;

    use super::*;

    fn some() -> Picture {
        Raster::from_rgb(3, 2, (0..18).map(|i| i * 14).collect()).unwrap().into()
    }

    #[test]
    fn a_picture_comes_back_through_every_shape() {
        let p = some();
        let t = p.to_tensor().unwrap();
        assert_eq!(t.size(), [3, 2, 3]);
        assert!((t.double_value(&[1, 1, 2]) - f64::from(p.pixel(2, 1).unwrap()[1]) / 255.0).abs() < 1e-6);
        let plain = FromTensor::default();
        for t in [t.shallow_clone(), t.unsqueeze(0), t.to_kind(Kind::Double), p.to_bytes().unwrap()] {
            assert_eq!(Picture::from_tensor(&t, &plain).unwrap(), p);
        }
        let n = p.normalize(&IMAGENET_MEAN, &IMAGENET_STD).unwrap();
        assert_eq!(Picture::from_input(&n).unwrap(), p);
        let gray = Picture::from_tensor(&t.select(0, 0), &plain).unwrap();
        assert_eq!(gray.pixel(1, 1).unwrap(), [p.pixel(1, 1).unwrap()[0]; 3]);
        let batch = Tensor::stack(&[t.shallow_clone(), t.flip([2])], 0);
        assert_eq!(Picture::from_batch(&batch, &plain).unwrap(), [p.clone(), p.flip_horizontal()]);
    }

    #[test]
    fn values_are_clipped_or_stretched() {
        let t = Tensor::from_slice(&[-1.0f32, 0.5, 3.0]).reshape([1, 3]);
        let reds = |o: &FromTensor| {
            Picture::from_tensor(&t, o).unwrap().raster().rgb.iter().step_by(3).copied().collect::<Vec<_>>()
        };
        assert_eq!(reds(&FromTensor::default()), [0, 128, 255]);
        assert_eq!(reds(&FromTensor { stretch: true, normalized: None }), [0, 96, 255]);
        let flat = Tensor::full([2, 2], 7.0, FLOAT_CPU);
        let p = Picture::from_tensor(&flat, &FromTensor { stretch: true, normalized: None }).unwrap();
        assert_eq!(p.pixel(0, 0).unwrap(), [0; 3]);
    }

    #[test]
    fn errors_name_shape_and_kind() {
        let wrong = |t: Tensor| Picture::from_tensor(&t, &FromTensor::default()).unwrap_err();
        let e = wrong(Tensor::zeros([4, 3, 8, 8], FLOAT_CPU));
        assert!(e.msg.contains("[4, 3, 8, 8]") && e.hint.unwrap().contains("x[0]"));
        assert!(wrong(Tensor::zeros([8, 8, 3], FLOAT_CPU)).hint.unwrap().contains("permute"));
        assert!(wrong(Tensor::zeros([2, 8, 8], FLOAT_CPU)).msg.contains("[2, 8, 8]"));
        assert!(wrong(Tensor::zeros([0, 8], FLOAT_CPU)).msg.contains("[0, 8]"));
        assert!(wrong(Tensor::zeros([3, 8, 8], (Kind::Int64, tch::Device::Cpu))).msg.contains("Int64"));
        assert!(wrong(Tensor::full([8, 8], f64::NAN, FLOAT_CPU)).msg.contains("64 of 64 values are NaN"));
        assert!(some().normalize(&[0.5, 0.5], &[1.0]).unwrap_err().msg.contains("mean has 2 numbers"));
        assert!(some().normalize(&[0.5], &[0.0]).is_err());
    }
}

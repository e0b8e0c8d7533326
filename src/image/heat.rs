//! Heat maps: in colour, and laid over a picture.

use tch::{Kind, Tensor};

use super::Picture;
use crate::core::colormap::Colormap;
use crate::core::raster::Raster;
use crate::core::{Error, Result};

/// How a map becomes colours.
#[derive(Clone, Debug)]
pub struct HeatOptions {
    /// Colours of the values.
    pub colormap: Colormap,
    /// Weight of the map against the picture, in 0..1.
    pub alpha: f64,
    /// The values at the two ends of the colour map. Unless given, an overlay takes 0..1 and a plain
    /// map its least and greatest value; a diverging colour map takes -m..m, m the greatest |value|.
    pub range: Option<(f64, f64)>,
}

impl Default for HeatOptions {
    fn default() -> Self {
        Self { colormap: Colormap::JET, alpha: 0.5, range: None }
    }
}

impl Picture {
    /// The picture under a map `[H, W]`, `[1, H, W]` or `[1, 1, H, W]` of any size, which is resized to it
    /// bilinearly. With picture p in 0..1 and colours h: c = (1 - alpha) p + alpha h, divided by the
    /// greatest value of c: `show_cam_on_image` of pytorch-grad-cam with `image_weight = 1 - alpha`.
    pub fn overlay(&self, heat: &Tensor, options: &HeatOptions) -> Result<Self> {
        if !(0.0..=1.0).contains(&options.alpha) {
            return Err(Error::new(format!("alpha is {}; expected a number in 0..1", options.alpha)));
        }
        let map = Map::read(heat, Some((self.height(), self.width())))?;
        let range = map.range(options, (0.0, 1.0))?;
        let colours = options.colormap.table();
        let (a, b) = ((1.0 - options.alpha as f32) / 255.0, options.alpha as f32 / 255.0);
        let mixed: Vec<f32> = self
            .raster()
            .rgb
            .chunks_exact(3)
            .zip(&map.values)
            .flat_map(|(p, v)| {
                let h = colours[step(*v, range)];
                [0, 1, 2].map(|c| a * f32::from(p[c]) + b * f32::from(h[c]))
            })
            .collect();
        let max = mixed.iter().fold(0.0f32, |m, v| m.max(*v));
        let gain = if max > 0.0 { 255.0 / max } else { 0.0 };
        let rgb = mixed.iter().map(|v| (v * gain) as u8).collect();
        Ok(self.with(Raster::from_rgb(self.width(), self.height(), rgb)?))
    }
}

/// A map `[H, W]`, `[1, H, W]` or `[1, 1, H, W]` in colour, one pixel a value.
pub fn heatmap(heat: &Tensor, options: &HeatOptions) -> Result<Picture> {
    let map = Map::read(heat, None)?;
    let range = map.range(options, map.extremes())?;
    let colours = options.colormap.table();
    let rgb = map.values.iter().flat_map(|v| colours[step(*v, range)]).collect();
    Ok(Raster::from_rgb(map.width, map.height, rgb)?.into())
}

/// The colour map as an upright bar, the greatest value on top.
pub fn color_bar(width: usize, height: usize, colormap: Colormap) -> Result<Raster> {
    let last = height.saturating_sub(1).max(1) as f64;
    let mut out = Raster::new(width, height, [0; 3])?;
    for (y, row) in out.rgb.chunks_exact_mut(width * 3).enumerate() {
        let colour = colormap.at(1.0 - y as f64 / last);
        row.chunks_exact_mut(3).for_each(|p| p.copy_from_slice(&colour));
    }
    Ok(out)
}

/// Index of a value in the colour table; truncated, as numpy's `uint8(255 * v)`.
fn step(v: f32, range: (f64, f64)) -> usize {
    ((f64::from(v) - range.0) / (range.1 - range.0) * 255.0).clamp(0.0, 255.0) as usize
}

struct Map {
    width: usize,
    height: usize,
    values: Vec<f32>,
}

impl Map {
    /// The values of a map, resized to `[height, width]` if given (as OpenCV's INTER_LINEAR: no antialias).
    fn read(heat: &Tensor, size: Option<(usize, usize)>) -> Result<Self> {
        let shape = heat.size();
        let (h, w) = match shape[..] {
            [h, w] | [1, h, w] | [1, 1, h, w] if h > 0 && w > 0 => (h, w),
            _ => {
                return Err(Error::new(format!(
                    "a tensor of shape {shape:?} is not one map; expected [H, W] or [1, H, W]"
                ))
                .hint("of several maps take one: maps[0]"));
            }
        };
        let mut t = heat
            .f_detach()?
            .f_to_device(tch::Device::Cpu)?
            .f_to_kind(Kind::Float)?
            .f_reshape([1, 1, h, w])?;
        let bad = t.f_isfinite()?.f_logical_not()?.f_sum(Kind::Int64)?.f_int64_value(&[])?;
        if bad > 0 {
            return Err(Error::new(format!("{bad} of {} values of the map are NaN or infinite", h * w)));
        }
        let (height, width) = size.unwrap_or((h as usize, w as usize));
        if (height as i64, width as i64) != (h, w) {
            t = t.f_upsample_bilinear2d([height as i64, width as i64], false, None, None)?;
        }
        let mut values = vec![0.0; height * width];
        let n = values.len();
        t.f_contiguous()?.f_copy_data(&mut values, n)?;
        Ok(Self { width, height, values })
    }

    fn extremes(&self) -> (f64, f64) {
        let (lo, hi) = self.values.iter().fold((f32::MAX, f32::MIN), |(a, b), v| (a.min(*v), b.max(*v)));
        (f64::from(lo), f64::from(hi))
    }

    /// The range of the options, or what suits the colour map. A map of one value shows the lower end.
    fn range(&self, options: &HeatOptions, usual: (f64, f64)) -> Result<(f64, f64)> {
        let (lo, hi) = match options.range {
            Some((lo, hi)) if lo < hi && (hi - lo).is_finite() => (lo, hi),
            Some((lo, hi)) => {
                return Err(Error::new(format!("range is [{lo}, {hi}]; expected the lower end first")));
            }
            None if options.colormap.is_diverging() => {
                let (lo, hi) = self.extremes();
                (-lo.abs().max(hi.abs()), lo.abs().max(hi.abs()))
            }
            None => usual,
        };
        Ok(if lo < hi {
            (lo, hi)
        } else if options.colormap.is_diverging() {
            (lo - 1.0, lo + 1.0)
        } else {
            (lo, lo + 1.0)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signed_maps_keep_zero_in_the_middle() {
        let o = HeatOptions { colormap: Colormap::COOLWARM, ..HeatOptions::default() };
        let p = heatmap(&Tensor::from_slice(&[-1.0f32, 0.0, 4.0, -4.0]).reshape([1, 4]), &o).unwrap();
        let table = Colormap::COOLWARM.table();
        let expected: Vec<_> = [95, 127, 255, 0].iter().map(|i| table[*i]).collect();
        assert_eq!((0..4).map(|x| p.pixel(x, 0).unwrap()).collect::<Vec<_>>(), expected);
        let zero = heatmap(&Tensor::zeros([2, 2], tch::kind::FLOAT_CPU), &o).unwrap();
        assert_eq!(zero.pixel(0, 0).unwrap(), table[127]);
    }

    #[test]
    fn a_shared_range_is_obeyed_and_a_flat_map_is_cold() {
        let o = HeatOptions { colormap: Colormap::GRAY, range: Some((0.0, 2.0)), ..HeatOptions::default() };
        let t = Tensor::from_slice(&[0.0f32, 1.0]).reshape([1, 2]);
        assert_eq!(heatmap(&t, &o).unwrap().pixel(1, 0).unwrap(), [127; 3]);
        let o = HeatOptions { range: None, ..o };
        assert_eq!(heatmap(&t, &o).unwrap().pixel(1, 0).unwrap(), [255; 3]);
        assert_eq!(heatmap(&t.ones_like(), &o).unwrap().pixel(1, 0).unwrap(), [0; 3]);
    }

    #[test]
    fn errors_say_what_is_wrong() {
        let p = Picture::filled(4, 4, [0; 3]).unwrap();
        let t = Tensor::zeros([4, 4], tch::kind::FLOAT_CPU);
        let o = HeatOptions::default();
        assert!(p.overlay(&t.unsqueeze(0).repeat([2, 1, 1]), &o).unwrap_err().msg.contains("[2, 4, 4]"));
        assert!(p.overlay(&(&t / &t), &o).unwrap_err().msg.contains("16 of 16 values"));
        assert!(
            p.overlay(&t, &HeatOptions { alpha: 1.5, ..o.clone() }).unwrap_err().msg.contains("alpha is 1.5")
        );
        assert!(
            p.overlay(&t, &HeatOptions { range: Some((1.0, 0.0)), ..o }).unwrap_err().msg.contains("range")
        );
    }
}

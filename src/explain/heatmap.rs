//! Maps of where a network looks, as scripts hold them.

use crate::core::value::{FromValue, IntoValue};
use crate::core::{Error, Opts, Result, Value, arrays, paths, screen};
use crate::image::{self, HeatmapOptions, Picture};
use std::path::PathBuf;
use std::rc::Rc;
use tch::Tensor;

/// Maps [N, H, W], one a picture.
#[derive(Clone)]
pub struct Heatmap(Rc<Inner>);

struct Inner {
    maps: Tensor,
    signed: bool,
}

object!(Heatmap, "Heatmap", |h| {
    let s = h.0.maps.size();
    format!("Heatmap of {} picture(s), {} × {} pixels", s[0], s[2], s[1])
});

impl Heatmap {
    /// Maps [N, H, W]; `signed` ones are drawn on a diverging scale.
    pub fn new(maps: Tensor, signed: bool) -> Self {
        Heatmap(Rc::new(Inner { maps, signed }))
    }

    /// The maps, [N, H, W].
    pub fn tensor(&self) -> &Tensor {
        &self.0.maps
    }

    /// Drawn on a diverging scale around 0.
    pub fn is_signed(&self) -> bool {
        self.0.signed
    }

    /// The map of picture `i`, [H, W].
    ///
    /// # Errors
    /// No such picture.
    pub fn at(&self, i: i64) -> Result<Tensor> {
        let n = self.0.maps.size()[0];
        if !(-n..n).contains(&i) {
            return Err(Error::new(format!("there is no picture {i}: the heatmap holds {n}")));
        }
        Ok(self.0.maps.f_select(0, i)?)
    }
}

/// Bilinear resizing of maps [N, h, w] to `[H, W]`, as cv2's INTER_LINEAR.
///
/// # Errors
/// libtorch's.
pub fn resize(maps: &Tensor, size: [i64; 2]) -> Result<Tensor> {
    Ok(maps.f_unsqueeze(1)?.f_upsample_bilinear2d(size, false, None::<f64>, None::<f64>)?.f_squeeze_dim(1)?)
}

/// One picture, or a list of them.
enum Pictures {
    One(Picture),
    Many(Vec<Picture>),
}

impl FromValue for Pictures {
    const TYPE: &'static str = "Picture or list of Pictures";
    fn from_value(v: &Value) -> Result<Self> {
        match v {
            Value::List(_) => Vec::from_value(v).map(Pictures::Many),
            v => Picture::from_value(v).map(Pictures::One),
        }
    }
}

functions! {
    on "Heatmap";
    /// The maps as a tensor [N, H, W].
    /// ```rhai
    /// let net = nn::sequential([["conv", nn::conv2d(1, 2, 3)], ["gap", nn::adaptive_avg_pool2d(1)], ["f", nn::flatten()]]);
    /// cam::grad_cam(net, "conv", tensor::ones([1, 1, 4, 4]), 0).tensor().shape // => [1, 4, 4]
    /// ```
    fn tensor(map: Heatmap) -> Tensor {
        map.tensor().shallow_clone()
    }

    /// The map of one picture as a tensor [H, W].
    /// ```rhai
    /// let net = nn::sequential([["conv", nn::conv2d(1, 2, 3)], ["gap", nn::adaptive_avg_pool2d(1)], ["f", nn::flatten()]]);
    /// cam::grad_cam(net, "conv", tensor::ones([1, 1, 4, 4]), 0).at(0).shape // => [4, 4]
    /// ```
    fn at(map: Heatmap, i: i64) -> Tensor {
        map.at(i)?
    }

    /// Writes the maps [N, H, W] to a file: `.npy`, `.npz` or `.safetensors`.
    /// ```rhai
    /// let net = nn::sequential([["conv", nn::conv2d(1, 2, 3)], ["gap", nn::adaptive_avg_pool2d(1)], ["f", nn::flatten()]]);
    /// cam::grad_cam(net, "conv", tensor::rand([2, 1, 4, 4]), 0).save("map.npy");
    /// tensor::load("map.npy").shape // => [2, 4, 4]
    /// ```
    fn save(map: Heatmap, path: PathBuf) {
        arrays::write_named(paths::writable(path)?, &[("array".to_string(), map.tensor().f_detach()?)])?
    }

    /// The maps laid over their pictures (one, or a list of as many as maps).
    ///
    /// Signed maps are drawn on a diverging scale. For maps that are to be compared give one `range`.
    /// ```rhai
    /// let net = nn::sequential([["conv", nn::conv2d(3, 2, 3)], ["gap", nn::adaptive_avg_pool2d(1)], ["f", nn::flatten()]]);
    /// let photo = image::filled(32, 24, "orange");
    /// cam::grad_cam(net, "conv", photo.to_tensor(), 0).overlay(photo) // => Picture of 32 × 24 pixels
    /// ```
    fn overlay(map: Heatmap, pictures: Pictures, options: Opts<HeatmapOptions>) -> Value {
        let n = map.tensor().size()[0] as usize;
        let heat = options.0.heat(map.is_signed());
        match pictures {
            Pictures::One(p) if n == 1 => p.overlay(&map.at(0)?, &heat)?.into_value(),
            Pictures::One(_) => Err(Error::new(format!("{n} maps for one picture")).hint("give a list of pictures, or take one map with .at(i)"))?,
            Pictures::Many(all) if all.len() != n => Err(Error::new(format!("{n} maps for {} pictures", all.len())))?,
            Pictures::Many(all) => {
                let each = all.iter().enumerate().map(|(i, p)| p.overlay(&map.at(i as i64)?, &heat));
                each.collect::<Result<Vec<_>>>()?.into_value()
            }
        }
    }

    /// Shows the maps in the terminal, side by side, in colours.
    /// ```rhai
    /// let net = nn::sequential([["conv", nn::conv2d(1, 2, 3)], ["gap", nn::adaptive_avg_pool2d(1)], ["f", nn::flatten()]]);
    /// cam::grad_cam(net, "conv", tensor::rand([1, 1, 4, 4]), 0).show(#{colormap: "viridis"})
    /// ```
    fn show(map: Heatmap, options: Opts<HeatmapOptions>) {
        let heat = options.0.heat(map.is_signed());
        let drawn = (0..map.tensor().size()[0]).map(|i| image::heatmap(&map.at(i)?, &heat));
        let all = image::hstack(&drawn.collect::<Result<Vec<_>>>()?, 2, [255; 3])?;
        screen::show(all.raster());
    }

    get "Heatmap";
    /// The size of the maps: [N, H, W].
    /// ```rhai
    /// let net = nn::sequential([["conv", nn::conv2d(1, 2, 3)], ["gap", nn::adaptive_avg_pool2d(1)], ["f", nn::flatten()]]);
    /// cam::grad_cam(net, "conv", tensor::ones([1, 1, 4, 4]), 0).shape // => [1, 4, 4]
    /// ```
    fn shape(map: Heatmap) -> Vec<i64> {
        map.tensor().size()
    }
}

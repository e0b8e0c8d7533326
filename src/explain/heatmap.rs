//! Maps of where a network looks, as scripts hold them.

use crate::core::{Error, Result};
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

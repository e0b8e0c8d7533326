//! Guided Grad-CAM (Selvaraju et al., ICCV 2017, https://arxiv.org/abs/1610.02391).

use super::{Look, guided_backprop};
use crate::core::value::FromValue;
use crate::core::{Error, Opts, Result, Value};
use crate::explain::cam::{CamOptions, Form, MaybeTarget, by_gradient};
use crate::nn::{Net, net::Names};
use tch::Tensor;

/// How the map is enlarged.
#[derive(Clone, Copy, PartialEq)]
pub enum Enlarge {
    /// Smoothly.
    Bilinear,
    /// In blocks.
    Nearest,
}

impl FromValue for Enlarge {
    const TYPE: &'static str = "\"bilinear\" or \"nearest\"";
    fn from_value(v: &Value) -> Result<Self> {
        match String::from_value(v)?.as_str() {
            "bilinear" => Ok(Enlarge::Bilinear),
            "nearest" => Ok(Enlarge::Nearest),
            other => Err(Error::unknown("interpolation", other, ["bilinear", "nearest"])),
        }
    }
}

options! {
    /// Options of `attrib::guided_grad_cam`.
    pub struct GuidedGradCamOptions {
        /// "bilinear" or "nearest": how the map is enlarged to the picture.
        interpolation: Enlarge = Enlarge::Bilinear => "bilinear",
    }
}

functions! {
    in "attrib";
    /// Guided Grad-CAM: guided backpropagation where Grad-CAM looks.
    ///
    /// The product (section 3.2) of `attrib::guided_backprop` and the Grad-CAM of a layer (of several: their mean), after
    /// its ReLU, not normalised, enlarged to the input: [N, C, H, W].
    /// ```rhai
    /// let net = nn::sequential([["conv", nn::conv2d(1, 4, 3)], ["act", nn::relu()], ["gap", nn::adaptive_avg_pool2d(1)],
    ///                           ["flat", nn::flatten()], ["fc", nn::linear(4, 3)]]);
    /// attrib::guided_grad_cam(net, "act", tensor::ones([2, 1, 8, 8]), 1).shape // => [2, 1, 8, 8]
    /// ```
    fn guided_grad_cam(net: Net, layers: Names, x: Tensor, target: MaybeTarget, options: Opts<GuidedGradCamOptions>) -> Tensor {
        let look = Look::new(&net, &x, &target.0)?;
        let (_, target) = look.settled()?;
        let guided = look.gradient_with(guided_backprop::RULE)?;
        let (_, _, h, w) = look.x.size4()?;
        let nearest = options.0.interpolation == Enlarge::Nearest;
        let mut sum = look.x.f_narrow(1, 0, 1)?.f_zeros_like()?;
        for layer in &layers.0 {
            let o = CamOptions { form: Form::Raw, resize: !nearest, ..CamOptions::default() };
            let map = by_gradient(&net, std::slice::from_ref(layer), &look.x, &target, &o)?.tensor().f_unsqueeze(1)?;
            sum = sum.f_add(&if nearest { map.f_upsample_nearest2d([h, w], None::<f64>, None::<f64>)? } else { map })?;
        }
        if layers.0.is_empty() {
            Err(Error::new("no layer given").hint(format!("layers: {}", net.layer_names(true).join(", "))))?;
        }
        guided.f_mul(&sum.f_div_scalar(layers.0.len() as i64)?)?
    }
}

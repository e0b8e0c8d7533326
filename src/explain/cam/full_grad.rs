//! FullGrad (Srinivas and Fleuret, NeurIPS 2019, https://arxiv.org/abs/1905.00780).

use super::{Form, MaybeTarget, scale, scale_part, smoothed, warn};
use crate::core::{Opts, Result, Value};
use crate::explain::{Heatmap, heatmap, probe};
use crate::nn::{Ctx, Layer, Net, Tap};
use std::cell::RefCell;
use std::rc::Rc;
use tch::{Kind, Tensor};

options! {
    /// Options of `cam::full_grad`.
    pub struct FullGradOptions {
        /// "normalized" (0 to 1 in each picture), "signed" (divided by the largest) or "raw".
        form: Form = Form::Normalized => "normalized",
        /// The mean map of the pictures and their mirror images at 0.9, 1 and 1.1 of their brightness (six looks).
        aug_smooth: bool = false,
    }
}

/// Keeps bias [1, C, 1, 1] and output of every layer with a bias a channel.
#[derive(Default)]
struct Biases(RefCell<Vec<(Tensor, Tensor)>>);

impl Tap for Biases {
    fn after(&self, _: &str, layer: &dyn Layer, _: &Value, output: Value) -> Result<Value> {
        let own = |name: &str| layer.own().into_iter().find(|o| o.0 == name).map(|o| o.1);
        let (Some(bias), Value::Tensor(out)) = (own("bias"), &output) else { return Ok(output) };
        let flat = bias.f_view([1, -1, 1, 1])?.f_detach()?;
        let bias = match layer.kind().as_str() {
            "Conv2d" | "ConvTranspose2d" => flat,
            // What the norm makes of nothing: β − μγ/√(σ² + ε).
            "BatchNorm2d" if own("running_mean").is_some() => {
                layer.forward(&flat.f_zeros_like()?, &Ctx::new(false, Vec::new()))?.f_detach()?
            }
            _ => return Ok(output),
        };
        self.0.borrow_mut().push((bias, out.shallow_clone()));
        Ok(output)
    }
}

/// Magnitudes [N, C, h, w], every plane normalised, summed over the channels and enlarged: resizing is linear, so that
/// the sum may come first.
fn planes(t: &Tensor, size: [i64; 2]) -> Result<Tensor> {
    let each = scale_part(&t.f_abs()?.f_flatten(0, 1)?, Form::Normalized)?.f_view_as(t)?;
    heatmap::resize(&each.f_sum_dim_intlist([1].as_slice(), false, None::<Kind>)?, size)
}

functions! {
    in "cam";
    /// FullGrad: the gradient of the input and of every bias of the network.
    ///
    /// Map `ψ(∂s/∂x · x) + Σ_l Σ_c ψ(∂s/∂z_lc · b_lc)` over the convolutions and batch norms with a bias, z being
    /// their outputs; ψ takes the magnitude, normalises each channel and enlarges it. There is no layer to choose.
    /// ```rhai
    /// let net = nn::sequential([["conv", nn::conv2d(1, 4, 3)], ["act", nn::relu()], ["gap", nn::adaptive_avg_pool2d(1)],
    ///                           ["flat", nn::flatten()], ["fc", nn::linear(4, 3)]]);
    /// cam::full_grad(net, tensor::ones([2, 1, 8, 8]), 1).shape // => [2, 8, 8]
    /// ```
    fn full_grad(net: Net, x: Tensor, target: MaybeTarget, options: Opts<FullGradOptions>) -> Heatmap {
        net.check_open("the gradient at every bias")?;
        let (o, x) = (options.0, probe::batch(&net, &x)?);
        let size = [x.size()[2], x.size()[3]];
        let map = smoothed(o.aug_smooth, &x, &target.0, &mut |x, target| {
            let tap = Rc::new(Biases::default());
            let taps: [Rc<dyn Tap>; 1] = [tap.clone()];
            let outs = || tap.0.borrow().iter().map(|(_, out)| out.shallow_clone()).collect();
            let mut grads = probe::gradients_at(&net, x, target, &taps, outs)?.into_iter();
            let mut map = x.f_zeros_like()?.f_select(1, 0)?;
            if let Some(grad) = grads.next().flatten() {
                map = map.f_add(&planes(&grad.f_mul(x)?, size)?)?;
            }
            for (grad, (bias, _)) in grads.zip(&*tap.0.borrow()) {
                if let Some(grad) = grad.filter(|g| g.dim() == 4) {
                    map = map.f_add(&planes(&grad.f_mul(bias)?, size)?)?;
                }
            }
            scale(&map, o.form)
        })?;
        warn("full_grad", [("in the input and at every bias".to_string(), map.f_amax([1, 2], false)?.f_gt(0.0)?)]);
        Heatmap::new(map, false)
    }
}

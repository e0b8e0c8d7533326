//! A CAM made in the script.

use super::{CamOptions, MaybeTarget, Rule, run};
use crate::core::{Closure, Error, Opts, Value};
use crate::explain::Heatmap;
use crate::nn::{Net, net::Names};

functions! {
    in "cam";
    /// A CAM of your own: a closure of a layer's activation and gradient.
    ///
    /// The closure `|act, grad| …` gets both as [N, C, h, w] and gives channel weights [N, C] or [N, C, 1, 1], what each channel
    /// has at each place [N, C, h, w], or the map [N, h, w] itself. ReLU, normalisation, resizing and the mean over layers
    /// follow as in every CAM.
    /// ```rhai
    /// let net = nn::sequential([["conv", nn::conv2d(1, 4, 3)], ["act", nn::relu()], ["gap", nn::adaptive_avg_pool2d(1)],
    ///                           ["flat", nn::flatten()], ["fc", nn::linear(4, 3)]]);
    /// let x = tensor::rand([2, 1, 8, 8]);
    /// let mine = cam::custom(net, "act", x, 1, |act, grad| grad.mean([2, 3]));
    /// mine.tensor().equal(cam::grad_cam(net, "act", x, 1).tensor()) // => true
    /// ```
    fn custom(net: Net, layers: Names, x: tch::Tensor, target: MaybeTarget, rule: Closure, options: Opts<CamOptions>) -> Heatmap {
        let call = |act: &tch::Tensor, grad: &tch::Tensor| {
            let out = rule.call(vec![Value::Tensor(act.shallow_clone()), Value::Tensor(grad.shallow_clone())])?;
            let s = act.size();
            let wrong = |got: String| {
                Err(Error::new(format!("the closure of cam::custom gives {got} for a layer of {s:?}")).hint(format!(
                    "weights {:?}, shares {s:?} or a map {:?}", &s[..2], [s[0], s[2], s[3]]
                )))
            };
            let Value::Tensor(t) = &out else { return wrong(out.describe()) };
            match t.size() {
                w if w == s[..2] => Ok(t.f_unsqueeze(2)?.f_unsqueeze(3)?.f_mul(act)?),
                w if w == [s[0], s[1], 1, 1] && s[2..] != [1, 1] => Ok(t.f_mul(act)?),
                w if w == s => Ok(t.shallow_clone()),
                w if w == [s[0], s[2], s[3]] => Ok(t.f_unsqueeze(1)?),
                w => wrong(format!("Tensor {w:?}")),
            }
        };
        run("custom", &net, &layers.0, &x, &target.0, &options.0, &Rule::Shares(&call))?
    }
}

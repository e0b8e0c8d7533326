//! Layer-wise relevance propagation (Bach et al., PLOS ONE 2015, https://doi.org/10.1371/journal.pone.0130140; rules and
//! composites as in Montavon et al. 2019, https://doi.org/10.1007/978-3-030-28954-6_10, and zennit).

use super::Look;
use super::lrp_rules::{Composite, Ends, Relevance};
use crate::core::value::FromValue;
use crate::core::{Error, Result, Value};
use crate::explain::probe::gradients_at;
use crate::nn::Tap;
use std::rc::Rc;
use tch::Tensor;

/// One number, or one a channel.
pub struct PerChannel(Vec<f64>);

impl FromValue for PerChannel {
    const TYPE: &'static str = "number or list of numbers";
    fn from_value(v: &Value) -> Result<Self> {
        f64::from_value(v).map(|n| PerChannel(vec![n])).or_else(|_| Vec::from_value(v).map(PerChannel))
    }
}

options! {
    /// Options of `attrib::lrp`.
    pub struct LrpOptions {
        /// "epsilon", "gamma", "epsilon_gamma_box", "epsilon_plus" or "alpha_beta".
        composite: Composite = Composite::Epsilon => "epsilon",
        /// ε: added to every denominator, with its sign.
        epsilon: f64 = 1e-6,
        /// γ: how much more positive weights count.
        gamma: f64 = 0.25,
        /// α of the alpha-beta rule; β is α − 1.
        alpha: f64 = 2.0,
        /// Biases take their share; without, all relevance reaches the input.
        bias: bool = true,
        /// The least value an input can have, one number or one a channel; each picture's own if left out.
        low: Option<PerChannel> = None,
        /// The greatest value an input can have, likewise.
        high: Option<PerChannel> = None,
    }
}

/// An end of the inputs' range, of the shape of `x`: what was given, or each picture's own.
fn end(given: Option<&PerChannel>, own: Tensor, x: &Tensor) -> Result<Tensor> {
    let c = x.size()[1];
    let end = match given {
        None => own,
        Some(PerChannel(all)) if all.len() == 1 || all.len() as i64 == c => {
            Tensor::f_from_slice(all)?.f_view([1, -1, 1, 1])?.f_type_as(x)?
        }
        Some(PerChannel(all)) => {
            return Err(Error::new(format!("{} values for pictures of {c} channels", all.len()))
                .hint("`low` and `high` are one number, or one a channel"));
        }
    };
    let _no_grad = tch::no_grad_guard();
    Ok(end.f_expand_as(x)?.f_contiguous()?.f_detach()?.f_set_requires_grad(true)?)
}

fn relevance(look: &Look, o: &LrpOptions) -> Result<Tensor> {
    look.net.check_open("the rules of its layers")?;
    let x = &look.x;
    let range = match o.composite {
        Composite::EpsilonGammaBox => Some(Ends {
            low: end(o.low.as_ref(), x.f_amin([1, 2, 3], true)?, x)?,
            high: end(o.high.as_ref(), x.f_amax([1, 2, 3], true)?, x)?,
        }),
        _ => None,
    };
    let ends: Vec<Tensor> =
        range.iter().flat_map(|r| [r.low.shallow_clone(), r.high.shallow_clone()]).collect();
    let taps: [Rc<dyn Tap>; 1] = [Rc::new(Relevance::new(look.net, x, o, range))];
    let grads =
        gradients_at(look.net, x, look.target, &taps, || ends.iter().map(Tensor::shallow_clone).collect())?;
    let mut sum = None::<Tensor>;
    for (grad, at) in grads.into_iter().zip(std::iter::once(x).chain(&ends)) {
        if let Some(part) = grad.map(|g| g.f_mul(&at.f_detach()?)).transpose()? {
            sum = Some(match sum {
                Some(s) => s.f_add(&part)?,
                None => part,
            });
        }
    }
    sum.ok_or_else(|| Error::new("the target does not depend on the input"))
}

attrib! {
    /// LRP: the target's value handed back layer by layer to what made it.
    ///
    /// Signed, [N, C, H, W]; the sum over a picture is the target's value, but for what biases and ε keep. Composites:
    /// `epsilon` (eq. 58 in Bach et al.) everywhere; at convolutions `gamma`, `epsilon_plus` (α 1, β 0) or `alpha_beta`
    /// (eq. 60), at linear layers ε; `epsilon_gamma_box`: γ, and the z-box rule at a convolution that sees the picture.
    /// A batch norm is merged with the layer before it; max pooling, averages, sums and ReLUs need no rule.
    /// ```rhai
    /// let net = nn::sequential([["conv", nn::conv2d(1, 4, 3)], ["act", nn::relu()], ["gap", nn::adaptive_avg_pool2d(1)],
    ///                           ["flat", nn::flatten()], ["fc", nn::linear(4, 3)]]);
    /// let x = tensor::rand([1, 1, 8, 8]);
    /// let map = attrib::lrp(net, x, 1, #{bias: false});
    /// (map.sum() / net.forward(x)[0][1] - 1).abs() < 0.01 // => tensor(True)
    /// ```
    lrp, LrpOptions, |look, o| {
        if o.epsilon < 0.0 || o.gamma < 0.0 || o.alpha < 1.0 {
            Err(Error::new(format!(
                "`epsilon` and `gamma` are at least 0, `alpha` at least 1, got {}, {}, {}", o.epsilon, o.gamma, o.alpha
            )))?;
        }
        relevance(&look, &o)?
    }
}

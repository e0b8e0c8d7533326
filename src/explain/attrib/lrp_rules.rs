//! The rules of LRP as a change of the forward pass: a layer's output keeps its value, and its gradient is such that
//! gradient × input is the relevance. For a rule with the parts `h`, whose shares of the output `z` are `s`:
//! `z + Σ h · s − |Σ h · s|`, where |..| and `s` carry no gradient.

use super::lrp::LrpOptions;
use crate::core::value::FromValue;
use crate::core::{Error, Result, Value};
use crate::nn::net::same;
use crate::nn::{Layer, Net, Tap};
use std::cell::RefCell;
use std::rc::Rc;
use tch::Tensor;

/// Which rule at which layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Composite {
    /// ε everywhere.
    Epsilon,
    /// γ at convolutions, ε at linear layers.
    Gamma,
    /// As `Gamma`, z-box at the first convolution.
    EpsilonGammaBox,
    /// α 1, β 0 at convolutions, ε at linear layers.
    EpsilonPlus,
    /// α, β at convolutions, ε at linear layers.
    AlphaBeta,
}

impl FromValue for Composite {
    const TYPE: &'static str = "string";
    fn from_value(v: &Value) -> Result<Self> {
        use Composite::{AlphaBeta, Epsilon, EpsilonGammaBox, EpsilonPlus, Gamma};
        let all = [
            ("epsilon", Epsilon),
            ("gamma", Gamma),
            ("epsilon_gamma_box", EpsilonGammaBox),
            ("epsilon_plus", EpsilonPlus),
            ("alpha_beta", AlphaBeta),
        ];
        let name = String::from_value(v)?;
        let hit = all.iter().find(|(n, _)| *n == name);
        hit.map(|(_, c)| *c).ok_or_else(|| Error::unknown("composite", &name, all.map(|(n, _)| n)))
    }
}

/// The range of the inputs, leaves of the graph.
pub struct Ends {
    /// The least values, of the shape of the pictures.
    pub low: Tensor,
    /// The greatest.
    pub high: Tensor,
}

/// A layer `W x + b` that just ran, in case a batch norm follows.
struct Seen {
    layer: Rc<dyn Layer>,
    input: Tensor,
    out: Tensor,
}

/// Changes the gradients of a forward pass to relevances.
pub struct Relevance {
    net: Net,
    x: Tensor,
    composite: Composite,
    epsilon: f64,
    gamma: f64,
    alpha: f64,
    bias: bool,
    range: Option<Ends>,
    last: RefCell<Option<Seen>>,
}

/// `weight` and `bias` of a layer, without their graph.
fn weights(layer: &dyn Layer) -> Result<[Option<Tensor>; 2]> {
    let own = layer.own();
    let find = |name: &str| own.iter().find(|o| o.0 == name).map(|o| o.1.f_detach()).transpose();
    Ok([find("weight")?, find("bias")?])
}

impl Relevance {
    /// The rules of `o` for a pass of `net` on `x`.
    pub fn new(net: &Net, x: &Tensor, o: &LrpOptions, range: Option<Ends>) -> Self {
        Self {
            net: net.clone(),
            x: x.shallow_clone(),
            composite: o.composite,
            epsilon: o.epsilon,
            gamma: o.gamma,
            alpha: if o.composite == Composite::EpsilonPlus { 1.0 } else { o.alpha },
            bias: o.bias,
            range,
            last: RefCell::default(),
        }
    }

    /// `t` kept away from 0.
    fn stable(&self, t: &Tensor) -> Result<Tensor> {
        let sign = t.f_sign()?.f_add(&t.f_eq(0)?.f_to_kind(t.kind())?)?;
        Ok(t.f_add(&sign.f_mul_scalar(self.epsilon)?)?)
    }

    /// The value of `z` with the gradient of `h`, so that its relevance is `z` divided by the part that `of` makes.
    fn share(&self, z: &Tensor, h: &Tensor) -> Result<Tensor> {
        Ok(h.f_mul(&z.f_div(&self.stable(&h.f_detach()?)?)?)?)
    }

    fn with_gradient_of(z: &Tensor, parts: &Tensor) -> Result<Tensor> {
        Ok(z.f_add(&parts.f_sub(&parts.f_detach()?)?)?)
    }

    /// The output `z` of `layer` on `x` with the weights `w` and `b` and the rule's gradient.
    fn affine(
        &self,
        layer: &dyn Layer,
        x: &Tensor,
        z: &Tensor,
        w: &Tensor,
        b: Option<&Tensor>,
    ) -> Result<Tensor> {
        let b = b.filter(|_| self.bias);
        let run = |x: &Tensor, w: &Tensor, b: Option<&Tensor>| {
            layer
                .affine(x, w, b)
                .unwrap_or_else(|| Err(Error::new(format!("{} is not linear", layer.describe()))))
        };
        let pos = |t: &Tensor| t.f_clamp_min(0.0);
        let neg = |t: &Tensor| t.f_clamp_max(0.0);
        let bias =
            |part: &dyn Fn(&Tensor) -> std::result::Result<Tensor, tch::TchError>| b.map(part).transpose();
        let z = z.f_detach()?;
        let convolution = layer.kind().starts_with("Conv");
        let parts = match (self.composite, &self.range) {
            (Composite::EpsilonGammaBox, Some(range)) if convolution && same(x, &self.x) => {
                let low = run(&range.low, &pos(w)?, bias(&pos)?.as_ref())?;
                let high = run(&range.high, &neg(w)?, bias(&neg)?.as_ref())?;
                self.share(&z, &run(x, w, b)?.f_sub(&low)?.f_sub(&high)?)?
            }
            (Composite::Gamma | Composite::EpsilonGammaBox, _) if convolution => {
                // zennit's form for inputs and outputs of both signs.
                let more = |t: &Tensor, part: &Tensor| t.f_add(&part.f_mul_scalar(self.gamma)?);
                let (up, down) = (more(w, &pos(w)?)?, more(w, &neg(w)?)?);
                let (b_up, b_down) =
                    (bias(&|b: &Tensor| more(b, &pos(b)?))?, bias(&|b: &Tensor| more(b, &neg(b)?))?);
                let (x_pos, x_neg) = (pos(x)?, neg(x)?);
                let for_it = run(&x_pos, &up, b_up.as_ref())?.f_add(&run(&x_neg, &down, None)?)?;
                let against = run(&x_pos, &down, b_down.as_ref())?.f_add(&run(&x_neg, &up, None)?)?;
                self.share(&pos(&z)?, &for_it)?.f_add(&self.share(&neg(&z)?, &against)?)?
            }
            (Composite::EpsilonPlus | Composite::AlphaBeta, _) if convolution => {
                let (up, down, x_pos, x_neg) = (pos(w)?, neg(w)?, pos(x)?, neg(x)?);
                let for_it = run(&x_pos, &up, bias(&pos)?.as_ref())?.f_add(&run(&x_neg, &down, None)?)?;
                let against = run(&x_pos, &down, bias(&neg)?.as_ref())?.f_add(&run(&x_neg, &up, None)?)?;
                let (alpha, beta) = (z.f_mul_scalar(self.alpha)?, z.f_mul_scalar(1.0 - self.alpha)?);
                self.share(&alpha, &for_it)?.f_add(&self.share(&beta, &against)?)?
            }
            _ => self.share(&z, &run(x, w, b)?)?,
        };
        Self::with_gradient_of(&z, &parts)
    }

    /// The layer before a batch norm and the norm as one layer.
    fn merged(&self, seen: &Seen, [scale, shift]: &[Tensor; 2]) -> Result<Option<Tensor>> {
        let [Some(w), b] = weights(&*seen.layer)? else { return Ok(None) };
        let s = w.size();
        let w = match seen.layer.kind().as_str() {
            "ConvTranspose2d" => {
                // [in, out / groups, h, w]: every group of inputs has its own outputs.
                let groups = scale.size()[0] / s[1];
                let by = scale.f_view([groups, 1, s[1], 1, 1])?;
                w.f_view([groups, s[0] / groups, s[1], s[2], s[3]])?.f_mul(&by)?.f_view(s.as_slice())?
            }
            _ => w.f_mul(&scale.f_view([vec![-1], vec![1; s.len() - 1]].concat().as_slice())?)?,
        };
        let b = match b {
            Some(b) => b.f_mul(scale)?.f_add(shift)?,
            None => shift.shallow_clone(),
        };
        // Its own value, not the norm's, which is rounded differently: where it is near 0 their ratio is anything.
        let value = seen.layer.affine(&seen.input.f_detach()?, &w, Some(&b));
        value.map(|z| self.affine(&*seen.layer, &seen.input, &z?, &w, Some(&b))).transpose()
    }

    fn norm(&self, layer: &dyn Layer, path: &str, x: &Tensor, z: &Tensor) -> Result<Tensor> {
        let both = layer.scale_and_shift().ok_or_else(|| {
            Error::new(format!("LRP has no rule for layer `{path}`, a batch norm without running statistics"))
        })??;
        if let Some(seen) = self.last.borrow().as_ref().filter(|s| same(&s.out, x))
            && let Some(out) = self.merged(seen, &both)?
        {
            return Ok(out);
        }
        let along = [vec![1, -1], vec![1; x.dim() - 2]].concat();
        let [scale, shift] = &both;
        let h = x.f_mul(&scale.f_view(along.as_slice())?)?;
        let h = if self.bias { h.f_add(&shift.f_view(along.as_slice())?)? } else { h };
        let z = z.f_detach()?;
        Self::with_gradient_of(&z, &self.share(&z, &h)?)
    }
}

impl Tap for Relevance {
    fn after(&self, path: &str, layer: &dyn Layer, input: &Value, output: Value) -> Result<Value> {
        let (Value::Tensor(x), Value::Tensor(z)) = (input, &output) else { return Ok(output) };
        if !layer.children().is_empty() {
            return Ok(output);
        }
        let out = match layer.kind().as_str() {
            "Conv2d" | "ConvTranspose2d" | "Linear" => {
                let [Some(w), b] = weights(layer)? else { return Ok(output) };
                let out = self.affine(layer, x, z, &w, b.as_ref())?;
                let layer = if path.is_empty() { self.net.layer() } else { self.net.part(path)?.layer() };
                self.last.replace(Some(Seen { layer, input: x.shallow_clone(), out: out.shallow_clone() }));
                out
            }
            "BatchNorm1d" | "BatchNorm2d" => self.norm(layer, path, x, z)?,
            // Relevance passes a function of one number as it is. ReLU's own gradient does that.
            "ELU" | "GELU" | "Hardswish" | "Hardtanh" | "LeakyReLU" | "Mish" | "PReLU" | "ReLU6" | "SELU"
            | "SiLU" | "Sigmoid" | "Softplus" | "Softsign" | "Tanh" => {
                let z = z.f_detach()?;
                Self::with_gradient_of(&z, &self.share(&z, x)?)?
            }
            "LayerNorm" | "GroupNorm" | "InstanceNorm2d" | "Softmax" | "LogSoftmax" | "Embedding" => {
                return Err(Error::new(format!("LRP has no rule for layer `{path}`, {}", layer.describe())).hint(
                    "rules exist for convolutions, linear layers, batch norm, pooling, sums and functions of one number; \
                     explain a softmax's input instead",
                ));
            }
            _ => return Ok(output),
        };
        Ok(Value::Tensor(out))
    }
}

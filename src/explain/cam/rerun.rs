//! Running what lies behind a layer with other outputs of it.

use super::look::Look;
use crate::core::{Result, Value};
use crate::explain::{Target, probe};
use crate::nn::{Ctx, Layer, Net, Rest, Tap};
use std::cell::RefCell;
use std::ops::Range;
use std::rc::Rc;
use tch::{Kind, Tensor};

/// The layers behind one, ready to run without some of its channels.
pub struct Behind<'a> {
    net: Net,
    layer: &'a str,
    /// What goes in where the layer itself lies inside what runs; otherwise its output goes in.
    input: Option<Tensor>,
    /// The layer's output to change, [N, C, h, w]; averaged already where the network goes on with that.
    act: Tensor,
    /// In place of all that.
    head: Option<Head>,
}

impl<'a> Behind<'a> {
    /// What runs behind the layer of `look`.
    ///
    /// # Errors
    /// The network's.
    pub fn new(look: &Look<'a>) -> Result<Self> {
        let mut rest = look.net.rest(look.layer)?;
        if look.target.needs().layer.is_some_and(|l| !rest.net.layer_names(false).iter().any(|n| n == l)) {
            rest = Rest { net: look.net.clone(), within: Some(String::new()) }; // the target looks further in front
        }
        let head = Head::new(look, &rest)?;
        let act = match rest.within.is_none() && averages(&rest.net)? {
            true => look.act.f_mean_dim([2, 3].as_slice(), true, None::<Kind>)?,
            false => look.act.shallow_clone(),
        };
        let input = match rest.within.as_deref() {
            None => None,
            Some("") => Some(look.x.shallow_clone()),
            Some(path) => {
                let tap = Rc::new(InputOf { path: path.to_string(), seen: RefCell::default() });
                let taps: [Rc<dyn Tap>; 1] = [tap.clone()];
                let _ = probe::scores(look.net, look.x, look.target, &taps)?;
                tap.seen.take()
            }
        };
        Ok(Self { net: rest.net, layer: look.layer, input, act, head })
    }

    /// The target's value [n] for picture `i` with each of the channels `of` being 0.
    ///
    /// # Errors
    /// The network's.
    pub fn without(&self, i: i64, of: Range<i64>, target: &Target) -> Result<Tensor> {
        if let Some(head) = &self.head {
            return probe::scores(&head.net, &head.rows(i, &of)?, target, &[]);
        }
        let (n, channels) = (of.end - of.start, self.act.size()[1]);
        let one = Tensor::f_eye(channels, tch::kind::FLOAT_CPU)?.f_type_as(&self.act)?;
        let gone = one.f_narrow(0, of.start, n)?.f_gt(0.0)?.f_unsqueeze(2)?.f_unsqueeze(3)?;
        let act = self.act.f_narrow(0, i, 1)?.f_expand([n, -1, -1, -1], false)?;
        self.scores(i, &act.f_masked_fill(&gone, 0.0)?, target)
    }

    /// The target's value [n] for picture `i` with the layer's output being `rows` [n, C, h, w].
    fn scores(&self, i: i64, rows: &Tensor, target: &Target) -> Result<Tensor> {
        let Some(input) = &self.input else { return probe::scores(&self.net, rows, target, &[]) };
        let mut size = input.size();
        size[0] = rows.size()[0];
        let replace = Rc::new(Replace { layer: self.layer.to_string(), rows: rows.shallow_clone() });
        probe::scores(&self.net, &input.f_narrow(0, i, 1)?.f_expand(size, false)?, target, &[replace])
    }
}

/// The closed form of ablation where a linear layer follows, with nothing in between but what treats every channel by
/// itself (pooling, activations, batch norm): without a channel its output lacks what that channel gives.
struct Head {
    /// What follows the linear layer.
    net: Net,
    /// The linear layer's output, [N, out].
    full: Tensor,
    /// What each channel has there more than one of zeros, [N, C, 1, p].
    more: Tensor,
    /// The linear layer's weights by channel, [C, p, out].
    weights: Tensor,
}

impl Head {
    fn new(look: &Look, rest: &Rest) -> Result<Option<Self>> {
        if rest.within.is_some() || look.net.is_tapped() || look.target.needs().layer.is_some() {
            return Ok(None);
        }
        let chain = rest.net.chain();
        let Some(at) = chain.iter().position(|(_, l)| l.kind() == "Linear") else { return Ok(None) };
        let (front, (path, linear)) = (&chain[..at], &chain[at]);
        let own = linear.own();
        let Some((_, weights, _)) = own.iter().find(|o| o.0 == "weight") else { return Ok(None) };
        if !front.iter().all(|(_, l)| by_channel(&**l)) {
            return Ok(None);
        }
        let [n, c] = [look.act.size()[0], look.channels()];
        let made = tch::no_grad(|| -> Result<_> {
            let zeros = look.act.f_narrow(0, 0, 1)?.f_zeros_like()?;
            let cx = Ctx::new(false, Vec::new());
            let run = |x: Tensor| front.iter().try_fold(x, |x, (_, l)| l.forward(&x, &cx));
            let flat = run(look.act.shallow_clone())?;
            if flat.dim() != 2 || flat.size()[1] % c != 0 {
                return Ok(None); // a linear layer over something else than all places of all channels
            }
            let more = flat.f_sub(&run(zeros)?)?.f_view([n, c, 1, -1])?;
            let full = linear.forward(&flat, &cx)?;
            let weights = weights.f_detach()?.f_view([full.size()[1], c, -1])?.f_permute([1, 2, 0])?;
            Ok(Some((full, more, weights)))
        })?;
        let Some((full, more, weights)) = made else { return Ok(None) };
        Ok(Some(Self { net: rest.net.rest(path)?.net, full, more, weights }))
    }

    /// The linear layer's output [n, out] for picture `i` without each of the channels `of`.
    fn rows(&self, i: i64, of: &Range<i64>) -> Result<Tensor> {
        let n = of.end - of.start;
        let (more, weights) = (self.more.f_select(0, i)?, self.weights.f_narrow(0, of.start, n)?);
        let lacks = tch::no_grad(|| more.f_narrow(0, of.start, n)?.f_bmm(&weights))?;
        Ok(self.full.f_narrow(0, i, 1)?.f_sub(&lacks.f_squeeze_dim(1)?)?)
    }
}

/// What a channel becomes in this layer depends on that channel alone.
fn by_channel(layer: &dyn Layer) -> bool {
    match layer.kind().as_str() {
        "MaxPool2d" | "AvgPool2d" | "AdaptiveAvgPool2d" | "AdaptiveMaxPool2d" | "Dropout" | "Dropout2d"
        | "Identity" | "ReLU" | "ReLU6" | "LeakyReLU" | "ELU" | "SELU" | "GELU" | "SiLU" | "Mish"
        | "Hardswish" | "Hardtanh" | "Sigmoid" | "Softplus" | "Softsign" | "Tanh" => true,
        "BatchNorm2d" => layer.describe().ends_with("track_running_stats=True)"),
        "Flatten" => layer.describe() == "Flatten(start_dim=1, end_dim=-1)",
        _ => false,
    }
}

/// True where the first thing that happens is the mean over all places.
fn averages(net: &Net) -> Result<bool> {
    for name in net.layer_names(true) {
        let layer = net.part(&name)?.layer();
        if layer.chain().is_none() {
            return Ok(layer.describe() == "AdaptiveAvgPool2d(output_size=(1, 1))");
        }
    }
    Ok(false)
}

/// Remembers what went into a layer.
struct InputOf {
    path: String,
    seen: RefCell<Option<Tensor>>,
}

impl Tap for InputOf {
    fn after(&self, path: &str, _: &dyn Layer, input: &Value, output: Value) -> Result<Value> {
        if let (true, Value::Tensor(t)) = (path == self.path, input) {
            self.seen.replace(Some(t.shallow_clone()));
        }
        Ok(output)
    }
}

/// Puts something else in place of a layer's output.
pub struct Replace {
    /// Its name.
    pub layer: String,
    /// The output.
    pub rows: Tensor,
}

impl Tap for Replace {
    fn after(&self, path: &str, _: &dyn Layer, _: &Value, output: Value) -> Result<Value> {
        Ok(if path == self.layer { Value::Tensor(self.rows.shallow_clone()) } else { output })
    }
}

//! Running what lies behind a layer with other outputs of it.

use super::look::Look;
use crate::core::{Result, Value};
use crate::explain::{Target, probe};
use crate::nn::{Layer, Net, Rest, Tap};
use std::cell::RefCell;
use std::rc::Rc;
use tch::{Kind, Tensor};

/// The layers behind one, ready to run.
pub struct Behind<'a> {
    net: Net,
    layer: &'a str,
    /// What goes in where the layer itself lies inside what runs; otherwise its output goes in.
    input: Option<Tensor>,
    /// The layer's output to change, [N, C, h, w]; averaged already where the network goes on with that.
    pub act: Tensor,
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
        Ok(Self { net: rest.net, layer: look.layer, input, act })
    }

    /// The target's value [n] for picture `i` with the layer's output being `rows` [n, C, h, w].
    ///
    /// # Errors
    /// The network's.
    pub fn scores(&self, i: i64, rows: &Tensor, target: &Target) -> Result<Tensor> {
        let Some(input) = &self.input else { return probe::scores(&self.net, rows, target, &[]) };
        let mut size = input.size();
        size[0] = rows.size()[0];
        let replace = Rc::new(Replace { layer: self.layer.to_string(), rows: rows.shallow_clone() });
        probe::scores(&self.net, &input.f_narrow(0, i, 1)?.f_expand(size, false)?, target, &[replace])
    }
}

/// True where the first thing that happens is the mean over all places.
fn averages(net: &Net) -> Result<bool> {
    for name in net.layer_names(true) {
        let layer = net.part(&name)?.layer();
        if layer.kind() != "Sequential" {
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

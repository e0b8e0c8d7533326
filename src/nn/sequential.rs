//! Layers one after the other.

use super::recipe::Shown;
use super::{Ctx, Layer, Net};
use crate::core::value::{FromValue, mismatch};
use crate::core::{Error, Result, Value};
use std::rc::Rc;
use tch::Tensor;

/// Layers one after the other, by name.
pub struct Sequential {
    layers: Vec<(String, Rc<dyn Layer>)>,
}

impl Sequential {
    /// Layers by name.
    ///
    /// # Errors
    /// A name twice, or one that holds a dot.
    pub fn new(layers: Vec<(String, Rc<dyn Layer>)>) -> Result<Self> {
        for (i, (name, _)) in layers.iter().enumerate() {
            check_name(name)?;
            if layers[..i].iter().any(|(n, _)| n == name) {
                return Err(Error::new(format!("two layers are called `{name}`")));
            }
        }
        Ok(Self { layers })
    }
}

/// A name that checkpoints can hold.
pub(super) fn check_name(name: &str) -> Result<()> {
    match name.is_empty() || name.contains('.') {
        true => Err(Error::new(format!("a layer's name is not empty and holds no dot, got {name:?}"))),
        false => Ok(()),
    }
}

impl Layer for Sequential {
    fn forward(&self, x: &Tensor, cx: &Ctx) -> Result<Tensor> {
        let mut x = x.shallow_clone();
        for (name, layer) in &self.layers {
            x = cx.child(name, &**layer, &x)?;
        }
        Ok(x)
    }

    fn forward_value(&self, mut x: Value, cx: &Ctx) -> Result<Value> {
        for (name, layer) in &self.layers {
            x = cx.child_value(name, &**layer, x)?;
        }
        Ok(x)
    }

    fn children(&self) -> Vec<(String, Rc<dyn Layer>)> {
        self.layers.clone()
    }

    fn chain(&self) -> Option<Vec<(String, Rc<dyn Layer>)>> {
        Some(self.layers.clone())
    }

    fn recipe(&self) -> Option<String> {
        let part = |(name, layer): &(String, Rc<dyn Layer>)| {
            Some(format!("[{}, {}]", name.as_str().shown(), layer.recipe()?))
        };
        let parts: Option<Vec<String>> = self.layers.iter().map(part).collect();
        Some(format!("nn::sequential([{}])", parts?.join(", ")))
    }

    fn describe(&self) -> String {
        "Sequential()".to_string()
    }
}

/// A layer, perhaps with a name: `nn::relu()`, `nn::relu().named("act")` or `["act", nn::relu()]`.
struct Named(Option<String>, Net);

impl FromValue for Named {
    const TYPE: &'static str = "Net or [name, Net]";
    fn from_value(v: &Value) -> Result<Self> {
        match v {
            Value::List(pair) => match &pair[..] {
                [Value::Str(name), net] => Ok(Named(Some(name.clone()), Net::from_value(net)?)),
                _ => mismatch(Self::TYPE, v),
            },
            v => Net::from_value(v).map(|net| Named(net.label(), net)).or_else(|_| mismatch(Self::TYPE, v)),
        }
    }
}

functions! {
    in "nn";
    /// Layers one after the other; each may carry a name.
    ///
    /// A layer is given as it is (its name is then its place: `0`, `1` …), with `.named("conv1")`, or as a pair
    /// `["conv1", layer]`.
    /// ```rhai
    /// let net = nn::sequential([["fc1", nn::linear(4, 8)], nn::relu(), nn::linear(8, 2).named("fc2")]);
    /// net.layers() // => ["fc1", "1", "fc2"]
    /// ```
    fn sequential(layers: Vec<Named>) -> Net {
        let named = layers.into_iter().enumerate();
        Net::new(Sequential::new(named.map(|(i, n)| (n.0.unwrap_or(i.to_string()), n.1.layer())).collect())?)
    }
}

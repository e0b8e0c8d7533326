//! A network whose forward pass is a closure of the script.

use super::net::walk;
use super::sequential::check_name;
use super::{Ctx, Layer, Net};
use crate::core::value::FromValue;
use crate::core::{Closure, Error, Map, Result, Value};
use std::cell::Cell;
use std::rc::Rc;
use tch::Tensor;

struct Custom {
    parts: Vec<(String, Rc<dyn Layer>)>,
    pass: Closure,
    running: Cell<bool>,
}

/// Lets the network run again when dropped.
struct Running<'a>(&'a Cell<bool>);

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.0.set(false);
    }
}

impl Net {
    /// Code of the user's own is part of it.
    pub fn is_custom(&self) -> bool {
        let mut custom = false;
        walk(&*self.layer(), "", &mut |_, layer| custom |= layer.kind() == "Custom");
        custom
    }
}

impl Layer for Custom {
    fn forward(&self, x: &Tensor, cx: &Ctx) -> Result<Tensor> {
        match self.forward_value(Value::Tensor(x.shallow_clone()), cx)? {
            Value::Tensor(t) => Ok(t),
            other => Err(Error::new(format!(
                "the forward pass gives {}, a Tensor is needed here",
                other.describe()
            ))),
        }
    }

    fn forward_value(&self, x: Value, cx: &Ctx) -> Result<Value> {
        if self.running.replace(true) {
            return Err(Error::new(
                "the network is running already: its forward pass, or a hook, runs it again",
            )
            .hint("inside |m, x| … run the parts: m.name.forward(x)"));
        }
        let _running = Running(&self.running);
        // The closure gets its parts bound to this pass, so that their names, taps and mode carry on inside.
        let bind = |(name, layer): &(String, Rc<dyn Layer>)| {
            (name.clone(), Value::object(Net::bound(layer.clone(), cx.owned(), name)))
        };
        self.pass.call(vec![Value::Map(self.parts.iter().map(bind).collect::<Map>()), x])
    }

    fn children(&self) -> Vec<(String, Rc<dyn Layer>)> {
        self.parts.clone()
    }

    fn describe(&self) -> String {
        "Custom()".to_string()
    }
}

functions! {
    in "nn";
    /// A network of named parts whose forward pass is a closure `|m, x| …`.
    ///
    /// `m` holds the parts; `x` is what `forward` was given, and the result may be a tensor, a list or a map. Names,
    /// taps, hooks, saving and CAM work as in a built-in network.
    /// ```rhai
    /// let parts = #{enc: nn::linear(4, 2), dec: nn::linear(2, 4)};
    /// let net = nn::custom(parts, |m, x| m.dec.forward(m.enc.forward(x).relu()));
    /// net.forward(tensor::ones([3, 4])).shape // => [3, 4]
    /// ```
    fn custom(parts: Map, pass: Closure) -> Net {
        let mut named = Vec::new();
        for (name, v) in &parts {
            check_name(name)?;
            let net = Net::from_value(v).map_err(|e| e.within(format!("part `{name}`")))?;
            named.push((name.clone(), net.layer()));
        }
        Net::new(Custom { parts: named, pass, running: Cell::default() })
    }
}

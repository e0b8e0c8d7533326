//! A detour around layers.

use super::{Ctx, Layer, Net};
use crate::core::{Error, Opts, Result};
use std::rc::Rc;
use tch::Tensor;

options! {
    /// Options of `nn::residual`.
    pub struct ResidualOptions {
        /// What the detour runs through, where shapes must be matched; nothing if left out.
        shortcut: Option<Net> = None,
    }
}

struct Residual {
    body: Rc<dyn Layer>,
    shortcut: Option<Rc<dyn Layer>>,
}

impl Layer for Residual {
    fn forward(&self, x: &Tensor, cx: &Ctx) -> Result<Tensor> {
        let y = cx.child("body", &*self.body, x)?;
        let around = match &self.shortcut {
            Some(layer) => cx.child("shortcut", &**layer, x)?,
            None => x.shallow_clone(),
        };
        if y.size() != around.size() {
            let (a, b) = (y.size(), around.size());
            return Err(Error::new(format!(
                "layer `{}`, Residual: the body gives {a:?}, the detour {b:?}",
                cx.path()
            ))
            .hint("give a `shortcut` that changes the shape, such as nn::conv2d(in, out, 1, #{stride: 2})"));
        }
        Ok(y.f_add(&around)?)
    }

    fn children(&self) -> Vec<(String, Rc<dyn Layer>)> {
        let mut all = vec![("body".to_string(), self.body.clone())];
        all.extend(self.shortcut.iter().map(|s| ("shortcut".to_string(), s.clone())));
        all
    }

    fn recipe(&self) -> Option<String> {
        let body = self.body.recipe()?;
        Some(match &self.shortcut {
            Some(s) => format!("nn::residual({body}, #{{shortcut: {}}})", s.recipe()?),
            None => format!("nn::residual({body})"),
        })
    }

    fn describe(&self) -> String {
        "Residual()".to_string()
    }
}

functions! {
    in "nn";
    /// `body(x) + x`: a residual block.
    ///
    /// He et al. 2016, eq. 1 and 2.
    ///
    /// The activation after the sum is a layer of its own, so that it can be looked at.
    /// ```rhai
    /// let block = nn::residual(nn::conv2d(8, 8, 3, #{padding: 1}));
    /// block.forward(tensor::zeros([1, 8, 5, 5])).shape // => [1, 8, 5, 5]
    /// ```
    fn residual(body: Net, options: Opts<ResidualOptions>) -> Net {
        Net::new(Residual { body: body.layer(), shortcut: options.0.shortcut.map(|n| n.layer()) })
    }
}

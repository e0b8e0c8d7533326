//! The fully connected layer.

use super::conv::weight_and_bias;
use super::recipe::Recipe;
use super::{Count, Ctx, Layer, Net, Own, init};
use crate::core::{Opts, Result};
use std::rc::Rc;
use tch::Tensor;

options! {
    /// Options of `nn::linear`.
    pub struct LinearOptions {
        /// Adds a learned bias.
        bias: bool = true,
    }
}

struct Linear {
    weight: Tensor,
    bias: Option<Tensor>,
}

impl Layer for Linear {
    fn forward(&self, x: &Tensor, _: &Ctx) -> Result<Tensor> {
        Ok(x.f_linear(&self.weight, self.bias.as_ref())?)
    }

    fn affine(&self, x: &Tensor, weight: &Tensor, bias: Option<&Tensor>) -> Option<Result<Tensor>> {
        Some(x.f_linear(weight, bias).map_err(Into::into))
    }

    fn own(&self) -> Vec<Own<'_>> {
        weight_and_bias(&self.weight, self.bias.as_ref())
    }

    fn recipe(&self) -> Option<String> {
        let w = self.weight.size();
        Recipe::new("linear").arg(w[1]).arg(w[0]).option("bias", &self.bias.is_some(), &true).done()
    }

    fn describe(&self) -> String {
        let w = self.weight.size();
        let bias = if self.bias.is_some() { "True" } else { "False" };
        format!("Linear(in_features={}, out_features={}, bias={bias})", w[1], w[0])
    }
}

/// A fully connected layer, started as in PyTorch.
///
/// # Errors
/// libtorch's.
pub fn linear(i: i64, o: i64, options: LinearOptions) -> Result<Rc<dyn Layer>> {
    let weight = init::weight(&[o, i])?;
    let bias = options.bias.then(|| init::bias(o, i)).transpose()?;
    Ok(Rc::new(Linear { weight, bias }))
}

functions! {
    in "nn";
    /// A fully connected layer, [.., in] → [.., out].
    /// ```rhai
    /// nn::linear(4, 2).forward(tensor::ones([3, 4])).shape // => [3, 2]
    /// ```
    fn linear(in_features: Count, out_features: Count, options: Opts<LinearOptions>) -> Net {
        Net::of(linear(in_features.0, out_features.0, options.0)?)
    }
}

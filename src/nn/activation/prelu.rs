//! `nn::prelu`.

use crate::core::{Error, Opts, Result};
use crate::nn::recipe::Recipe;
use crate::nn::{Ctx, Layer, Net, Own, Role, init};
use tch::Tensor;

options! {
    /// Options of `nn::prelu`.
    pub struct PReluOptions {
        /// How many slopes: 1, or one a channel.
        num_parameters: i64 = 1,
        /// The slopes' start.
        start: f64 = 0.25,
    }
}

struct PRelu {
    weight: Tensor,
}

impl Layer for PRelu {
    fn forward(&self, x: &Tensor, _: &Ctx) -> Result<Tensor> {
        Ok(x.f_prelu(&self.weight)?)
    }
    fn own(&self) -> Vec<Own<'_>> {
        vec![("weight", &self.weight, Role::Parameter)]
    }
    fn recipe(&self) -> Option<String> {
        Recipe::new("prelu").option("num_parameters", &(self.weight.numel() as i64), &1).done()
    }

    fn describe(&self) -> String {
        format!("PReLU(num_parameters={})", self.weight.numel())
    }
}

functions! {
    in "nn";
    /// `x` where positive, a learned slope times `x` elsewhere.
    ///
    /// He et al. 2015.
    /// ```rhai
    /// nn::prelu().forward(tensor::of([-1.0, 2.0])).detach() // => tensor([-0.2500,  2.0000])
    /// ```
    fn prelu(options: Opts<PReluOptions>) -> Net {
        let count = options.0.num_parameters;
        if count < 1 {
            Err(Error::new(format!("`num_parameters` must be at least 1, got {count}")))?;
        }
        Net::new(PRelu { weight: init::constant(&[count], options.0.start)? })
    }
}

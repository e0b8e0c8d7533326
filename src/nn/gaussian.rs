//! The code of a variational autoencoder: a Gaussian from which a value is drawn so that gradients pass.

use super::recipe::Recipe;
use super::{Ctx, Layer, Net};
use crate::core::{Error, Result};
use tch::Tensor;

struct Gaussian;

impl Layer for Gaussian {
    fn forward(&self, x: &Tensor, cx: &Ctx) -> Result<Tensor> {
        let shape = x.size();
        let both = shape.get(1).copied().unwrap_or(0);
        if both == 0 || both % 2 != 0 {
            return Err(Error::new(format!("expected means and log-variances [N, 2·D, ..], got {shape:?}")));
        }
        let mean = x.f_narrow(1, 0, both / 2)?;
        if !cx.train() {
            return Ok(mean);
        }
        let deviation = x.f_narrow(1, both / 2, both / 2)?.f_mul_scalar(0.5)?.f_exp()?;
        Ok(mean.f_addcmul(&deviation, &mean.f_randn_like()?)?)
    }

    fn recipe(&self) -> Option<String> {
        Recipe::new("gaussian").done()
    }

    fn describe(&self) -> String {
        "Gaussian()".to_string()
    }
}

functions! {
    in "nn";
    /// A Gaussian code: a random draw while training, its mean otherwise.
    ///
    /// Takes means and log-variances [N, 2·D, ..], gives [N, D, ..]: `mean + exp(log-variance / 2) · noise`, through
    /// which gradients pass (Kingma and Welling 2014, section 2.4). Outside training it is deterministic.
    /// ```rhai
    /// let moments = tensor([[1.0, 2.0, -200.0, -200.0]]);
    /// nn::gaussian().forward(moments) // => tensor([[1., 2.]])
    /// nn::gaussian().train().forward(moments) // => tensor([[1., 2.]])
    /// nn::gaussian().forward(tensor::ones([1, 3])) // error: expected means and log-variances [N, 2·D, ..], got [1, 3]
    /// ```
    fn gaussian() -> Net {
        Net::new(Gaussian)
    }
}

//! A table of vectors, looked up by integer.

use super::recipe::Recipe;
use super::{Count, Ctx, Layer, Net, Own, Role, init};
use crate::core::Result;
use tch::Tensor;

struct Embedding {
    weight: Tensor,
}

impl Layer for Embedding {
    fn forward(&self, x: &Tensor, _: &Ctx) -> Result<Tensor> {
        Ok(Tensor::f_embedding(&self.weight, x, -1, false, false)?)
    }

    fn own(&self) -> Vec<Own<'_>> {
        vec![("weight", &self.weight, Role::Parameter)]
    }

    fn recipe(&self) -> Option<String> {
        let w = self.weight.size();
        Recipe::new("embedding").arg(w[0]).arg(w[1]).done()
    }

    fn describe(&self) -> String {
        let w = self.weight.size();
        format!("Embedding({}, {})", w[0], w[1])
    }
}

functions! {
    in "nn";
    /// A table of `count` learned vectors of length `dim`, looked up by integers.
    /// ```rhai
    /// nn::embedding(10, 4).forward(tensor::of([1, 2, 5])).shape // => [3, 4]
    /// ```
    fn embedding(count: Count, dim: Count) -> Net {
        Net::new(Embedding { weight: init::normal(&[count.0, dim.0])? })
    }
}

//! Adagrad (Duchi, Hazan and Singer 2011), as torch.optim.Adagrad.

use super::{Rule, Slots, not_negative, optimizer};
use crate::core::Result;
use tch::Tensor;

options! {
    /// Options of `optim::adagrad`.
    pub struct AdagradOptions {
        /// Learning rate.
        lr: f64 = 1e-2,
        /// Step `t` goes `lr / (1 + (t - 1) · lr_decay)` far.
        lr_decay: f64 = 0.0,
        /// Weight decay, added to the gradient.
        weight_decay: f64 = 0.0,
        /// What the sum of squares starts from.
        initial_accumulator_value: f64 = 0.0,
        /// Added to the denominator.
        eps: f64 = 1e-10,
    }
}

struct Adagrad(AdagradOptions);

impl Rule for Adagrad {
    fn slots(&self) -> Vec<(&'static str, bool)> {
        vec![("sum", false), ("step", true)]
    }

    fn lr(&self) -> f64 {
        self.0.lr
    }

    fn step(&self, lr: f64, params: &[Tensor], grads: &[Tensor], slots: &Slots, first: bool) -> Result<()> {
        let o = &self.0;
        for (i, (p, g)) in params.iter().zip(grads).enumerate() {
            let (mut sum, mut step) = (slots["sum"][i].shallow_clone(), slots["step"][i].shallow_clone());
            if first {
                let _ = sum.f_fill_(o.initial_accumulator_value)?;
            }
            let g = g.f_add(&p.f_mul_scalar(o.weight_decay)?)?;
            let _ = sum.f_addcmul_(&g, &g)?;
            let slower =
                step.f_mul_scalar(o.lr_decay)?.f_add_scalar(1.0)?.f_reciprocal()?.f_mul_scalar(lr)?;
            let change = g.f_div(&sum.f_sqrt()?.f_add_scalar(o.eps)?)?.f_mul(&slower)?;
            let _ = p.shallow_clone().f_sub_(&change)?;
            let _ = step.f_add_scalar_(1.0)?;
        }
        Ok(())
    }
}

optimizer! {
    /// Adagrad: steps scaled by the root of all squared gradients so far.
    ///
    /// As torch.optim.Adagrad (Duchi et al. 2011, figure 1, diagonal).
    /// ```rhai
    /// optim::adagrad(nn::linear(2, 1), #{lr_decay: 0.1}) // => adagrad(lr=0.01, 3 parameters)
    /// ```
    adagrad, AdagradOptions, |o| {
        for (name, v) in [("lr", o.lr), ("lr_decay", o.lr_decay), ("weight_decay", o.weight_decay),
                          ("initial_accumulator_value", o.initial_accumulator_value), ("eps", o.eps)] {
            not_negative(name, v)?;
        }
        Adagrad(o)
    }
}

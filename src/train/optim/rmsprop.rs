//! RMSprop (Hinton 2012, lecture 6e), as torch.optim.RMSprop. libtorch has no fused kernel for it.

use super::{Rule, Slots, not_negative, optimizer, share};
use crate::core::Result;
use tch::Tensor;

options! {
    /// Options of `optim::rmsprop`.
    pub struct RmsPropOptions {
        /// Learning rate.
        lr: f64 = 1e-2,
        /// Decay of the running square.
        alpha: f64 = 0.99,
        /// Added to the denominator.
        eps: f64 = 1e-8,
        /// Weight decay, added to the gradient.
        weight_decay: f64 = 0.0,
        /// Share of the last step carried on.
        momentum: f64 = 0.0,
        /// Divides by the standard deviation instead of the root mean square (Graves 2013).
        centered: bool = false,
    }
}

struct RmsProp(RmsPropOptions);

impl RmsProp {
    fn one(&self, lr: f64, p: &Tensor, g: &Tensor, slots: &Slots, i: usize) -> Result<()> {
        let o = &self.0;
        let slot = |name: &str| slots.get(name).map(|s| s[i].shallow_clone());
        let g = if o.weight_decay == 0.0 {
            g.shallow_clone()
        } else {
            g.f_add(&p.f_mul_scalar(o.weight_decay)?)?
        };
        let mut denominator = g.f_square()?;
        if let Some(mut square) = slot("square_avg") {
            let _ = square.f_mul_scalar_(o.alpha)?.f_addcmul_(&g, &(&g * (1.0 - o.alpha)))?;
            denominator = square.shallow_clone();
        }
        if let Some(mut mean) = slot("grad_avg") {
            let _ = mean.f_lerp_(&g, 1.0 - o.alpha)?;
            denominator = denominator.f_sub(&mean.f_square()?)?;
        }
        let step = g.f_div(&denominator.f_sqrt()?.f_add_scalar(o.eps)?)?;
        let step = match slot("momentum_buffer") {
            Some(mut buffer) => buffer.f_mul_scalar_(o.momentum)?.f_add_(&step)?,
            None => step,
        };
        let _ = p.shallow_clone().f_sub_(&step.f_mul_scalar(lr)?)?;
        Ok(())
    }
}

impl Rule for RmsProp {
    fn slots(&self) -> Vec<(&'static str, bool)> {
        let mut slots = vec![("square_avg", false)];
        slots.extend((self.0.momentum > 0.0).then_some(("momentum_buffer", false)));
        slots.extend(self.0.centered.then_some(("grad_avg", false)));
        slots
    }

    fn lr(&self) -> f64 {
        self.0.lr
    }

    fn step(&self, lr: f64, params: &[Tensor], grads: &[Tensor], slots: &Slots, _: bool) -> Result<()> {
        params.iter().zip(grads).enumerate().try_for_each(|(i, (p, g))| self.one(lr, p, g, slots, i))
    }
}

optimizer! {
    /// RMSprop: steps scaled by the running root mean square of the gradient.
    ///
    /// As torch.optim.RMSprop.
    /// ```rhai
    /// optim::rmsprop(nn::linear(2, 1), #{momentum: 0.9}) // => rmsprop(lr=0.01, 3 parameters)
    /// ```
    rmsprop, RmsPropOptions, |o| {
        for (name, v) in [("lr", o.lr), ("eps", o.eps), ("weight_decay", o.weight_decay), ("momentum", o.momentum)] {
            not_negative(name, v)?;
        }
        share("alpha", o.alpha)?;
        RmsProp(o)
    }
}

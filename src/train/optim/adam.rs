//! Adam (Kingma and Ba 2015), as torch.optim.Adam; [`AdamRule`] also does AdamW.

use super::{Rule, Slots, not_negative, optimizer, share};
use crate::core::Result;
use crate::core::ffi::{AdamStep, fused_adam};
use tch::Tensor;

options! {
    /// Options of `optim::adam`.
    pub struct AdamOptions {
        /// Learning rate.
        lr: f64 = 1e-3,
        /// Decay of the running mean and of the running square.
        betas: [f64; 2] = [0.9, 0.999],
        /// Added to the denominator.
        eps: f64 = 1e-8,
        /// Weight decay, added to the gradient.
        weight_decay: f64 = 0.0,
        /// Keeps the largest running square (Reddi et al. 2018).
        amsgrad: bool = false,
    }
}

/// Adam's step, with the weight decay on the gradient or decoupled.
pub(super) struct AdamRule {
    pub o: AdamOptions,
    pub decoupled: bool,
}

impl AdamRule {
    /// Checks the options.
    pub fn new(o: AdamOptions, decoupled: bool) -> Result<Self> {
        for (name, v) in [("lr", o.lr), ("eps", o.eps), ("weight_decay", o.weight_decay)] {
            not_negative(name, v)?;
        }
        share("betas", o.betas[0])?;
        share("betas", o.betas[1])?;
        Ok(Self { o, decoupled })
    }
}

impl Rule for AdamRule {
    fn slots(&self) -> Vec<(&'static str, bool)> {
        let mut slots = vec![("exp_avg", false), ("exp_avg_sq", false), ("step", true)];
        if self.o.amsgrad {
            slots.push(("max_exp_avg_sq", false));
        }
        slots
    }

    fn lr(&self) -> f64 {
        self.o.lr
    }

    fn step(&self, lr: f64, params: &[Tensor], grads: &[Tensor], slots: &Slots, _: bool) -> Result<()> {
        let slot = |name: &str| slots.get(name).map_or(&[][..], |s| s);
        let AdamOptions { betas, eps, weight_decay, .. } = self.o;
        let o = AdamStep { lr, betas, eps, weight_decay, decoupled: self.decoupled };
        fused_adam(
            params,
            grads,
            slot("exp_avg"),
            slot("exp_avg_sq"),
            slot("max_exp_avg_sq"),
            slot("step"),
            &o,
        )
    }
}

optimizer! {
    /// Adam: steps scaled by running moments of the gradient.
    ///
    /// As torch.optim.Adam (Kingma and Ba 2015, algorithm 1).
    /// ```rhai
    /// optim::adam(nn::linear(2, 1), #{lr: 1e-4}) // => adam(lr=0.0001, 3 parameters)
    /// ```
    adam, AdamOptions, |o| AdamRule::new(o, false)?
}

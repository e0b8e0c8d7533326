//! Stochastic gradient descent with momentum (Sutskever et al. 2013), as torch.optim.SGD.

use super::{Rule, Slots, not_negative, optimizer, share};
use crate::core::ffi::{SgdStep, fused_sgd};
use crate::core::{Error, Result};
use tch::Tensor;

options! {
    /// Options of `optim::sgd`.
    pub struct SgdOptions {
        /// Learning rate.
        lr: f64 = 1e-3,
        /// Share of the last step carried on.
        momentum: f64 = 0.0,
        /// Damps the gradient's entry into the momentum.
        dampening: f64 = 0.0,
        /// Weight decay, added to the gradient.
        weight_decay: f64 = 0.0,
        /// Nesterov's momentum.
        nesterov: bool = false,
    }
}

struct Sgd(SgdOptions);

impl Rule for Sgd {
    fn slots(&self) -> Vec<(&'static str, bool)> {
        if self.0.momentum == 0.0 { Vec::new() } else { vec![("momentum_buffer", false)] }
    }

    fn lr(&self) -> f64 {
        self.0.lr
    }

    fn step(&self, lr: f64, params: &[Tensor], grads: &[Tensor], slots: &Slots, first: bool) -> Result<()> {
        let o = &self.0;
        let buffers = slots.get("momentum_buffer").map_or(&[][..], |b| b);
        let (momentum, dampening, weight_decay, nesterov) =
            (o.momentum, o.dampening, o.weight_decay, o.nesterov);
        fused_sgd(params, grads, buffers, &SgdStep { lr, momentum, dampening, weight_decay, nesterov, first })
    }
}

optimizer! {
    /// Stochastic gradient descent, with momentum on request.
    ///
    /// As torch.optim.SGD: `b ← momentum·b + (1 − dampening)·g`, `p ← p − lr·b`.
    /// ```rhai
    /// optim::sgd(nn::linear(2, 1), #{lr: 0.1, momentum: 0.9}) // => sgd(lr=0.1, 3 parameters)
    /// ```
    sgd, SgdOptions, |o| {
        for (name, v) in [("lr", o.lr), ("dampening", o.dampening), ("weight_decay", o.weight_decay)] {
            not_negative(name, v)?;
        }
        share("momentum", o.momentum)?;
        if o.nesterov && (o.momentum == 0.0 || o.dampening != 0.0) {
            return Err(Error::new("`nesterov` needs a momentum and no dampening"));
        }
        Sgd(o)
    }
}

//! AdamW (Loshchilov and Hutter 2019), as torch.optim.AdamW.

use super::adam::{AdamOptions, AdamRule};
use super::optimizer;

options! {
    /// Options of `optim::adamw`.
    pub struct AdamWOptions {
        /// Learning rate.
        lr: f64 = 1e-3,
        /// Decay of the running mean and of the running square.
        betas: [f64; 2] = [0.9, 0.999],
        /// Added to the denominator.
        eps: f64 = 1e-8,
        /// Weight decay, applied to the weights themselves.
        weight_decay: f64 = 1e-2,
        /// Keeps the largest running square (Reddi et al. 2018).
        amsgrad: bool = false,
    }
}

optimizer! {
    /// Adam with the weight decay decoupled from the gradient.
    ///
    /// As torch.optim.AdamW (Loshchilov and Hutter 2019, algorithm 2).
    /// ```rhai
    /// optim::adamw(nn::linear(2, 1)) // => adamw(lr=0.001, 3 parameters)
    /// ```
    adamw, AdamWOptions, |o| {
        let AdamWOptions { lr, betas, eps, weight_decay, amsgrad } = o;
        AdamRule::new(AdamOptions { lr, betas, eps, weight_decay, amsgrad }, true)?
    }
}

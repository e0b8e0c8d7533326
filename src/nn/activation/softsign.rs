//! `nn::softsign`.

activation! {
    /// `x / (1 + |x|)`.
    ///
    /// Turian et al. 2009; its tails approach ±1 more slowly than those of tanh.
    /// ```rhai
    /// nn::softsign().forward(tensor::of([-1.0, 3.0])) // ~> tensor([-0.5000,  0.7500])
    /// ```
    softsign, "Softsign", (), |x| x.f_div(&x.f_abs()?.f_add_scalar(1.0)?)?
}

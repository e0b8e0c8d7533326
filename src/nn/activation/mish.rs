//! `nn::mish`.

activation! {
    /// `x · tanh(softplus(x))` (Misra 2019).
    /// ```rhai
    /// nn::mish().forward(tensor::of([-1.0, 2.0])) // ~> tensor([-0.3034,  1.9440])
    /// ```
    mish, "Mish", (), |x| x.f_mish()?
}

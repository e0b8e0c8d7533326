//! `nn::softplus`.

activation! {
    /// `log(1 + exp(x))`.
    /// ```rhai
    /// nn::softplus().forward(tensor::of([-1.0, 2.0])) // ~> tensor([0.3133, 2.1269])
    /// ```
    softplus, "Softplus", (), |x| x.f_softplus()?
}

//! `nn::selu`.

activation! {
    /// The self-normalising exponential unit.
    ///
    /// Klambauer et al. 2017.
    /// ```rhai
    /// nn::selu().forward(tensor::of([-1.0, 2.0])) // ~> tensor([-1.1113,  2.1014])
    /// ```
    selu, "SELU", (), |x| x.f_selu()?
}

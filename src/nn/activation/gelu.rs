//! `nn::gelu`.

activation! {
    /// `x · Φ(x)`, Φ the normal distribution function.
    ///
    /// Hendrycks and Gimpel 2016.
    /// ```rhai
    /// nn::gelu().forward(tensor::of([-1.0, 2.0])) // ~> tensor([-0.1587,  1.9545])
    /// ```
    gelu, "GELU", (), |x| x.f_gelu("none")?
}

//! `nn::silu`.

activation! {
    /// `x · sigmoid(x)`, also called swish.
    ///
    /// Elfwing et al. 2017.
    /// ```rhai
    /// nn::silu().forward(tensor::of([-1.0, 2.0])) // ~> tensor([-0.2689,  1.7616])
    /// ```
    silu, "SiLU", (), |x| x.f_silu()?
}

//! `nn::hardswish`.

activation! {
    /// `x · relu6(x + 3) / 6`.
    ///
    /// Howard et al. 2019.
    /// ```rhai
    /// nn::hardswish().forward(tensor::of([-1.0, 2.0])) // ~> tensor([-0.3333,  1.6667])
    /// ```
    hardswish, "Hardswish", (), |x| x.f_hardswish()?
}

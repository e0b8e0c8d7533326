//! `nn::relu6`.

activation! {
    /// `min(max(0, x), 6)`.
    ///
    /// Howard et al. 2017.
    /// ```rhai
    /// nn::relu6().forward(tensor::of([-1.0, 9.0])) // => tensor([0., 6.])
    /// ```
    relu6, "ReLU6", (), |x| x.f_relu6()?
}

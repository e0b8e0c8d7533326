//! `nn::relu`.

activation! {
    /// `max(0, x)`.
    ///
    /// Nair and Hinton 2010.
    /// ```rhai
    /// nn::relu().forward(tensor::of([-1.0, 2.0])) // => tensor([0., 2.])
    /// ```
    relu, "ReLU", (), |x| x.f_relu()?
}

//! `nn::tanh`.

activation! {
    /// The hyperbolic tangent.
    /// ```rhai
    /// nn::tanh().forward(tensor::of([-1.0, 2.0])) // ~> tensor([-0.7616,  0.9640])
    /// ```
    tanh, "Tanh", (), |x| x.f_tanh()?
}

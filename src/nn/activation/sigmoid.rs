//! `nn::sigmoid`.

activation! {
    /// `1 / (1 + exp(−x))`.
    /// ```rhai
    /// nn::sigmoid().forward(tensor::of([-1.0, 2.0])) // ~> tensor([0.2689, 0.8808])
    /// ```
    sigmoid, "Sigmoid", (), |x| x.f_sigmoid()?
}

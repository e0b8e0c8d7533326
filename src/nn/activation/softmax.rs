//! `nn::softmax`.

activation! {
    /// `exp(x) / Σ exp(x)` along `dim` (1 if left out).
    /// ```rhai
    /// nn::softmax().forward(tensor::of([[0.0, 0.0]])) // ~> tensor([[0.5000, 0.5000]])
    /// ```
    softmax, "Softmax", (dim: i64 = 1), |x| x.f_softmax(dim, None)?
}

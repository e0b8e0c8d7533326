//! `nn::log_softmax`.

activation! {
    /// The logarithm of the softmax along `dim` (1 if left out).
    /// ```rhai
    /// nn::log_softmax().forward(tensor::of([[0.0, 0.0]])) // ~> tensor([[-0.6931, -0.6931]])
    /// ```
    log_softmax, "LogSoftmax", (dim: i64 = 1), |x| x.f_log_softmax(dim, None)?
}

//! `nn::hardtanh`.

activation! {
    /// `x` clamped to `[min_val, max_val]`.
    /// ```rhai
    /// nn::hardtanh().forward(tensor::of([-1.0, 2.0])) // => tensor([-1.,  1.])
    /// ```
    hardtanh, "Hardtanh", (min_val: f64 = -1.0, max_val: f64 = 1.0), |x| x.f_clamp(min_val, max_val)?
}

//! `nn::hardtanh`.

activation! {
    /// `x` clamped to `[min_val, max_val]`.
    /// ```rhai
    /// nn::hardtanh().forward(tensor::of([-1.0, 2.0])) // => tensor([-1.,  1.])
    /// ```
    hardtanh, "Hardtanh", (min_val: f64 = -1.0, max_val: f64 = 1.0), |x| {
        // libtorch's kernel is for −1..1; unlike clamp it has no gradient at the ends, as in PyTorch.
        let (half, middle) = ((max_val - min_val) / 2.0, (max_val + min_val) / 2.0);
        x.f_sub_scalar(middle)?.f_div_scalar(half)?.f_hardtanh()?.f_mul_scalar(half)?.f_add_scalar(middle)?
    }
}

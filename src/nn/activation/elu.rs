//! `nn::elu`.

activation! {
    /// `x` where positive, `alpha · (exp(x) − 1)` elsewhere.
    ///
    /// Clevert et al. 2016.
    /// ```rhai
    /// nn::elu().forward(tensor::of([-1.0, 2.0])) // ~> tensor([-0.6321,  2.0000])
    /// ```
    elu, "ELU", (alpha: f64 = 1.0), |x| x.f_relu()?.f_add(&x.f_clamp_max(0.0)?.f_expm1()?.f_mul_scalar(alpha)?)?
}

//! Activation functions (PyTorch's `torch.nn.functional`).

use super::args::{Dims, axes};
use crate::core::Error;
use tch::{Kind, Tensor};

unary! {
    /// Every element, but zero where it is negative.
    relu = f_relu: "[-1.5, 2]" => "[0., 2.]";
    /// Every element held between 0 and 6.
    relu6 = f_relu6: "[-1.5, 2, 9]" => "[0., 2., 6.]";
    /// 1 / (1 + exp(-x)) of every element, in (0, 1).
    sigmoid = f_sigmoid: "[0.0, 2]" => "[0.5000, 0.8808]";
    /// x · sigmoid(x) of every element (swish).
    silu = f_silu: "[-1.0, 2]" => "[-0.2689,  1.7616]";
    /// x · tanh(softplus(x)) of every element.
    mish = f_mish: "[-1.0, 2]" => "[-0.3034,  1.9440]";
    /// Scaled exponential linear unit (Klambauer and others 2017).
    selu = f_selu: "[-1.0, 2]" => "[-1.1113,  2.1014]";
    /// x · relu6(x + 3) / 6 of every element.
    hardswish = f_hardswish: "[-1.0, 2]" => "[-0.3333,  1.6667]";
    /// relu6(x + 3) / 6 of every element.
    hardsigmoid = f_hardsigmoid: "[-1.0, 2]" => "[0.3333, 0.8333]";
    /// Logarithm of the sigmoid of every element.
    logsigmoid = f_log_sigmoid: "[0.0, 2]" => "[-0.6931, -0.1269]";
}

functions! {
    on "Tensor";
    /// Exponentials along an axis, divided by their sum: probabilities.
    /// ```rhai
    /// tensor([0.0, 1, 2]).softmax(0) // => tensor([0.0900, 0.2447, 0.6652])
    /// ```
    fn softmax(x: Tensor, dim: i64) -> Tensor { x.f_softmax(dim, None::<Kind>)? }

    /// Logarithm of the softmax along an axis, without overflow.
    /// ```rhai
    /// tensor([0.0, 1, 2]).log_softmax(0) // => tensor([-2.4076, -1.4076, -0.4076])
    /// ```
    fn log_softmax(x: Tensor, dim: i64) -> Tensor { x.f_log_softmax(dim, None::<Kind>)? }

    /// Softmax of the negated elements along an axis.
    /// ```rhai
    /// tensor([0.0, 1, 2]).softmin(0) // => tensor([0.6652, 0.2447, 0.0900])
    /// ```
    fn softmin(x: Tensor, dim: i64) -> Tensor { x.f_neg()?.f_softmax(dim, None::<Kind>)? }

    /// Logarithm of the sum of exponentials along axes (all), without overflow.
    /// ```rhai
    /// tensor([1000.0, 1000]).logsumexp(0) // => tensor(1000.6932)
    /// ```
    fn logsumexp(x: Tensor, dim: Option<Dims>, keepdim: Option<bool>) -> Tensor {
        let all = || (0..x.dim() as i64).collect();
        x.f_logsumexp(axes(dim).unwrap_or_else(all), keepdim.unwrap_or(false))?
    }

    /// Every element, multiplied by `slope` (0.01) where it is negative.
    /// ```rhai
    /// tensor([-1.0, 2]).leaky_relu(0.2) // => tensor([-0.2000,  2.0000])
    /// ```
    fn leaky_relu(x: Tensor, slope: Option<f64>) -> Tensor {
        let low = x.f_mul_scalar(slope.unwrap_or(0.01))?;
        x.f_where_self(&x.f_gt(0)?, &low)?
    }

    /// Every element, multiplied by a learned weight where it is negative.
    /// ```rhai
    /// tensor([-1.0, 2]).prelu(tensor([0.25])) // => tensor([-0.2500,  2.0000])
    /// ```
    fn prelu(x: Tensor, weight: Tensor) -> Tensor { x.f_prelu(&weight)? }

    /// Every element, but alpha · (exp(x) - 1) where it is negative.
    /// ```rhai
    /// tensor([-1.0, 2]).elu() // => tensor([-0.6321,  2.0000])
    /// ```
    fn elu(x: Tensor, alpha: Option<f64>) -> Tensor {
        // Held below zero first: exp of large elements would make the gradient NaN.
        let low = x.f_clamp_max(0)?.f_expm1()?.f_mul_scalar(alpha.unwrap_or(1.0))?;
        x.f_where_self(&x.f_gt(0)?, &low)?
    }

    /// x · Φ(x), with the normal distribution function Φ.
    ///
    /// `approximate` is `none` (the default) or `tanh`.
    /// ```rhai
    /// tensor([-1.0, 2]).gelu() // => tensor([-0.1587,  1.9545])
    /// ```
    fn gelu(x: Tensor, approximate: Option<String>) -> Tensor {
        let how = approximate.unwrap_or_else(|| "none".into());
        if !["none", "tanh"].contains(&how.as_str()) {
            return Err(Error::unknown("approximation", &how, ["none", "tanh"]));
        }
        x.f_gelu(&how)?
    }

    /// log(1 + exp(beta · x)) / beta of every element, a smooth ReLU.
    /// ```rhai
    /// tensor([0.0, 30]).softplus() // => tensor([ 0.6931, 30.0000])
    /// ```
    fn softplus(x: Tensor, beta: Option<f64>) -> Tensor {
        let beta = beta.unwrap_or(1.0);
        x.f_mul_scalar(beta)?.f_softplus()?.f_div_scalar(beta)?
    }

    /// Every element held between `min` (-1) and `max` (1).
    /// ```rhai
    /// tensor([-3.0, 0.5, 3]).hardtanh() // => tensor([-1.0000,  0.5000,  1.0000])
    /// ```
    fn hardtanh(x: Tensor, min: Option<f64>, max: Option<f64>) -> Tensor {
        x.f_clamp(min.unwrap_or(-1.0), max.unwrap_or(1.0))?
    }

    /// Half the channels times the sigmoid of the other half, along an axis (-1).
    /// ```rhai
    /// tensor([2.0, 0]).glu() // => tensor([1.])
    /// ```
    fn glu(x: Tensor, dim: Option<i64>) -> Tensor { x.f_glu(dim.unwrap_or(-1))? }

    /// Vectors along an axis (1) divided by their length in the norm of order `p` (2).
    /// ```rhai
    /// tensor([[3.0, 4]]).normalize() // => tensor([[0.6000, 0.8000]])
    /// ```
    fn normalize(x: Tensor, p: Option<f64>, dim: Option<i64>) -> Tensor {
        let length = x.f_norm_scalaropt_dim(p.unwrap_or(2.0), [dim.unwrap_or(1)], true)?;
        x.f_div(&length.f_clamp_min(1e-12)?)?
    }
}

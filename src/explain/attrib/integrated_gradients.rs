//! Integrated gradients (Sundararajan, Taly and Yan, ICML 2017, https://arxiv.org/abs/1703.01365).

use super::{Baseline, Look, input_gradient};
use crate::core::value::FromValue;
use crate::core::{Error, Opts, Result, Value};
use crate::explain::cam::MaybeTarget;
use crate::explain::probe;
use crate::nn::{Count, Net};
use tch::{Kind, Tensor};

const RULES: [&str; 5] =
    ["gauss_legendre", "riemann_left", "riemann_right", "riemann_middle", "riemann_trapezoid"];

/// How the path is summed: an index into `RULES`.
#[derive(Clone, Copy)]
pub struct Rule(usize);

impl FromValue for Rule {
    const TYPE: &'static str = "string";
    fn from_value(v: &Value) -> Result<Self> {
        let name = String::from_value(v)?;
        let at = RULES.iter().position(|r| *r == name);
        at.map(Rule).ok_or_else(|| Error::unknown("rule", &name, RULES))
    }
}

options! {
    /// Options of `attrib::integrated_gradients`.
    pub struct IntegratedOptions {
        /// Points on the path.
        steps: Count = Count(50) => 50,
        /// Where the path begins: a number, or a tensor that broadcasts to the pictures.
        baseline: Baseline = Baseline::Number(0.0) => 0,
        /// "gauss_legendre", "riemann_left", "riemann_right", "riemann_middle" or "riemann_trapezoid".
        rule: Rule = Rule(0) => "gauss_legendre",
    }
}

options! {
    /// Options of `attrib::convergence_delta`.
    pub struct DeltaOptions {
        /// The baseline of the attribution.
        baseline: Baseline = Baseline::Number(0.0) => 0,
    }
}

/// Places in 0..1 and their weights, which sum to 1.
fn points(rule: Rule, n: i64) -> Vec<(f64, f64)> {
    let even =
        |first: f64, step: f64| (0..n).map(move |i| (first + step * i as f64, 1.0 / n as f64)).collect();
    let step = 1.0 / n as f64;
    match RULES[rule.0] {
        "riemann_left" => even(0.0, step),
        "riemann_right" => even(step, step),
        "riemann_middle" => even(step / 2.0, step),
        "riemann_trapezoid" if n > 1 => {
            let step = 1.0 / (n - 1) as f64;
            let half = |i: i64| if i == 0 || i == n - 1 { 0.5 } else { 1.0 };
            (0..n).map(|i| (step * i as f64, step * half(i))).collect()
        }
        "riemann_trapezoid" => even(0.5, 1.0),
        _ => (0..n).map(|i| legendre(n, i)).collect(),
    }
}

/// Place and weight `i` of Gauss's rule with `n` points, moved from -1..1 to 0..1: a zero of the Legendre polynomial.
fn legendre(n: i64, i: i64) -> (f64, f64) {
    let mut x = -(std::f64::consts::PI * (i as f64 + 0.75) / (n as f64 + 0.5)).cos();
    let mut slope = 1.0;
    for _ in 0..100 {
        let (mut p, mut before) = (1.0, 0.0);
        for k in 0..n {
            let k = k as f64;
            (p, before) = (((2.0 * k + 1.0) * x * p - k * before) / (k + 1.0), p);
        }
        slope = n as f64 * (x * p - before) / (x * x - 1.0);
        let step = p / slope;
        x -= step;
        if step.abs() < 1e-15 {
            break;
        }
    }
    ((x + 1.0) / 2.0, 1.0 / ((1.0 - x * x) * slope * slope))
}

fn integrate(look: &Look, o: &IntegratedOptions) -> Result<Tensor> {
    let (_, target) = look.settled()?;
    let from = o.baseline.like(&look.x)?;
    let way = look.x.f_sub(&from)?;
    let mut sum = look.x.f_zeros_like()?;
    for (place, weight) in points(o.rule, o.steps.0) {
        let grad = input_gradient(look.net, &from.f_add(&way.f_mul_scalar(place)?)?, &target, &[])?;
        sum = sum.f_add(&grad.f_mul_scalar(weight)?)?;
    }
    Ok(sum.f_mul(&way)?)
}

attrib! {
    /// Integrated gradients: the way from a baseline times the mean gradient on it.
    ///
    /// `(x − x') · ∫ ∂s/∂x (x' + α (x − x')) dα` (eq. 1), signed, [N, C, H, W]. The sum over a picture is the target's
    /// value less that of the baseline: `attrib::convergence_delta` says how nearly.
    /// ```rhai
    /// let net = nn::sequential([["conv", nn::conv2d(1, 4, 3)], ["act", nn::relu()], ["gap", nn::adaptive_avg_pool2d(1)],
    ///                           ["flat", nn::flatten()], ["fc", nn::linear(4, 3)]]);
    /// let x = tensor::rand([2, 1, 8, 8]);
    /// let map = attrib::integrated_gradients(net, x, 1, #{steps: 100});
    /// attrib::convergence_delta(map, net, x, 1).abs().max() < 0.01 // => tensor(True)
    /// ```
    integrated_gradients, IntegratedOptions, |look, o| integrate(&look, &o)?
}

functions! {
    in "attrib";
    /// What an attribution sums to beyond what it should, for every picture.
    ///
    /// `Σ map − (s(x) − s(baseline))`, [N]: 0 where the attribution is complete.
    /// ```rhai
    /// let net = nn::sequential([["flat", nn::flatten()], ["fc", nn::linear(4, 3)]]);
    /// let x = tensor::rand([2, 1, 2, 2]);
    /// attrib::convergence_delta(attrib::input_x_gradient(net, x, 1), net, x, 1) // ~> tensor([0., 0.])
    /// ```
    fn convergence_delta(map: Tensor, net: Net, x: Tensor, target: MaybeTarget, options: Opts<DeltaOptions>) -> Tensor {
        let look = Look::new(&net, &x, &target.0)?;
        let (scores, target) = look.settled()?;
        let from = probe::scores(&net, &options.0.baseline.like(&look.x)?, &target, &[])?;
        let map = if map.dim() == 3 { map.f_unsqueeze(0)? } else { map };
        if map.dim() != 4 || map.size()[0] != scores.size()[0] {
            let n = scores.size()[0];
            Err(Error::new(format!("an attribution of {n} picture(s) is [{n}, C, H, W], got {:?}", map.size())))?;
        }
        let sum = map.f_sum_dim_intlist([1, 2, 3].as_slice(), false, None::<Kind>)?;
        sum.f_sub(&scores.f_sub(&from)?)?
    }
}

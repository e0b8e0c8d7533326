//! Random numbers as torchvision draws them.

use super::Rng;
use rand::Rng as _;

/// Uniform in `a..b`.
pub fn uniform(rng: &mut Rng, a: f64, b: f64) -> f64 {
    a + (b - a) * rng.random::<f64>()
}

/// A whole number in `0..n` (0 where n is 0).
pub fn below(rng: &mut Rng, n: usize) -> f64 {
    if n == 0 { 0.0 } else { rng.random_range(0..n as u64) as f64 }
}

/// 1 with probability `p`, else 0.
pub fn coin(rng: &mut Rng, p: f64) -> f64 {
    f64::from(u8::from(rng.random::<f64>() < p))
}

/// Standard normal (Box and Muller 1958).
pub fn normal(rng: &mut Rng) -> f64 {
    let (u, v) = (1.0 - rng.random::<f64>(), rng.random::<f64>());
    (-2.0 * u.ln()).sqrt() * (std::f64::consts::TAU * v).cos()
}

/// Gamma of shape `a` (Marsaglia and Tsang 2000).
fn gamma(rng: &mut Rng, a: f64) -> f64 {
    if a < 1.0 {
        let boost = (1.0 - rng.random::<f64>()).powf(1.0 / a);
        return gamma(rng, a + 1.0) * boost;
    }
    let d = a - 1.0 / 3.0;
    let c = 1.0 / (9.0 * d).sqrt();
    loop {
        let x = normal(rng);
        let v = (1.0 + c * x).powi(3);
        if v > 0.0 && (1.0 - rng.random::<f64>()).ln() < 0.5 * x * x + d - d * v + d * v.ln() {
            return d * v;
        }
    }
}

/// Beta(a, a).
pub fn beta(rng: &mut Rng, a: f64) -> f64 {
    let (x, y) = (gamma(rng, a), gamma(rng, a));
    if x + y > 0.0 { x / (x + y) } else { coin(rng, 0.5) }
}

/// An order of `n` things.
pub fn order(rng: &mut Rng, n: usize) -> Vec<f64> {
    let mut all: Vec<f64> = (0..n).map(|i| i as f64).collect();
    for i in (1..n).rev() {
        all.swap(i, below(rng, i + 1) as usize);
    }
    all
}

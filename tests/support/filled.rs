//! Networks whose tensors are settled by their names, so that fixtures need not hold them.
#![allow(clippy::unwrap_used)]

use cs385::nn::Net;
use tch::Tensor;

/// `filled` of make.py.
pub fn filled(name: &str, shape: &[i64]) -> Tensor {
    let mut crc = u32::MAX;
    for byte in name.bytes() {
        crc ^= u32::from(byte);
        for _ in 0..8 {
            crc = if crc & 1 == 1 { crc >> 1 ^ 0xEDB8_8320 } else { crc >> 1 };
        }
    }
    let (seed, fan): (u32, i64) = (!crc, shape.iter().skip(1).product());
    let value = |i: u32| {
        let mut h = i.wrapping_mul(2_654_435_761).wrapping_add(seed);
        h ^= h >> 16;
        h = h.wrapping_mul(0x85EB_CA6B);
        h ^= h >> 13;
        let u = f64::from(h) / 2f64.powi(31) - 1.0;
        let u = match name.rsplit('.').next().unwrap() {
            "running_var" => 1.0 + 0.5 * u,
            "weight" if shape.len() == 1 => 1.0 + 0.2 * u,
            "weight" => u * (6.0 / fan as f64).sqrt(),
            "bias" | "running_mean" => 0.1 * u,
            _ => u,
        };
        u as f32
    };
    let values: Vec<f32> = (0..shape.iter().product::<i64>() as u32).map(value).collect();
    Tensor::from_slice(&values).view(shape)
}

pub fn fill(net: &Net) {
    let _no_grad = tch::no_grad_guard();
    for (name, mut t, _) in net.named().into_iter().filter(|(n, ..)| !n.ends_with("tracked")) {
        t.copy_(&filled(&name, &t.size()));
    }
}

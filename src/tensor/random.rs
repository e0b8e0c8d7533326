//! Random tensors. All draw from libtorch's generator, which `seed(…)` sets.

use super::args::{Dims, Num, trailing};
use super::create::TensorOptions;
use crate::core::ffi;
use crate::core::options::Opts;
use crate::core::simd::wide;
use crate::core::value::FromValue;
use crate::core::{Error, Result, Value};
use rand_xoshiro::Xoshiro256PlusPlus;
use rand_xoshiro::rand_core::{RngCore, SeedableRng};
use tch::{Device, Kind, Tensor};

/// Zeros and ones by the probabilities `p` [..], float32 on the CPU. libtorch draws them one by one, which takes a tenth of a
/// small network's step; here libtorch's generator gives the seed of a faster stream, two numbers at a time.
fn coins(p: &Tensor) -> Result<Tensor> {
    const N: usize = 256;
    let seed = i64::try_from(&Tensor::f_randint_low(0, i64::MAX, [1], (Kind::Int64, Device::Cpu))?)?;
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(seed as u64);
    let mut bits = [0u32; N];
    let mut wrong = false;
    let drawn = ffi::map_floats(p, |values| {
        for block in values.chunks_mut(N) {
            for pair in bits.chunks_exact_mut(2) {
                let both = rng.next_u64();
                pair.copy_from_slice(&[both as u32, (both >> 32) as u32]);
            }
            wrong |= wide(
                #[inline(always)]
                || toss(block, &bits),
            );
        }
    })?;
    if wrong {
        return Err(Error::new("expected probabilities, from 0 to 1")
            .hint("pictures of 0..255 are divided by 255 first"));
    }
    Ok(drawn)
}

/// Ones in place of probabilities, as often as they say; whether one of them was none.
#[inline(always)]
fn toss(block: &mut [f32], bits: &[u32]) -> bool {
    let mut wrong = false;
    for (v, bits) in block.iter_mut().zip(bits) {
        wrong |= !((*v >= 0.0) & (*v <= 1.0));
        // 24 bits are what float32 holds of [0, 1).
        *v = if ((bits >> 8) as f32) < *v * 16_777_216.0 { 1.0 } else { 0.0 };
    }
    wrong
}

functions! {
    in "tensor";
    /// Random numbers, uniform in `[0, 1)`.
    /// ```rhai
    /// let x = tensor::rand([100]);
    /// (x.min().item() >= 0.0 && x.max().item() < 1.0) // => true
    /// ```
    fn rand(shape: Dims, options: Opts<TensorOptions>) -> Tensor {
        options.0.make(Kind::Float, |o| Tensor::f_rand(shape.0, o))?
    }

    /// Random numbers of the normal distribution with mean 0 and deviation 1.
    /// ```rhai
    /// tensor::randn([2, 3]).shape // => [2, 3]
    /// ```
    fn randn(shape: Dims, options: Opts<TensorOptions>) -> Tensor {
        options.0.make(Kind::Float, |o| Tensor::f_randn(shape.0, o))?
    }

    /// Random numbers of the normal distribution with a mean and a deviation.
    /// ```rhai
    /// tensor::normal(5, 0, [2]) // => tensor([5., 5.])
    /// ```
    fn normal(mean: f64, std: f64, shape: Dims, options: Opts<TensorOptions>) -> Tensor {
        if std.is_nan() || std < 0.0 {
            return Err(Error::new(format!("the deviation must not be negative, got {std}")));
        }
        options.0.make(Kind::Float, |o| Tensor::f_randn(shape.0, o)?.f_mul_scalar(std)?.f_add_scalar(mean))?
    }

    /// Random integers from `low` up to but without `high`.
    ///
    /// `randint(high, shape)` starts at 0, `randint(low, high, shape)` at `low`; options may follow. `int64`.
    /// ```rhai
    /// tensor::randint(1, [2, 2]) // => tensor([[0, 0],
    ///                            //            [0, 0]])
    /// tensor::randint(5, 6, [2]) // => tensor([5, 5])
    /// ```
    fn randint(low: i64, high: Dims, shape: Option<Value>, options: Opts<TensorOptions>) -> Tensor {
        let (rest, options) = trailing(vec![shape.unwrap_or_default()], options)?;
        let (low, high, shape) = match rest.first() {
            None => (0, low, high.0),
            Some(shape) => match high.0[..] {
                [high] => (low, high, Dims::from_value(shape)?.0),
                _ => return Err(Error::new("expected randint(low, high, shape) or randint(high, shape)")),
            },
        };
        options.make(Kind::Int64, |o| Tensor::f_randint_low(low, high, shape, o))?
    }

    /// The integers from 0 to `n - 1` in random order.
    /// ```rhai
    /// tensor::randperm(4).sort().values // => tensor([0, 1, 2, 3])
    /// ```
    fn randperm(n: i64, options: Opts<TensorOptions>) -> Tensor {
        options.0.make(Kind::Int64, |o| Tensor::f_randperm(n, o))?
    }

    /// Uniform random numbers in the shape, dtype and device of another tensor.
    /// ```rhai
    /// tensor::rand_like(tensor::zeros([2, 3])).shape // => [2, 3]
    /// ```
    fn rand_like(x: Tensor, options: Opts<TensorOptions>) -> Tensor {
        options.0.like(&x, |o| Tensor::f_rand(x.size(), o))?
    }

    /// Normal random numbers in the shape, dtype and device of another tensor.
    /// ```rhai
    /// tensor::randn_like(tensor::zeros([2, 3])).shape // => [2, 3]
    /// ```
    fn randn_like(x: Tensor, options: Opts<TensorOptions>) -> Tensor {
        options.0.like(&x, |o| Tensor::f_randn(x.size(), o))?
    }

    /// Zeros and ones; each element is 1 with the probability it had in `x`.
    /// ```rhai
    /// tensor::bernoulli(tensor([0.0, 1.0])) // => tensor([0., 1.])
    /// tensor::bernoulli(tensor([2.0])) // error: expected probabilities, from 0 to 1
    /// ```
    fn bernoulli(x: Tensor) -> Tensor {
        if x.kind() == Kind::Float && x.device() == Device::Cpu && !x.requires_grad() {
            return coins(&x);
        }
        x.f_bernoulli()?
    }

    /// Random indices drawn with the given weights.
    /// ```rhai
    /// tensor::multinomial(tensor([0.0, 1.0]), 3, true) // => tensor([1, 1, 1])
    /// ```
    fn multinomial(weights: Tensor, num_samples: i64, replacement: Option<bool>) -> Tensor {
        weights.f_multinomial(num_samples, replacement.unwrap_or(false))?
    }

    /// Random counts of the Poisson distribution whose rates are given.
    /// ```rhai
    /// tensor::poisson(tensor([0.0, 0.0])) // => tensor([0., 0.])
    /// ```
    fn poisson(rates: Tensor) -> Tensor { rates.f_poisson()? }

    on "Tensor";
    /// Fills the tensor in place with normal random numbers.
    /// ```rhai
    /// tensor::zeros([2]).normal_(5, 0) // => tensor([5., 5.])
    /// ```
    fn normal_(x: Tensor, mean: Option<f64>, std: Option<f64>) -> Tensor {
        let mut x = x;
        x.f_normal_(mean.unwrap_or(0.0), std.unwrap_or(1.0))?
    }

    /// Fills the tensor in place with uniform random numbers in `[low, high)`.
    /// ```rhai
    /// let x = tensor::zeros([9]).uniform_(2, 3);
    /// (x.min().item() >= 2.0 && x.max().item() < 3.0) // => true
    /// ```
    fn uniform_(x: Tensor, low: Option<f64>, high: Option<f64>) -> Tensor {
        let mut x = x;
        x.f_uniform_(low.unwrap_or(0.0), high.unwrap_or(1.0))?
    }

    /// Zeroes elements with probability `p` and scales the others by `1 / (1 - p)`.
    ///
    /// In networks use `nn::dropout`, which is off outside training; this one always acts.
    /// ```rhai
    /// tensor([1.0, 2]).dropout(0) // => tensor([1., 2.])
    /// ```
    fn dropout(x: Tensor, p: Option<Num>) -> Tensor { x.f_dropout(p.map_or(0.5, Num::float), true)? }
}

//! Pooling.

use super::recipe::Recipe;
use super::{Ctx, Layer, Net, Pair};
use crate::core::{Opts, Result};
use std::rc::Rc;
use tch::Tensor;

options! {
    /// Options of the poolings.
    pub struct PoolOptions {
        /// Step between two windows; the window's size if left out.
        stride: Option<Pair> = None,
        /// Border added on each side.
        padding: Pair = Pair([0, 0]) => 0,
        /// Keeps a last window that reaches over the edge.
        ceil_mode: bool = false,
    }
}

struct Pool {
    max: bool,
    kernel: [i64; 2],
    stride: [i64; 2],
    padding: [i64; 2],
    ceil: bool,
}

impl Pool {
    fn make(max: bool, kernel: Pair, o: &PoolOptions) -> Result<Rc<dyn Layer>> {
        let kernel = kernel.at_least(1, "kernel_size")?;
        let stride = o.stride.unwrap_or(Pair(kernel)).at_least(1, "stride")?;
        Ok(Rc::new(Pool {
            max,
            kernel,
            stride,
            padding: o.padding.at_least(0, "padding")?,
            ceil: o.ceil_mode,
        }))
    }
}

impl Layer for Pool {
    fn forward(&self, x: &Tensor, _: &Ctx) -> Result<Tensor> {
        let (k, s, p) = (&self.kernel[..], &self.stride[..], &self.padding[..]);
        Ok(match self.max {
            true => x.f_max_pool2d(k, s, p, [1, 1], self.ceil)?,
            false => x.f_avg_pool2d(k, s, p, self.ceil, true, None::<i64>)?,
        })
    }

    fn recipe(&self) -> Option<String> {
        Recipe::new(if self.max { "max_pool2d" } else { "avg_pool2d" })
            .arg(Pair(self.kernel))
            .option("stride", &Pair(self.stride), &Pair(self.kernel))
            .option("padding", &Pair(self.padding), &Pair([0, 0]))
            .option("ceil_mode", &self.ceil, &false)
            .done()
    }

    fn describe(&self) -> String {
        let name = if self.max { "MaxPool2d" } else { "AvgPool2d" };
        let padding = match self.padding {
            [0, 0] => String::new(),
            p => format!(", padding={}", Pair(p).show()),
        };
        format!(
            "{name}(kernel_size={}, stride={}{padding})",
            Pair(self.kernel).show(),
            Pair(self.stride).show()
        )
    }
}

struct Adaptive {
    max: bool,
    size: [i64; 2],
}

impl Layer for Adaptive {
    fn forward(&self, x: &Tensor, _: &Ctx) -> Result<Tensor> {
        Ok(match self.max {
            true => x.f_adaptive_max_pool2d(self.size)?.0,
            false => x.f_adaptive_avg_pool2d(self.size)?,
        })
    }

    fn recipe(&self) -> Option<String> {
        let name = if self.max { "adaptive_max_pool2d" } else { "adaptive_avg_pool2d" };
        Recipe::new(name).arg(Pair(self.size)).done()
    }

    fn describe(&self) -> String {
        let name = if self.max { "AdaptiveMaxPool2d" } else { "AdaptiveAvgPool2d" };
        format!("{name}(output_size={})", Pair(self.size).show())
    }
}

/// The largest value of each window.
///
/// # Errors
/// A window or step below 1.
pub fn max_pool2d(kernel: i64, options: &PoolOptions) -> Result<Rc<dyn Layer>> {
    Pool::make(true, Pair([kernel; 2]), options)
}

/// The mean over as many windows as the output has pixels.
///
/// # Errors
/// A size below 1.
pub fn adaptive_avg_pool2d(size: i64) -> Result<Rc<dyn Layer>> {
    Ok(Rc::new(Adaptive { max: false, size: Pair([size; 2]).at_least(1, "output_size")? }))
}

functions! {
    in "nn";
    /// The largest value of each window of [N, C, H, W].
    /// ```rhai
    /// nn::max_pool2d(2).forward(tensor::of([[[[1.0, 2.0], [3.0, 4.0]]]])) // => tensor([[[[4.]]]])
    /// ```
    fn max_pool2d(kernel_size: Pair, options: Opts<PoolOptions>) -> Net {
        Net::of(Pool::make(true, kernel_size, &options.0)?)
    }

    /// The mean of each window of [N, C, H, W].
    /// ```rhai
    /// nn::avg_pool2d(2).forward(tensor::of([[[[1.0, 2.0], [3.0, 4.0]]]])) // => tensor([[[[2.5000]]]])
    /// ```
    fn avg_pool2d(kernel_size: Pair, options: Opts<PoolOptions>) -> Net {
        Net::of(Pool::make(false, kernel_size, &options.0)?)
    }

    /// The mean over as many windows as the output has pixels.
    ///
    /// `nn::adaptive_avg_pool2d(1)` is global average pooling.
    /// ```rhai
    /// nn::adaptive_avg_pool2d(1).forward(tensor::ones([2, 8, 7, 7])).shape // => [2, 8, 1, 1]
    /// ```
    fn adaptive_avg_pool2d(output_size: Pair) -> Net {
        Net::new(Adaptive { max: false, size: output_size.at_least(1, "output_size")? })
    }

    /// The largest value over as many windows as the output has pixels.
    /// ```rhai
    /// nn::adaptive_max_pool2d(1).forward(tensor::ones([2, 8, 7, 7])).shape // => [2, 8, 1, 1]
    /// ```
    fn adaptive_max_pool2d(output_size: Pair) -> Net {
        Net::new(Adaptive { max: true, size: output_size.at_least(1, "output_size")? })
    }
}

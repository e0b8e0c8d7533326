//! Functions on pictures and feature maps (PyTorch's `torch.nn.functional`): pooling, resizing, padding,
//! convolution.

use super::args::{Dims, Num, Pair};
use crate::core::value::FromValue;
use crate::core::{Error, Opts, Result, Value};
use tch::Tensor;

options! {
    /// Options of average pooling.
    pub struct AvgPoolOptions {
        /// Distance of windows; the kernel's size unless given.
        stride: Option<Pair> = None,
        /// Zeros around the picture.
        padding: Pair = Pair([0, 0]) => 0,
        /// Round the output's size up.
        ceil_mode: bool = false,
        /// Zeros of the padding count in the mean.
        count_include_pad: bool = true,
    }
}

options! {
    /// Options of maximum pooling.
    pub struct MaxPoolOptions {
        /// Distance of windows; the kernel's size unless given.
        stride: Option<Pair> = None,
        /// Border that never is the maximum.
        padding: Pair = Pair([0, 0]) => 0,
        /// Distance of the elements of a window.
        dilation: Pair = Pair([1, 1]) => 1,
        /// Round the output's size up.
        ceil_mode: bool = false,
    }
}

options! {
    /// Options of convolutions.
    pub struct ConvOptions {
        /// Distance of windows.
        stride: Pair = Pair([1, 1]) => 1,
        /// Zeros around the picture.
        padding: Pair = Pair([0, 0]) => 0,
        /// Distance of the elements of a window.
        dilation: Pair = Pair([1, 1]) => 1,
        /// Channels are convolved in this many groups.
        groups: i64 = 1,
    }
}

options! {
    /// What else a transposed convolution can be told.
    pub struct TransposeOptions {
        /// Rows and columns added to the output.
        output_padding: Pair = Pair([0, 0]) => 0,
    }
}

options! {
    /// Options of `interpolate`.
    pub struct InterpolateOptions {
        /// Size of the result: a number or one an axis.
        size: Option<Dims> = None,
        /// Factor of the sizes, in place of `size`: a number or one an axis.
        scale_factor: Option<Value> = None,
        /// `nearest`, `nearest-exact`, `linear`, `bilinear`, `bicubic`, `trilinear` or `area`.
        mode: String = "nearest".into(),
        /// Corner pixels of both lie on each other.
        align_corners: bool = false,
        /// Smooth when shrinking (`bilinear` and `bicubic`).
        antialias: bool = false,
    }
}

options! {
    /// Options of `pad`.
    pub struct PadOptions {
        /// `constant`, `reflect`, `replicate` or `circular`.
        mode: String = "constant".into(),
        /// What is filled in with `constant`.
        value: f64 = 0.0,
    }
}

fn factors(v: Value, axes: usize) -> Result<Vec<f64>> {
    let all = match &v {
        Value::List(_) => Vec::from_value(&v)?,
        one => vec![f64::from_value(one)?; axes],
    };
    match all.iter().find(|f| !(**f > 0.0 && f.is_finite())) {
        Some(f) => Err(Error::new(format!("`scale_factor` must be positive, got {f}"))),
        None if all.len() != axes => {
            Err(Error::new(format!("`scale_factor` needs {axes} numbers here, got {}", all.len())))
        }
        None => Ok(all),
    }
}

/// The picture `[N, C, H, W]` (or `[N, C, L]`, `[N, C, D, H, W]`) in another size.
///
/// # Errors
/// No size, a size of other length, or a mode that does not fit the number of axes.
pub fn interpolate(x: &Tensor, o: InterpolateOptions) -> Result<Tensor> {
    let shape = x.size();
    let axes = shape.len().saturating_sub(2);
    if !(1..=3).contains(&axes) {
        return Err(Error::new(format!("expected a tensor [N, C, …] of 3 to 5 axes, got shape {shape:?}")));
    }
    let (size, scale) = match (o.size, o.scale_factor) {
        (Some(s), None) if s.0.len() == 1 => (vec![s.0[0]; axes], None),
        (Some(s), None) if s.0.len() == axes => (s.0, None),
        (Some(s), None) => {
            return Err(Error::new(format!("`size` needs {axes} numbers here, got {}", s.0.len())));
        }
        (None, Some(f)) => {
            let f = factors(f, axes)?;
            (shape[2..].iter().zip(&f).map(|(n, f)| (*n as f64 * f).floor() as i64).collect(), Some(f))
        }
        _ => return Err(Error::new("expected either `size` or `scale_factor`")),
    };
    if let Some(s) = size.iter().find(|s| **s < 1) {
        return Err(Error::new(format!("the size of the result must be positive, got {s}")));
    }
    let at = |i: usize| scale.as_ref().map(|s| s[i]);
    let corners = o.align_corners;
    Ok(match (o.mode.as_str(), axes) {
        ("nearest", 1) => x.f_upsample_nearest1d(size, at(0))?,
        ("nearest", 2) => x.f_upsample_nearest2d(size, at(0), at(1))?,
        ("nearest", 3) => x.f_upsample_nearest3d(size, at(0), at(1), at(2))?,
        ("nearest-exact", 1) => x.f_internal_upsample_nearest_exact1d(size, at(0))?,
        ("nearest-exact", 2) => x.f_internal_upsample_nearest_exact2d(size, at(0), at(1))?,
        ("nearest-exact", 3) => x.f_internal_upsample_nearest_exact3d(size, at(0), at(1), at(2))?,
        ("linear", 1) => x.f_upsample_linear1d(size, corners, at(0))?,
        ("bilinear", 2) if o.antialias => x.f_internal_upsample_bilinear2d_aa(size, corners, at(0), at(1))?,
        ("bicubic", 2) if o.antialias => x.f_internal_upsample_bicubic2d_aa(size, corners, at(0), at(1))?,
        ("bilinear", 2) => x.f_upsample_bilinear2d(size, corners, at(0), at(1))?,
        ("bicubic", 2) => x.f_upsample_bicubic2d(size, corners, at(0), at(1))?,
        ("trilinear", 3) => x.f_upsample_trilinear3d(size, corners, at(0), at(1), at(2))?,
        ("area", 1) => x.f_adaptive_avg_pool1d(size)?,
        ("area", 2) => x.f_adaptive_avg_pool2d(size)?,
        ("area", 3) => x.f_adaptive_avg_pool3d(size)?,
        (mode @ ("linear" | "bilinear" | "bicubic" | "trilinear"), _) => {
            return Err(Error::new(format!("mode `{mode}` does not fit a tensor of shape {shape:?}"))
                .hint("linear is for [N, C, L], bilinear and bicubic for [N, C, H, W], trilinear for [N, C, D, H, W]"));
        }
        (mode, _) => {
            let modes = ["nearest", "nearest-exact", "linear", "bilinear", "bicubic", "trilinear", "area"];
            return Err(Error::unknown("mode", mode, modes));
        }
    })
}

functions! {
    on "Tensor";
    /// Means of windows of a picture `[N, C, H, W]` or `[C, H, W]`.
    /// ```rhai
    /// tensor([[[1.0, 2], [3, 4]]]).avg_pool2d(2) // => tensor([[[2.5000]]])
    /// ```
    fn avg_pool2d(x: Tensor, kernel: Pair, options: Opts<AvgPoolOptions>) -> Tensor {
        let (o, kernel) = (options.0, kernel.at_least(1, "kernel")?);
        let stride = o.stride.map_or(Ok(kernel), |s| s.at_least(1, "stride"))?;
        x.f_avg_pool2d(kernel, stride, o.padding.at_least(0, "padding")?, o.ceil_mode, o.count_include_pad, None)?
    }

    /// Maxima of windows of a picture `[N, C, H, W]` or `[C, H, W]`.
    /// ```rhai
    /// tensor([[[1.0, 2], [3, 4]]]).max_pool2d(2) // => tensor([[[4.]]])
    /// ```
    fn max_pool2d(x: Tensor, kernel: Pair, options: Opts<MaxPoolOptions>) -> Tensor {
        let (o, kernel) = (options.0, kernel.at_least(1, "kernel")?);
        let stride = o.stride.map_or(Ok(kernel), |s| s.at_least(1, "stride"))?;
        let (padding, dilation) = (o.padding.at_least(0, "padding")?, o.dilation.at_least(1, "dilation")?);
        x.f_max_pool2d(kernel, stride, padding, dilation, o.ceil_mode)?
    }

    /// Means of as many windows as the result shall have rows and columns.
    /// ```rhai
    /// tensor([[[1.0, 2], [3, 4]]]).adaptive_avg_pool2d(1) // => tensor([[[2.5000]]])
    /// ```
    fn adaptive_avg_pool2d(x: Tensor, size: Pair) -> Tensor { x.f_adaptive_avg_pool2d(size.at_least(0, "size")?)? }

    /// Maxima of as many windows as the result shall have rows and columns.
    /// ```rhai
    /// tensor([[[1.0, 2], [3, 4]]]).adaptive_max_pool2d(1) // => tensor([[[4.]]])
    /// ```
    fn adaptive_max_pool2d(x: Tensor, size: Pair) -> Tensor { x.f_adaptive_max_pool2d(size.at_least(1, "size")?)?.0 }

    /// Convolution of pictures `[N, C, H, W]` with `weight` `[out, C, kh, kw]`.
    /// ```rhai
    /// tensor::ones([1, 1, 3, 3]).conv2d(tensor::ones([1, 1, 2, 2])) // => tensor([[[[4., 4.],
    ///                                                               //            [4., 4.]]]])
    /// ```
    fn conv2d(x: Tensor, weight: Tensor, bias: Option<Tensor>, options: Opts<ConvOptions>) -> Tensor {
        let o = options.0;
        let (stride, dilation) = (o.stride.at_least(1, "stride")?, o.dilation.at_least(1, "dilation")?);
        x.f_conv2d(&weight, bias, stride, o.padding.at_least(0, "padding")?, dilation, o.groups)?
    }

    /// Transposed convolution of pictures with `weight` `[C, out, kh, kw]`.
    /// ```rhai
    /// tensor::ones([1, 1, 2, 2]).conv_transpose2d(tensor::ones([1, 1, 2, 2]), (), #{stride: 2}).shape // => [1, 1, 4, 4]
    /// ```
    fn conv_transpose2d(
        x: Tensor, weight: Tensor, bias: Option<Tensor>, options: Opts<(ConvOptions, TransposeOptions)>
    ) -> Tensor {
        let (o, t) = options.0;
        let (stride, dilation) = (o.stride.at_least(1, "stride")?, o.dilation.at_least(1, "dilation")?);
        let (padding, more) = (o.padding.at_least(0, "padding")?, t.output_padding.at_least(0, "output_padding")?);
        x.f_conv_transpose2d(&weight, bias, stride, padding, more, o.groups, dilation)?
    }

    /// x · weightᵀ + bias, with `weight` `[out, in]`.
    /// ```rhai
    /// tensor([[1.0, 2]]).linear(tensor([[1.0, 1]]), tensor([0.5])) // => tensor([[3.5000]])
    /// ```
    fn linear(x: Tensor, weight: Tensor, bias: Option<Tensor>) -> Tensor { x.f_linear(&weight, bias)? }

    /// The picture `[N, C, H, W]` in another size.
    ///
    /// Give `size` or `scale_factor`; `[N, C, L]` and `[N, C, D, H, W]` work too.
    /// ```rhai
    /// tensor([[[[1.0, 2]]]]).interpolate(#{scale_factor: 2}) // => tensor([[[[1., 1., 2., 2.],
    ///                                                        //            [1., 1., 2., 2.]]]])
    /// tensor::zeros([1, 3, 7, 7]).interpolate(#{size: [224, 224], mode: "bilinear"}).shape // => [1, 3, 224, 224]
    /// ```
    fn interpolate(x: Tensor, options: Opts<InterpolateOptions>) -> Tensor { interpolate(&x, options.0)? }

    /// The tensor with elements added before and after its last axes.
    ///
    /// Two numbers an axis, the last axis first: `[left, right, top, bottom]`.
    /// ```rhai
    /// tensor([[1, 2]]).pad([1, 1]) // => tensor([[0, 1, 2, 0]])
    /// tensor([[1.0, 2]]).pad([1, 0], #{mode: "replicate"}) // => tensor([[1., 1., 2.]])
    /// ```
    fn pad(x: Tensor, pad: Dims, options: Opts<PadOptions>) -> Tensor {
        let PadOptions { mode, value } = options.0;
        let modes = ["constant", "reflect", "replicate", "circular"];
        if !modes.contains(&mode.as_str()) {
            return Err(Error::unknown("mode", &mode, modes));
        }
        x.f_pad(&pad.0, &mode, Some(value).filter(|_| mode == "constant"))?
    }

    /// Channels rearranged into pixels: `[N, C·r², H, W]` to `[N, C, H·r, W·r]`.
    /// ```rhai
    /// tensor::zeros([1, 4, 2, 2]).pixel_shuffle(2).shape // => [1, 1, 4, 4]
    /// ```
    fn pixel_shuffle(x: Tensor, factor: i64) -> Tensor {
        if factor < 1 {
            return Err(Error::new(format!("the factor must be positive, got {factor}")));
        }
        x.f_pixel_shuffle(factor)?
    }

    /// Every element where it exceeds the threshold, else `value`.
    /// ```rhai
    /// tensor([0.2, 0.8]).threshold(0.5, 0) // => tensor([0.0000, 0.8000])
    /// ```
    fn threshold(x: Tensor, threshold: Num, value: Num) -> Tensor { x.f_threshold(threshold.float(), value.float())? }

    /// The picture sampled bilinearly at places `grid` [N, H, W, 2] in -1…1.
    /// ```rhai
    /// tensor([[[[1.0, 3]]]]).grid_sample(tensor([[[[0.0, 0]]]])) // => tensor([[[[2.]]]])
    /// ```
    fn grid_sample(x: Tensor, grid: Tensor, align_corners: Option<bool>) -> Tensor {
        x.f_grid_sampler(&grid, 0, 0, align_corners.unwrap_or(false))?
    }
}

//! Convolutions, and transposed ones.

use super::laid::Laid;
use super::recipe::Recipe;
use super::{Count, Ctx, Layer, Net, Own, Pair, Role, init};
use crate::core::ffi::Walk;
use crate::core::value::{FromValue, mismatch};
use crate::core::{Error, Opts, Result, Value};
use std::rc::Rc;
use tch::{Device, Tensor};

/// `padding`: sizes, `"same"` or `"tf_same"`.
#[derive(Clone, Copy, PartialEq)]
pub enum Padding {
    /// As many pixels out as in.
    Same,
    /// ⌈in / stride⌉ pixels out, the odd row below and the odd column to the right: TensorFlow's "SAME".
    TfSame,
    /// Rows and columns on each side.
    Sizes(Pair),
}

impl FromValue for Padding {
    const TYPE: &'static str = "integer, [height, width], \"same\" or \"tf_same\"";
    fn from_value(v: &Value) -> Result<Self> {
        match v {
            Value::Str(s) if s == "same" => Ok(Padding::Same),
            Value::Str(s) if s == "tf_same" => Ok(Padding::TfSame),
            Value::Str(s) if s == "valid" => Ok(Padding::Sizes(Pair([0, 0]))),
            v => Pair::from_value(v).map(Padding::Sizes).or_else(|_| mismatch(Self::TYPE, v)),
        }
    }
}

options! {
    /// Options of `nn::conv2d`.
    pub struct Conv2dOptions {
        /// Step between two windows.
        stride: Pair = Pair([1, 1]) => 1,
        /// Zeros added on each side; "same" gives as many pixels out as in, "tf_same" a stride-th of them, rounded
        /// up, as TensorFlow does.
        padding: Padding = Padding::Sizes(Pair([0, 0])) => 0,
        /// Distance between two points of a window.
        dilation: Pair = Pair([1, 1]) => 1,
        /// Groups of channels convolved apart.
        groups: i64 = 1,
        /// Adds a learned bias.
        bias: bool = true,
    }
}

struct Conv2d {
    weight: Tensor,
    laid: Laid,
    bias: Option<Tensor>,
    stride: [i64; 2],
    padding: Padding,
    dilation: [i64; 2],
    groups: i64,
}

impl Conv2d {
    /// Zeros before and after the rows and the columns.
    fn tf_margins(&self, x: &Tensor) -> Result<[(i64, i64); 2]> {
        let (size, w) = (x.size(), self.weight.size());
        let [.., height, width] = size[..] else {
            return Err(Error::new(format!("expected [N, C, H, W], got {size:?}")));
        };
        let margin = |axis: usize, n: i64| {
            let (s, k, d) = (self.stride[axis], w[2 + axis], self.dilation[axis]);
            let all = (((n + s - 1) / s - 1) * s + (k - 1) * d + 1 - n).max(0);
            (all / 2, all - all / 2)
        };
        Ok([margin(0, height), margin(1, width)])
    }
}

/// A 2-D convolution, started as in PyTorch.
///
/// # Errors
/// Options that do not fit each other; libtorch's.
pub fn conv2d(i: i64, o: i64, kernel: [i64; 2], opt: Conv2dOptions) -> Result<Rc<dyn Layer>> {
    divides(opt.groups, [i, o])?;
    let (stride, dilation) = (opt.stride.at_least(1, "stride")?, opt.dilation.at_least(1, "dilation")?);
    if opt.padding == Padding::Same && stride != [1, 1] {
        return Err(Error::new("`padding: \"same\"` needs `stride: 1`")
            .hint("`padding: \"tf_same\"` pads as TensorFlow does, for any stride"));
    }
    let shape = [o, i / opt.groups, kernel[0], kernel[1]];
    let weight = init::weight(&shape)?;
    let bias = opt.bias.then(|| init::bias(o, init::fan_in(&shape))).transpose()?;
    Ok(Rc::new(Conv2d {
        weight,
        laid: Laid::default(),
        bias,
        stride,
        padding: opt.padding,
        dilation,
        groups: opt.groups,
    }))
}

fn divides(groups: i64, channels: [i64; 2]) -> Result<()> {
    if groups > 0 && channels.iter().all(|c| c % groups == 0) {
        return Ok(());
    }
    let [i, o] = channels;
    Err(Error::new(format!("`groups` must divide both channel counts ({i} and {o}), got {groups}")))
}

/// The same picture [N, C, H, W] as libtorch's convolutions on a CPU are fastest with it: the channels of a place side by
/// side in memory ("channels last"). What follows a convolution keeps that, so only the first one copies.
pub(super) fn side_by_side(x: &Tensor) -> Result<Tensor> {
    if x.dim() != 4 || x.device() != Device::Cpu {
        return Ok(x.shallow_clone());
    }
    Ok(x.f_permute([0, 2, 3, 1])?.f_contiguous()?.f_permute([0, 3, 1, 2])?)
}

impl Conv2d {
    fn run(&self, x: &Tensor, weight: &Tensor, bias: Option<&Tensor>) -> Result<Tensor> {
        let x = &side_by_side(x)?;
        let (s, d) = (&self.stride[..], &self.dilation[..]);
        Ok(match self.padding {
            Padding::Same => x.f_conv2d_padding(weight, bias, s, "same", d, self.groups)?,
            Padding::Sizes(p) => x.f_conv2d(weight, bias, s, &p.0[..], d, self.groups)?,
            Padding::TfSame => {
                let [(top, down), (left, right)] = self.tf_margins(x)?;
                if (top, left) == (down, right) {
                    x.f_conv2d(weight, bias, s, [top, left], d, self.groups)?
                } else {
                    let x = x.f_constant_pad_nd([left, right, top, down])?;
                    x.f_conv2d(weight, bias, s, [0, 0], d, self.groups)?
                }
            }
        })
    }
}

impl Layer for Conv2d {
    fn forward(&self, x: &Tensor, _: &Ctx) -> Result<Tensor> {
        if let Padding::Sizes(p) = self.padding {
            let walk =
                Walk { padding: p.0, stride: self.stride, dilation: self.dilation, groups: self.groups };
            if let Some(packed) = self.laid.packed(&self.weight, x, &walk)? {
                return packed.conv2d(&side_by_side(x)?, self.bias.as_ref(), &walk);
            }
        }
        self.run(x, &self.laid.side_by_side(&self.weight)?, self.bias.as_ref())
    }

    fn affine(&self, x: &Tensor, weight: &Tensor, bias: Option<&Tensor>) -> Option<Result<Tensor>> {
        Some(self.run(x, weight, bias))
    }

    fn own(&self) -> Vec<Own<'_>> {
        weight_and_bias(&self.weight, self.bias.as_ref())
    }

    fn in_channels(&self) -> Option<i64> {
        Some(self.weight.size()[1] * self.groups)
    }

    fn recipe(&self) -> Option<String> {
        let w = self.weight.size();
        let call = Recipe::new("conv2d").arg(w[1] * self.groups).arg(w[0]).arg(Pair([w[2], w[3]]));
        let call = call.option("stride", &Pair(self.stride), &Pair([1, 1]));
        let call = match self.padding {
            Padding::Same => call.option("padding", "same", ""),
            Padding::TfSame => call.option("padding", "tf_same", ""),
            Padding::Sizes(p) => call.option("padding", &p, &Pair([0, 0])),
        };
        call.option("dilation", &Pair(self.dilation), &Pair([1, 1]))
            .option("groups", &self.groups, &1)
            .option("bias", &self.bias.is_some(), &true)
            .done()
    }

    fn describe(&self) -> String {
        let w = self.weight.size();
        let mut text = format!(
            "Conv2d({}, {}, kernel_size=({}, {}), stride={}",
            w[1] * self.groups,
            w[0],
            w[2],
            w[3],
            Pair(self.stride).show()
        );
        match self.padding {
            Padding::Same => text += ", padding=same",
            Padding::TfSame => text += ", padding=tf_same",
            Padding::Sizes(p) if p.0 != [0, 0] => text += &format!(", padding={}", p.show()),
            _ => {}
        }
        if self.dilation != [1, 1] {
            text += &format!(", dilation={}", Pair(self.dilation).show());
        }
        if self.groups != 1 {
            text += &format!(", groups={}", self.groups);
        }
        if self.bias.is_none() {
            text += ", bias=False";
        }
        text + ")"
    }
}

/// The two tensors most layers own.
pub(super) fn weight_and_bias<'a>(weight: &'a Tensor, bias: Option<&'a Tensor>) -> Vec<Own<'a>> {
    let mut own: Vec<Own<'a>> = vec![("weight", weight, Role::Parameter)];
    own.extend(bias.map(|b| ("bias", b, Role::Parameter)));
    own
}

options! {
    /// Options of `nn::conv_transpose2d`.
    pub struct ConvTranspose2dOptions {
        /// Step between two windows of the output.
        stride: Pair = Pair([1, 1]) => 1,
        /// Rows and columns cut from each side of the output.
        padding: Pair = Pair([0, 0]) => 0,
        /// Rows and columns added to one side of the output.
        output_padding: Pair = Pair([0, 0]) => 0,
        /// Distance between two points of a window.
        dilation: Pair = Pair([1, 1]) => 1,
        /// Groups of channels convolved apart.
        groups: i64 = 1,
        /// Adds a learned bias.
        bias: bool = true,
    }
}

struct ConvTranspose2d {
    weight: Tensor,
    bias: Option<Tensor>,
    o: ConvTranspose2dOptions,
}

impl ConvTranspose2d {
    fn run(&self, x: &Tensor, weight: &Tensor, bias: Option<&Tensor>) -> Result<Tensor> {
        let (x, o) = (&side_by_side(x)?, &self.o);
        let (s, p, out, d) = (&o.stride.0[..], &o.padding.0[..], &o.output_padding.0[..], &o.dilation.0[..]);
        Ok(x.f_conv_transpose2d(weight, bias, s, p, out, o.groups, d)?)
    }
}

impl Layer for ConvTranspose2d {
    fn forward(&self, x: &Tensor, _: &Ctx) -> Result<Tensor> {
        self.run(x, &self.weight, self.bias.as_ref())
    }

    fn affine(&self, x: &Tensor, weight: &Tensor, bias: Option<&Tensor>) -> Option<Result<Tensor>> {
        Some(self.run(x, weight, bias))
    }

    fn own(&self) -> Vec<Own<'_>> {
        weight_and_bias(&self.weight, self.bias.as_ref())
    }

    fn recipe(&self) -> Option<String> {
        let (w, o) = (self.weight.size(), &self.o);
        Recipe::new("conv_transpose2d")
            .arg(w[0])
            .arg(w[1] * o.groups)
            .arg(Pair([w[2], w[3]]))
            .option("stride", &o.stride, &Pair([1, 1]))
            .option("padding", &o.padding, &Pair([0, 0]))
            .option("output_padding", &o.output_padding, &Pair([0, 0]))
            .option("dilation", &o.dilation, &Pair([1, 1]))
            .option("groups", &o.groups, &1)
            .option("bias", &self.bias.is_some(), &true)
            .done()
    }

    fn describe(&self) -> String {
        let (w, o) = (self.weight.size(), &self.o);
        let mut text = format!(
            "ConvTranspose2d({}, {}, kernel_size=({}, {}), stride={}",
            w[0],
            w[1] * o.groups,
            w[2],
            w[3],
            o.stride.show()
        );
        for (name, pair, plain) in
            [("padding", o.padding, 0), ("output_padding", o.output_padding, 0), ("dilation", o.dilation, 1)]
        {
            if pair.0 != [plain, plain] {
                text += &format!(", {name}={}", pair.show());
            }
        }
        if self.bias.is_none() {
            text += ", bias=False";
        }
        text + ")"
    }
}

/// A transposed 2-D convolution, started as in PyTorch.
///
/// # Errors
/// Options that do not fit each other; libtorch's.
pub fn conv_transpose2d(i: i64, out: i64, k: [i64; 2], o: ConvTranspose2dOptions) -> Result<Rc<dyn Layer>> {
    divides(o.groups, [i, out])?;
    o.stride.at_least(1, "stride")?;
    let shape = [i, out / o.groups, k[0], k[1]];
    let weight = init::weight(&shape)?;
    let bias = o.bias.then(|| init::bias(out, init::fan_in(&shape))).transpose()?;
    Ok(Rc::new(ConvTranspose2d { weight, bias, o }))
}

functions! {
    in "nn";
    /// A 2-D convolution, [N, in, H, W] → [N, out, H', W'].
    ///
    /// Weights start as in PyTorch: uniform within ±1/√(fan-in).
    /// ```rhai
    /// nn::conv2d(3, 8, 3, #{padding: 1}).forward(tensor::zeros([2, 3, 5, 5])).shape // => [2, 8, 5, 5]
    /// ```
    fn conv2d(in_channels: Count, out_channels: Count, kernel_size: Pair, options: Opts<Conv2dOptions>) -> Net {
        Net::of(conv2d(in_channels.0, out_channels.0, kernel_size.at_least(1, "kernel_size")?, options.0)?)
    }

    /// A transposed 2-D convolution: the way back up from a strided one.
    /// ```rhai
    /// let up = nn::conv_transpose2d(8, 3, 4, #{stride: 2, padding: 1});
    /// up.forward(tensor::zeros([1, 8, 7, 7])).shape // => [1, 3, 14, 14]
    /// ```
    fn conv_transpose2d(in_channels: Count, out_channels: Count, kernel_size: Pair,
                        options: Opts<ConvTranspose2dOptions>) -> Net {
        Net::of(conv_transpose2d(in_channels.0, out_channels.0, kernel_size.at_least(1, "kernel_size")?, options.0)?)
    }
}

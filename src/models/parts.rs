//! What the families share: blocks with named parts and a pass of their own, and torchvision's usual chains.

use crate::core::{Error, Result};
use crate::nn::activation::{relu, relu6};
use crate::nn::init::{self, Draw};
use crate::nn::{
    BatchNormOptions, Conv2dOptions, Ctx, Layer, Net, Padding, Pair, PoolOptions, Sequential, batch_norm2d,
    conv2d, flatten, max_pool2d,
};
use std::rc::Rc;
use tch::Tensor;

/// A shared layer.
pub(super) type Part = Rc<dyn Layer>;

type Pass = Box<dyn Fn(&Inside, &Tensor) -> Result<Tensor>>;

/// A layer of named parts, and what it does with them.
struct Block {
    kind: &'static str,
    parts: Vec<(String, Part)>,
    pass: Pass,
    /// What the pass runs one after the other, where that is all it does.
    chain: Option<Vec<(String, Part)>>,
}

/// A block while it runs.
pub(super) struct Inside<'a> {
    block: &'a Block,
    cx: &'a Ctx<'a>,
}

impl Inside<'_> {
    /// Runs the part `name`.
    pub fn run(&self, name: &str, x: &Tensor) -> Result<Tensor> {
        match self.block.parts.iter().find(|(n, _)| n == name) {
            Some((_, part)) => self.cx.child(name, &**part, x),
            None => Err(Error::unknown("part", name, self.block.parts.iter().map(|(n, _)| n))),
        }
    }

    /// Whether there is a part `name`.
    pub fn has(&self, name: &str) -> bool {
        self.block.parts.iter().any(|(n, _)| n == name)
    }

    /// Runs the parts one after the other.
    pub fn run_all<'n>(&self, names: impl IntoIterator<Item = &'n str>, x: &Tensor) -> Result<Tensor> {
        names.into_iter().try_fold(x.shallow_clone(), |x, name| self.run(name, &x))
    }
}

impl Layer for Block {
    fn forward(&self, x: &Tensor, cx: &Ctx) -> Result<Tensor> {
        (self.pass)(&Inside { block: self, cx }, x)
    }

    fn children(&self) -> Vec<(String, Part)> {
        self.parts.clone()
    }

    fn chain(&self) -> Option<Vec<(String, Part)>> {
        self.chain.clone()
    }

    fn describe(&self) -> String {
        format!("{}()", self.kind)
    }
}

fn named(parts: Vec<(&str, Part)>) -> Vec<(String, Part)> {
    parts.into_iter().map(|(n, p)| (n.to_string(), p)).collect()
}

/// A block printed as `kind`.
pub(super) fn block(
    kind: &'static str,
    parts: Vec<(&str, Part)>,
    pass: impl Fn(&Inside, &Tensor) -> Result<Tensor> + 'static,
) -> Part {
    Rc::new(Block { kind, parts: named(parts), pass: Box::new(pass), chain: None })
}

/// A block whose pass runs `chain`: its parts, and layers without parameters between them.
pub(super) fn chain(
    kind: &'static str,
    parts: Vec<(&str, Part)>,
    chain: Vec<(&str, Part)>,
    pass: impl Fn(&Inside, &Tensor) -> Result<Tensor> + 'static,
) -> Part {
    Rc::new(Block { kind, parts: named(parts), pass: Box::new(pass), chain: Some(named(chain)) })
}

/// A classifier's usual form: the parts in their order, flat before the last one.
pub(super) fn classifier(kind: &'static str, parts: Vec<(&'static str, Part)>) -> Part {
    let names: Vec<&str> = parts.iter().map(|(n, _)| *n).collect();
    let pass = move |b: &Inside, x: &Tensor| match names.split_last() {
        Some((head, body)) => b.run(head, &b.run_all(body.iter().copied(), x)?.f_flatten(1, -1)?),
        None => Ok(x.shallow_clone()),
    };
    let mut all = parts.clone();
    all.insert(all.len().saturating_sub(1), ("flatten", flatten()));
    chain(kind, parts, all, pass)
}

/// Layers in order, named by their places.
pub(super) fn sequential(layers: Vec<Part>) -> Result<Part> {
    let named = layers.into_iter().enumerate().map(|(i, l)| (i.to_string(), l));
    Ok(Rc::new(Sequential::new(named.collect())?))
}

/// A convolution with stride, zeros on each side, groups, and no bias.
pub(super) fn conv(i: i64, o: i64, kernel: i64, stride: i64, padding: i64) -> Result<Part> {
    let (stride, padding) = (Pair([stride; 2]), Padding::Sizes(Pair([padding; 2])));
    conv2d(i, o, [kernel; 2], Conv2dOptions { stride, padding, bias: false, ..Conv2dOptions::default() })
}

/// [`conv`] with a bias.
pub(super) fn conv_bias(i: i64, o: i64, kernel: i64, stride: i64, padding: i64) -> Result<Part> {
    let (stride, padding) = (Pair([stride; 2]), Padding::Sizes(Pair([padding; 2])));
    conv2d(i, o, [kernel; 2], Conv2dOptions { stride, padding, ..Conv2dOptions::default() })
}

/// Batch norm as it comes.
pub(super) fn norm(channels: i64) -> Result<Part> {
    batch_norm2d(channels, &BatchNormOptions::default())
}

/// Max pooling over windows of `kernel` pixels.
pub(super) fn max_pool(kernel: i64, stride: i64, padding: i64, ceil_mode: bool) -> Result<Part> {
    let (stride, padding) = (Some(Pair([stride; 2])), Pair([padding; 2]));
    max_pool2d(kernel, &PoolOptions { stride, padding, ceil_mode })
}

/// torchvision's `Conv2dNormActivation`, which its mobile networks are made of.
#[derive(Clone, Copy)]
pub(super) struct ConvNorm {
    /// Size of the window.
    pub kernel: i64,
    /// Step between two windows.
    pub stride: i64,
    /// Groups of channels.
    pub groups: i64,
    /// Ends with ReLU6.
    pub relu6: bool,
    /// TensorFlow's padding and its settings of batch norm.
    pub tf: bool,
}

impl ConvNorm {
    /// The chain from `i` to `o` channels.
    pub fn layers(self, i: i64, o: i64) -> Result<Vec<Part>> {
        let padding =
            if self.tf { Padding::TfSame } else { Padding::Sizes(Pair([(self.kernel - 1) / 2; 2])) };
        let options = Conv2dOptions {
            stride: Pair([self.stride; 2]),
            padding,
            groups: self.groups,
            bias: false,
            ..Conv2dOptions::default()
        };
        let (eps, momentum) = if self.tf { (1e-3, 0.01) } else { (1e-5, 0.1) };
        let options_of_norm = BatchNormOptions { eps, momentum, ..BatchNormOptions::default() };
        let mut layers = vec![conv2d(i, o, [self.kernel; 2], options)?, batch_norm2d(o, &options_of_norm)?];
        layers.extend(self.relu6.then(relu6));
        Ok(layers)
    }

    /// The chain as one layer.
    pub fn block(self, i: i64, o: i64) -> Result<Part> {
        let layers = self.layers(i, o)?;
        let names = ["0", "1", "2"];
        let parts = names.into_iter().zip(layers).collect::<Vec<_>>();
        let names: Vec<&str> = parts.iter().map(|(n, _)| *n).collect();
        let all = parts.clone();
        Ok(chain("Conv2dNormActivation", parts, all, move |b, x| b.run_all(names.iter().copied(), x)))
    }
}

/// ReLU, with the name at hand.
pub(super) fn activation() -> Part {
    relu()
}

/// `channels · width` as a multiple of 8, at least nine tenths of it (torchvision's `_make_divisible`).
pub(super) fn scaled(channels: i64, width: f64) -> i64 {
    let v = channels as f64 * width;
    let near = ((v + 4.0) as i64 / 8 * 8).max(8);
    if (near as f64) < 0.9 * v { near + 8 } else { near }
}

/// Starts parameters anew, in the order of the layers: `rule` says how for a name and a shape, `None` leaves one.
pub(super) fn restart(root: &Part, rule: impl Fn(&str, &[i64]) -> Option<Draw>) -> Result<()> {
    for (name, t) in Net::of(root.clone()).parameters(false) {
        if let Some(draw) = rule(&name, &t.size()) {
            draw.into(&t)?;
        }
    }
    Ok(())
}

/// Convolutions as He et al. 2015 for the way back, linear layers normal with 0.01, biases 0: torchvision's usual
/// start.
pub(super) fn usual_start(name: &str, shape: &[i64]) -> Option<Draw> {
    match shape.len() {
        4 => Some(init::he_fan_out(shape)),
        2 => Some(Draw::Normal(0.01)),
        _ if name.ends_with(".bias") => Some(Draw::Constant(0.0)),
        _ => None,
    }
}

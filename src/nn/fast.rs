//! Passes that only look, as fast as they go on a CPU: batch norm merged into the convolution before it.

use super::conv::side_by_side;
use super::ctx::Instead;
use super::net::walk;
use super::{Ctx, Layer, Net};
use crate::core::Result;
use std::collections::HashMap;
use std::rc::Rc;
use tch::{Device, Kind, Tensor};

/// What known layers do; all give the same numbers however their input lies in memory. But for dropout none does another
/// thing while training, once its parameters are frozen.
pub(super) const KNOWN: [&str; 20] = [
    "AdaptiveAvgPool2d",
    "AdaptiveMaxPool2d",
    "AvgPool2d",
    "BasicBlock",
    "BatchNorm2d",
    "Bottleneck",
    "Conv2d",
    "Conv2dNormActivation",
    "Dropout",
    "Fire",
    "Flatten",
    "Identity",
    "ImageNetInput",
    "InvertedResidual",
    "Linear",
    "MBConv",
    "MaxPool2d",
    "ReLU",
    "ReLU6",
    "Residual",
];

/// Blocks that run a convolution and the batch norm declared behind it one after the other.
const IN_ORDER: [&str; 2] = ["BasicBlock", "Bottleneck"];

/// What is run in a layer's place.
enum Fold {
    /// The convolution with these weights and biases.
    Conv(Tensor, Option<Tensor>),
    /// Nothing: the convolution before it has done it.
    Norm,
}

/// What is run in layers' places.
#[derive(Default)]
pub(super) struct Folds {
    places: HashMap<*const (), Fold>,
    /// Weights in bfloat16.
    half: bool,
}

fn address(layer: &dyn Layer) -> *const () {
    std::ptr::from_ref(layer).cast()
}

/// How often each layer runs.
fn count(layer: &dyn Layer, times: &mut HashMap<*const (), usize>) {
    for (_, part) in layer.children() {
        *times.entry(address(&*part)).or_default() += 1;
        count(&*part, times);
    }
}

impl Folds {
    /// Those of `parts`, which run one after the other and lie in the network `root`.
    pub fn of(root: &dyn Layer, parts: &[(String, Rc<dyn Layer>)], half: bool) -> Result<Rc<Self>> {
        let (mut folds, mut times) = (Self { half, ..Self::default() }, HashMap::new());
        count(root, &mut times);
        tch::no_grad(|| folds.find(parts, true, &times))?;
        Ok(Rc::new(folds))
    }

    /// Finds convolutions whose output goes to a batch norm and nowhere else.
    fn find(
        &mut self,
        parts: &[(String, Rc<dyn Layer>)],
        in_order: bool,
        times: &HashMap<*const (), usize>,
    ) -> Result<()> {
        let once = |l: &dyn Layer| times.get(&address(l)) == Some(&1);
        for pair in parts.windows(2).filter(|_| in_order) {
            let (conv, norm) = (&*pair[0].1, &*pair[1].1);
            if conv.kind() == "Conv2d" && norm.kind() == "BatchNorm2d" && once(conv) && once(norm) {
                self.fold(conv, norm)?;
            }
        }
        parts.iter().try_for_each(|(_, part)| {
            if part.kind() == "Conv2d" && !self.places.contains_key(&address(&**part)) {
                let own = part.own();
                let find = |name: &str| own.iter().find(|o| o.0 == name).map(|o| o.1);
                find("weight").map_or(Ok(()), |w| self.put(&**part, w, find("bias")))?;
            }
            let in_order = part.chain().is_some() || IN_ORDER.contains(&part.kind().as_str());
            self.find(&part.children(), in_order, times)
        })
    }

    fn fold(&mut self, conv: &dyn Layer, norm: &dyn Layer) -> Result<()> {
        let own = conv.own();
        let find = |name: &str| own.iter().find(|o| o.0 == name).map(|o| o.1);
        let (Some(both), Some(w)) = (norm.scale_and_shift(), find("weight")) else { return Ok(()) };
        let [scale, shift] = both?;
        let w = w.f_mul(&scale.f_view([-1, 1, 1, 1])?)?;
        let b = find("bias").map_or(Ok(shift.shallow_clone()), |b| b.f_mul(&scale)?.f_add(&shift))?;
        self.put(conv, &w, Some(&b))?;
        self.places.insert(address(norm), Fold::Norm);
        Ok(())
    }

    /// `conv` with these weights, as they are read fastest.
    fn put(&mut self, conv: &dyn Layer, w: &Tensor, b: Option<&Tensor>) -> Result<()> {
        let kind = if self.half { Kind::BFloat16 } else { w.f_kind()? };
        let b = b.map(|b| b.f_to_kind(kind)).transpose()?;
        self.places.insert(address(conv), Fold::Conv(side_by_side(w)?.f_to_kind(kind)?, b));
        Ok(())
    }
}

impl Instead for Folds {
    fn run(&self, layer: &dyn Layer, x: &Tensor) -> Option<Result<Tensor>> {
        match self.places.get(&address(layer))? {
            Fold::Conv(w, b) => layer.affine(x, w, b.as_ref()),
            Fold::Norm => Some(Ok(x.shallow_clone())),
        }
    }
}

/// A network of known layers, ready for many passes without gradient.
pub struct Fast {
    net: Net,
    folds: Rc<Folds>,
}

impl Fast {
    /// Makes `net` ready as its weights are now; none where something could tell the difference: layers of the user's own,
    /// hooks, another last layer than a linear one.
    ///
    /// # Errors
    /// libtorch's.
    pub fn new(net: &Net) -> Result<Option<Self>> {
        let mut known = net.chain().last().is_some_and(|(_, l)| l.kind() == "Linear")
            && net.device() == Device::Cpu
            && !net.is_tapped();
        walk(&*net.layer(), "", &mut |_, layer| {
            known &= layer.chain().is_some() || KNOWN.contains(&layer.kind().as_str());
        });
        if !known {
            return Ok(None);
        }
        let folds = Folds::of(&*net.layer(), &[(String::new(), net.layer())], false)?;
        Ok(Some(Self { net: net.clone(), folds }))
    }

    /// The output for `x` [N, C, H, W] in evaluation mode, without gradient.
    ///
    /// # Errors
    /// A layer's.
    pub fn forward(&self, x: &Tensor) -> Result<Tensor> {
        tch::no_grad(|| self.net.layer().forward(x, &Ctx::with(self.folds.clone())))
    }
}

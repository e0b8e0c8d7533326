//! Passes that only look, as fast as they go on a CPU: batch norm merged into the convolution before it.

use super::ctx::Instead;
use super::net::walk;
use super::{Ctx, Layer, Net};
use crate::core::Result;
use std::collections::HashMap;
use std::rc::Rc;
use tch::{Device, Tensor};

/// What known layers do; all give the same numbers however their input lies in memory.
const KNOWN: [&str; 14] = [
    "AdaptiveAvgPool2d",
    "AdaptiveMaxPool2d",
    "AvgPool2d",
    "BasicBlock",
    "BatchNorm2d",
    "Bottleneck",
    "Conv2d",
    "Dropout",
    "Flatten",
    "Identity",
    "Linear",
    "MaxPool2d",
    "ReLU",
    "Residual",
];

/// What is run in a layer's place.
enum Fold {
    /// The convolution with these weights and biases.
    Conv(Tensor, Tensor),
    /// Nothing: the convolution before it has done it.
    Norm,
}

struct Folds(HashMap<*const (), Fold>);

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
    /// Finds convolutions whose output goes to a batch norm and nowhere else.
    fn find(&mut self, layer: &dyn Layer, times: &HashMap<*const (), usize>) -> Result<()> {
        let in_order =
            layer.chain().is_some() || ["BasicBlock", "Bottleneck"].contains(&layer.kind().as_str());
        let inside = layer.children();
        let once = |l: &dyn Layer| times.get(&address(l)) == Some(&1);
        for pair in inside.windows(2).filter(|_| in_order) {
            let (conv, norm) = (&*pair[0].1, &*pair[1].1);
            if conv.kind() == "Conv2d" && norm.kind() == "BatchNorm2d" && once(conv) && once(norm) {
                self.fold(conv, norm)?;
            }
        }
        inside.iter().try_for_each(|(_, part)| self.find(&**part, times))
    }

    fn fold(&mut self, conv: &dyn Layer, norm: &dyn Layer) -> Result<()> {
        let own = conv.own();
        let find = |name: &str| own.iter().find(|o| o.0 == name).map(|o| o.1);
        let (Some(both), Some(w)) = (norm.scale_and_shift(), find("weight")) else { return Ok(()) };
        let [scale, shift] = both?;
        let w = w.f_mul(&scale.f_view([-1, 1, 1, 1])?)?;
        let b = find("bias").map_or(Ok(shift.shallow_clone()), |b| b.f_mul(&scale)?.f_add(&shift))?;
        self.0.insert(address(conv), Fold::Conv(w, b));
        self.0.insert(address(norm), Fold::Norm);
        Ok(())
    }
}

impl Instead for Folds {
    fn run(&self, layer: &dyn Layer, x: &Tensor) -> Option<Result<Tensor>> {
        match self.0.get(&address(layer))? {
            Fold::Conv(w, b) => layer.affine(x, w, Some(b)),
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
        let (mut folds, mut times) = (Folds(HashMap::new()), HashMap::new());
        count(&*net.layer(), &mut times);
        tch::no_grad(|| folds.find(&*net.layer(), &times))?;
        Ok(Some(Self { net: net.clone(), folds: Rc::new(folds) }))
    }

    /// The output for `x` [N, C, H, W] in evaluation mode, without gradient.
    ///
    /// # Errors
    /// A layer's.
    pub fn forward(&self, x: &Tensor) -> Result<Tensor> {
        tch::no_grad(|| self.net.layer().forward(x, &Ctx::with(self.folds.clone())))
    }
}

//! The part of a network that does not learn: run without gradient, in evaluation mode, batch norm merged into
//! convolutions, and by few pictures at a time, which stay in the processor's cache.

use super::fast::{Folds, KNOWN};
use super::net::walk;
use super::precision::Precision;
use super::{Ctx, Layer, Net, Role};
use crate::core::{Result, Value};
use std::cell::RefCell;
use std::rc::Rc;
use tch::{Device, Tensor};

/// Pictures that run through the frozen part together on a CPU.
const AT_ONCE: i64 = 16;

/// The layers at a network's beginning that do the same while training as otherwise, because nothing in them learns,
/// drops or counts; as they were when it was made.
pub struct Frozen {
    net: Net,
    chain: Vec<(String, Rc<dyn Layer>)>,
    /// How many layers of the chain are frozen.
    cut: usize,
    folds: Rc<Folds>,
    precision: Precision,
    /// The frozen tensors as they were.
    weights: Vec<Tensor>,
    stamp: RefCell<Vec<Stamp>>,
}

/// A tensor's place, count of changes, and whether it learns.
type Stamp = (usize, i64, bool);

fn stamp(t: &Tensor) -> Result<Stamp> {
    Ok((t.data_ptr() as usize, t.f_internal_version()?, t.requires_grad()))
}

/// A layer that does the same in every pass.
fn fixed(layer: &dyn Layer) -> bool {
    let mut fixed = true;
    walk(layer, "", &mut |_, l| {
        let kind = l.kind();
        let own = l.own();
        fixed &= kind != "Dropout" && (l.chain().is_some() || KNOWN.contains(&kind.as_str()));
        fixed &= own.iter().all(|(_, t, role)| *role == Role::Buffer || !t.requires_grad());
        // A norm without parameters cannot be frozen: it goes on counting.
        fixed &= kind != "BatchNorm2d" || own.iter().any(|(name, ..)| *name == "weight");
        fixed &= kind != "BatchNorm2d" || own.iter().any(|(name, ..)| *name == "running_mean");
    });
    fixed
}

impl Frozen {
    /// The frozen beginning of `net`; none where nothing or all is frozen, or where somebody sees its layers' outputs.
    ///
    /// # Errors
    /// libtorch's.
    pub fn of(net: &Net, precision: Precision) -> Result<Option<Self>> {
        let chain = net.chain();
        let cut = chain.iter().position(|(_, l)| !fixed(&**l)).unwrap_or(chain.len());
        let weights = |end: usize| chain[..end].iter().flat_map(|(_, l)| Net::of(l.clone()).named());
        if net.is_tapped() || weights(cut).next().is_none() || net.parameters(true).is_empty() {
            return Ok(None);
        }
        let stamps = weights(cut).map(|(_, t, _)| stamp(&t)).collect::<Result<_>>()?;
        let kept = weights(cut).map(|(_, t, _)| Ok(t.f_detach_copy()?)).collect::<Result<_>>()?;
        let folds = match net.device() {
            Device::Cpu => Folds::of(&*net.layer(), &chain[..cut], precision == Precision::Bf16)?,
            _ => Rc::default(),
        };
        let stamp = RefCell::new(stamps);
        Ok(Some(Self { net: net.clone(), cut, folds, precision, weights: kept, stamp, chain }))
    }

    fn tensors(&self) -> impl Iterator<Item = Tensor> {
        let all = self.chain[..self.cut].iter().flat_map(|(_, l)| Net::of(l.clone()).named());
        all.map(|(_, t, _)| t)
    }

    /// True as long as the network's frozen part is what it was: the same layers, the same values.
    ///
    /// # Errors
    /// libtorch's.
    pub fn is_current(&self) -> Result<bool> {
        let now = self.tensors().map(|t| stamp(&t)).collect::<Result<Vec<_>>>()?;
        let fixed_still = !self.net.is_tapped()
            && self.chain.get(self.cut).is_none_or(|(_, l)| !fixed(&**l))
            && now.iter().zip(&*self.stamp.borrow()).all(|(a, b)| (a.0, a.2) == (b.0, b.2));
        if !fixed_still {
            return Ok(false);
        }
        if now != *self.stamp.borrow() {
            // Written to: perhaps the same values, as by running averages.
            for (t, was) in self.tensors().zip(&self.weights) {
                if !t.f_equal(was)? {
                    return Ok(false);
                }
            }
            self.stamp.replace(now);
        }
        Ok(true)
    }

    /// True where the other gives the same features for the same pictures.
    ///
    /// # Errors
    /// libtorch's.
    pub fn same(&self, other: &Frozen) -> Result<bool> {
        // How a network is built tells what its layers do; without that only the network itself will do.
        let built = |f: &Frozen| f.net.recipe().ok();
        let alike = self.net.is(&other.net) || (built(self).is_some() && built(self) == built(other));
        if !alike
            || self.precision != other.precision
            || self.net.device() != other.net.device()
            || self.weights.len() != other.weights.len()
            || !self.chain[..self.cut].iter().map(|c| &c.0).eq(other.chain[..other.cut].iter().map(|c| &c.0))
        {
            return Ok(false);
        }
        for (a, b) in self.weights.iter().zip(&other.weights) {
            if a.size() != b.size() || !a.f_equal(b)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// What the frozen part gives for `x` [N, ..], float32.
    ///
    /// # Errors
    /// A layer's.
    pub fn features(&self, x: &Tensor) -> Result<Tensor> {
        let _no_grad = tch::no_grad_guard();
        let run = |x: &Tensor| {
            let (mut x, cx) = (x.shallow_clone(), Ctx::with(self.folds.clone()));
            for (name, layer) in &self.chain[..self.cut] {
                x = cx.child(name, &**layer, &x)?;
            }
            Ok(Value::Tensor(x))
        };
        let run = |x: &Tensor| match self.precision.around(|| x.device(), || run(x))? {
            Value::Tensor(t) => Ok::<_, crate::core::Error>(t),
            _ => Ok(x.shallow_clone()), // `run` gives tensors
        };
        if x.device() != Device::Cpu || x.size().first().is_none_or(|n| *n <= AT_ONCE) {
            return run(x);
        }
        let parts = x.f_split(AT_ONCE, 0)?.iter().map(run).collect::<Result<Vec<_>>>()?;
        Ok(Tensor::f_cat(&parts, 0)?)
    }

    /// What the network gives where its frozen part gives `features`, in the mode the network is in.
    ///
    /// # Errors
    /// A layer's.
    pub fn rest(&self, features: &Tensor) -> Result<Value> {
        let run = || {
            let cx = Ctx::new(self.net.is_training(), Vec::new());
            let mut x = Value::Tensor(features.shallow_clone());
            for (name, layer) in &self.chain[self.cut..] {
                x = cx.child_value(name, &**layer, x)?;
            }
            Ok(x)
        };
        self.precision.around(|| features.device(), run)
    }
}

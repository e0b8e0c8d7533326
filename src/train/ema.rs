//! Running averages of the weights (Polyak and Juditsky 1992), as torch.optim.swa_utils.AveragedModel with
//! get_ema_multi_avg_fn: the first step's weights, then `average ← decay · average + (1 − decay) · weights`.
//! Buffers (batch norm's statistics) stay the network's own.

use crate::core::{Error, Result};
use crate::nn::Net;
use std::cell::RefCell;
use tch::Tensor;

struct Weight {
    name: String,
    live: Tensor,
    average: Tensor,
}

/// The averages of a run's networks.
pub struct Ema {
    decay: f64,
    weights: Vec<Weight>,
    begun: bool,
}

impl Ema {
    /// Averages of `nets`, to begin with the first [`update`](Ema::update).
    ///
    /// # Errors
    /// A decay outside [0, 1); libtorch's.
    pub fn new(decay: f64, nets: &[(String, Net)]) -> Result<Self> {
        if !(0.0..1.0).contains(&decay) {
            return Err(Error::new(format!("`ema` must lie in [0, 1), got {decay}"))
                .hint("0.999 averages over about 1000 steps"));
        }
        let mut weights = Vec::new();
        for (net, n) in nets {
            for (name, live) in n.parameters(false) {
                let average = live.f_detach_copy()?;
                weights.push(Weight { name: format!("{net}/{name}"), live: live.f_detach()?, average });
            }
        }
        Ok(Self { decay, weights, begun: false })
    }

    /// Takes the weights after a step in.
    ///
    /// # Errors
    /// libtorch's.
    pub fn update(&mut self) -> Result<()> {
        for w in &mut self.weights {
            match self.begun {
                true => drop(w.average.f_lerp_(&w.live, 1.0 - self.decay)?),
                false => w.average.f_copy_(&w.live)?,
            }
        }
        self.begun = true;
        Ok(())
    }

    /// Exchanges weights and averages.
    fn swap(&mut self) -> Result<()> {
        for w in &mut self.weights {
            let live = w.live.f_detach_copy()?;
            w.live.f_copy_(&w.average)?;
            w.average.f_copy_(&live)?;
        }
        Ok(())
    }

    /// The averages by name, for a checkpoint; none before the first step.
    ///
    /// # Errors
    /// libtorch's.
    pub fn state(&self) -> Result<Vec<(String, Tensor)>> {
        let one = |w: &Weight| Ok((w.name.clone(), w.average.f_to_device(tch::Device::Cpu)?.f_contiguous()?));
        if self.begun { self.weights.iter().map(one).collect() } else { Ok(Vec::new()) }
    }

    /// Takes the state back that [`state`](Ema::state) gave.
    ///
    /// # Errors
    /// State of another network, or of a run without averages.
    pub fn load_state(&mut self, state: &[(String, Tensor)], steps: i64) -> Result<()> {
        for w in &mut self.weights {
            match state.iter().find(|(n, _)| *n == w.name) {
                Some((_, t)) => w.average.f_copy_(t)?,
                None if steps == 0 => return Ok(()),
                None => {
                    return Err(Error::new(format!("the checkpoint holds no averaged weights `{}`", w.name))
                        .hint("it was written without the option `ema`"));
                }
            }
        }
        self.begun = true;
        Ok(())
    }
}

/// While this lives, the networks hold the averages.
pub struct Averaged<'a>(Option<&'a RefCell<Ema>>);

impl<'a> Averaged<'a> {
    /// Puts the averages into the networks.
    ///
    /// # Errors
    /// libtorch's.
    pub fn begin(ema: &'a RefCell<Ema>) -> Result<Self> {
        if !ema.borrow().begun {
            return Ok(Self(None));
        }
        ema.borrow_mut().swap()?;
        Ok(Self(Some(ema)))
    }

    /// Puts the weights back.
    ///
    /// # Errors
    /// libtorch's.
    pub fn back(mut self) -> Result<()> {
        self.0.take().map_or(Ok(()), |ema| ema.borrow_mut().swap())
    }

    /// Leaves the averages where they are.
    pub fn stay(mut self) {
        self.0.take();
    }
}

impl Drop for Averaged<'_> {
    fn drop(&mut self) {
        if let Some(ema) = self.0.take() {
            let _ = ema.borrow_mut().swap(); // on the way out with an error, which is the one to tell
        }
    }
}

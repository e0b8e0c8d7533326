//! Trying things on a network without leaving a trace.

use crate::core::{Result, ffi};
use crate::nn::Net;
use tch::{Device, Tensor};

/// Runs `f`; afterwards weights, mode and random numbers are what they were, whatever it did.
///
/// # Errors
/// Those of `f`; libtorch's.
pub fn aside<T>(net: &Net, f: impl FnOnce() -> Result<T>) -> Result<T> {
    let copy = |(n, t): (String, Tensor)| Ok((n, t.f_detach_copy()?));
    let kept = net.state()?.into_iter().map(copy).collect::<Result<Vec<_>>>()?;
    // Random numbers are drawn on the CPU, and where the network is.
    let rng = [Device::Cpu, net.device()].map(|d| ffi::rng_state(d).map(|state| (d, state)));
    let (rng, training) = (rng.into_iter().collect::<Result<Vec<_>>>()?, net.is_training());
    let done = f();
    net.load_named(kept, true)?;
    net.set_training(training);
    rng.iter().try_for_each(|(d, state)| ffi::set_rng_state(*d, state))?;
    done
}

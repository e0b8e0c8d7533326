//! One seed for everything: libtorch's generator and every stream of our own are derived from it.

use super::error::{Error, Result};
use super::script::Closure;
use super::value::Value;
use super::{device, ffi};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use sha2::{Digest, Sha256};
use std::cell::Cell;
use tch::{Device, Tensor};

thread_local!(static SEED: Cell<i64> = const { Cell::new(0) });

/// The seed in force.
pub fn get() -> i64 {
    SEED.get()
}

/// Seeds libtorch and all streams.
///
/// # Errors
/// A negative seed.
pub fn set(seed: i64) -> Result<()> {
    if seed < 0 {
        return Err(Error::new(format!("a seed is a non-negative integer, got {seed}")));
    }
    SEED.set(seed);
    tch::manual_seed(seed);
    Ok(())
}

/// What random numbers were drawn from; they go on from there when it is dropped.
struct Before(i64, Vec<(Device, Tensor)>);

impl Before {
    fn now() -> Result<Self> {
        let mut devices = vec![Device::Cpu];
        devices.extend(Some(device::current()).filter(|d| d.is_cuda()));
        let states = devices.into_iter().map(|d| Ok((d, ffi::rng_state(d)?)));
        Ok(Before(get(), states.collect::<Result<_>>()?))
    }
}

impl Drop for Before {
    fn drop(&mut self) {
        SEED.set(self.0);
        for (device, state) in &self.1 {
            let _ = ffi::set_rng_state(*device, state); // a state that was read fits
        }
    }
}

/// A generator of its own for `stream` (say, `"shuffle"` at epoch `index`): the same numbers whatever else
/// drew from libtorch's generator, in every version of the program.
pub fn stream(name: &str, index: u64) -> ChaCha8Rng {
    stream_of(get(), name, index)
}

/// [`stream`] of another seed; threads, for whom the run's seed is unknown, are given it.
pub fn stream_of(seed: i64, name: &str, index: u64) -> ChaCha8Rng {
    let mut hash = Sha256::new();
    hash.update(seed.to_le_bytes());
    hash.update(index.to_le_bytes());
    hash.update(name.as_bytes());
    ChaCha8Rng::from_seed(hash.finalize().into())
}

functions! {
    in "";
    /// Seeds every random number of the run.
    ///
    /// `--seed N` on the command line does the same before the script starts; the default is 0.
    /// ```rhai
    /// seed(7);
    /// let a = tensor::rand([2]);
    /// seed(7);
    /// tensor::rand([2]).equal(a) // => true
    /// ```
    fn seed(value: i64) {
        set(value)?
    }

    /// Runs a function with random numbers of another seed; gives its result.
    ///
    /// Afterwards random numbers go on as if nothing had been drawn, so a measurement changes no training run.
    /// ```rhai
    /// let a = seeded(7, || tensor::rand([2]));
    /// seed(7);
    /// let b = tensor::rand([2]);
    /// seed(7);
    /// let c = seeded(1, || tensor::rand([2]));
    /// [a.equal(b), a.equal(c), tensor::rand([2]).equal(b)] // => [true, false, true]
    /// ```
    fn seeded(value: i64, f: Closure) -> Value {
        let _before = Before::now()?;
        set(value)?;
        f.call(Vec::new())?
    }
}

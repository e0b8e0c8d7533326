//! One seed for everything: libtorch's generator and every stream of our own are derived from it.

use super::error::{Error, Result};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use sha2::{Digest, Sha256};
use std::cell::Cell;

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
}

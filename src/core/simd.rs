//! The widest vector instructions the machine has, for loops that the compiler vectorises by itself.

/// Runs `f` compiled for the machine at hand; what it calls must be `#[inline(always)]` to be compiled so too.
#[inline(always)]
pub fn wide<R>(f: impl FnOnce() -> R) -> R {
    pulp::Arch::new().dispatch(f)
}

/// Lanes that loops over arrays work on at once.
pub const LANES: usize = 16;

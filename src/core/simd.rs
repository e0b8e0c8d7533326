//! The widest vector instructions the machine has, for loops that the compiler vectorises by itself.

/// Runs `f` compiled for the machine at hand; what it calls must be `#[inline(always)]` to be compiled so too.
#[inline(always)]
pub fn wide<R>(f: impl FnOnce() -> R) -> R {
    pulp::Arch::new().dispatch(f)
}

/// `x` from 0 up to 2^23 cut down to an integer, in a form that vector instructions have: with 2^23 added a float's last
/// bits count ones. Of other numbers something.
#[inline(always)]
pub fn whole(x: f32) -> u32 {
    (x.floor() + 8_388_608.0).to_bits() & 0x7f_ffff
}

/// Lanes that loops over arrays work on at once.
pub const LANES: usize = 16;

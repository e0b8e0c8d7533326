//! The one place with unsafe code: the Rust side of native/.
#![allow(unsafe_code)]

mod autocast;
mod gate;
mod packed;
mod script;

pub use autocast::Autocast;
pub use gate::{Pass, gate};
pub use packed::{Packed, Walk};
pub use script::Script;

use super::error::{Error, Result};
use std::ffi::{CStr, CString, c_char, c_int, c_ulong};
use std::path::Path;
use tch::{Device, Kind, Tensor};
use torch_sys::C_tensor;

type List = *const *mut C_tensor;

unsafe extern "C" {
    fn _exit(code: c_int) -> !;
    fn mallopt(param: c_int, value: c_int) -> c_int;
    fn malloc_trim(pad: usize) -> c_int;
    fn prctl(option: c_int, value: c_ulong, _: c_ulong, _: c_ulong, _: c_ulong) -> c_int;
    fn cs_last_error() -> *const c_char;
    fn cs_fused_adam(
        params: List,
        grads: List,
        avgs: List,
        squares: List,
        maxima: List,
        steps: List,
        n: usize,
        lr: f64,
        beta1: f64,
        beta2: f64,
        weight_decay: f64,
        eps: f64,
        amsgrad: c_int,
        decoupled: c_int,
    ) -> c_int;
    fn cs_fused_sgd(
        params: List,
        grads: List,
        buffers: List,
        n: usize,
        lr: f64,
        momentum: f64,
        dampening: f64,
        weight_decay: f64,
        nesterov: c_int,
        first: c_int,
    ) -> c_int;
    fn cs_clear_grads(params: List, n: usize) -> c_int;
    fn cs_add_grads(params: List, grads: List, n: usize) -> c_int;
    fn cs_rng_get(device: c_int, out: *mut *mut C_tensor) -> c_int;
    fn cs_rng_set(device: c_int, state: *mut C_tensor) -> c_int;
    fn cs_deterministic() -> c_int;
    fn cs_arithmetic(op: c_char, a: *mut C_tensor, b: *mut C_tensor, out: *mut *mut C_tensor) -> c_int;
    fn cs_to_meta(t: *mut C_tensor, out: *mut *mut C_tensor) -> c_int;
    fn cs_leaky_relu(t: *mut C_tensor, slope: f64, out: *mut *mut C_tensor) -> c_int;
    fn cs_open(path: *const c_char) -> c_int;
    fn cs_torch_version() -> *const c_char;
    fn cs_cpu_capability(out: *mut *const c_char) -> c_int;
}

/// The shim's answer as a result.
fn checked(code: c_int) -> Result<()> {
    match code {
        0 => Ok(()),
        // SAFETY: the shim keeps the text of this thread's last error until the next call.
        _ => Err(Error::torch(&text(unsafe { cs_last_error() }))),
    }
}

fn text(p: *const c_char) -> String {
    // SAFETY: every `const char*` of the shim is a zero-terminated string that outlives this call.
    if p.is_null() { String::new() } else { unsafe { CStr::from_ptr(p) }.to_string_lossy().into_owned() }
}

/// The C++ pointers of tensors; the shim copies the handles, so they need to live only as long as `tensors`.
fn pointers(tensors: &[Tensor]) -> Vec<*mut C_tensor> {
    tensors.iter().map(|t| t.as_ptr().cast_mut()).collect()
}

fn same_length(n: usize, lists: &[&[Tensor]]) -> Result<()> {
    match lists.iter().all(|l| l.len() == n) {
        true => Ok(()),
        false => Err(Error::new(format!("an optimizer's state does not fit its {n} parameters"))),
    }
}

/// The numbers of an Adam step.
pub struct AdamStep {
    /// Learning rate.
    pub lr: f64,
    /// Decay of the two moments.
    pub betas: [f64; 2],
    /// Added to the denominator.
    pub eps: f64,
    /// Weight decay.
    pub weight_decay: f64,
    /// Decay applied to the parameter itself (AdamW), not to its gradient (Adam).
    pub decoupled: bool,
}

/// One fused Adam or AdamW step on all parameters; `maxima` empty means no AMSGrad. The step counters
/// (`steps`, one float tensor a parameter) are advanced.
///
/// # Errors
/// Lists of other lengths; libtorch's.
pub fn fused_adam(
    params: &[Tensor],
    grads: &[Tensor],
    avgs: &[Tensor],
    squares: &[Tensor],
    maxima: &[Tensor],
    steps: &[Tensor],
    o: &AdamStep,
) -> Result<()> {
    let n = params.len();
    same_length(n, &[grads, avgs, squares, steps])?;
    let amsgrad = !maxima.is_empty();
    if amsgrad {
        same_length(n, &[maxima])?;
    }
    let [p, g, m, v, x, s] = [params, grads, avgs, squares, maxima, steps].map(pointers);
    // SAFETY: every list holds n live tensors (checked above).
    checked(unsafe {
        cs_fused_adam(
            p.as_ptr(),
            g.as_ptr(),
            m.as_ptr(),
            v.as_ptr(),
            x.as_ptr(),
            s.as_ptr(),
            n,
            o.lr,
            o.betas[0],
            o.betas[1],
            o.weight_decay,
            o.eps,
            c_int::from(amsgrad),
            c_int::from(o.decoupled),
        )
    })
}

/// The numbers of an SGD step.
pub struct SgdStep {
    /// Learning rate.
    pub lr: f64,
    /// Share of the last step carried on.
    pub momentum: f64,
    /// Damps the gradient's entry into the momentum.
    pub dampening: f64,
    /// Weight decay.
    pub weight_decay: f64,
    /// Looks one step ahead.
    pub nesterov: bool,
    /// The momentum buffers hold nothing yet.
    pub first: bool,
}

/// One fused SGD step on all parameters.
///
/// # Errors
/// Lists of other lengths; libtorch's.
pub fn fused_sgd(params: &[Tensor], grads: &[Tensor], buffers: &[Tensor], o: &SgdStep) -> Result<()> {
    let n = params.len();
    same_length(n, &[grads])?;
    if o.momentum != 0.0 {
        same_length(n, &[buffers])?;
    }
    let [p, g, b] = [params, grads, buffers].map(pointers);
    // SAFETY: every list the shim reads holds n live tensors (checked above).
    checked(unsafe {
        cs_fused_sgd(
            p.as_ptr(),
            g.as_ptr(),
            b.as_ptr(),
            n,
            o.lr,
            o.momentum,
            o.dampening,
            o.weight_decay,
            c_int::from(o.nesterov),
            c_int::from(o.first),
        )
    })
}

/// Forgets the gradients of `params`.
///
/// # Errors
/// libtorch's.
pub fn clear_grads(params: &[Tensor]) -> Result<()> {
    let p = pointers(params);
    // SAFETY: the list holds `p.len()` live tensors.
    checked(unsafe { cs_clear_grads(p.as_ptr(), p.len()) })
}

/// Adds to the `.grad` of each leaf.
///
/// # Errors
/// Lists of different lengths; libtorch's.
pub fn add_grads(leaves: &[Tensor], grads: &[Tensor]) -> Result<()> {
    same_length(leaves.len(), &[grads])?;
    let [p, g] = [leaves, grads].map(pointers);
    // SAFETY: both lists hold `p.len()` live tensors.
    checked(unsafe { cs_add_grads(p.as_ptr(), g.as_ptr(), p.len()) })
}

/// libtorch's number of a device: -1 for the CPU.
fn index(device: Device) -> c_int {
    if let Device::Cuda(i) = device { i as c_int } else { -1 }
}

/// The state of libtorch's generator for a device, a uint8 tensor.
///
/// # Errors
/// libtorch's.
pub fn rng_state(device: Device) -> Result<Tensor> {
    let mut out = std::ptr::null_mut();
    // SAFETY: on success `out` is a new tensor that is ours.
    checked(unsafe { cs_rng_get(index(device), &mut out) })?;
    Ok(unsafe { Tensor::from_ptr(out) })
}

/// Puts libtorch's generator for a device into a state that [`rng_state`] gave.
///
/// # Errors
/// A tensor that is no such state.
pub fn set_rng_state(device: Device, state: &Tensor) -> Result<()> {
    // SAFETY: the tensor lives through the call.
    checked(unsafe { cs_rng_set(index(device), state.as_ptr().cast_mut()) })
}

/// Deterministic algorithms wherever libtorch has them, on a GPU too: one seed, the same bits.
///
/// # Errors
/// libtorch's.
pub fn deterministic() -> Result<()> {
    // SAFETY: no pointers.
    checked(unsafe { cs_deterministic() })
}

/// `a op b` with broadcasting, where `op` is one of `+ - * /`: the way without detours for scripts' loops.
///
/// # Errors
/// Shapes that do not broadcast; libtorch's.
pub fn arithmetic(op: u8, a: &Tensor, b: &Tensor) -> Result<Tensor> {
    let mut out = std::ptr::null_mut();
    let [a, b] = [a, b].map(|t| t.as_ptr().cast_mut());
    // SAFETY: the tensors live through the call; on success `out` is a new tensor that is ours.
    checked(unsafe { cs_arithmetic(op as c_char, a, b, &mut out) })?;
    Ok(unsafe { Tensor::from_ptr(out) })
}

/// The tensor on libtorch's `meta` device: shape and type without data.
///
/// # Errors
/// libtorch's.
pub fn to_meta(t: &Tensor) -> Result<Tensor> {
    let mut out = std::ptr::null_mut();
    // SAFETY: the tensor lives through the call; on success `out` is a new tensor that is ours.
    checked(unsafe { cs_to_meta(t.as_ptr().cast_mut(), &mut out) })?;
    Ok(unsafe { Tensor::from_ptr(out) })
}

/// `x` where positive, `slope · x` elsewhere.
///
/// # Errors
/// libtorch's.
pub fn leaky_relu(x: &Tensor, slope: f64) -> Result<Tensor> {
    let mut out = std::ptr::null_mut();
    // SAFETY: the tensor lives through the call; on success `out` is a new tensor that is ours.
    checked(unsafe { cs_leaky_relu(x.as_ptr().cast_mut(), slope, &mut out) })?;
    Ok(unsafe { Tensor::from_ptr(out) })
}

/// A tensor of the same shape whose numbers `f` made of those of a float32 tensor on the CPU, in their order.
///
/// # Errors
/// Another kind or device; libtorch's.
pub fn map_floats(x: &Tensor, f: impl FnOnce(&mut [f32])) -> Result<Tensor> {
    if x.kind() != Kind::Float || x.device() != Device::Cpu {
        return Err(Error::new(format!(
            "expected float32 on the CPU, got {:?} on {:?}",
            x.kind(),
            x.device()
        )));
    }
    let mut out = Tensor::f_empty(x.size(), (Kind::Float, Device::Cpu))?;
    tch::no_grad(|| out.f_copy_(x))?;
    if out.numel() > 0 {
        // SAFETY: `out` is contiguous, on the CPU, of as many float32, and nobody else has it.
        f(unsafe { std::slice::from_raw_parts_mut(out.data_ptr().cast(), out.numel()) });
    }
    Ok(out)
}

/// Opens a shared library for the rest of the process.
///
/// # Errors
/// The loader's words.
pub fn open_library(path: &Path) -> Result<()> {
    let c = CString::new(path.as_os_str().as_encoded_bytes())
        .map_err(|_| Error::new(format!("{}: not a file name", path.display())))?;
    // SAFETY: a zero-terminated path; the library's constructors are libtorch's.
    checked(unsafe { cs_open(c.as_ptr()) })
}

/// Ends the process at once: no destructors, no buffers written.
pub fn leave(code: i32) -> ! {
    // SAFETY: POSIX's `_exit` takes any integer and does not return.
    unsafe { _exit(code) }
}

/// Ordinary pages for small values: 4 KB, not 2 MB, where the system gives huge pages only to those who ask. libtorch
/// does not ask there; the allocator of small values does, and each of its parts in each thread would take megabytes.
pub fn small_pages() {
    const PR_SET_THP_DISABLE: c_int = 41;
    let mode = std::fs::read_to_string("/sys/kernel/mm/transparent_hugepage/enabled");
    if mode.is_ok_and(|m| m.contains("[madvise]")) {
        // SAFETY: sets a flag of this process; where the kernel does not know it, nothing happens.
        unsafe { prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0) };
    }
}

/// Memory that tensors give back is kept for the next ones, up to 2 GB, for threads alike. Returned to the system, every
/// large tensor would have its pages cleared anew: of a step of training on pictures that is a quarter of the time.
pub fn keep_memory() {
    // Of malloc.h: M_ARENA_MAX (others than the first cannot hold large blocks), M_MMAP_MAX, M_TRIM_THRESHOLD, M_TOP_PAD.
    for (param, value) in [(-8, 1), (-4, 0), (-1, c_int::MAX), (-2, 64 << 20)] {
        // SAFETY: sets numbers of the allocator; one it does not know changes nothing.
        unsafe { mallopt(param, value) };
    }
}

/// Returns what is kept unused to the system.
pub fn return_memory() {
    // SAFETY: takes any number, from any thread.
    unsafe { malloc_trim(0) };
}

/// The version of libtorch compiled against: `2.11.0`.
pub fn torch_version() -> String {
    // SAFETY: a constant string.
    text(unsafe { cs_torch_version() })
}

/// The instruction set libtorch chose: `AVX512`, `AVX2` …
///
/// # Errors
/// libtorch's.
pub fn cpu_capability() -> Result<String> {
    let mut out = std::ptr::null();
    // SAFETY: on success `out` is a string of this thread that lives until the next call.
    checked(unsafe { cs_cpu_capability(&mut out) })?;
    Ok(text(out))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_generator_goes_on_from_a_saved_state() {
        tch::manual_seed(3);
        let state = rng_state(Device::Cpu).unwrap();
        let a = Tensor::rand([4], tch::kind::FLOAT_CPU);
        set_rng_state(Device::Cpu, &state).unwrap();
        assert!(Tensor::rand([4], tch::kind::FLOAT_CPU).equal(&a));
        assert!(set_rng_state(Device::Cpu, &Tensor::zeros([3], tch::kind::FLOAT_CPU)).is_err());
    }

    #[test]
    fn a_meta_tensor_has_a_shape() {
        assert_eq!(to_meta(&Tensor::zeros([2, 3], tch::kind::FLOAT_CPU)).unwrap().size(), [2, 3]);
    }

    #[test]
    fn a_missing_library_is_an_error() {
        assert!(open_library(Path::new("/nowhere/libx.so")).unwrap_err().msg.contains("libx.so"));
    }
}

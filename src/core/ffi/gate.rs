//! Gates in the graph, and a backward pass that stops at them.

use super::{List, checked, pointers, same_length};
use crate::core::error::Result;
use std::ffi::{c_int, c_void};
use std::sync::Arc;
use tch::Tensor;
use torch_sys::C_tensor;

unsafe extern "C" {
    fn cs_gate(
        value: *mut C_tensor,
        input: *mut C_tensor,
        id: u64,
        token: *const c_void,
        release: extern "C" fn(*const c_void),
        out: *mut *mut C_tensor,
    ) -> c_int;
    fn cs_pass_new(
        roots: List,
        grads: List,
        n: usize,
        inputs: List,
        m: usize,
        keep: c_int,
        create: c_int,
        accumulate: c_int,
        out: *mut *mut c_void,
    ) -> c_int;
    fn cs_pass_next(pass: *mut c_void, id: *mut u64, grad: *mut *mut C_tensor) -> c_int;
    fn cs_pass_resume(pass: *mut c_void, grad: *mut C_tensor) -> c_int;
    fn cs_pass_finish(pass: *mut c_void, out: *mut *mut C_tensor) -> c_int;
    fn cs_pass_free(pass: *mut c_void);
}

extern "C" fn release(token: *const c_void) {
    // SAFETY: `gate` gave this pointer away with `into_raw`, and a gate releases it once.
    drop(unsafe { Arc::from_raw(token.cast::<u64>()) });
}

/// A tensor with the values of `value` whose gradient passes a gate on its way to `input`; none where no gradient
/// is recorded. The graph holds a clone of `id` while the gate lives.
///
/// # Errors
/// libtorch's.
pub fn gate(value: &Tensor, input: &Tensor, id: &Arc<u64>) -> Result<Option<Tensor>> {
    let token = Arc::into_raw(id.clone()).cast::<c_void>();
    let mut out = std::ptr::null_mut();
    let (v, i) = (value.as_ptr().cast_mut(), input.as_ptr().cast_mut());
    // SAFETY: the tensors live through the call; on success `out` is null or a new tensor that is ours.
    let code = unsafe { cs_gate(v, i, **id, token, release, &mut out) };
    if out.is_null() {
        release(token); // no gate took it
        return checked(code).map(|()| None);
    }
    Ok(Some(unsafe { Tensor::from_ptr(out) }))
}

/// A backward pass that stops at gates.
pub struct Pass {
    raw: *mut c_void,
    inputs: usize,
}

impl Pass {
    /// From `roots` with their gradients (undefined: ones) to `inputs`, or into the `.grad` of all leaves.
    ///
    /// # Errors
    /// A tensor without a gradient.
    pub fn new(
        roots: &[Tensor],
        grads: &[Tensor],
        inputs: &[Tensor],
        [keep, create, accumulate]: [bool; 3],
    ) -> Result<Self> {
        same_length(roots.len(), &[grads])?;
        let [r, g, i] = [roots, grads, inputs].map(pointers);
        let [keep, create, accumulate] = [keep, create, accumulate].map(c_int::from);
        let (mut raw, n, m) = (std::ptr::null_mut(), r.len(), i.len());
        // SAFETY: the lists hold n, n and m live tensors.
        checked(unsafe {
            cs_pass_new(r.as_ptr(), g.as_ptr(), n, i.as_ptr(), m, keep, create, accumulate, &mut raw)
        })?;
        Ok(Pass { raw, inputs: m })
    }

    /// Runs to the next gate: its id, and the gradient there; none when all have been passed.
    ///
    /// # Errors
    /// libtorch's.
    pub fn next_gate(&mut self) -> Result<Option<(u64, Tensor)>> {
        let (mut id, mut grad) = (0, std::ptr::null_mut());
        // SAFETY: on success `grad` is null or a new tensor that is ours.
        checked(unsafe { cs_pass_next(self.raw, &mut id, &mut grad) })?;
        Ok((!grad.is_null()).then(|| (id, unsafe { Tensor::from_ptr(grad) })))
    }

    /// Goes on from the gate that [`next_gate`](Pass::next_gate) gave last; to be called before the next.
    ///
    /// # Errors
    /// libtorch's.
    pub fn resume(&mut self, grad: &Tensor) -> Result<()> {
        // SAFETY: the tensor lives through the call.
        checked(unsafe { cs_pass_resume(self.raw, grad.as_ptr().cast_mut()) })
    }

    /// Runs the rest; gives the gradients of the inputs, undefined where none arrived.
    ///
    /// # Errors
    /// libtorch's.
    pub fn finish(self) -> Result<Vec<Tensor>> {
        let mut out = vec![std::ptr::null_mut(); self.inputs];
        // SAFETY: room for one tensor an input; on success all are new and ours.
        checked(unsafe { cs_pass_finish(self.raw, out.as_mut_ptr()) })?;
        Ok(out.into_iter().map(|t| unsafe { Tensor::from_ptr(t) }).collect())
    }
}

impl Drop for Pass {
    fn drop(&mut self) {
        // SAFETY: made by cs_pass_new, freed once.
        unsafe { cs_pass_free(self.raw) }
    }
}

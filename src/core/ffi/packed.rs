//! Convolutions whose weights are packed as oneDNN reads them: for passes without a graph, float32 on a CPU.

use super::checked;
use crate::core::Result;
use std::ffi::c_int;
use tch::Tensor;
use torch_sys::C_tensor;

unsafe extern "C" {
    fn cs_packs(x: *mut C_tensor, w: *mut C_tensor, walk: *const Walk) -> c_int;
    fn cs_conv_pack(w: *mut C_tensor, x: *mut C_tensor, walk: *const Walk, out: *mut *mut C_tensor) -> c_int;
    fn cs_conv_packed(
        x: *mut C_tensor,
        w: *mut C_tensor,
        bias: *mut C_tensor,
        walk: *const Walk,
        out: *mut *mut C_tensor,
    ) -> c_int;
}

/// How a convolution walks; native/packed.cpp has the same.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct Walk {
    /// Zeros on each side, rows and columns.
    pub padding: [i64; 2],
    /// Step between two windows.
    pub stride: [i64; 2],
    /// Distance between two points of a window.
    pub dilation: [i64; 2],
    /// Groups of channels convolved apart.
    pub groups: i64,
}

/// A weight as it is read fastest; only [`Packed::conv2d`] can read it.
pub struct Packed(Tensor);

impl Packed {
    /// True where libtorch's usual convolution of `x` with `weight` would run in oneDNN too, and no gradient is wanted. A
    /// picture that does not fit is left to the usual one, which says so.
    pub fn fits(x: &Tensor, weight: &Tensor, walk: &Walk) -> bool {
        // SAFETY: tensors and walk live through the call, which changes neither.
        unsafe { cs_packs(x.as_ptr().cast_mut(), weight.as_ptr().cast_mut(), walk) != 0 }
    }

    /// `weight`, packed for pictures of the shape of `x`; others can be convolved with it too.
    ///
    /// # Errors
    /// libtorch's.
    pub fn new(weight: &Tensor, x: &Tensor, walk: &Walk) -> Result<Self> {
        let mut out = std::ptr::null_mut();
        let (w, x) = (weight.as_ptr().cast_mut(), x.as_ptr().cast_mut());
        // SAFETY: tensors and walk live through the call; on success `out` is a new tensor that is ours.
        checked(unsafe { cs_conv_pack(w, x, walk, &mut out) })?;
        Ok(Self(unsafe { Tensor::from_ptr(out) }))
    }

    /// The convolution of `x` [N, C, H, W].
    ///
    /// # Errors
    /// libtorch's.
    pub fn conv2d(&self, x: &Tensor, bias: Option<&Tensor>, walk: &Walk) -> Result<Tensor> {
        let mut out = std::ptr::null_mut();
        let (x, w) = (x.as_ptr().cast_mut(), self.0.as_ptr().cast_mut());
        let bias = bias.map_or(std::ptr::null_mut(), |b| b.as_ptr().cast_mut());
        // SAFETY: as above; a missing bias is a null pointer.
        checked(unsafe { cs_conv_packed(x, w, bias, walk, &mut out) })?;
        Ok(unsafe { Tensor::from_ptr(out) })
    }
}

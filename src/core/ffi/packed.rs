//! Convolutions whose weights are packed as oneDNN reads them: for passes without a graph, float32 on a CPU.

use super::checked;
use crate::core::Result;
use std::ffi::c_int;
use tch::Tensor;
use torch_sys::C_tensor;

type Made = *mut *mut C_tensor;

unsafe extern "C" {
    fn cs_packs(
        x: *mut C_tensor,
        w: *mut C_tensor,
        padding: *const i64,
        dilation: *const i64,
        groups: i64,
    ) -> c_int;
    fn cs_conv_pack(
        w: *mut C_tensor,
        x: *mut C_tensor,
        padding: *const i64,
        stride: *const i64,
        dilation: *const i64,
        groups: i64,
        out: Made,
    ) -> c_int;
    fn cs_conv_packed(
        x: *mut C_tensor,
        w: *mut C_tensor,
        bias: *mut C_tensor,
        padding: *const i64,
        stride: *const i64,
        dilation: *const i64,
        groups: i64,
        out: Made,
    ) -> c_int;
}

/// How a convolution walks.
#[derive(Clone, Copy)]
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
    pub fn fits(x: &Tensor, weight: &Tensor, w: &Walk) -> bool {
        let (p, d) = (w.padding.as_ptr(), w.dilation.as_ptr());
        // SAFETY: tensors and pairs live through the call, which changes neither.
        unsafe { cs_packs(x.as_ptr().cast_mut(), weight.as_ptr().cast_mut(), p, d, w.groups) != 0 }
    }

    /// `weight`, packed for pictures of the shape of `x`; others can be convolved with it too.
    ///
    /// # Errors
    /// libtorch's.
    pub fn new(weight: &Tensor, x: &Tensor, w: &Walk) -> Result<Self> {
        let mut out = std::ptr::null_mut();
        let (p, s, d) = (w.padding.as_ptr(), w.stride.as_ptr(), w.dilation.as_ptr());
        // SAFETY: tensors and pairs live through the call; on success `out` is a new tensor that is ours.
        checked(unsafe {
            cs_conv_pack(weight.as_ptr().cast_mut(), x.as_ptr().cast_mut(), p, s, d, w.groups, &mut out)
        })?;
        Ok(Self(unsafe { Tensor::from_ptr(out) }))
    }

    /// The convolution of `x` [N, C, H, W].
    ///
    /// # Errors
    /// libtorch's.
    pub fn conv2d(&self, x: &Tensor, bias: Option<&Tensor>, w: &Walk) -> Result<Tensor> {
        let mut out = std::ptr::null_mut();
        let (p, s, d) = (w.padding.as_ptr(), w.stride.as_ptr(), w.dilation.as_ptr());
        let bias = bias.map_or(std::ptr::null_mut(), |b| b.as_ptr().cast_mut());
        // SAFETY: as above; a missing bias is a null pointer.
        checked(unsafe {
            cs_conv_packed(
                x.as_ptr().cast_mut(),
                self.0.as_ptr().cast_mut(),
                bias,
                p,
                s,
                d,
                w.groups,
                &mut out,
            )
        })?;
        Ok(unsafe { Tensor::from_ptr(out) })
    }
}

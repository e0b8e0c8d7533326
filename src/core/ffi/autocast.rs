//! Mixed precision: while an [`Autocast`] lives, convolutions and matrix products of its thread run in bfloat16.

use super::{checked, index};
use crate::core::Result;
use std::ffi::c_int;
use tch::Device;

unsafe extern "C" {
    fn cs_autocast_begin(device: c_int, before: *mut c_int) -> c_int;
    fn cs_autocast_end(device: c_int, before: c_int);
}

/// Mixed precision until it is dropped; bound to its thread, as libtorch's switch is.
pub struct Autocast {
    device: c_int,
    before: c_int,
    _here: std::marker::PhantomData<*const ()>,
}

impl Autocast {
    /// bfloat16 for what is computed on `device`.
    ///
    /// # Errors
    /// libtorch's.
    pub fn new(device: Device) -> Result<Self> {
        let (device, mut before) = (index(device), 0);
        // SAFETY: the pointer is to a living integer.
        checked(unsafe { cs_autocast_begin(device, &mut before) })?;
        Ok(Self { device, before, _here: std::marker::PhantomData })
    }
}

impl Drop for Autocast {
    fn drop(&mut self) {
        // SAFETY: no pointers; it closes what `new` opened on this thread.
        unsafe { cs_autocast_end(self.device, self.before) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tch::{Kind, Tensor};

    #[test]
    fn products_are_in_bfloat16_while_it_lives() {
        let a = Tensor::ones([2, 2], tch::kind::FLOAT_CPU);
        let kind = || a.matmul(&a).kind();
        assert_eq!(kind(), Kind::Float);
        let outer = Autocast::new(Device::Cpu).unwrap();
        drop(Autocast::new(Device::Cpu).unwrap());
        assert_eq!(kind(), Kind::BFloat16, "the outer one goes on");
        drop(outer);
        assert_eq!(kind(), Kind::Float);
    }
}

//! Weights of convolutions that do not learn at the moment, in the forms in which they are read fastest on a CPU: made once,
//! and again when they were written to.

use super::conv::side_by_side;
use crate::core::Result;
use crate::core::ffi::{Packed, Walk};
use std::cell::RefCell;
use std::rc::Rc;
use tch::{Device, Tensor};

/// Those of one weight.
#[derive(Default)]
pub(super) struct Laid(RefCell<Forms>);

#[derive(Default)]
struct Forms {
    /// Where the weight lay, and its count of changes.
    when: (usize, i64),
    side_by_side: Option<Tensor>,
    packed: Option<Rc<Packed>>,
}

impl Laid {
    /// Forgets what was made of another state of `weight`.
    fn renew(&self, weight: &Tensor) -> Result<()> {
        let when = (weight.data_ptr() as usize, weight.f_internal_version()?);
        if self.0.borrow().when != when {
            self.0.replace(Forms { when, ..Forms::default() });
        }
        Ok(())
    }

    /// With the channels of a place side by side; as it is where it learns.
    ///
    /// # Errors
    /// libtorch's.
    pub fn side_by_side(&self, weight: &Tensor) -> Result<Tensor> {
        if weight.requires_grad() || weight.device() != Device::Cpu {
            return Ok(weight.shallow_clone());
        }
        self.renew(weight)?;
        let mut forms = self.0.borrow_mut();
        if forms.side_by_side.is_none() {
            forms.side_by_side = Some(side_by_side(weight)?);
        }
        Ok(forms.side_by_side.as_ref().unwrap_or(weight).shallow_clone())
    }

    /// Packed, where `x` is convolved without a graph; none where only libtorch's usual form will do.
    ///
    /// # Errors
    /// libtorch's.
    pub fn packed(&self, weight: &Tensor, x: &Tensor, walk: &Walk) -> Result<Option<Rc<Packed>>> {
        if !Packed::fits(x, weight, walk) {
            return Ok(None);
        }
        self.renew(weight)?;
        let mut forms = self.0.borrow_mut();
        if forms.packed.is_none() {
            forms.packed = Some(Rc::new(Packed::new(weight, x, walk)?));
        }
        Ok(forms.packed.clone())
    }
}

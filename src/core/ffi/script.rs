//! TorchScript programs.

use super::{checked, index, text};
use crate::core::Value;
use crate::core::error::{Error, Result};
use std::ffi::{CStr, CString, c_char, c_int, c_void};
use std::path::Path;
use tch::{Device, Tensor};
use torch_sys::C_tensor;

type Take = extern "C" fn(*mut c_void, *const c_char, c_int, *mut C_tensor);

unsafe extern "C" {
    fn cs_script_load(path: *const c_char, device: c_int, out: *mut *mut c_void) -> c_int;
    fn cs_script_free(program: *mut c_void);
    fn cs_script_class(program: *mut c_void, out: *mut *const c_char) -> c_int;
    fn cs_script_tensors(program: *mut c_void, data: *mut c_void, take: Take) -> c_int;
    fn cs_script_train(program: *mut c_void, on: c_int) -> c_int;
    fn cs_script_forward(
        program: *mut c_void,
        x: *mut C_tensor,
        form: *mut c_int,
        data: *mut c_void,
        take: Take,
    ) -> c_int;
}

/// What the shim hands over: name, number, tensor or none.
type Taken = Vec<(String, c_int, Option<Tensor>)>;

extern "C" fn take(data: *mut c_void, name: *const c_char, number: c_int, t: *mut C_tensor) {
    // SAFETY: `data` is the `Taken` of the call under way; the name is a zero-terminated string; a tensor is ours.
    let (taken, name) = unsafe { (&mut *data.cast::<Taken>(), CStr::from_ptr(name)) };
    let t = (!t.is_null()).then(|| unsafe { Tensor::from_ptr(t) });
    taken.push((name.to_string_lossy().into_owned(), number, t));
}

/// A program and its tensors.
pub struct Script(*mut c_void);

impl Drop for Script {
    fn drop(&mut self) {
        // SAFETY: `load` made it, and nobody else frees it.
        unsafe { cs_script_free(self.0) }
    }
}

impl Script {
    /// Reads a program.
    ///
    /// # Errors
    /// libtorch's.
    pub fn load(path: &Path, device: Device) -> Result<Self> {
        let c = CString::new(path.as_os_str().as_encoded_bytes())
            .map_err(|_| Error::new(format!("{}: not a file name", path.display())))?;
        let mut out = std::ptr::null_mut();
        // SAFETY: a zero-terminated path; on success `out` is a new program that is ours.
        checked(unsafe { cs_script_load(c.as_ptr(), index(device), &mut out) })?;
        Ok(Self(out))
    }

    /// The class it had in Python.
    ///
    /// # Errors
    /// libtorch's.
    pub fn class(&self) -> Result<String> {
        let mut out = std::ptr::null();
        // SAFETY: on success `out` is a string of this thread that lives until the next call.
        checked(unsafe { cs_script_class(self.0, &mut out) })?;
        Ok(text(out))
    }

    /// Its tensors by name; true for parameters, false for buffers.
    ///
    /// # Errors
    /// libtorch's.
    pub fn tensors(&self) -> Result<Vec<(String, Tensor, bool)>> {
        let mut taken = Taken::new();
        // SAFETY: `taken` lives through the call.
        checked(unsafe { cs_script_tensors(self.0, (&raw mut taken).cast(), take) })?;
        Ok(taken.into_iter().filter_map(|(name, role, t)| Some((name, t?, role == 0))).collect())
    }

    /// Sets training or evaluation where the program has such a mode.
    ///
    /// # Errors
    /// libtorch's.
    pub fn train(&self, on: bool) -> Result<()> {
        // SAFETY: a live program.
        checked(unsafe { cs_script_train(self.0, on.into()) })
    }

    /// Runs it: gives a tensor, a list or a map of tensors.
    ///
    /// # Errors
    /// libtorch's; an output of another kind.
    pub fn forward(&self, x: &Tensor) -> Result<Value> {
        let (mut taken, mut form) = (Taken::new(), 0);
        let data = (&raw mut taken).cast();
        // SAFETY: the tensor and `taken` live through the call.
        checked(unsafe { cs_script_forward(self.0, x.as_ptr().cast_mut(), &mut form, data, take) })?;
        let mut all = taken.into_iter().map(|(name, _, t)| (name, t.map_or(Value::Nil, Value::Tensor)));
        Ok(match form {
            0 => all.next().map_or(Value::Nil, |(_, v)| v),
            1 => Value::List(all.map(|(_, v)| v).collect()),
            _ => Value::Map(all.collect()),
        })
    }
}

//! Stub.
use super::{Error, Result};
use std::path::Path;
use tch::Tensor;
pub fn read_named(p: &Path) -> Result<Vec<(String, Tensor)>> { Tensor::read_safetensors(p).map_err(Error::from) }
pub fn write_named(p: &Path, t: &[(String, Tensor)]) -> Result<()> { Tensor::write_safetensors(t, p).map_err(Error::from) }

//! IDX files, the format of MNIST: two zero bytes, a type, a number of axes, the sizes, the elements, all
//! with the highest byte first (<http://yann.lecun.com/exdb/mnist/>).

use std::path::Path;

use tch::Tensor;

use crate::core::bytes::{self, Cursor, Dtype};
use crate::core::{Error, Result};

/// Reads an IDX file, plain or gzip: `[N, H, W]` uint8 for MNIST's images, `[N]` for its labels.
///
/// # Errors
/// A damaged file, or one of another format.
pub fn read(path: impl AsRef<Path>) -> Result<Tensor> {
    let path = path.as_ref();
    parse(&path.display().to_string(), &bytes::load(path)?)
}

/// As [`read`], from bytes; `name` is used in messages.
pub fn parse(name: &str, bytes: &[u8]) -> Result<Tensor> {
    bytes::plain(bytes).and_then(|bytes| inner(&bytes)).map_err(|e| e.within(name))
}

/// Whether the bytes begin as an IDX file does.
pub fn is_idx(bytes: &[u8]) -> bool {
    matches!(bytes, [0, 0, code, 1..=8, ..] if dtype(*code).is_some())
}

fn dtype(code: u8) -> Option<Dtype> {
    let name = match code {
        0x08 => "u1",
        0x09 => "i1",
        0x0b => ">i2",
        0x0c => ">i4",
        0x0d => ">f4",
        0x0e => ">f8",
        _ => return None,
    };
    Dtype::parse(name)
}

pub(super) fn inner(bytes: &[u8]) -> Result<Tensor> {
    let mut cur = Cursor::new(bytes);
    let [zero, zero2, code, axes] = cur.array()?;
    let dtype = dtype(code).filter(|_| zero == 0 && zero2 == 0).ok_or_else(|| {
        Error::new(format!("no IDX file: it begins with {zero:02x} {zero2:02x} {code:02x} {axes:02x}"))
    })?;
    let mut shape = Vec::new();
    for _ in 0..axes {
        shape.push(i64::from(u32::from_be_bytes(cur.array()?)));
    }
    dtype.tensor(cur.rest(), &shape, false)
}

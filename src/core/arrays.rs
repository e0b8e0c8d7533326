//! Files of arrays, of whatever format: known by their contents first, by their extension second.

use std::collections::BTreeMap;
use std::path::Path;

use tch::Tensor;

pub use crate::core::pickle::Named;

use crate::core::archive::Archive;
use crate::core::{Error, Result, bytes, idx, npy, safetensors, torch_file};

/// What can be read, for messages.
const READ: &str =
    "read are .npy, .npz, .safetensors, PyTorch's .pt and .pth, pickles, IDX, also packed by gzip";

/// Reads all arrays of a file with their names, in the file's order. A file of one array without a name
/// (.npy, IDX) gives it the name `array`.
///
/// # Errors
/// A damaged or unknown file, one without any array, and those of its format's reader.
pub fn read_named(path: impl AsRef<Path>) -> Result<Vec<(String, Tensor)>> {
    Ok(read_all(path)?.tensors)
}

/// As [`read_named`], with the list of what was no array.
///
/// # Errors
/// As [`read_named`].
pub fn read_all(path: impl AsRef<Path>) -> Result<Named> {
    let path = path.as_ref();
    parse(&path.display().to_string(), &bytes::load(path)?)
}

/// Reads the array of a file that holds just one.
///
/// # Errors
/// As [`read_named`], and several arrays.
pub fn read(path: impl AsRef<Path>) -> Result<Tensor> {
    let path = path.as_ref();
    let mut named = read_named(path)?;
    match named.pop() {
        Some((_, tensor)) if named.is_empty() => Ok(tensor),
        last => {
            let names: Vec<_> = named.iter().chain(&last).map(|(n, _)| n.as_str()).take(8).collect();
            let (n, names) = (named.len() + 1, names.join(", "));
            Err(Error::new(format!("{}: holds {n} arrays, one is wanted", path.display()))
                .hint(format!("read them by name: {names}{}", if n > 8 { " …" } else { "" })))
        }
    }
}

/// As [`read_all`], from bytes; `name` is used in messages and for its extension.
pub fn parse(name: &str, bytes: &[u8]) -> Result<Named> {
    let named = bytes::plain(bytes).and_then(|bytes| inner(name, &bytes)).map_err(|e| e.within(name))?;
    if named.tensors.is_empty() {
        let skipped: Vec<_> = named.skipped.iter().take(8).map(String::as_str).collect();
        return Err(
            Error::new(format!("{name}: holds no array")).hint(format!("it holds: {}", skipped.join(", ")))
        );
    }
    Ok(named)
}

fn inner(name: &str, bytes: &[u8]) -> Result<Named> {
    let one = |tensor| Named { tensors: vec![("array".into(), tensor)], skipped: Vec::new() };
    let strip = |tensors| Named { tensors, skipped: Vec::new() };
    match bytes {
        [] => Err(Error::new("is empty")),
        _ if bytes.starts_with(npy::MAGIC) => npy::value(bytes)?.named(),
        [b'P', b'K', 3 | 5, 4 | 6, ..] => {
            let mut archive = Archive::open(bytes)?;
            if torch_file::is_torch(&archive.names()) {
                torch_file::state_dict(torch_file::zipped(&mut archive)?)
            } else {
                npy::entries(&mut archive)
            }
        }
        [_, _, _, _, _, _, _, _, b'{', ..] => Ok(strip(safetensors::inner(bytes)?.tensors)),
        [0x80, 0..=5, ..] => torch_file::state_dict(torch_file::legacy(bytes)?),
        _ if idx::is_idx(bytes) => idx::inner(bytes).map(one),
        _ if bytes.starts_with(b"\x89HDF") => Err(Error::new("is an HDF5 file, which is not read").hint(
            "in Python: numpy.savez(path, **{name: array, …}) with the arrays of h5py, then read the .npz",
        )),
        _ => match extension(name).as_str() {
            // Protocols 0 and 1 have no mark at the start; a tar archive of PyTorch 0.1 has none either.
            "pkl" | "pickle" | "p" | "ckpt" | "pt" | "pth" | "bin" => {
                torch_file::state_dict(torch_file::legacy(bytes)?)
            }
            "npy" => npy::value(bytes)?.named(),
            "npz" => npy::entries(&mut Archive::open(bytes)?),
            "safetensors" => Ok(strip(safetensors::inner(bytes)?.tensors)),
            _ => Err(Error::new("is no array file that is known").hint(READ)),
        },
    }
}

/// The last extension in lower case, before a `.gz`.
fn extension(name: &str) -> String {
    let lower = name.to_lowercase();
    let plain = lower.strip_suffix(".gz").unwrap_or(&lower);
    Path::new(plain).extension().map(|e| e.to_string_lossy().into_owned()).unwrap_or_default()
}

/// Writes named tensors in the format that the extension names: .safetensors, .npz (stored), or .npy for a
/// single tensor.
///
/// # Errors
/// Another extension, several tensors for an .npy, and those of the format's writer.
pub fn write_named(path: impl AsRef<Path>, tensors: &[(String, Tensor)]) -> Result<()> {
    let path = path.as_ref();
    let shown = path.display();
    match extension(&path.to_string_lossy()).as_str() {
        "safetensors" => safetensors::write(path, tensors, &BTreeMap::new()),
        "npz" => npy::write_npz(path, tensors, false),
        "npy" => match tensors {
            [(_, tensor)] => npy::write(path, tensor),
            _ => Err(Error::new(format!("{shown}: an .npy file holds one array, not {}", tensors.len()))
                .hint("write an .npz or a .safetensors file")),
        },
        other => Err(Error::new(format!("{shown}: arrays are not written as `.{other}`"))
            .hint("write a .safetensors, .npz or .npy file; PyTorch reads .safetensors with safetensors.torch.load_file")),
    }
}

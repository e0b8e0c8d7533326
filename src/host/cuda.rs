//! libtorch's CUDA part, opened at process start: the program is linked without it, and libtorch asks only once
//! whether it is there.

use crate::core::{Error, Result, ffi};
use std::path::{Path, PathBuf};

/// True where an NVIDIA driver is loaded.
pub fn driver() -> bool {
    ["/proc/driver/nvidia/version", "/dev/nvidiactl"].iter().any(|p| Path::new(p).exists())
}

/// The library, where the launcher or the user's own libtorch has it.
fn library() -> Option<PathBuf> {
    let lib = Path::new(option_env!("CS385_LIBTORCH_LIB")?);
    let folders = [lib.join("../cuda"), lib.to_path_buf()];
    folders.into_iter().map(|f| f.join("libtorch_cuda.so")).find(|p| p.exists())
}

/// Opens it if `device` wants it: `cuda…` always, `auto` where there is a driver.
///
/// # Errors
/// `cuda` was asked for and the library is not there or cannot be opened.
pub fn open(device: &str) -> Result<()> {
    let asked = device.starts_with("cuda");
    if !(asked || device == "auto" && driver()) {
        return Ok(());
    }
    let opened =
        match library() {
            Some(path) => ffi::open_library(&path).and_then(|()| ffi::deterministic()),
            None => Err(Error::new("libtorch's CUDA part is not installed")
                .hint("start with ./cs385 --cuda to fetch it")),
        };
    match opened {
        Err(e) if asked => Err(e.within(format!("device `{device}`"))),
        _ => Ok(()),
    }
}

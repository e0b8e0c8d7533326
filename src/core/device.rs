//! Where tensors live. A CUDA device must be asked for at process start (`--device cuda`): libtorch's CUDA
//! part cannot be opened later, because the first seeding settles for the process that there is none.

use super::error::{Error, Result};
use super::ffi;
use std::cell::Cell;
use std::path::Path;
use tch::Device;

thread_local!(static CURRENT: Cell<Device> = const { Cell::new(Device::Cpu) });

/// The device new tensors and networks are made on.
pub fn current() -> Device {
    CURRENT.get()
}

/// Reads `cpu`, `cuda`, `cuda:1` or `auto`.
///
/// # Errors
/// Another word, or a CUDA device that this process cannot use.
pub fn parse(text: &str) -> Result<Device> {
    let cuda = tch::Cuda::is_available();
    let device = match text {
        "cpu" => Device::Cpu,
        "auto" if cuda => Device::Cuda(0),
        "auto" => Device::Cpu,
        "cuda" => Device::Cuda(0),
        _ => match text.strip_prefix("cuda:").and_then(|n| n.parse().ok()) {
            Some(n) => Device::Cuda(n),
            None => return Err(Error::unknown("device", text, ["auto", "cpu", "cuda", "cuda:1"])),
        },
    };
    match device {
        Device::Cuda(_) if !cuda => Err(Error::new(format!("device `{text}` cannot be used: no CUDA in this process"))
            .hint("start with --device cuda on a machine with an NVIDIA GPU; `cs385 doctor` tells what is missing")),
        Device::Cuda(n) if n as i64 >= tch::Cuda::device_count() => Err(Error::new(format!(
            "device `{text}` does not exist: this machine has {} CUDA device(s)",
            tch::Cuda::device_count()
        ))),
        device => Ok(device),
    }
}

/// Opens libtorch's CUDA part if `wanted` (as on the command line) asks for it: `cuda…`, or `auto` with an NVIDIA
/// driver present. Must come before the first tensor and the first seeding of the process.
///
/// # Errors
/// `cuda` was asked for by name and the library cannot be opened.
pub fn open_cuda(wanted: &str) -> Result<()> {
    let driver = Path::new("/proc/driver/nvidia/version").exists();
    let by_name = wanted.starts_with("cuda");
    if !by_name && !(wanted == "auto" && driver) {
        return Ok(());
    }
    let lib = Path::new(env!("CS385_LIBTORCH_LIB"));
    // The launcher keeps the CUDA libraries apart, so that the binary links without them.
    let folders = [lib.with_file_name("cuda"), lib.to_path_buf()];
    let Some(file) = folders.iter().map(|f| f.join("libtorch_cuda.so")).find(|f| f.exists()) else {
        let missing = Error::new(format!("libtorch's CUDA part is not there: no libtorch_cuda.so in {}", folders[0].display()))
            .hint("fetch it with ./cs385 --cuda doctor, or go on with --device cpu");
        return if by_name { Err(missing) } else { Ok(()) };
    };
    match ffi::open_library(&file) {
        Err(e) if by_name => Err(e.hint("an NVIDIA driver for CUDA 13 is needed; `cs385 doctor` tells more")),
        _ => Ok(()),
    }
}

/// Makes `device` the current one.
pub fn set(device: Device) {
    CURRENT.set(device);
}

/// `cpu`, `cuda:0` …
pub fn name(device: Device) -> String {
    match device {
        Device::Cpu => "cpu".to_string(),
        Device::Cuda(n) => format!("cuda:{n}"),
        Device::Mps => "mps".to_string(),
        Device::Vulkan => "vulkan".to_string(),
    }
}

functions! {
    in "";
    /// The device in use, or, with an argument, the device to use from here on.
    ///
    /// `auto`, `cpu`, `cuda` or `cuda:1`. CUDA must be asked for at start with `--device`.
    /// ```rhai
    /// device("cpu") // => "cpu"
    /// ```
    fn device(to: Option<String>) -> String {
        if let Some(to) = to {
            set(parse(&to)?);
        }
        name(current())
    }
}

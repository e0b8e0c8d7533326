//! Where tensors live. A CUDA device must be asked for at process start (`--device cuda`): libtorch's CUDA
//! part cannot be opened later, because the first seeding settles for the process that there is none.

use super::error::{Error, Result};
use super::ffi;
use std::cell::Cell;
use tch::{Device, Tensor};

thread_local!(static CURRENT: Cell<Device> = const { Cell::new(Device::Cpu) });

thread_local!(static META: Cell<bool> = const { Cell::new(false) });

/// What `make` builds of [`place`]d tensors has shapes but no data: libtorch's `meta` device, on which a stray CPU
/// tensor is an error, as on a GPU.
pub fn on_meta<R>(make: impl FnOnce() -> R) -> R {
    let before = META.replace(true);
    let made = make();
    META.set(before);
    made
}

/// True inside [`on_meta`].
pub fn is_meta() -> bool {
    META.get()
}

/// A network's tensor, moved to the current device.
///
/// # Errors
/// libtorch's.
pub fn place(t: &Tensor) -> Result<Tensor> {
    if is_meta() { ffi::to_meta(t) } else { Ok(t.f_to_device(current())?) }
}

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
        Device::Cuda(_) if !cuda => Err(Error::new(format!(
            "device `{text}` cannot be used: no CUDA in this process"
        ))
        .hint(
            "start with --device cuda on a machine with an NVIDIA GPU; `cs385 doctor` tells what is missing",
        )),
        Device::Cuda(n) if n as i64 >= tch::Cuda::device_count() => Err(Error::new(format!(
            "device `{text}` does not exist: this machine has {} CUDA device(s)",
            tch::Cuda::device_count()
        ))),
        device => Ok(device),
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

//! `cs385 doctor`: what there is to compute with, and what is missing.

use super::{cuda, output};
use crate::core::ffi;
use crate::core::run::stamp;
use crate::data::catalogue::Store;
use std::path::Path;
use std::process::ExitCode;
use std::time::SystemTime;

/// The file of a loaded library whose name begins with `name`.
fn loaded(name: &str) -> Option<String> {
    let maps = std::fs::read_to_string("/proc/self/maps").ok()?;
    let files = maps.lines().filter_map(|l| l.split_whitespace().nth(5));
    files
        .filter(|f| Path::new(f).file_name().is_some_and(|n| n.to_string_lossy().starts_with(name)))
        .map(str::to_string)
        .next()
}

fn gpu() -> String {
    let library = loaded("libtorch_cuda");
    let devices = tch::Cuda::device_count();
    match (library, tch::Cuda::is_available()) {
        (Some(_), true) => {
            format!("usable, {devices} device(s), cuDNN {}", yes(tch::Cuda::cudnn_is_available()))
        }
        (Some(lib), false) => {
            format!("{lib} is loaded, but no device can be used: is there an NVIDIA driver?")
        }
        (None, _) if cuda::driver() => {
            "a driver is there, but libtorch's CUDA part is not loaded: start with --device cuda".to_string()
        }
        (None, _) => "none (no NVIDIA driver)".to_string(),
    }
}

fn yes(b: bool) -> &'static str {
    if b { "yes" } else { "no" }
}

/// A folder's state, in words; the second is false when it cannot be used.
fn folder(path: &Path) -> (String, bool) {
    let there = path.ancestors().find(|p| p.is_dir());
    let probe_in = there.unwrap_or(Path::new("."));
    let probe = tempfile::Builder::new().prefix(".cs385-").tempfile_in(probe_in);
    match (path.is_dir(), probe) {
        (true, Ok(_)) => (format!("{}, writable", path.display()), true),
        (false, Ok(_)) => (format!("{}, will be made when needed", path.display()), true),
        (_, Err(e)) => (format!("{}: cannot be written: {e}", path.display()), false),
    }
}

/// Prints the report; 1 when something needed does not work.
pub fn main() -> ExitCode {
    // Opened where it can be, so that the report says what `--device auto` would find.
    let opened = if cuda::driver() { cuda::open("cuda") } else { Ok(()) };
    let (outputs, outputs_ok) = folder(Path::new("outputs"));
    let data = Store::user().map_or_else(|e| e.to_string(), |s| folder(&s.root).0);
    let sum = tch::Tensor::f_ones([8], tch::kind::FLOAT_CPU).and_then(|t| t.f_sum(tch::Kind::Float));
    let works = sum.and_then(|t| t.f_double_value(&[])).is_ok_and(|v| v == 8.0);
    let lines = [
        ("cs385", format!("{} ({} UTC)", env!("CARGO_PKG_VERSION"), stamp(SystemTime::now()))),
        (
            "libtorch",
            format!("{}, {}", ffi::torch_version(), loaded("libtorch_cpu").unwrap_or("not loaded".into())),
        ),
        ("computes", if works { "yes".to_string() } else { "NO: adding eight ones failed".to_string() }),
        ("cpu", format!("{} threads, {}", tch::get_num_threads(), ffi::cpu_capability().unwrap_or_default())),
        ("cuda", gpu()),
        ("data", data),
        ("outputs", outputs),
    ];
    lines.iter().for_each(|(what, state)| output::write(&format!("{what:<9} {state}\n")));
    if let Err(e) = opened {
        output::write(&format!("          {e}\n"));
    }
    if works && outputs_ok { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

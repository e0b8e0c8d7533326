//! TensorBoard as its users have it, from the package index.
#![allow(dead_code, clippy::unwrap_used)] // every test program uses a part of it

use std::path::{Path, PathBuf};
use std::process::Command;

const VERSION: &str = "2.21.0";

/// Its folder below the target folder; fetched once.
fn folder() -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("tensorboard-{VERSION}"));
    if !folder.exists() {
        let new = folder.with_extension(format!("{}.new", std::process::id()));
        // It imports pkg_resources, which newer setuptools lack.
        let wanted = [format!("tensorboard=={VERSION}"), "setuptools<81".to_string()];
        let mut pip = Command::new("python3");
        pip.args(["-m", "pip", "install", "-q", "--target"]).arg(&new).args(wanted);
        let out = pip.output().unwrap();
        assert!(out.status.success(), "{pip:?}: {}", String::from_utf8_lossy(&out.stderr));
        // Another test program may have been faster.
        let _ = std::fs::rename(&new, &folder);
        let _ = std::fs::remove_dir_all(&new);
    }
    folder
}

/// Python with TensorBoard's modules.
pub fn python() -> Command {
    let mut program = Command::new("python3");
    program.env("PYTHONPATH", folder());
    program
}

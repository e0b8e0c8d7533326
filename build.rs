//! Links libtorch in such a way that the binary finds it again, and compiles the C++ shim.

use std::env;
use std::path::{Path, PathBuf};

fn main() -> Result<(), String> {
    println!("cargo:rerun-if-changed=build.rs");
    // What the crate embeds: Cargo learns of new and deleted files there only from here.
    for embedded in ["stdlib", "data/catalog.toml", "src/native"] {
        if Path::new(embedded).exists() {
            println!("cargo:rerun-if-changed={embedded}");
        }
    }
    let lib = env::var_os("DEP_TCH_LIBTORCH_LIB").ok_or("torch-sys does not name the folder of libtorch")?;
    // Absolute, so that an installed cs385 finds it from anywhere and tests need no LD_LIBRARY_PATH.
    let lib = PathBuf::from(&lib).canonicalize().unwrap_or(lib.into());
    println!("cargo:rustc-env=CS385_LIBTORCH_LIB={}", lib.display());
    println!("cargo:rustc-link-arg=-Wl,-rpath,{}", lib.display());
    // No symbol of ours needs libtorch itself; it must be there to register its kernels.
    println!("cargo:rustc-link-arg=-Wl,--no-as-needed");
    println!("cargo:rustc-link-arg=-ltorch");

    let native = Path::new("src/native");
    if native.exists() {
        let include = lib.parent().unwrap_or(&lib).join("include");
        cc::Build::new()
            .cpp(true)
            .std("c++17")
            .opt_level(1) // it calls into libtorch; more only makes the build longer
            .debug(false)
            .warnings(false)
            .flag("-w") // libtorch's headers
            .include(include.join("torch/csrc/api/include"))
            .include(include)
            .files([
                native.join("shim.cpp"),
                native.join("meta.cpp"),
                native.join("script.cpp"),
                native.join("packed.cpp"),
            ])
            .compile("cs385_shim");
    }
    Ok(())
}

//! Refuses `--cfg fuzzing` in builds that are not for fuzzing, and says which kernels the processor and the compiler allow.

use std::process::Command;

/// Since 1.89, Rust has the instructions of AVX-512 IFMA and AVX-IFMA.
const VECTORS: u32 = 89;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    let fuzzing = std::env::var_os("CARGO_CFG_FUZZING").is_some();
    if fuzzing && std::env::var_os("CARGO_FEATURE_FUZZ").is_none() {
        println!(
            "cargo::error=a library built with --cfg fuzzing can be told to believe every MAC: only the package under fuzz/ may (fuzz/run)"
        );
    }
    find_kernels();
}

/// Which kernels are compiled in. Also for the build script of fuzz/, which compiles them.
pub(crate) fn find_kernels() {
    println!("cargo::rustc-check-cfg=cfg(otr_eights)");
    println!("cargo::rustc-check-cfg=cfg(otr_vectors)");
    let architecture = std::env::var("CARGO_CFG_TARGET_ARCH").unwrap_or_default();
    let x86_64 = architecture == "x86_64";
    if x86_64 || architecture == "aarch64" {
        println!("cargo::rustc-cfg=otr_eights");
    }
    if x86_64 && minor_version().is_some_and(|minor| minor >= VECTORS) {
        println!("cargo::rustc-cfg=otr_vectors");
    }
}

/// N of Rust 1.N, from "rustc 1.N.0 (...)".
fn minor_version() -> Option<u32> {
    let compiler = std::env::var_os("RUSTC")?;
    let output = Command::new(compiler).arg("--version").output().ok()?;
    let version = String::from_utf8(output.stdout).ok()?;
    version.split('.').nth(1)?.parse().ok()
}

//! Compiles the C parts of the targets that use the C interface, and the pair of clients that they share with
//! tests/robustness; and finds out which multiplication kernels there are.

#[path = "../crates/otr-crypto/build.rs"]
#[allow(dead_code, reason = "a build script of its own, with a main function")]
mod crypto;

const PARTS: [&str; 4] = [
    "fuzz_targets/conversation.c",
    "fuzz_targets/receiving.c",
    "fuzz_targets/steady.c",
    "../tests/robustness/pair.c",
];

fn main() {
    crypto::find_kernels();
    let headers = [
        "fuzz_targets/input.h",
        "fuzz_targets/steady.h",
        "../tests/robustness/pair.h",
    ];
    for file in PARTS.into_iter().chain(headers) {
        println!("cargo::rerun-if-changed={file}");
    }
    println!("cargo::rerun-if-env-changed=CARGO_MANIFEST_DIR");
    let here = std::env::var("CARGO_MANIFEST_DIR").unwrap_or_default();
    cc::Build::new()
        .files(PARTS)
        .includes(["../include/abi5", "../tests/robustness"])
        .define("_GNU_SOURCE", None)
        .define("KEYS", format!("\"{here}/keys\"").as_str())
        .compile("clients");
    // The library asks the loader for getrandom, and is to find that of steady.c.
    println!("cargo::rustc-link-arg-bins=-Wl,--export-dynamic-symbol=getrandom");
}

//! Sets the soname and the linker flags of the C library that libotr.so replaces, and refuses to build two interfaces at
//! once.

/// Linker flags that both interfaces need.
const SHARED_OBJECT: [&str; 4] = [
    // Clients that are plugins are unloaded while others in the process still hold pointers into this library.
    "-Wl,-z,nodelete",
    // A client may export a function with one of our names (Psi does); calls within the library must not end up there.
    // Functions only: programs that mention `otrl_api_version` keep the copy of it that both sides use.
    "-Wl,-Bsymbolic-functions",
    "-Wl,-z,now",
    "-Wl,-z,relro",
];

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    // With the path of the distribution's libotr, the tests that compare with it are compiled in.
    println!("cargo::rerun-if-env-changed=OTR_REAL_LIBRARY");
    println!("cargo::rustc-check-cfg=cfg(otr_real_library)");
    if std::env::var_os("OTR_REAL_LIBRARY").is_some() {
        println!("cargo::rustc-cfg=otr_real_library");
    }
    // With a file that scripts/cross has made, the structs are compared with the layouts that a C compiler gives the headers.
    println!("cargo::rerun-if-env-changed=OTR_LAYOUTS");
    println!("cargo::rustc-check-cfg=cfg(otr_layouts)");
    if std::env::var_os("OTR_LAYOUTS").is_some() {
        println!("cargo::rustc-cfg=otr_layouts");
    }
    let fuzzing = std::env::var_os("CARGO_CFG_FUZZING").is_some();
    let abi5 = std::env::var_os("CARGO_FEATURE_ABI5").is_some();
    let abi2 = std::env::var_os("CARGO_FEATURE_ABI2").is_some();
    let soname = match (abi5, abi2) {
        (true, true) => {
            println!(
                "cargo::error=the features abi5 and abi2 each shape the C interface: choose one (--no-default-features --features abi2)"
            );
            return;
        }
        (true, false) => "libotr.so.5",
        (false, true) => "libotr.so.2",
        (false, false) => return,
    };
    if std::env::var("CARGO_CFG_TARGET_OS").as_deref() != Ok("linux") {
        return;
    }
    println!("cargo::rustc-cdylib-link-arg=-Wl,-soname,{soname}");
    for argument in SHARED_OBJECT {
        println!("cargo::rustc-cdylib-link-arg={argument}");
    }
    // A sanitizer's functions, or a fuzzer's, come from the program, so their builds may leave them undefined.
    if !fuzzing && std::env::var_os("CARGO_CFG_SANITIZE").is_none() {
        println!("cargo::rustc-cdylib-link-arg=-Wl,-z,defs");
    }
}

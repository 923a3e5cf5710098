//! Refuses two C faces at once.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    let abi5 = std::env::var_os("CARGO_FEATURE_ABI5").is_some();
    let abi2 = std::env::var_os("CARGO_FEATURE_ABI2").is_some();
    if abi5 && abi2 {
        println!(
            "cargo::error=the features abi5 and abi2 each shape the C face: choose one (--no-default-features --features abi2)"
        );
    }
}

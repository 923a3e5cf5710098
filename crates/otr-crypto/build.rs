//! Refuses `--cfg fuzzing` in builds that are not for fuzzing.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    let fuzzing = std::env::var_os("CARGO_CFG_FUZZING").is_some();
    if fuzzing && std::env::var_os("CARGO_FEATURE_FUZZ").is_none() {
        println!(
            "cargo::error=a library built with --cfg fuzzing can be told to believe every MAC: only the package under fuzz/ may (fuzz/run)"
        );
    }
}

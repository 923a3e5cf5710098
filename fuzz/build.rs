//! Compiles the C part of the conversation target, and the pair of clients that it shares with tests/hold.

fn main() {
    for file in ["fuzz_targets/conversation.c", "../tests/hold/pair.c", "../tests/hold/pair.h"] {
        println!("cargo::rerun-if-changed={file}");
    }
    cc::Build::new()
        .files(["fuzz_targets/conversation.c", "../tests/hold/pair.c"])
        .includes(["../include/abi5", "../tests/hold"])
        .define("_GNU_SOURCE", None)
        .compile("conversation");
}

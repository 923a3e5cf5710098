//! The multiplication kernels: each one that this machine has carries out the program that the input is, and num-bigint as well.
#![no_main]

use crypto::montgomery;
use input::Input;
use libfuzzer_sys::{Corpus, fuzz_target};

#[path = "kernels/input.rs"]
mod input;

/// The kernels' own numbers.
#[allow(dead_code, reason = "not all of the crate is here")]
#[path = "../../crates/otr-crypto/src/uint.rs"]
mod uint;

/// The kernels are for nobody outside of their crate: they are compiled in from there, with what uses them.
#[allow(dead_code, reason = "not all of the crate is here")]
#[path = "../../crates/otr-crypto/src"]
mod crypto {
    pub(crate) mod montgomery;
    pub(crate) mod multiexp;

    #[path = "../../../fuzz/fuzz_targets/kernels/agreement.rs"]
    pub(crate) mod agreement;
}

fuzz_target!(|bytes: &[u8]| -> Corpus {
    let Some(input) = Input::read(bytes) else {
        return Corpus::Reject;
    };
    crypto::agreement::check(&input);
    Corpus::Keep
});

//! Two clients over the C interface, and somebody who reorders, repeats, drops, damages and invents what they send
//! (conversation.c). What is behind a MAC is reached by encrypting it: texts and TLVs of the fuzzer's choice go through
//! a session.
#![no_main]

use libfuzzer_sys::fuzz_target;
// The functions that the C part calls.
use otr as _;

unsafe extern "C" {
    fn hold_conversation(data: *const u8, length: usize);
}

fuzz_target!(|bytes: &[u8]| {
    // SAFETY: a buffer and its length, read during the call.
    unsafe { hold_conversation(bytes.as_ptr(), bytes.len()) }
});

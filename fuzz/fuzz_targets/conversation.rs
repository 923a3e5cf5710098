//! Two clients over the C interface, and somebody who reorders, repeats, drops, damages and invents messages
//! (conversation.c). To reach the code behind a MAC, texts and TLVs of the fuzzer's choice are sent through a session.
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

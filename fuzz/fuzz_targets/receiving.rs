//! otrl_message_receiving in each state (receiving.c), with every MAC, signature and proof accepted, so that the code
//! behind them gets any bytes.
#![no_main]

use libfuzzer_sys::fuzz_target;
// The C functions that the C part calls.
use otr as _;
use otr_crypto::verdict::believe_everything;

unsafe extern "C" {
    fn receive_in_a_state(data: *const u8, length: usize, believe: extern "C" fn(i32));
}

extern "C" fn believe(yes: i32) {
    believe_everything(yes != 0);
}

fuzz_target!(|bytes: &[u8]| {
    // SAFETY: a buffer and its length, read during the call.
    unsafe { receive_in_a_state(bytes.as_ptr(), bytes.len(), believe) }
});

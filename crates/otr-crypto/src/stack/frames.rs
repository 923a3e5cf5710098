//! Wiping the stack where there is no assembly for it: by functions that call each other, whose frames are what is wiped.

use std::hint::black_box;

/// How many words one frame wipes, and how many near the end, where the lowest address must be hit exactly.
const WORDS: usize = 64;
const FEW_WORDS: usize = 9;
/// Whether frames begin or end with gaps that only some functions write to: for arguments, or to save registers.
const GAPS: bool = cfg!(not(target_arch = "aarch64"));

/// Wipes the stack from here down to `lowest`. `above` is where the caller's frame is.
#[inline(always)]
pub(super) fn wipe(lowest: usize, above: usize) {
    wipe_upper::<WORDS>(lowest, above);
    if GAPS {
        wipe_lower(lowest, above);
    }
}

/// Wipes the stack from here down to `lowest`, frame by frame. `above` is where the caller's frame is.
#[inline(never)]
fn wipe_upper<const N: usize>(lowest: usize, above: usize) {
    let mut words = [0_u64; N];
    let here = black_box(&mut words).as_ptr().addr();
    // The distance between two frames. The next frame extends below its words by at most what is not words in it.
    let frame = above.saturating_sub(here);
    let next = frame + frame.saturating_sub(size_of_val(&words));
    let left = here.saturating_sub(lowest);
    if left > next {
        wipe_upper::<N>(lowest, here);
    } else if N > FEW_WORDS {
        wipe_upper::<FEW_WORDS>(lowest, here);
    }
    // This keeps the frame until those below it are done: the call is not a tail call.
    black_box(&mut words);
}

/// The same half a frame lower, so that its words cover what were gaps before.
#[inline(never)]
fn wipe_lower(lowest: usize, above: usize) {
    let mut words = [0_u64; WORDS / 2];
    let here = black_box(&mut words).as_ptr().addr();
    if here.saturating_sub(lowest) > 2 * above.saturating_sub(here) {
        wipe_upper::<WORDS>(lowest, here);
    }
    black_box(&mut words);
}

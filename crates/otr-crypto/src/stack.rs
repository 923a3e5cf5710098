//! Wiping intermediate values that the compiler left on the stack.
//!
//! No destructor knows where they are. So the arithmetic notes how deep it reaches (`note`), and its outermost caller then
//! wipes that much of the stack and no more ([`wiping`]). Both are ordinary functions with frames of their own: only the
//! frames of running functions are touched, however small the stack is.

use std::cell::Cell;
use std::hint::black_box;
use std::mem::MaybeUninit;

thread_local! {
    /// The lowest address that a calculation of this thread has noted since [`wiping`] began; `NOTHING` if there was none.
    static LOWEST: Cell<usize> = const { Cell::new(NOTHING) };
}

const NOTHING: usize = usize::MAX;
/// How many words one frame wipes, and how many near the end, where the lowest address must be hit exactly.
const WORDS: usize = 64;
const FEW_WORDS: usize = 9;
/// Whether frames begin or end with gaps that only some functions write to: for arguments, or to save registers.
const GAPS: bool = cfg!(not(any(target_arch = "x86_64", target_arch = "aarch64")));

/// The stack that the functions of a multiplication kernel use at most.
pub(crate) const KERNEL_STACK: usize = 1152;
/// The same for a hash and for the cipher.
pub(crate) const HASH_STACK: usize = 640;
pub(crate) const CIPHER_STACK: usize = 512;

/// Runs `work` and wipes the stack below, as deep as the calculations in it went; if there were none, wipes nothing. All of
/// `work` must run on one stack: it must not call anything that could jump out of it or switch to another stack.
pub fn wiping<T>(work: impl FnOnce() -> T) -> T {
    let _region = Region::begin();
    apart(work)
}

/// Runs `work` in its own frame, which is below that of the caller.
#[inline(never)]
fn apart<T>(work: impl FnOnce() -> T) -> T {
    work()
}

/// Notes that the stack is in use for `BYTES` bytes below the frame of the caller: at least as much as the deepest function
/// that the caller calls with secrets uses.
#[inline(never)]
pub(crate) fn note<const BYTES: usize>() {
    let frame = MaybeUninit::<[u8; BYTES]>::uninit();
    let lowest = black_box(&frame).as_ptr().addr();
    LOWEST.set(LOWEST.get().min(lowest));
}

/// While it exists, notes are recorded; on drop, also after a panic, the stack is wiped.
struct Region {
    /// The outer region's value, whose stack is wiped there.
    before: usize,
}

impl Region {
    #[inline(always)]
    fn begin() -> Self {
        Self {
            before: LOWEST.replace(NOTHING),
        }
    }
}

impl Drop for Region {
    #[inline(always)]
    fn drop(&mut self) {
        let lowest = LOWEST.replace(self.before);
        if lowest != NOTHING {
            let above = (&raw const *self).addr();
            wipe::<WORDS>(lowest, above);
            if GAPS {
                wipe_lower(lowest, above);
            }
        }
    }
}

/// Wipes the stack from here down to `lowest`, frame by frame. `above` is where the caller's frame is.
#[inline(never)]
fn wipe<const N: usize>(lowest: usize, above: usize) {
    let mut words = [0_u64; N];
    let here = black_box(&mut words).as_ptr().addr();
    // The distance between two frames. The next frame extends below its words by at most what is not words in it.
    let frame = above.saturating_sub(here);
    let next = frame + frame.saturating_sub(size_of_val(&words));
    let left = here.saturating_sub(lowest);
    if left > next {
        wipe::<N>(lowest, here);
    } else if N > FEW_WORDS {
        wipe::<FEW_WORDS>(lowest, here);
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
        wipe::<WORDS>(lowest, here);
    }
    black_box(&mut words);
}

#[cfg(test)]
#[expect(unsafe_code, reason = "looks at what is left in the stack")]
mod tests {
    use super::*;

    const LEFT: u8 = 0x5a;
    const SIZE: usize = 3000;
    /// The compiler may leave a word between two frames that nobody writes to; on s390x, most of the 160 bytes in which a
    /// function may save registers.
    const GAP: usize = if cfg!(target_arch = "s390x") { 96 } else { 8 };

    /// Leaves bytes on the stack, as a calculation does.
    #[inline(never)]
    fn calculate(noted: bool) {
        let mut bytes = [0; SIZE];
        black_box(&mut bytes).fill(black_box(LEFT));
        if noted {
            note::<256>();
        }
        black_box(&bytes);
    }

    /// How many of them are left after `work`, not counting gaps.
    #[inline(never)]
    fn left_by(work: impl FnOnce()) -> usize {
        let marker = 0_u8;
        let here = black_box(&raw const marker);
        work();
        let (mut count, mut run) = (0, 0);
        for below in 1..2 * SIZE {
            // SAFETY: a test's thread has much more stack than that.
            let byte = unsafe { here.wrapping_sub(below).read_volatile() };
            run = if byte == LEFT { run + 1 } else { 0 };
            count += usize::from(run > GAP);
        }
        count
    }

    #[test]
    fn what_a_calculation_leaves_is_wiped() {
        assert!(
            left_by(|| calculate(true)) > SIZE * 9 / 10,
            "by itself it stays"
        );
        assert_eq!(left_by(|| wiping(|| calculate(true))), 0);
        // Without a note nothing is wiped.
        assert!(left_by(|| wiping(|| calculate(false))) > SIZE * 9 / 10);
    }

    #[test]
    fn a_panic_and_regions_in_one_another_make_no_difference() {
        let panicking = || {
            let _ = std::panic::catch_unwind(|| {
                wiping(|| {
                    calculate(true);
                    std::panic::resume_unwind(Box::new(()));
                });
            });
        };
        assert_eq!(left_by(panicking), 0);
        let nested = || {
            wiping(|| {
                wiping(|| calculate(true));
                calculate(true);
            });
        };
        assert_eq!(left_by(nested), 0);
        assert_eq!(LOWEST.get(), NOTHING);
    }

    #[test]
    fn no_frame_reaches_below_what_was_noted() {
        #[inline(never)]
        fn lowest_of_note() -> usize {
            note::<2000>();
            LOWEST.get()
        }
        let lowest = std::cell::Cell::new(0);
        let marker = black_box(&lowest).as_ptr().addr();
        // Marks the stack below, then checks how far the zeros go.
        calculate(false);
        wiping(|| lowest.set(lowest_of_note()));
        assert!(marker - lowest.get() > 2000 && marker - lowest.get() < SIZE);
        // The array of `note` is not its whole frame.
        for address in lowest.get() - 300..lowest.get() - 64 {
            let byte = (&raw const lowest).cast::<u8>().with_addr(address);
            // SAFETY: as above.
            let byte = unsafe { byte.read_volatile() };
            assert_eq!(byte, LEFT, "{} below", lowest.get() - address);
        }
    }
}

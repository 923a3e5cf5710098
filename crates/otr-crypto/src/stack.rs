//! Wiping intermediate values that the compiler left on the stack.
//!
//! No destructor knows where they are. So the arithmetic notes how deep it reaches (`note`), and its outermost caller then
//! wipes that much of the stack and no more ([`wiping`]): memory that was in use before is written to, and nothing below it,
//! however small the stack is.

#[cfg(target_arch = "x86_64")]
use std::arch::asm;
use std::cell::Cell;
use std::hint::black_box;
use std::mem::MaybeUninit;

#[cfg(not(target_arch = "x86_64"))]
mod frames;

thread_local! {
    /// The lowest address that a calculation of this thread has noted since [`wiping`] began; `NOTHING` if there was none.
    static LOWEST: Cell<usize> = const { Cell::new(NOTHING) };
}

const NOTHING: usize = usize::MAX;

/// The stack that the functions of a multiplication kernel use at most.
pub(crate) const KERNEL_STACK: usize = 1152;
/// The same for a hash and for the cipher.
pub(crate) const HASH_STACK: usize = 640;
pub(crate) const CIPHER_STACK: usize = 768;

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
            #[cfg(target_arch = "x86_64")]
            wipe_below(lowest);
            #[cfg(not(target_arch = "x86_64"))]
            frames::wipe(lowest, (&raw const *self).addr());
        }
    }
}

/// Wipes the stack from the end of this frame down to `lowest`. Inlined, so that the frame is that of [`wiping`].
#[cfg(target_arch = "x86_64")]
#[inline(always)]
#[expect(unsafe_code, reason = "writes to the stack below the frame")]
fn wipe_below(lowest: usize) {
    // SAFETY: the stack was in use down to `lowest`, and nothing below this frame is in use any more. The stack pointer is lowered
    // while these words are written, so that they stay in use if a signal is handled, and has its value again afterwards.
    unsafe {
        asm!(
            "mov {here}, rsp",
            "mov rcx, rsp",
            "sub rcx, rdi",
            "jbe 2f",
            "mov rsp, rdi",
            "shr rcx, 3",
            "rep stosq",
            "mov rsp, {here}",
            "2:",
            here = out(reg) _,
            inout("rdi") lowest.next_multiple_of(8) => _,
            out("rcx") _,
            in("rax") 0,
        );
    }
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

//! The marks by which a block that was made here, and goes on behind what C sees, is told from one that a client put
//! together itself.
//!
//! Where pointers have 64 bits, they stand in paddings. Where they have 32 there are none, and the marks stand in the MAC key of
//! the older pair of DH keys: the library has the keys of sessions elsewhere, and clients leave them alone.

use super::Hidden;

/// A client's own block is zero there, or holds rubbish.
const MARKS: [u32; 4] = [0x4f74_7250, 0x9d3b_61c7, 0x2ea8_5f14, 0xc06d_f392];

/// The marks of a block at this address: a copy that a client makes elsewhere does not bear them, and has no tail either.
fn marks_at(address: usize) -> [u32; 4] {
    let address = address as u64;
    let [low, high] = [address as u32, (address >> 32) as u32];
    let [mark0, mark1, mark2, mark3] = MARKS;
    [mark0, mark1, mark2 ^ low, mark3 ^ high]
}

/// Marks a block.
///
/// # Safety
/// `block` is writable.
pub(crate) unsafe fn put(block: *mut Hidden) {
    let marks = marks_at(block.addr());
    // SAFETY: the caller's promise.
    unsafe { places::write(block, marks) };
}

/// Whether a block was made here.
///
/// # Safety
/// `block` is readable.
pub(crate) unsafe fn stand_in(block: *const Hidden) -> bool {
    // SAFETY: the caller's promise.
    unsafe { places::read(block) == marks_at(block.addr()) }
}

#[cfg(target_pointer_width = "64")]
mod places {
    use super::Hidden;

    /// # Safety
    /// `block` is writable.
    pub(crate) unsafe fn write(block: *mut Hidden, marks: [u32; 4]) {
        // SAFETY: the caller's promise.
        unsafe {
            [
                (*block).mark0,
                (*block).mark1,
                (*block).mark2,
                (*block).mark3,
            ] = marks;
        }
    }

    /// # Safety
    /// `block` is readable.
    pub(crate) unsafe fn read(block: *const Hidden) -> [u32; 4] {
        // SAFETY: the caller's promise.
        unsafe {
            [
                (*block).mark0,
                (*block).mark1,
                (*block).mark2,
                (*block).mark3,
            ]
        }
    }
}

#[cfg(not(target_pointer_width = "64"))]
mod places {
    use super::Hidden;

    /// # Safety
    /// `block` is writable.
    pub(crate) unsafe fn write(block: *mut Hidden, marks: [u32; 4]) {
        // SAFETY: the caller's promise; the key is longer than the marks.
        unsafe {
            (&raw mut (*block).sesskeys[1][1].rcvmackey)
                .cast::<[u32; 4]>()
                .write_unaligned(marks);
        }
    }

    /// # Safety
    /// `block` is readable.
    pub(crate) unsafe fn read(block: *const Hidden) -> [u32; 4] {
        // SAFETY: likewise.
        unsafe {
            (&raw const (*block).sesskeys[1][1].rcvmackey)
                .cast::<[u32; 4]>()
                .read_unaligned()
        }
    }
}

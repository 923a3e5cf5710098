//! A reserve for when there is no memory.
//!
//! A C library returns `ENOMEM` when malloc fails; Rust's collections abort the process instead, and the client with it. So
//! what the library allocates for itself comes from malloc as long as that succeeds, and otherwise from a fixed reserve.
//! The reserve is part of the library's zeroed data: until it is used, it is only address space. Memory for C never comes
//! from it, so a call proceeds until it must allocate memory for C, and fails there with an error.
//!
//! It is for the library's own work. Messages, files and other data of any length are allocated in a way that may fail
//! (`otr_protocol::buffer`), and never come from the reserve: a message that somebody sends must not use up what the call
//! needs to finish.
//!
//! A block of the reserve is claimed by setting one bit, without a lock, because a process may fork at any point. Only when
//! the blocks of every fitting size are used up as well does Rust abort the process; [`is_low`] lets calls be refused long
//! before.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::UnsafeCell;
use std::ptr;
use std::sync::atomic::{AtomicUsize, Ordering};

/// How many sizes of blocks there are.
const CLASSES: usize = 4;
/// The size of the blocks of each class in bytes, smallest first, and their number.
const SHAPE: [(usize, usize); CLASSES] = [(128, 2048), (2048, 128), (16 << 10, 64), (256 << 10, 2)];
/// Some 32-bit processors have no atomic words of 64 bits.
const BITS: usize = usize::BITS as usize;
const WORDS: usize = 2048 / BITS;
/// The longest byte string that is allocated from the reserve.
const LONGEST_TEXT: usize = 16 << 10;
/// Every block begins at a multiple of this.
const ALIGN: usize = 128;
const LENGTH: usize = BEGIN[3] + (256 << 10) * 2;

/// Where each size begins.
const BEGIN: [usize; CLASSES] = [
    0,
    128 * 2048,
    128 * 2048 + 2048 * 128,
    128 * 2048 + 2048 * 128 + (16 << 10) * 64,
];

#[repr(C, align(4096))]
struct Blocks(UnsafeCell<[u8; LENGTH]>);

// SAFETY: each byte belongs to one block, and each block to whoever has set its bit.
unsafe impl Sync for Blocks {}

static BLOCKS: Blocks = Blocks(UnsafeCell::new([0; LENGTH]));
/// One bit for each block that is in use.
static USED: [[AtomicUsize; WORDS]; CLASSES] =
    [const { [const { AtomicUsize::new(0) }; WORDS] }; CLASSES];
/// How many blocks are in use.
static COUNT: AtomicUsize = AtomicUsize::new(0);

/// The library's allocator: malloc, and then the reserve.
pub(crate) struct Allocator;

#[global_allocator]
static ALLOCATOR: Allocator = Allocator;

/// Whether so much of the reserve is in use that new calls should be refused: malloc has failed often, and the blocks have not
/// been freed.
pub(crate) fn is_low() -> bool {
    COUNT.load(Ordering::Relaxed) > 512
}

/// Whether anything lies in the reserve.
pub(crate) fn is_in_use() -> bool {
    COUNT.load(Ordering::Relaxed) > 0
}

// SAFETY: memory from malloc comes from the standard library's own allocator; a block of the reserve has at least the requested
// size and alignment, and belongs to one owner until it is freed. Nothing here unwinds.
unsafe impl GlobalAlloc for Allocator {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: a layout of at least one byte, as `GlobalAlloc` requires of its caller.
        let given = unsafe { System.alloc(layout) };
        if given.is_null() {
            claim(layout)
        } else {
            given
        }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: as above.
        let given = unsafe { System.alloc_zeroed(layout) };
        if !given.is_null() {
            return given;
        }
        let block = claim(layout);
        if !block.is_null() {
            // SAFETY: at least as long as the layout, and ours.
            unsafe { block.write_bytes(0, layout.size()) };
        }
        block
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        if !release(block) {
            // SAFETY: made by `alloc` with this layout, as `GlobalAlloc` requires; it is not from the reserve.
            unsafe { System.dealloc(block, layout) }
        }
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        if place_of(block).is_none() {
            // SAFETY: as above, and a size that is not 0.
            let given = unsafe { System.realloc(block, layout, size) };
            if !given.is_null() {
                return given;
            }
        }
        let Ok(wanted) = Layout::from_size_align(size, layout.align()) else {
            return ptr::null_mut();
        };
        // SAFETY: a new block cannot overlap the old one, which is freed with its own layout.
        unsafe {
            let new = self.alloc(wanted);
            if !new.is_null() {
                ptr::copy_nonoverlapping(block, new, layout.size().min(size));
                self.dealloc(block, layout);
            }
            new
        }
    }
}

/// A free block of the smallest size that fits and has one; NULL if there is none.
fn claim(layout: Layout) -> *mut u8 {
    let is_text = layout.align() == 1 && layout.size() > LONGEST_TEXT;
    if is_text || layout.align() > ALIGN {
        return ptr::null_mut();
    }
    for (class, (words, (size, count))) in USED.iter().zip(SHAPE).enumerate() {
        if layout.size() > size {
            continue;
        }
        for (index, word) in words.iter().enumerate().take(count.div_ceil(BITS)) {
            let there = match count - index * BITS {
                more @ 0..BITS => (1 << more) - 1,
                _ => usize::MAX,
            };
            let taken = word.fetch_update(Ordering::AcqRel, Ordering::Relaxed, |bits| {
                let free = !bits & there;
                (free != 0).then(|| bits | (free & free.wrapping_neg()))
            });
            if let Ok(before) = taken {
                let bit = (!before & there).trailing_zeros() as usize;
                COUNT.fetch_add(1, Ordering::Relaxed);
                let begin = BEGIN.get(class).copied().unwrap_or(0);
                // SAFETY: the block lies in the reserve: `begin` is the start of its class, and its number is in range.
                return unsafe {
                    BLOCKS
                        .0
                        .get()
                        .cast::<u8>()
                        .add(begin + (index * BITS + bit) * size)
                };
            }
        }
    }
    ptr::null_mut()
}

/// Frees a block; false if it is not from the reserve.
fn release(block: *mut u8) -> bool {
    let Some(offset) = place_of(block) else {
        return false;
    };
    let class = BEGIN
        .iter()
        .rposition(|begin| *begin <= offset)
        .unwrap_or(0);
    let begin = BEGIN.get(class).copied().unwrap_or(0);
    if let (Some(words), Some((size, _))) = (USED.get(class), SHAPE.get(class)) {
        let number = (offset - begin) / size;
        if let Some(word) = words.get(number / BITS) {
            COUNT.fetch_sub(1, Ordering::Relaxed);
            word.fetch_and(!(1 << (number % BITS)), Ordering::AcqRel);
        }
    }
    true
}

/// Its offset in the reserve.
fn place_of(block: *const u8) -> Option<usize> {
    let offset = block.addr().wrapping_sub(BLOCKS.0.get().addr());
    (offset < LENGTH).then_some(offset)
}

/// For tests that use the reserve, or look at whether it is in use: one at a time.
#[cfg(test)]
pub(crate) static TESTED: std::sync::Mutex<()> = std::sync::Mutex::new(());

/// Runs `work` as if there had been no memory for something else.
#[cfg(all(test, feature = "abi5"))]
pub(crate) fn while_in_use(work: impl FnOnce()) {
    let block = claim(Layout::new::<u64>());
    work();
    assert!(release(block));
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::{MutexGuard, PoisonError};

    fn alone() -> MutexGuard<'static, ()> {
        TESTED.lock().unwrap_or_else(PoisonError::into_inner)
    }

    #[test]
    fn blocks_are_apart_aligned_and_come_back() {
        let _alone = alone();
        for size in [1, 128, 129, 2048, 5000, 16 << 10, 200 << 10] {
            let layout = Layout::from_size_align(size, 16).unwrap();
            let blocks: Vec<*mut u8> = (0..2).map(|_| claim(layout)).collect();
            for (index, block) in blocks.iter().enumerate() {
                assert!(!block.is_null() && block.addr() % ALIGN == 0, "{size}");
                assert!(place_of(*block).unwrap() + size <= LENGTH);
                unsafe { block.write_bytes(index as u8 + 1, size) };
            }
            for (index, block) in blocks.iter().enumerate() {
                let bytes = unsafe { std::slice::from_raw_parts(*block, size) };
                assert!(bytes.iter().all(|byte| *byte == index as u8 + 1));
            }
            let apart = blocks[0].addr().abs_diff(blocks[1].addr());
            assert!(apart >= size);
            for block in blocks {
                assert!(release(block));
            }
        }
    }

    #[test]
    fn what_is_too_much_or_not_ours_is_refused() {
        let _alone = alone();
        let huge = Layout::from_size_align((256 << 10) + 1, 1).unwrap();
        assert!(claim(huge).is_null());
        let aligned = Layout::from_size_align(8, 4096).unwrap();
        assert!(claim(aligned).is_null());
        let text = Layout::from_size_align(LONGEST_TEXT + 1, 1).unwrap();
        assert!(claim(text).is_null());
        let text = Layout::from_size_align(LONGEST_TEXT, 1).unwrap();
        assert!(release(claim(text)));
        let mut other = 0_u8;
        assert!(!release(&mut other));
        assert!(!release(ptr::null_mut()));
    }

    #[test]
    fn growing_moves_the_contents_out_of_the_reserve() {
        let _alone = alone();
        let layout = Layout::from_size_align(100, 8).unwrap();
        let block = claim(layout);
        unsafe {
            block.write_bytes(7, 100);
            let grown = ALLOCATOR.realloc(block, layout, 300);
            assert!(place_of(grown).is_none(), "malloc had memory");
            assert!(
                std::slice::from_raw_parts(grown, 100)
                    .iter()
                    .all(|byte| *byte == 7)
            );
            ALLOCATOR.dealloc(grown, Layout::from_size_align(300, 8).unwrap());
        }
    }
}

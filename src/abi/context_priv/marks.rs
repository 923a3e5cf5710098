//! Marks that distinguish a block that was made here, and is longer than C sees, from one that a client made itself.
//!
//! With 64-bit pointers they are in the padding. With 32-bit pointers there is none, and they are in the MAC key of the
//! older pair of DH keys: the library keeps the session keys elsewhere, and clients do not touch them.

use super::PrivateMembers;
use crate::abi::borrowed::Borrowed;

/// A block that a client made itself has zeros or uninitialised bytes there.
const MARKS: [u32; 4] = [0x4f74_7250, 0x9d3b_61c7, 0x2ea8_5f14, 0xc06d_f392];

/// The marks of a block at this address. A copy that a client makes has another address, so its marks are wrong; it has no tail
/// either.
fn marks_at(address: usize) -> [u32; 4] {
    let address = address as u64;
    let [low, high] = [address as u32, (address >> 32) as u32];
    let [mark0, mark1, mark2, mark3] = MARKS;
    [mark0, mark1, mark2 ^ low, mark3 ^ high]
}

/// Marks a block.
pub(crate) fn put(block: Borrowed<'_, PrivateMembers>) {
    places::of(block).set(marks_at(block.as_ptr().addr()));
}

/// Whether a block was made here.
pub(crate) fn stand_in(block: Borrowed<'_, PrivateMembers>) -> bool {
    places::of(block).get() == marks_at(block.as_ptr().addr())
}

#[cfg(target_pointer_width = "64")]
mod places {
    use super::{Borrowed, PrivateMembers};

    /// The four padding words.
    pub(crate) struct Places<'a>(Borrowed<'a, PrivateMembers>);

    pub(crate) fn of(block: Borrowed<'_, PrivateMembers>) -> Places<'_> {
        Places(block)
    }

    impl Places<'_> {
        pub(crate) fn set(&self, [mark0, mark1, mark2, mark3]: [u32; 4]) {
            self.0.mark0().set(mark0);
            self.0.mark1().set(mark1);
            self.0.mark2().set(mark2);
            self.0.mark3().set(mark3);
        }

        pub(crate) fn get(&self) -> [u32; 4] {
            let block = self.0;
            [block.mark0(), block.mark1(), block.mark2(), block.mark3()].map(Borrowed::get)
        }
    }
}

#[cfg(not(target_pointer_width = "64"))]
mod places {
    use super::{Borrowed, PrivateMembers};

    /// The start of a key, which is longer than the marks. Bytes, since it is not aligned.
    pub(crate) struct Places<'a>(Borrowed<'a, [u8; 16]>);

    pub(crate) fn of(block: Borrowed<'_, PrivateMembers>) -> Places<'_> {
        // SAFETY: a pointer into the block.
        Places(unsafe {
            block.part(|block| (&raw mut (*block).sesskeys[1][1].rcvmackey).cast::<[u8; 16]>())
        })
    }

    impl Places<'_> {
        pub(crate) fn set(&self, marks: [u32; 4]) {
            let mut bytes = [0; 16];
            for (to, mark) in bytes.chunks_exact_mut(4).zip(marks) {
                to.copy_from_slice(&mark.to_ne_bytes());
            }
            self.0.set(bytes);
        }

        pub(crate) fn get(&self) -> [u32; 4] {
            let mut marks = [0; 4];
            for (mark, bytes) in marks.iter_mut().zip(self.0.get().chunks_exact(4)) {
                *mark = bytes.try_into().map_or(0, u32::from_ne_bytes);
            }
            marks
        }
    }
}

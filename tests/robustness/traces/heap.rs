//! The replacement of malloc in a program that is followed: the addresses depend only on its own calls, not on our
//! allocations in between.

use crate::follow::{map, place, word};
use crate::translate::NotFollowed;

const LENGTH: usize = 64 << 20;
/// In front of what is given: its class, and where it really begins.
const HEAD: u64 = 16;

pub(crate) struct Heap {
    begin: u64,
    next: u64,
    /// For each class, pieces of 2^class bytes, the first of those that have been given back; each names the next.
    free: [u64; 32],
}

impl Heap {
    pub(crate) fn new() -> Result<Self, NotFollowed> {
        let begin = word(map(LENGTH, libc::PROT_READ | libc::PROT_WRITE)?.expose_provenance());
        Ok(Self {
            begin,
            next: begin,
            free: [0; 32],
        })
    }

    fn has(&self, address: u64) -> bool {
        (self.begin..self.next).contains(&address)
    }

    /// Memory of this size, at a multiple of a power of 2. It is zeroed whether asked for or not.
    pub(crate) fn take(&mut self, size: u64, align: u64) -> Option<u64> {
        let align = align.max(16);
        let class = (size.checked_add(HEAD + align)?).next_power_of_two();
        let first = self.free.get_mut(usize::try_from(class.ilog2()).ok()?)?;
        let piece = if *first == 0 {
            let piece = self.next;
            self.next = piece.checked_add(class)?;
            if self.next > self.begin + word(LENGTH) {
                return None;
            }
            piece
        } else {
            let piece = *first;
            // SAFETY: one of ours, in which `give_back` has left this.
            *first = unsafe { place::<u64>(piece).read() };
            piece
        };
        let given = (piece + HEAD).next_multiple_of(align);
        // SAFETY: all of this is in the piece.
        unsafe {
            place::<u8>(piece).write_bytes(0, usize::try_from(class).ok()?);
            place::<[u64; 2]>(given - HEAD).write([class, piece]);
        }
        Some(given)
    }

    /// # Safety
    /// As for free.
    pub(crate) unsafe fn give_back(&mut self, given: u64) {
        if !self.has(given) {
            // SAFETY: from before the program was followed.
            return unsafe { libc::free(place(given)) };
        }
        // SAFETY: `take` has left this.
        let [class, piece] = unsafe { place::<[u64; 2]>(given - HEAD).read() };
        let class = usize::try_from(class.ilog2()).unwrap_or(0);
        if let Some(first) = self.free.get_mut(class) {
            // SAFETY: the piece is ours again.
            unsafe { place::<u64>(piece).write(*first) };
            *first = piece;
        }
    }

    /// # Safety
    /// As for realloc.
    pub(crate) unsafe fn resize(&mut self, given: u64, size: u64) -> Option<u64> {
        let new = self.take(size, 16)?;
        if given == 0 {
            return Some(new);
        }
        let length = if self.has(given) {
            // SAFETY: `take` has left this.
            let [class, piece] = unsafe { place::<[u64; 2]>(given - HEAD).read() };
            class - (given - piece)
        } else {
            // SAFETY: malloc's.
            word(unsafe { libc::malloc_usable_size(place(given)) })
        };
        let length = usize::try_from(length.min(size)).ok()?;
        // SAFETY: as long as the shorter one.
        unsafe {
            place::<u8>(new).copy_from_nonoverlapping(place::<u8>(given), length);
            self.give_back(given);
        }
        Some(new)
    }
}

//! Memory that is kept out of core dumps, for long-term keys.
//!
//! The system excludes whole pages from a dump, so each allocation has its own pages. A forked child inherits them, like
//! all memory. They are not locked against swapping: the limit for locked memory is small, and belongs to the client.

use std::ops::Deref;
use std::ptr::NonNull;

use super::memory::wipe;

/// Bytes that are kept out of core dumps, and wiped on drop.
pub struct Undumped {
    begin: NonNull<u8>,
    len: usize,
}

impl Undumped {
    /// A copy of these bytes. `None` if out of memory.
    pub(crate) fn new(bytes: &[u8]) -> Option<Self> {
        let begin = memory::new(bytes.len().max(1))?;
        // SAFETY: as long as the mapping, and owned by nobody else.
        unsafe { begin.copy_from_nonoverlapping(NonNull::from(bytes).cast(), bytes.len()) };
        Some(Self {
            begin,
            len: bytes.len(),
        })
    }
}

impl Deref for Undumped {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        // SAFETY: our memory, written by `new` and not since.
        unsafe { std::slice::from_raw_parts(self.begin.as_ptr(), self.len) }
    }
}

impl Drop for Undumped {
    fn drop(&mut self) {
        // SAFETY: made by `new` with this length, and not used afterwards.
        unsafe {
            wipe(self.begin.as_ptr(), self.len);
            memory::free(self.begin, self.len.max(1));
        }
    }
}

/// Pages of their own.
#[cfg(unix)]
mod memory {
    use std::ptr::{self, NonNull};

    pub(super) fn new(len: usize) -> Option<NonNull<u8>> {
        // SAFETY: new memory at any address.
        let begin = unsafe {
            libc::mmap(
                ptr::null_mut(),
                len,
                libc::PROT_READ | libc::PROT_WRITE,
                libc::MAP_PRIVATE | libc::MAP_ANONYMOUS,
                -1,
                0,
            )
        };
        if begin == libc::MAP_FAILED {
            return None;
        }
        // If the system does not support it, the bytes are as safe as all others.
        #[cfg(target_os = "linux")]
        // SAFETY: the pages that were just mapped; only whether they are dumped changes.
        unsafe {
            libc::madvise(begin, len, libc::MADV_DONTDUMP);
        }
        NonNull::new(begin.cast())
    }

    /// # Safety
    /// Made by `new` with this length, and not used afterwards.
    pub(super) unsafe fn free(begin: NonNull<u8>, len: usize) {
        // SAFETY: as the caller guarantees.
        unsafe { libc::munmap(begin.as_ptr().cast(), len) };
    }
}

/// Ordinary memory: the system has nothing to keep it out of dumps.
#[cfg(not(unix))]
mod memory {
    use std::ptr::NonNull;

    pub(super) fn new(len: usize) -> Option<NonNull<u8>> {
        // SAFETY: malloc takes any size.
        NonNull::new(unsafe { libc::malloc(len) }.cast())
    }

    /// # Safety
    /// Made by `new`, and not used afterwards.
    pub(super) unsafe fn free(begin: NonNull<u8>, _len: usize) {
        // SAFETY: as the caller guarantees.
        unsafe { libc::free(begin.as_ptr().cast()) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn holds_what_it_is_given() {
        for len in [0, 1, 4096, 5000] {
            let bytes = vec![7; len];
            assert_eq!(*Undumped::new(&bytes).unwrap(), bytes[..]);
        }
    }

    /// The system's flags of the mapping: "dd" is "do not include area into core dump".
    #[test]
    #[cfg(target_os = "linux")]
    fn the_system_keeps_it_out_of_dumps() {
        let bytes = Undumped::new(&[7; 5000]).unwrap();
        let maps = std::fs::read_to_string("/proc/self/smaps").unwrap();
        let mut inside = false;
        for line in maps.lines() {
            let range = line.split(' ').next().unwrap_or("").split_once('-');
            let number = |text| usize::from_str_radix(text, 16);
            if let Some((Ok(from), Ok(to))) = range.map(|(a, b)| (number(a), number(b))) {
                inside = (from..to).contains(&bytes.as_ptr().addr());
            }
            if let Some(flags) = line.strip_prefix("VmFlags:").filter(|_| inside) {
                assert!(flags.split(' ').any(|flag| flag == "dd"), "{flags}");
                return;
            }
        }
        panic!("it is mapped nowhere");
    }
}

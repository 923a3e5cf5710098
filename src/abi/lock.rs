//! The only lock of this library. It is held while walking a short list, never during a calculation, file access or the
//! client's code.
//!
//! A process may fork while another thread holds it, and nobody would release it in the child, where BitlBee, irssi and
//! hexchat go on to generate a key. So the lock records which process holds it, and a child takes it over from its parent.
//! The data that it protects are consistent at any point: a list changes by a single store of one pointer.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

/// The process that holds the lock, or 0.
static HOLDER: AtomicU32 = AtomicU32::new(0);
/// How often a waiting thread only lets others run before it sleeps.
const YIELDS: u32 = 64;

/// Runs `body` with the lock held. It must be short, must not call the client's code, and must not take the lock again.
pub(crate) fn locked<T>(body: impl FnOnce() -> T) -> T {
    let _held = Held::take();
    body()
}

struct Held;

impl Held {
    fn take() -> Self {
        let process = std::process::id();
        let mut waited = 0_u32;
        let mut expected = 0;
        while let Err(holder) =
            HOLDER.compare_exchange(expected, process, Ordering::Acquire, Ordering::Relaxed)
        {
            // A holder that is not this process is its parent, which held the lock at the fork.
            expected = if holder == process { 0 } else { holder };
            if holder == process {
                waited = waited.saturating_add(1);
                if waited < YIELDS {
                    std::thread::yield_now();
                } else {
                    std::thread::sleep(Duration::from_micros(50));
                }
            }
        }
        Self
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        HOLDER.store(0, Ordering::Release);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_one_thread_is_inside() {
        static INSIDE: AtomicU32 = AtomicU32::new(0);
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for _ in 0..2000 {
                        locked(|| {
                            assert_eq!(INSIDE.fetch_add(1, Ordering::Relaxed), 0);
                            INSIDE.fetch_sub(1, Ordering::Relaxed);
                        });
                    }
                });
            }
        });
    }

    #[test]
    fn a_child_takes_over_what_its_parent_held() {
        let status = locked(|| {
            // SAFETY: the child needs no other thread, and exits without the parent's exit handlers.
            unsafe {
                let child = libc::fork();
                if child == 0 {
                    libc::alarm(20);
                    libc::_exit(locked(|| 7));
                }
                let mut status = 0;
                assert_eq!(libc::waitpid(child, &mut status, 0), child);
                status
            }
        });
        assert!(libc::WIFEXITED(status), "the child waited forever");
        assert_eq!(libc::WEXITSTATUS(status), 7);
    }
}

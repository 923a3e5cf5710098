//! A list of the library in a static, safe with threads and forks: see `lock`.

use std::ptr;
use std::sync::atomic::{AtomicPtr, Ordering};

use super::lock::locked;

/// Newest first.
pub(crate) struct LockedList<T> {
    /// NULL, or the first node. Nodes are boxes. They are accessed and freed with the lock held, or after they were taken out
    /// with the lock held.
    first: AtomicPtr<Node<T>>,
}

struct Node<T> {
    content: T,
    next: AtomicPtr<Node<T>>,
}

impl<T: Send + Sync> LockedList<T> {
    /// An empty list.
    pub(crate) const fn new() -> Self {
        Self {
            first: AtomicPtr::new(ptr::null_mut()),
        }
    }

    /// Adds it at the front.
    pub(crate) fn push(&self, content: T) {
        let node = Box::new(Node {
            content,
            next: AtomicPtr::new(ptr::null_mut()),
        });
        locked(|| {
            node.next
                .store(self.first.load(Ordering::Relaxed), Ordering::Relaxed);
            self.first.store(Box::into_raw(node), Ordering::Release);
        });
    }

    /// The first `Some` that `look` returns. It must be short, and must not take the lock again.
    pub(crate) fn find_map<R>(&self, mut look: impl FnMut(&T) -> Option<R>) -> Option<R> {
        locked(|| {
            let mut link = &self.first;
            // SAFETY: the lock is held.
            while let Some(node) = unsafe { node_at(link) } {
                if let Some(found) = look(&node.content) {
                    return Some(found);
                }
                link = &node.next;
            }
            None
        })
    }

    /// Whether `is_it` is true for one of them.
    pub(crate) fn any(&self, is_it: impl Fn(&T) -> bool) -> bool {
        self.find_map(|content| is_it(content).then_some(()))
            .is_some()
    }

    /// Takes out the first one for which `is_it` is true.
    #[cfg(any(feature = "abi5", test))]
    pub(crate) fn take(&self, mut is_it: impl FnMut(&T) -> bool) -> Option<T> {
        let node = locked(|| {
            let mut link = &self.first;
            // SAFETY: the lock is held.
            while let Some(node) = unsafe { node_at(link) } {
                if is_it(&node.content) {
                    return link.swap(node.next.load(Ordering::Acquire), Ordering::AcqRel);
                }
                link = &node.next;
            }
            ptr::null_mut()
        });
        // SAFETY: a box that was taken out of the list, so nobody else has it.
        (!node.is_null()).then(|| unsafe { Box::from_raw(node) }.content)
    }

    /// Takes out and drops all for which `is_to_go` is true.
    pub(crate) fn remove(&self, mut is_to_go: impl FnMut(&T) -> bool) {
        let mut gone = locked(|| {
            let mut gone = ptr::null_mut();
            let mut link = &self.first;
            // SAFETY: the lock is held.
            while let Some(node) = unsafe { node_at(link) } {
                if is_to_go(&node.content) {
                    let node_there = link.swap(node.next.load(Ordering::Acquire), Ordering::AcqRel);
                    node.next.store(gone, Ordering::Relaxed);
                    gone = node_there;
                } else {
                    link = &node.next;
                }
            }
            gone
        });
        while !gone.is_null() {
            // SAFETY: a box that was taken out of the list, so nobody else has it.
            gone = unsafe { Box::from_raw(gone) }.next.into_inner();
        }
    }
}

/// The node that a link points to.
///
/// # Safety
/// The caller holds the lock, and uses the reference only while it does.
unsafe fn node_at<T>(link: &AtomicPtr<Node<T>>) -> Option<&Node<T>> {
    // SAFETY: NULL or a box of a list; they are freed only with the lock held.
    unsafe { link.load(Ordering::Acquire).as_ref() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_pushed_is_found_and_taken_once() {
        let list = LockedList::new();
        for number in 0..5 {
            list.push(number);
        }
        assert!(list.any(|number| *number == 3) && !list.any(|number| *number == 7));
        assert_eq!(list.find_map(|number| Some(*number)), Some(4));
        assert_eq!(list.take(|number| *number < 4), Some(3));
        assert_eq!(list.take(|number| *number == 3), None);
        list.remove(|number| number % 2 == 0);
        assert_eq!(list.take(|_| true), Some(1));
        assert_eq!(list.take(|_| true), None);
    }
}

//! Linked lists as in libotr: a node has `next`, and `tous`, a pointer to the link that points to it. Clients walk them, and
//! link nodes in themselves, not always with the right `tous`.

use super::borrowed::{Borrowed, Object};

/// A struct that is a node of such a list.
pub(crate) trait Node: Object + Sized {
    /// The link to the next node; NULL at the end.
    fn next(node: Borrowed<'_, Self>) -> Borrowed<'_, *mut Self>;
    /// The pointer to the link that points to this node.
    fn tous(node: Borrowed<'_, Self>) -> Borrowed<'_, *mut *mut Self>;
}

/// Implements [`Node`] for structs with these two members.
macro_rules! nodes {
    ($($type:ty),+ $(,)?) => {$(
        impl $crate::abi::linked_list::Node for $type {
            fn next(node: $crate::abi::borrowed::Borrowed<'_, Self>) -> $crate::abi::borrowed::Borrowed<'_, *mut Self> {
                node.next()
            }

            fn tous(node: $crate::abi::borrowed::Borrowed<'_, Self>) -> $crate::abi::borrowed::Borrowed<'_, *mut *mut Self> {
                node.tous()
            }
        }
    )+};
}
pub(crate) use nodes;

/// The nodes from this one on. Each link is read when the next node is needed.
pub(crate) fn iter<'a, T: Node + 'a>(
    first: Option<Borrowed<'a, T>>,
) -> impl Iterator<Item = Borrowed<'a, T>> {
    std::iter::successors(first, |node| T::next(*node).follow())
}

/// Inserts a node, which is in no list, at this link.
pub(crate) fn link<'a, T: Node>(place: Borrowed<'a, *mut T>, node: Borrowed<'a, T>) {
    let next = place.follow();
    T::next(node).point_at(next);
    T::tous(node).point_at(Some(place));
    if let Some(next) = next {
        T::tous(next).point_at(Some(T::next(node)));
    }
    place.point_at(Some(node));
}

/// Takes a node out of its list, if its `tous` points into one. The next node's `tous` is set first, so that the list is
/// consistent at any time.
pub(crate) fn unlink<T: Node>(node: Borrowed<'_, T>) {
    let (next, tous) = (T::next(node).follow(), T::tous(node).follow());
    if let Some(next) = next {
        T::tous(next).point_at(tous);
    }
    if let Some(tous) = tous {
        tous.point_at(next);
    }
}

/// Takes the first node out of a list. Its own `tous` is not read.
pub(crate) fn take_first<'a, T: Node>(root: Borrowed<'a, *mut T>) -> Option<Borrowed<'a, T>> {
    let first = root.follow()?;
    T::tous(first).point_at(Some(root));
    unlink(first);
    Some(first)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::abi::borrowed::members;
    use std::ptr;

    struct Number {
        next: *mut Self,
        tous: *mut *mut Self,
        value: u8,
    }

    members! {
        Number {
            next: *mut Number,
            tous: *mut *mut Number,
            value: u8,
        }
    }
    nodes!(Number);

    fn new(value: u8) -> Borrowed<'static, Number> {
        let number = Box::leak(Box::new(Number {
            next: ptr::null_mut(),
            tous: ptr::null_mut(),
            value,
        }));
        unsafe { Borrowed::new(&raw const *number) }.unwrap()
    }

    /// The values, if each node knows the link that points to it.
    fn values(root: Borrowed<'_, *mut Number>) -> Vec<u8> {
        let mut link = root;
        iter(root.follow())
            .map(|node| {
                assert_eq!(node.tous().follow(), Some(link));
                link = node.next();
                node.value().get()
            })
            .collect()
    }

    #[test]
    fn nodes_come_and_go_anywhere() {
        let [one, two, three, four] = [1, 2, 3, 4].map(new);
        let root = Box::leak(Box::new(ptr::null_mut()));
        let root = unsafe { Borrowed::new(&raw const *root) }.unwrap();
        link(root, two);
        link(root, one);
        link(two.next(), four);
        link(two.next(), three);
        assert_eq!(values(root), [1, 2, 3, 4]);
        unlink(two);
        assert_eq!(values(root), [1, 3, 4]);
        unlink(four);
        assert_eq!(values(root), [1, 3]);
        // A node that a client has linked in at the front.
        two.next().point_at(Some(one));
        two.tous().point_at(None);
        root.point_at(Some(two));
        assert_eq!(take_first(root), Some(two));
        assert_eq!(values(root), [1, 3]);
        assert_eq!(take_first(root), Some(one));
        assert_eq!(take_first(root), Some(three));
        assert_eq!(take_first(root), None);
        assert!(values(root).is_empty());
    }
}

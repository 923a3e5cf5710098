//! Lists as libotr links them: a node has `next`, and `tous`, a pointer to the link that leads to it. Clients walk them, and
//! link nodes in themselves, not always with the right `tous`.

/// A struct that is a node of such a list.
///
/// # Safety
/// The functions give places within the node.
pub(crate) unsafe trait Node: Sized {
    /// Where the next node stands; NULL at the end.
    ///
    /// # Safety
    /// `node` is a live node.
    unsafe fn next(node: *mut Self) -> *mut *mut Self;
    /// Where the link to this node is noted.
    ///
    /// # Safety
    /// `node` is a live node.
    unsafe fn tous(node: *mut Self) -> *mut *mut *mut Self;
}

/// Makes nodes of structs with these two members.
macro_rules! nodes {
    ($($type:ty),+ $(,)?) => {$(
        // SAFETY: places within the node.
        unsafe impl $crate::abi::linked_list::Node for $type {
            unsafe fn next(node: *mut Self) -> *mut *mut Self {
                // SAFETY: a live node, as the trait demands.
                unsafe { &raw mut (*node).next }
            }

            unsafe fn tous(node: *mut Self) -> *mut *mut *mut Self {
                // SAFETY: likewise.
                unsafe { &raw mut (*node).tous }
            }
        }
    )+};
}
pub(crate) use nodes;

/// The nodes from this one on; none for NULL.
///
/// # Safety
/// `first` is NULL or a live node, as are those behind it, and none of them goes while the iterator is in use.
pub(crate) unsafe fn iter<T: Node>(first: *mut T) -> impl Iterator<Item = *mut T> {
    let some = |node: *mut T| (!node.is_null()).then_some(node);
    // SAFETY: live nodes, by the caller's promise.
    std::iter::successors(some(first), move |node| some(unsafe { *T::next(*node) }))
}

/// Puts a node into a list.
///
/// # Safety
/// `place` is a link of a list of live nodes, and `node` is live and in no list.
pub(crate) unsafe fn link<T: Node>(place: *mut *mut T, node: *mut T) {
    // SAFETY: the caller's promise.
    unsafe {
        let next = *place;
        *T::next(node) = next;
        *T::tous(node) = place;
        if !next.is_null() {
            *T::tous(next) = T::next(node);
        }
        *place = node;
    }
}

/// Takes a node out of its list. The way back is set first, so that there is a list at every moment.
///
/// # Safety
/// `node` is live, and its neighbours are; its `tous` is NULL or right.
pub(crate) unsafe fn unlink<T: Node>(node: *mut T) {
    // SAFETY: the caller's promise.
    unsafe {
        let (next, tous) = (*T::next(node), *T::tous(node));
        if !next.is_null() {
            *T::tous(next) = tous;
        }
        if !tous.is_null() {
            *tous = next;
        }
    }
}

/// Takes the first node out. NULL from an empty list.
///
/// # Safety
/// `root` is the root of a list of live nodes. The node's own `tous` is not read.
pub(crate) unsafe fn take_first<T: Node>(root: *mut *mut T) -> *mut T {
    // SAFETY: the caller's promise.
    unsafe {
        let first = *root;
        if !first.is_null() {
            *T::tous(first) = root;
            unlink(first);
        }
        first
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::ptr;

    struct Number {
        next: *mut Self,
        tous: *mut *mut Self,
        value: u8,
    }

    nodes!(Number);

    fn new(value: u8) -> Box<Number> {
        Box::new(Number {
            next: ptr::null_mut(),
            tous: ptr::null_mut(),
            value,
        })
    }

    /// The values, if each node knows the link that leads to it.
    fn values(root: &mut *mut Number) -> Vec<u8> {
        let mut link: *mut *mut Number = root;
        unsafe {
            iter(*root)
                .map(|node| {
                    assert_eq!((*node).tous, link);
                    link = &raw mut (*node).next;
                    (*node).value
                })
                .collect()
        }
    }

    #[test]
    fn nodes_come_and_go_anywhere() {
        let mut numbers = [1, 2, 3, 4].map(new);
        let [one, two, three, four] = numbers.each_mut().map(|number| &raw mut **number);
        let mut root = ptr::null_mut();
        unsafe {
            link(&raw mut root, two);
            link(&raw mut root, one);
            link(&raw mut (*two).next, four);
            link(&raw mut (*two).next, three);
            assert_eq!(values(&mut root), [1, 2, 3, 4]);
            unlink(two);
            assert_eq!(values(&mut root), [1, 3, 4]);
            unlink(four);
            assert_eq!(values(&mut root), [1, 3]);
            // A client's node, linked in at the front.
            (*two).next = one;
            (*two).tous = ptr::null_mut();
            root = two;
            assert_eq!(take_first(&raw mut root), two);
            assert_eq!(values(&mut root), [1, 3]);
            assert_eq!(take_first(&raw mut root), one);
            assert_eq!(take_first(&raw mut root), three);
            assert!(take_first(&raw mut root).is_null());
        }
        assert!(values(&mut root).is_empty());
    }
}

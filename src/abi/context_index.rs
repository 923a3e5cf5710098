//! An index that says where to begin a search for a context in a long list.

use std::cell::{Cell, RefCell};

use super::borrowed::Borrowed;
use super::context_priv::{Forgotten, private_of};
use super::linked_list;
use super::types::ConnContext;
use otr_protocol::buffer;

/// One of this many contexts is noted.
const EVERY: usize = 4;

/// Some contexts of a user state, in the order of its list.
///
/// The list is authoritative: the client sees it, and may change it at any time. The index only says where to start walking. It
/// becomes invalid when any context is forgotten. Only contexts that the library made are noted, because nobody else frees
/// them.
#[derive(Default)]
pub(crate) struct ContextIndex {
    noted: RefCell<Vec<*mut ConnContext>>,
    forgotten: Cell<Option<Forgotten>>,
}

impl ContextIndex {
    /// The last noted context for which `is_before` is true.
    pub(crate) fn last_before<'a>(
        &self,
        now: Forgotten,
        is_before: impl Fn(Borrowed<'a, ConnContext>) -> bool,
    ) -> Option<Borrowed<'a, ConnContext>> {
        if self.forgotten.get() != Some(now) {
            return None;
        }
        // SAFETY: contexts that the library made; none was forgotten since, so they are live.
        let borrow = |context: *mut ConnContext| unsafe { Borrowed::new(context) };
        let noted = self.noted.borrow();
        let after = noted.partition_point(|context| borrow(*context).is_some_and(&is_before));
        let before = after.checked_sub(1).and_then(|at| noted.get(at));
        let context = before.and_then(|context| borrow(*context));
        // A client may have taken it out of the list.
        context.filter(|context| {
            is_before(*context)
                && context.tous().follow().and_then(Borrowed::follow) == Some(*context)
        })
    }

    /// Makes the index of a list. If out of memory, it is empty.
    pub(crate) fn note(&self, now: Forgotten, first: Option<Borrowed<'_, ConnContext>>) {
        let mut noted = self.noted.borrow_mut();
        self.forgotten.set(Some(now));
        noted.clear();
        for context in linked_list::iter(first).step_by(EVERY) {
            let is_ours = private_of(context).is_some();
            if is_ours && buffer::push(&mut noted, context.as_ptr()).is_err() {
                *noted = Vec::new();
                return;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::abi::borrowed::borrow;
    use crate::abi::context::{self, Names, NewContexts, otrl_context_forget};
    use crate::abi::types::UserState;
    use crate::abi::userstate::{otrl_userstate_create, otrl_userstate_free};
    use std::ffi::CString;
    use std::ptr;

    const COUNT: usize = 700;

    /// The context of the correspondent with this number, and whether it was made.
    fn find(us: *mut UserState, number: usize, add: bool) -> (*mut ConnContext, bool) {
        let user = CString::new(format!("user{:03}", number * 37 % COUNT)).unwrap();
        let (account, protocol) = (c"me".as_ptr(), c"prpl".as_ptr());
        let names = unsafe { Names::new(user.as_ptr(), account, protocol) }.unwrap();
        let found = unsafe {
            if add {
                context::find_correspondent(borrow(us), &names, NewContexts::QUIET)
            } else {
                find_only(borrow(us), &names).map(|found| (found, false))
            }
        };
        found.map_or((ptr::null_mut(), false), |(context, added)| {
            (context.as_ptr(), added)
        })
    }

    fn find_only<'a>(
        us: Borrowed<'a, UserState>,
        names: &Names<'a>,
    ) -> Option<Borrowed<'a, ConnContext>> {
        #[cfg(feature = "abi5")]
        return context::find(us, names, crate::abi::types::INSTAG_MASTER);
        #[cfg(feature = "abi2")]
        return context::find(us, names);
    }

    fn order(us: *mut UserState) -> Vec<*mut ConnContext> {
        linked_list::iter(borrow(us).context_root().follow())
            .map(Borrowed::as_ptr)
            .collect()
    }

    #[test]
    fn each_is_found_whatever_comes_and_goes() {
        unsafe {
            let us = otrl_userstate_create();
            let made: Vec<_> = (0..COUNT).map(|number| find(us, number, true)).collect();
            assert!(
                made.iter()
                    .all(|(context, added)| !context.is_null() && *added)
            );
            assert_eq!(order(us).len(), COUNT);
            for (number, (context, _)) in made.iter().enumerate() {
                assert_eq!(find(us, number, true), (*context, false));
            }
            // Every third is forgotten. The searches in between make a new index.
            for (number, (context, _)) in made.iter().enumerate() {
                if number % 3 == 0 {
                    otrl_context_forget(*context);
                    assert!(find(us, number, false).0.is_null());
                } else {
                    assert_eq!(find(us, number, false).0, *context);
                }
            }
            let left = order(us);
            assert_eq!(left.len(), COUNT - COUNT.div_ceil(3));
            // A client takes one out, which is no longer found, and puts it back.
            let (number, taken) = (100, made[100].0);
            let place = borrow((*taken).tous);
            linked_list::unlink(borrow(taken));
            (*taken).tous = ptr::null_mut();
            for number in 0..COUNT {
                let found = find(us, number, false).0;
                assert_eq!(found.is_null(), number % 3 == 0 || number == 100);
            }
            linked_list::link(place, borrow(taken));
            assert_eq!(find(us, number, false).0, taken);
            assert_eq!(order(us), left);
            otrl_userstate_free(us);
        }
    }
}

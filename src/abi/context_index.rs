//! Where to begin looking for a context in a long list.

use std::ptr;

use super::context_priv::{Forgotten, private_of};
use super::linked_list;
use super::types::ConnContext;
use otr_protocol::buffer;

/// One of so many contexts is noted.
const EVERY: usize = 16;

/// Some contexts of a user state, in the order of its list.
///
/// The list is the truth: the client sees it, and may change it at any time. So what is noted here says only from where to walk
/// on. It is of no use once any context was forgotten, and only contexts of the library's are noted, which nobody else frees.
#[derive(Default)]
pub(crate) struct ContextIndex {
    noted: Vec<*mut ConnContext>,
    forgotten: Option<Forgotten>,
}

impl ContextIndex {
    /// The last context known for which `is_before` says that it stands before what is looked for; NULL if there is none.
    pub(crate) fn last_before(
        &self,
        now: Forgotten,
        is_before: impl Fn(*mut ConnContext) -> bool,
    ) -> *mut ConnContext {
        if self.forgotten != Some(now) {
            return ptr::null_mut();
        }
        let after = self.noted.partition_point(|context| is_before(*context));
        let before = after.checked_sub(1).and_then(|at| self.noted.get(at));
        let Some(context) = before.copied().filter(|context| is_before(*context)) else {
            return ptr::null_mut();
        };
        // SAFETY: a context of the library's that nobody has forgotten. Whether it is in the list still, a client may have changed.
        let is_linked = unsafe { !(*context).tous.is_null() && *(*context).tous == context };
        if is_linked { context } else { ptr::null_mut() }
    }

    /// Notes the contexts of a list. Without memory there is nothing to begin from.
    ///
    /// # Safety
    /// `first` is NULL or the first of a list of live contexts.
    pub(crate) unsafe fn note(&mut self, now: Forgotten, first: *mut ConnContext) {
        self.forgotten = Some(now);
        self.noted.clear();
        // SAFETY: a list of live contexts.
        for context in unsafe { linked_list::iter(first) }.step_by(EVERY) {
            // SAFETY: a live context.
            let is_ours = unsafe { private_of(context) }.is_some();
            if is_ours && buffer::push(&mut self.noted, context).is_err() {
                self.noted = Vec::new();
                return;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::abi::context::{self, Names, NewContexts};
    use crate::abi::types::UserState;
    use crate::abi::userstate::{otrl_userstate_create, otrl_userstate_free};
    use std::ffi::{CString, c_int};

    const COUNT: usize = 700;

    /// The context of this number's correspondent, and whether it was made.
    fn find(us: *mut UserState, number: usize, add: bool) -> (*mut ConnContext, bool) {
        let user = CString::new(format!("user{:03}", number * 37 % COUNT)).unwrap();
        let names = Names::new(user.as_ptr(), c"me".as_ptr(), c"prpl".as_ptr());
        let new = add.then_some(NewContexts {
            add_appdata: None,
            data: ptr::null_mut(),
        });
        let mut added: c_int = 0;
        let found = unsafe { context::find_correspondent(us, names, &raw mut added, new) };
        (found, added != 0)
    }

    fn order(us: *mut UserState) -> Vec<*mut ConnContext> {
        unsafe { linked_list::iter((*us).context_root).collect() }
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
            // Every third goes. The walks in between note the list anew.
            for (number, (context, _)) in made.iter().enumerate() {
                if number % 3 == 0 {
                    assert!(context::forget(*context));
                    assert!(find(us, number, false).0.is_null());
                } else {
                    assert_eq!(find(us, number, false).0, *context);
                }
            }
            let left = order(us);
            assert_eq!(left.len(), COUNT - COUNT.div_ceil(3));
            // A client takes one out, which is found no more, and puts it back.
            let (number, taken) = (100, made[100].0);
            let place = (*taken).tous;
            linked_list::unlink(taken);
            (*taken).tous = ptr::null_mut();
            for number in 0..COUNT {
                let found = find(us, number, false).0;
                assert_eq!(found.is_null(), number % 3 == 0 || number == 100);
            }
            linked_list::link(place, taken);
            assert_eq!(find(us, number, false).0, taken);
            assert_eq!(order(us), left);
            otrl_userstate_free(us);
        }
    }
}

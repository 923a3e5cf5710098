//! Making contexts, and their order in the list.

use std::cmp::Ordering;
use std::ffi::{c_char, c_int, c_void};
use std::ptr;

use super::handle::Handle;
use crate::abi::borrowed::{self, Borrowed, Char, Out};
use crate::abi::context_priv::Forgotten;
use crate::abi::in_use;
use crate::abi::linked_list;
use crate::abi::text::CText;
use crate::abi::types::{AddAppData, ConnContext, UserState};
use crate::abi::{auth_info, context_priv, sm_objects};

/// The names that identify a correspondent.
#[derive(Clone, Copy)]
pub struct Names<'a> {
    /// The correspondent.
    pub user: Borrowed<'a, Char>,
    /// Our account.
    pub account: Borrowed<'a, Char>,
    /// The network.
    pub protocol: Borrowed<'a, Char>,
    /// A context from which the search may start, if it comes before the one that is looked for.
    pub near: Option<Borrowed<'a, ConnContext>>,
}

/// The position of a context in the list, or where it would be inserted.
#[derive(Clone, Copy)]
pub(crate) struct Place<'a> {
    /// The link that points there.
    pub link: Borrowed<'a, *mut ConnContext>,
    /// The context, if there is one with the names.
    pub found: Option<Borrowed<'a, ConnContext>>,
}

/// The client's function for each new context.
#[derive(Clone, Copy)]
pub struct NewContexts {
    /// The function, if any.
    pub add_appdata: AddAppData,
    /// Its first argument.
    pub data: *mut c_void,
}

impl<'a> Names<'a> {
    /// Empty names.
    pub const EMPTY: Self = Self {
        user: Borrowed::of_str(c""),
        account: Borrowed::of_str(c""),
        protocol: Borrowed::of_str(c""),
        near: None,
    };

    /// A client's strings, with the search from the start of the list. `None` if one is NULL.
    ///
    /// # Safety
    /// Each is NULL, or a C string that lives for `'a`.
    pub unsafe fn new(
        user: *const c_char,
        account: *const c_char,
        protocol: *const c_char,
    ) -> Option<Self> {
        // SAFETY: NULL or C strings, as the caller guarantees.
        unsafe {
            Some(Self {
                user: Borrowed::new(user.cast())?,
                account: Borrowed::new(account.cast())?,
                protocol: Borrowed::new(protocol.cast())?,
                near: None,
            })
        }
    }

    /// Compares a context's names with these, byte by byte. NULL, which only a context made by a client may have, comes first.
    pub(crate) fn compare(&self, context: Borrowed<'_, ConnContext>) -> Ordering {
        compare_text(context.username(), self.user)
            .then_with(|| compare_text(context.accountname(), self.account))
            .then_with(|| compare_text(context.protocol(), self.protocol))
    }

    /// Walks over the list until a context with greater names, one with these names for which `ends` is true, or the end.
    pub(crate) fn place(
        &self,
        us: Borrowed<'a, UserState>,
        ends: impl Fn(Borrowed<'a, ConnContext>) -> bool,
    ) -> Place<'a> {
        /// A walk from a hint or from the front that takes longer than this is given up; after all of them a new index is made.
        const LONG: usize = 64;
        let is_before =
            |context: Borrowed<'a, ConnContext>| self.compare(context) == Ordering::Less;
        let root = us.context_root();
        let now = Forgotten::now(in_use::forgotten(us));
        let noted = || in_use::index(us).last_before(now, is_before);
        let near = self.near.filter(|near| is_before(*near));
        let hints = near
            .into_iter()
            .chain(std::iter::once_with(noted).flatten());
        for hint in hints {
            if let Some(place) = self.walk(hint.next(), &ends, LONG) {
                return place;
            }
        }
        if let Some(place) = self.walk(root, &ends, LONG) {
            return place;
        }
        in_use::index(us).note(now, root.follow());
        let start = noted().map_or(root, |noted| noted.next());
        let start_itself = Place {
            link: start,
            found: None,
        };
        self.walk(start, &ends, usize::MAX).unwrap_or(start_itself)
    }

    /// Walks from this link, as [`place`](Self::place) does. `None` if it passes more than `limit` contexts.
    fn walk(
        &self,
        mut link: Borrowed<'a, *mut ConnContext>,
        ends: impl Fn(Borrowed<'a, ConnContext>) -> bool,
        limit: usize,
    ) -> Option<Place<'a>> {
        let (mut passed, mut found) = (0, None);
        while let Some(here) = link.follow() {
            match self.compare(here) {
                Ordering::Greater => break,
                Ordering::Equal if ends(here) => {
                    found = Some(here);
                    break;
                }
                _ if passed == limit => return None,
                _ => link = here.next(),
            }
            passed += 1;
        }
        Some(Place { link, found })
    }

    /// A new context, complete and in no list. `None` if out of memory.
    pub(crate) fn new_context(&self) -> Option<Borrowed<'static, ConnContext>> {
        // All zeros are an empty context in plaintext state.
        let context = context_priv::new_context()?;
        let has_names = context
            .username()
            .store(CText::up_to_nul(self.user.bytes()))
            & context
                .accountname()
                .store(CText::up_to_nul(self.account.bytes()))
            & context
                .protocol()
                .store(CText::up_to_nul(self.protocol.bytes()));
        let smp = borrowed::new_zeroed();
        context.smstate().point_at(smp);
        let Some(smp) = smp.filter(|_| has_names) else {
            // SAFETY: made above.
            unsafe {
                free_parts(context);
                context_priv::free_context(context);
            }
            return None;
        };
        sm_objects::state_new(smp);
        auth_info::new(context);
        context.fingerprint_root().context().point_at(Some(context));
        Some(context)
    }
}

/// Frees the names of a context and its SMP state with all numbers.
///
/// # Safety
/// They came from malloc, and are not used afterwards.
pub(crate) unsafe fn free_parts(context: Borrowed<'_, ConnContext>) {
    // SAFETY: from malloc and not used afterwards, as the caller guarantees.
    unsafe {
        context.username().free_text();
        context.accountname().free_text();
        context.protocol().free_text();
        if let Some(smp) = context.smstate().follow() {
            context.smstate().point_at(None);
            smp.free();
        }
    }
}

fn compare_text(member: Borrowed<'_, *mut Char>, name: Borrowed<'_, Char>) -> Ordering {
    match member.text() {
        None => Ordering::Less,
        // SAFETY: both are C strings.
        Some(text) => unsafe { libc::strcmp(text.as_c_char(), name.as_c_char()) }.cmp(&0),
    }
}

impl NewContexts {
    /// No function.
    pub const QUIET: Self = Self {
        add_appdata: None,
        data: ptr::null_mut(),
    };

    /// Finds or makes a context for a client, and stores whether it was made. `None` also if the client frees the user state in
    /// a callback.
    ///
    /// # Safety
    /// As for [`in_use::during`].
    pub(crate) unsafe fn find_or_add<'a>(
        self,
        us: Borrowed<'a, UserState>,
        added: Out<'_, c_int>,
        find: impl FnOnce() -> Option<(Borrowed<'a, ConnContext>, bool)>,
    ) -> Option<Borrowed<'a, ConnContext>> {
        let find = || {
            let (context, is_new) = find()?;
            added.put(is_new.into());
            (!in_use::is_freed(us)).then_some(context)
        };
        // SAFETY: the user state is not used afterwards, as the caller guarantees.
        unsafe { in_use::during(us, find) }
    }

    /// Inserts a complete context into the list and shows it to the client; `None` if the client forgets it in the callback.
    ///
    /// # Safety
    /// The client may call back into the library: no context that was borrowed before is used afterwards.
    pub(crate) unsafe fn enter<'a>(
        self,
        us: Borrowed<'a, UserState>,
        place: Borrowed<'a, *mut ConnContext>,
        context: Borrowed<'a, ConnContext>,
    ) -> Option<Borrowed<'a, ConnContext>> {
        // SAFETY: the counter is that of the user state, to which the context belongs until it is forgotten.
        unsafe { context_priv::set_count(context, in_use::forgotten(us)) };
        linked_list::link(place, context);
        let Some(add_appdata) = self.add_appdata else {
            return Some(context);
        };
        let handle = Handle::of(context);
        // SAFETY: the client's function, with its data; nothing that was borrowed before is used afterwards, as the caller
        // guarantees.
        unsafe { add_appdata(self.data, context.as_ptr()) };
        handle.get(Some(us))
    }
}

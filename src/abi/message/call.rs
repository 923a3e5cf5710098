//! One call of an exported function that may run the client's code.

use std::ffi::{CStr, c_char, c_void};
use std::ptr;

use super::arguments::Arguments;
use crate::abi::context::{Ctx, Handle, Names, NewContexts};
use crate::abi::error::GcryError;
use crate::abi::in_use;
use crate::abi::memory::put;
use crate::abi::reserve;
use crate::abi::text::CText;
use crate::abi::tlv::Chain;
use crate::abi::types::*;

/// Whose call: the user state, the table of callbacks and the client's own pointer.
#[derive(Clone, Copy)]
pub(crate) struct Client {
    /// The user state.
    pub us: OtrlUserState,
    /// NULL or the table.
    pub ops: *const OtrlMessageAppOps,
    /// The client's own pointer.
    pub opdata: *mut c_void,
}

/// What a client gives with a message.
#[derive(Clone, Copy)]
pub(crate) struct Given {
    /// Who talks to whom.
    pub names: Names,
    /// The message.
    pub text: *const c_char,
    /// NULL, or what goes beside it.
    pub tlvs: *const OtrlTLV,
    /// What the client wants done with new contexts.
    pub new: NewContexts,
}

/// Where a client wants the answers. Each but the text may be NULL.
#[derive(Clone, Copy)]
pub(crate) struct Places {
    /// A text in place of the one given.
    pub text: *mut *mut c_char,
    /// What came beside it.
    pub tlvs: *mut *mut OtrlTLV,
    /// The context it belongs to.
    pub context: *mut *mut ConnContext,
}

/// Why a call was not begun.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// An argument is NULL that must not be.
    Invalid,
    /// There is hardly any memory.
    NoMemory,
    /// There is no memory for a copy of the arguments.
    NotCopied,
}

impl From<Refused> for GcryError {
    fn from(refused: Refused) -> Self {
        match refused {
            Refused::Invalid => Self::INV_VALUE,
            Refused::NoMemory | Refused::NotCopied => Self::ENOMEM,
        }
    }
}

/// A call under way.
///
/// A callback may do anything: call back into the library, free and reuse what the client has passed, forget contexts, free
/// the user state, or never return. So a call has copies of its arguments ([`Arguments`]); it reads the table afresh each
/// time; contexts are lent ([`Call::get`]) for as long as no callback runs, which the compiler sees to, since every callback
/// takes `&mut Call`; and the client's places are written once, at the end. Whatever is alive while a callback runs has no
/// destructor, as it may leave by longjmp or with an exception.
pub(crate) struct Call<'a> {
    client: Client,
    arguments: &'a Arguments,
    new: NewContexts,
    /// What the client gets at the end.
    pub answer: Answer,
}

/// What goes into the client's places at the end of a call.
pub(crate) struct Answer {
    /// A text, or none.
    pub text: CText,
    /// What came beside it.
    pub tlvs: Chain,
    /// Whether the client has a place for the TLVs.
    pub wants_tlvs: bool,
    /// The context it belongs to.
    pub context: Option<Handle>,
    /// Whether a notice that the client does not show itself can be given to it in place of the message.
    #[cfg(feature = "abi2")]
    pub takes_notices: bool,
}

impl<'a> Call<'a> {
    /// Runs a call about a message.
    ///
    /// # Errors
    /// It was not begun.
    ///
    /// # Safety
    /// The user state is NULL or live, the table NULL or live until the client frees the user state, and its functions are what
    /// `message.h` says. The names and the text are NULL or C strings; the TLVs are NULL or a chain; the places are NULL or
    /// writable. No other thread uses the user state.
    pub(crate) unsafe fn about_message<T>(
        client: Client,
        given: Given,
        places: Places,
        body: impl FnOnce(&mut Call<'_>) -> T,
    ) -> Result<T, Refused> {
        // SAFETY: the places are NULL or writable.
        unsafe {
            put(places.text, ptr::null_mut());
            put(places.tlvs, ptr::null_mut());
            put(places.context, ptr::null_mut());
        }
        if client.us.is_null()
            || places.text.is_null()
            || given.names.any_is_null()
            || given.text.is_null()
        {
            return Err(Refused::Invalid);
        }
        if reserve::is_low() {
            return Err(Refused::NoMemory);
        }
        // SAFETY: C strings, as none is NULL, and NULL or a chain.
        let arguments = unsafe { Arguments::copy(given.names, given.text, given.tlvs) };
        let arguments = arguments.ok_or(Refused::NotCopied)?;
        let mut call = Call {
            client,
            arguments: &arguments,
            new: given.new,
            answer: Answer {
                wants_tlvs: !places.tlvs.is_null(),
                ..Answer::none()
            },
        };
        let mut context = ptr::null_mut();
        // SAFETY: the user state is live.
        let outcome = unsafe {
            in_use::during(client.us, || {
                let outcome = body(&mut call);
                let answered = call.answer.context;
                context = answered
                    .and_then(|handle| call.get(handle))
                    .map_or(ptr::null_mut(), Ctx::as_ptr);
                outcome
            })
        };
        let answer = call.answer;
        arguments.free();
        // SAFETY: the places are NULL or writable, and the first is not NULL.
        unsafe {
            *places.text = answer.text.into_raw();
            put(places.tlvs, answer.tlvs.into_raw());
            put(places.context, context);
        }
        Ok(outcome)
    }

    /// Runs a call about what is in the user state.
    ///
    /// # Safety
    /// As for [`about_message`](Self::about_message).
    pub(crate) unsafe fn about_contexts<T>(
        client: Client,
        body: impl FnOnce(&mut Call<'_>) -> T,
    ) -> T {
        let mut call = Call {
            client,
            arguments: &Arguments::NONE,
            new: NewContexts {
                add_appdata: None,
                data: ptr::null_mut(),
            },
            answer: Answer::none(),
        };
        // SAFETY: the user state is NULL or live. There are no places: what is answered goes to nobody.
        unsafe { in_use::during(client.us, || body(&mut call)) }
    }

    /// The context that was there before a callback, if it is still alive.
    pub(crate) fn get(&self, handle: Handle) -> Option<Ctx<'_>> {
        // SAFETY: the user state is NULL or live, and in use: it stays, even if the client frees it, until the call returns. No
        // callback runs while the call is borrowed.
        unsafe { Ctx::lend(handle.get(self.client.us)?) }
    }

    /// The same where it is an error if it is gone.
    ///
    /// # Errors
    /// `CONFLICT`: a callback has forgotten it.
    pub(crate) fn live(&self, handle: Handle) -> Result<Ctx<'_>, GcryError> {
        self.get(handle).ok_or(GcryError::CONFLICT)
    }

    /// The first context of the user state, if there is one.
    pub(crate) fn first(&self) -> Option<Ctx<'_>> {
        // SAFETY: as for `get`.
        unsafe { Ctx::lend(self.client.us.as_ref()?.context_root) }
    }

    /// The client's message.
    pub(crate) fn text(&self) -> &'a CStr {
        self.arguments.text()
    }

    /// The TLVs that go beside it.
    pub(crate) fn tlvs(&self) -> &'a Chain {
        self.arguments.tlvs()
    }

    /// The name of our account.
    pub(crate) fn account(&self) -> &'a [u8] {
        self.arguments.account()
    }

    /// The names of the correspondent and of our account: C strings, or NULL where the client has given none.
    pub(crate) fn names(&self) -> Names {
        self.arguments.names()
    }

    /// What the client wants done with new contexts.
    pub(crate) fn new_contexts(&self) -> NewContexts {
        self.new
    }

    /// Whose call it is.
    pub(crate) fn client(&self) -> Client {
        self.client
    }

    /// Whether the client has freed the user state meanwhile. Then no callback runs any more.
    pub(crate) fn is_over(&self) -> bool {
        // SAFETY: NULL, or in use by this call.
        unsafe { in_use::is_freed(self.client.us) }
    }
}

impl Answer {
    const fn none() -> Self {
        Self {
            text: CText::NONE,
            tlvs: Chain::NONE,
            wants_tlvs: false,
            context: None,
            #[cfg(feature = "abi2")]
            takes_notices: false,
        }
    }
}

//! One call of an exported function that may run the client's code.

use std::ffi::{CStr, c_char, c_void};
use std::ptr;

use super::arguments::{Arguments, Space};
use crate::abi::borrowed::{Borrowed, Char, Out};
use crate::abi::context::{Ctx, Handle, Names, NewContexts};
use crate::abi::error::GcryError;
use crate::abi::in_use;
use crate::abi::reserve;
use crate::abi::text::CText;
use crate::abi::tlv::Chain;
use crate::abi::types::*;

/// The caller: the user state, the table of callbacks and the client's own pointer.
#[derive(Clone, Copy)]
pub(crate) struct Client {
    /// The user state.
    pub us: OtrlUserState,
    /// NULL or the table.
    pub ops: *const OtrlMessageAppOps,
    /// The client's own pointer.
    pub opdata: *mut c_void,
}

impl Client {
    /// The arguments that a client passes with each call.
    ///
    /// # Safety
    /// The user state is NULL or live, the table NULL or live until the client frees the user state, and its functions have the
    /// types that `message.h` declares. No other thread uses the user state. The result is used for one call only if that may
    /// call the client back.
    pub(crate) unsafe fn new(
        us: OtrlUserState,
        ops: *const OtrlMessageAppOps,
        opdata: *mut c_void,
    ) -> Self {
        Self { us, ops, opdata }
    }

    fn us<'a>(self) -> Option<Borrowed<'a, UserState>> {
        // SAFETY: NULL or live, as `new` requires.
        unsafe { Borrowed::new(self.us) }
    }

    /// The same where there is no user state.
    ///
    /// # Safety
    /// As for [`new`](Self::new).
    #[cfg(feature = "abi2")]
    pub(crate) unsafe fn without_user_state(
        ops: *const OtrlMessageAppOps,
        opdata: *mut c_void,
    ) -> Self {
        let us = ptr::null_mut();
        Self { us, ops, opdata }
    }
}

/// The arguments that a client passes with a message.
#[derive(Clone, Copy)]
pub(crate) struct Given<'a> {
    /// The names of the correspondent and of our account. `None` if one is NULL.
    pub names: Option<Names<'a>>,
    /// The message. `None` for NULL.
    pub text: Option<Borrowed<'a, Char>>,
    /// Whether the message is wiped afterwards, because it may have to be encrypted.
    pub is_secret: bool,
    /// The TLVs to send with it.
    pub tlvs: Option<Borrowed<'a, OtrlTLV>>,
    /// The client's function for new contexts.
    pub new: NewContexts,
}

/// The out-parameters of a client. The first one must not be NULL.
#[derive(Clone, Copy)]
pub(crate) struct Places<'a> {
    /// The text that replaces the given one.
    pub text: Out<'a, *mut c_char>,
    /// The TLVs that came with it.
    pub tlvs: Out<'a, *mut OtrlTLV>,
    /// The context it belongs to.
    pub context: Out<'a, *mut ConnContext>,
}

/// Why a call was not begun.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// An argument is NULL that must not be.
    Invalid,
    /// The reserve for out-of-memory situations is low.
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
/// A callback may do anything: call back into the library, free and reuse what the client has passed, forget contexts, free the
/// user state, or never return. So a call has copies of its arguments ([`Arguments`]); it reads the table afresh each time;
/// contexts are borrowed ([`Call::get`]) only until the next callback, which the compiler enforces, since every callback takes
/// `&mut Call`; and the out-parameters are written once, at the end. No value that is alive while a callback runs has a
/// destructor, because the callback may leave by longjmp or with an exception.
pub(crate) struct Call<'a> {
    client: Client,
    arguments: &'a Arguments<'a>,
    new: NewContexts,
    /// The results for the client.
    pub answer: Answer,
}

/// The values for the out-parameters, written at the end of a call.
pub(crate) struct Answer {
    /// A text, or none.
    pub text: CText,
    /// The TLVs that came with it.
    pub tlvs: Chain,
    /// Whether the client has passed an out-parameter for the TLVs.
    pub wants_tlvs: bool,
    /// The context it belongs to.
    pub context: Option<Handle>,
    /// Whether a notice that the client does not show itself can be returned instead of the message.
    #[cfg(feature = "abi2")]
    pub takes_notices: bool,
}

impl<'a> Call<'a> {
    /// Runs a call about a message.
    ///
    /// # Errors
    /// The call was not begun.
    pub(crate) fn about_message<T>(
        client: Client,
        given: &Given<'_>,
        places: &Places<'_>,
        body: impl FnOnce(&mut Call<'_>) -> T,
    ) -> Result<T, Refused> {
        places.text.put(ptr::null_mut());
        places.tlvs.put(ptr::null_mut());
        places.context.put(ptr::null_mut());
        let (Some(names), Some(text), Some(us), true) = (
            &given.names,
            given.text,
            client.us(),
            places.text.is_wanted(),
        ) else {
            return Err(Refused::Invalid);
        };
        if reserve::is_low() {
            return Err(Refused::NoMemory);
        }
        let mut space = Space::new();
        let copied = Arguments::copy(names, text, given.tlvs, given.is_secret, &mut space);
        let arguments = copied.as_ref().ok_or(Refused::NotCopied)?;
        let mut call = Call {
            client,
            arguments,
            new: given.new,
            answer: Answer {
                wants_tlvs: places.tlvs.is_wanted(),
                ..Answer::none()
            },
        };
        let mut context = ptr::null_mut();
        // SAFETY: it is not used afterwards, as `Client::new` requires.
        let outcome = unsafe {
            in_use::during(us, || {
                let outcome = body(&mut call);
                let answered = call.answer.context;
                context = answered
                    .and_then(|handle| call.get(handle))
                    .map_or(ptr::null_mut(), Ctx::as_ptr);
                outcome
            })
        };
        let answer = call.answer;
        if let Some(arguments) = copied {
            arguments.free();
        }
        places.text.put(answer.text.into_raw());
        places.tlvs.put(answer.tlvs.into_raw());
        places.context.put(context);
        Ok(outcome)
    }

    /// Runs a call about the contents of the user state. There are no out-parameters.
    pub(crate) fn about_contexts<T>(client: Client, body: impl FnOnce(&mut Call<'_>) -> T) -> T {
        let mut call = Call {
            client,
            arguments: &Arguments::NONE,
            new: NewContexts::QUIET,
            answer: Answer::none(),
        };
        match client.us() {
            // SAFETY: it is not used afterwards, as `Client::new` requires.
            Some(us) => unsafe { in_use::during(us, || body(&mut call)) },
            None => body(&mut call),
        }
    }

    /// The context that was there before a callback, if it is still alive.
    pub(crate) fn get(&self, handle: Handle) -> Option<Ctx<'_>> {
        handle.get(self.us()).map(Ctx::from)
    }

    /// The user state, if there is one.
    pub(crate) fn us(&self) -> Option<Borrowed<'_, UserState>> {
        // It is marked as in use, and lives until the call returns even if the client frees it. What is borrowed from it lives
        // while the call is borrowed, since no callback runs then.
        self.client.us()
    }

    /// As [`get`](Self::get), but it is an error if the context is gone.
    ///
    /// # Errors
    /// `CONFLICT`: a callback has forgotten it.
    pub(crate) fn live(&self, handle: Handle) -> Result<Ctx<'_>, GcryError> {
        self.get(handle).ok_or(GcryError::CONFLICT)
    }

    /// The first context of the user state, if there is one.
    pub(crate) fn first(&self) -> Option<Ctx<'_>> {
        self.us()?.context_root().follow().map(Ctx::from)
    }

    /// The client's message.
    pub(crate) fn text(&self) -> &'a CStr {
        self.arguments.text()
    }

    /// The TLVs to send with it.
    pub(crate) fn tlvs(&self) -> &'a Chain {
        self.arguments.tlvs()
    }

    /// The name of our account.
    pub(crate) fn account(&self) -> &'a [u8] {
        self.arguments.account()
    }

    /// The names of the correspondent and of our account; empty where the client has given none.
    pub(crate) fn names(&self) -> &'a Names<'a> {
        self.arguments.names()
    }

    /// The client's function for new contexts.
    pub(crate) fn new_contexts(&self) -> NewContexts {
        self.new
    }

    /// The caller.
    pub(crate) fn client(&self) -> Client {
        self.client
    }

    /// Whether the client has freed the user state during the call. Then no callback is called any more.
    pub(crate) fn is_over(&self) -> bool {
        self.us().is_some_and(in_use::is_freed)
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

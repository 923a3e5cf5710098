//! The list of keys in a user state.

use std::ffi::c_char;
use std::ptr;

use zeroize::Zeroizing;

use crate::abi::entry::entry;
use crate::abi::error::GcryError;
use crate::abi::gcry::sexp;
use crate::abi::linked_list;
use crate::abi::lock::locked;
use crate::abi::memory::{bytes_of, c_buffer, c_string, c_zeroed, text_is};
use crate::abi::types::{OtrlPrivKey, PUBKEY_TYPE_DSA, UserState};
use otr_protocol::buffer;
use otr_protocol::store::private_keys::{self, Account, DsaNumbers, PrivateKeysError};
use otr_protocol::store::sexp::Sexp;

/// The key of an account, or NULL. A node stays until it is forgotten, or until keys are read or generated.
///
/// # Safety
/// `us` is NULL or a live user state, the names NULL or C strings.
pub unsafe fn find(
    us: *const UserState,
    account: *const c_char,
    protocol: *const c_char,
) -> *mut OtrlPrivKey {
    // SAFETY: the caller's promise.
    locked(|| unsafe { find_locked(us, account, protocol) })
}

/// [`find`] for who holds the lock.
///
/// # Safety
/// As for [`find`].
pub(crate) unsafe fn find_locked(
    us: *const UserState,
    account: *const c_char,
    protocol: *const c_char,
) -> *mut OtrlPrivKey {
    // SAFETY: the caller's promise.
    let (Some(account), Some(protocol)) = (unsafe { (bytes_of(account), bytes_of(protocol)) })
    else {
        return ptr::null_mut();
    };
    // SAFETY: likewise.
    unsafe { nodes(us) }
        // SAFETY: a live node.
        .find(|node| unsafe {
            text_is((**node).accountname, account) && text_is((**node).protocol, protocol)
        })
        .unwrap_or(ptr::null_mut())
}

/// The nodes, as the list is while it is walked.
///
/// # Safety
/// `us` is NULL or a live user state, and no node goes while the iterator is in use.
unsafe fn nodes(us: *const UserState) -> impl Iterator<Item = *mut OtrlPrivKey> {
    // SAFETY: NULL, or a live user state with a list of live nodes.
    unsafe { linked_list::iter(us.as_ref().map_or(ptr::null_mut(), |us| us.privkey_root)) }
}

/// What the file says about one key.
pub(crate) struct Key {
    /// The account.
    pub name: Vec<u8>,
    /// Its protocol.
    pub protocol: Vec<u8>,
    /// `(private-key ..)`.
    pub key: Sexp,
}

/// Copies of all keys, in the order of the list. A node without names or key, which only a client can have made, is left out.
///
/// # Errors
/// `UNUSABLE_SECKEY` for a key that can't be read: to write the others without it would lose it. `ENOMEM`.
///
/// # Safety
/// `us` is NULL or a live user state.
pub(crate) unsafe fn copies(us: *const UserState) -> Result<Vec<Key>, GcryError> {
    locked(|| {
        let mut keys = Vec::new();
        // SAFETY: the caller's promise, and the lock.
        for node in unsafe { nodes(us) } {
            // SAFETY: a live node.
            unsafe {
                let names = bytes_of((*node).accountname).zip(bytes_of((*node).protocol));
                let Some((name, protocol)) = names.filter(|_| !(*node).privkey.is_null()) else {
                    continue;
                };
                let key = Key {
                    name: buffer::copy(name)?,
                    protocol: buffer::copy(protocol)?,
                    key: key_of(node)?,
                };
                buffer::push(&mut keys, key)?;
            }
        }
        Ok(keys)
    })
}

/// The S-expression in a node, the client's own or libgcrypt's included.
///
/// # Errors
/// `UNUSABLE_SECKEY`.
///
/// # Safety
/// `node` is a live node.
pub(crate) unsafe fn key_of(node: *const OtrlPrivKey) -> Result<Sexp, GcryError> {
    // SAFETY: the caller's promise.
    let text: Zeroizing<Vec<u8>> =
        unsafe { sexp::bytes((*node).privkey) }.ok_or(GcryError::UNUSABLE_SECKEY)?;
    Sexp::parse(&text).map_err(|_| GcryError::UNUSABLE_SECKEY)
}

/// Keys that are in no user state yet.
pub(crate) struct KeyList {
    first: *mut OtrlPrivKey,
}

impl KeyList {
    /// No keys.
    pub(crate) fn empty() -> Self {
        Self {
            first: ptr::null_mut(),
        }
    }

    /// The keys of a file, the last one first, as libotr lists them.
    ///
    /// # Errors
    /// As for [`Self::add_file`].
    pub(crate) fn of_file(contents: &[u8]) -> Result<Self, GcryError> {
        let mut list = Self::empty();
        list.add_file(contents)?;
        Ok(list)
    }

    /// Puts the keys of a file in front of these, the last one first. On an error, too, those before what is wrong are here.
    ///
    /// # Errors
    /// What is wrong with the file; an empty one counts as none (`ENOENT`). libotr reports for it whatever errno happened to
    /// be, which is mostly this, and clients take it for "no keys yet".
    pub(crate) fn add_file(&mut self, contents: &[u8]) -> Result<(), GcryError> {
        if contents.is_empty() {
            return Err(GcryError::from_errno(libc::ENOENT));
        }
        let (accounts, error) = private_keys::read(contents);
        for account in &accounts {
            self.push(account)?;
        }
        error.map_or(Ok(()), |error| Err(file_error(error)))
    }

    /// Puts keys that a user has already behind these, but for those of accounts that are here.
    ///
    /// # Errors
    /// As for [`copies`].
    ///
    /// # Safety
    /// `us` is NULL or a live user state.
    pub(crate) unsafe fn add_others_of(&mut self, us: *const UserState) -> Result<(), GcryError> {
        let mut others = Self::empty();
        // SAFETY: the caller's promise.
        for key in unsafe { copies(us) }?.into_iter().rev() {
            if !self.has(&key.name, &key.protocol) {
                let numbers = DsaNumbers::from_sexp(key.key.whole()).map_err(file_error)?;
                others.push(&Account {
                    name: key.name,
                    protocol: key.protocol,
                    key: key.key,
                    numbers,
                })?;
            }
        }
        // SAFETY: two lists of nodes that are in no user state.
        unsafe {
            let last = linked_list::iter(self.first).last();
            let end = last.map_or(&raw mut self.first, |last| &raw mut (*last).next);
            if !others.first.is_null() {
                (*others.first).tous = end;
            }
            *end = std::mem::replace(&mut others.first, ptr::null_mut());
        }
        Ok(())
    }

    fn has(&self, name: &[u8], protocol: &[u8]) -> bool {
        // SAFETY: a list of nodes that are in no user state; their names are NULL or C strings.
        unsafe {
            linked_list::iter(self.first).any(|node| {
                text_is((*node).accountname, name) && text_is((*node).protocol, protocol)
            })
        }
    }

    /// Whether there is none.
    pub(crate) fn is_empty(&self) -> bool {
        self.first.is_null()
    }

    fn push(&mut self, account: &Account) -> Result<(), GcryError> {
        let public = account.numbers.pubkey_data()?;
        let privkey = sexp::from_bytes(&account.key.to_advanced()?)?;
        let node: *mut OtrlPrivKey = c_zeroed();
        if node.is_null() {
            // SAFETY: made above.
            unsafe { sexp::release(privkey) };
            return Err(GcryError::ENOMEM);
        }
        // SAFETY: new memory, of which all zeros is a node; the list's nodes are ours.
        unsafe {
            (*node).accountname = c_string(&account.name);
            (*node).protocol = c_string(&account.protocol);
            (*node).pubkey_type = PUBKEY_TYPE_DSA;
            (*node).privkey = privkey;
            (*node).pubkey_data = c_buffer(&public);
            (*node).pubkey_datalen = public.len();
            linked_list::link(&raw mut self.first, node);
            if (*node).accountname.is_null()
                || (*node).protocol.is_null()
                || (*node).pubkey_data.is_null()
            {
                return Err(GcryError::ENOMEM);
            }
        }
        Ok(())
    }

    /// Puts these keys in the place of a user's, which are forgotten.
    ///
    /// # Safety
    /// `us` is a live user state.
    pub(crate) unsafe fn replace(mut self, us: *mut UserState) {
        // SAFETY: the caller's promise. The list of the user state is whole at any time.
        locked(|| unsafe {
            let root = &raw mut (*us).privkey_root;
            if !self.first.is_null() {
                (*self.first).tous = root;
            }
            self.first = root.replace(self.first);
        });
        // What is here now are the old keys.
    }
}

impl Drop for KeyList {
    fn drop(&mut self) {
        // SAFETY: a list of nodes that are in no user state; what is taken out is in no list.
        unsafe {
            while let Some(node) = linked_list::take_first(&raw mut self.first).as_mut() {
                free(node);
            }
        }
    }
}

fn file_error(error: PrivateKeysError) -> GcryError {
    match (error, u16::try_from(error.code())) {
        (PrivateKeysError::Syntax(_), Ok(code)) => GcryError::from_gcrypt(code),
        (PrivateKeysError::OutOfMemory, _) => GcryError::ENOMEM,
        _ => GcryError::UNUSABLE_SECKEY,
    }
}

/// The numbers of a node's key.
///
/// # Errors
/// `UNUSABLE_SECKEY`, `ENOMEM`.
///
/// # Safety
/// `node` is a live node.
pub(crate) unsafe fn numbers_of(node: *const OtrlPrivKey) -> Result<DsaNumbers, GcryError> {
    // SAFETY: the caller's promise.
    let key = unsafe { key_of(node) }?;
    DsaNumbers::from_sexp(key.whole()).map_err(file_error)
}

/// Takes a node out of its list and frees it. NULL is accepted.
///
/// # Safety
/// `node` is NULL or a live node that is used no more.
unsafe fn forget(node: *mut OtrlPrivKey) {
    if node.is_null() {
        return;
    }
    // SAFETY: not NULL, so a live node.
    locked(|| unsafe { linked_list::unlink(node) });
    // SAFETY: in no list any more.
    unsafe { free(node) };
}

/// Forgets every key.
///
/// # Safety
/// `us` is NULL or a live user state.
pub unsafe fn forget_all(us: *mut UserState) {
    if us.is_null() {
        return;
    }
    // SAFETY: not NULL.
    unsafe { KeyList::empty().replace(us) };
}

/// # Safety
/// `node` is in no list, and its parts are NULL or from malloc and libgcrypt, whoever made them.
unsafe fn free(node: *mut OtrlPrivKey) {
    // SAFETY: the caller's promise.
    unsafe {
        libc::free((*node).accountname.cast());
        libc::free((*node).protocol.cast());
        libc::free((*node).pubkey_data.cast());
        sexp::release((*node).privkey);
        libc::free(node.cast());
    }
}

entry! {
    /// The key of an account, or NULL.
    ///
    /// # Safety
    /// As for [`find`].
    on panic ptr::null_mut();
    pub fn otrl_privkey_find(us: *mut UserState, account: *const c_char, protocol: *const c_char) -> *mut OtrlPrivKey {
        // SAFETY: the caller's promise.
        unsafe { find(us, account, protocol) }
    }
}

entry! {
    /// Takes a key out of its list and frees it. NULL is accepted.
    ///
    /// # Safety
    /// `key` is NULL or a live node that is used no more.
    on panic ();
    pub fn otrl_privkey_forget(key: *mut OtrlPrivKey) {
        // SAFETY: the caller's promise.
        unsafe { forget(key) }
    }
}

entry! {
    /// Forgets every key.
    ///
    /// # Safety
    /// As for [`forget_all`].
    on panic ();
    pub fn otrl_privkey_forget_all(us: *mut UserState) {
        // SAFETY: the caller's promise.
        unsafe { forget_all(us) }
    }
}

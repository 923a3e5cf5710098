//! The list of keys in a user state.

use std::cell::Cell;
use std::ffi::c_char;
use std::ptr;

use zeroize::Zeroizing;

use crate::abi::borrowed::{self, Borrowed};
use crate::abi::entry::entry;
use crate::abi::error::GcryError;
use crate::abi::gcry::sexp;
use crate::abi::linked_list;
use crate::abi::lock::locked;
use crate::abi::text::CText;
use crate::abi::types::{OtrlPrivKey, PUBKEY_TYPE_DSA, UserState, free_of_account, of_account};
use otr_protocol::buffer;
use otr_protocol::store::private_keys::{self, Account, DsaNumbers, PrivateKeysError};
use otr_protocol::store::sexp::Sexp;

/// The key of an account. A node lives until it is forgotten, or until keys are read or generated.
pub fn find<'a>(
    us: Borrowed<'a, UserState>,
    account: &[u8],
    protocol: &[u8],
) -> Option<Borrowed<'a, OtrlPrivKey>> {
    locked(|| find_locked(us, account, protocol))
}

/// [`find`] for a caller who holds the lock.
pub(crate) fn find_locked<'a>(
    us: Borrowed<'a, UserState>,
    account: &[u8],
    protocol: &[u8],
) -> Option<Borrowed<'a, OtrlPrivKey>> {
    of_account(us.privkey_root(), account, protocol)
}

/// One key as it is in the file.
pub(crate) struct Key {
    /// The account.
    pub name: Vec<u8>,
    /// Its protocol.
    pub protocol: Vec<u8>,
    /// `(private-key ..)`.
    pub key: Sexp,
}

/// Copies of all keys, in the order of the list. Nodes without names or key, which only clients make, are left out.
///
/// # Errors
/// `UNUSABLE_SECKEY` for a key that cannot be read, because it would be lost if the others were written without it. `ENOMEM`.
pub(crate) fn copies(us: Borrowed<'_, UserState>) -> Result<Vec<Key>, GcryError> {
    locked(|| {
        let mut keys = Vec::new();
        for node in linked_list::iter(us.privkey_root().follow()) {
            let names = node.accountname().bytes().zip(node.protocol().bytes());
            let Some((name, protocol)) = names.filter(|_| !node.privkey().is_null()) else {
                continue;
            };
            let key = Key {
                name: buffer::copy(name)?,
                protocol: buffer::copy(protocol)?,
                key: key_of(node)?,
            };
            buffer::push(&mut keys, key)?;
        }
        Ok(keys)
    })
}

/// The S-expression in a node, even if the client or libgcrypt made it.
///
/// # Errors
/// `UNUSABLE_SECKEY`.
pub(crate) fn key_of(node: Borrowed<'_, OtrlPrivKey>) -> Result<Sexp, GcryError> {
    let text: Zeroizing<Vec<u8>> = node.privkey().text().ok_or(GcryError::UNUSABLE_SECKEY)?;
    Sexp::parse(&text).map_err(|_| GcryError::UNUSABLE_SECKEY)
}

/// Keys that are in no user state yet.
pub(crate) struct KeyList {
    first: Cell<*mut OtrlPrivKey>,
}

impl KeyList {
    /// No keys.
    pub(crate) fn empty() -> Self {
        Self {
            first: Cell::new(ptr::null_mut()),
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

    /// Adds the keys of a file at the front, the last one first. On an error, those before the damage are added.
    ///
    /// # Errors
    /// The error in the file. An empty file counts as missing (`ENOENT`): libotr returns the current errno for it, which is
    /// mostly this, and clients understand "no keys yet".
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

    /// Appends a user's existing keys, except those of accounts that are in this list.
    ///
    /// # Errors
    /// As for [`copies`].
    pub(crate) fn add_others_of(&mut self, us: Borrowed<'_, UserState>) -> Result<(), GcryError> {
        let mut others = Self::empty();
        for key in copies(us)?.into_iter().rev() {
            if of_account(self.root(), &key.name, &key.protocol).is_none() {
                let numbers = DsaNumbers::from_sexp(key.key.whole()).map_err(file_error)?;
                others.push(&Account {
                    name: key.name,
                    protocol: key.protocol,
                    key: key.key,
                    numbers,
                })?;
            }
        }
        let root = self.root();
        let last = linked_list::iter(root.follow()).last();
        let end = last.map_or(root, |last| last.next());
        if let Some(first) = others.root().follow() {
            first.tous().point_at(Some(end));
            end.point_at(Some(first));
        }
        others.root().point_at(None);
        Ok(())
    }

    fn root(&self) -> Borrowed<'_, *mut OtrlPrivKey> {
        // SAFETY: our own cell, and a list of nodes that are in no user state.
        unsafe { Borrowed::of_cell(&self.first) }
    }

    /// Whether there is none.
    pub(crate) fn is_empty(&self) -> bool {
        self.root().is_null()
    }

    fn push(&mut self, account: &Account) -> Result<(), GcryError> {
        let public = account.numbers.pubkey_data()?;
        let node: Borrowed<OtrlPrivKey> = borrowed::new_zeroed().ok_or(GcryError::ENOMEM)?;
        linked_list::link(self.root(), node);
        node.pubkey_type().set(PUBKEY_TYPE_DSA);
        node.privkey()
            .store(sexp::from_bytes(&account.key.to_advanced()?)?);
        let has_all = node.accountname().store(CText::up_to_nul(&account.name))
            & node.protocol().store(CText::up_to_nul(&account.protocol))
            & node.pubkey_data().store_copy(&public);
        node.pubkey_datalen().set(public.len());
        if has_all {
            Ok(())
        } else {
            Err(GcryError::ENOMEM)
        }
    }

    /// Replaces a user's keys by these, and forgets the old ones.
    ///
    /// # Safety
    /// The old keys are not used afterwards.
    pub(crate) unsafe fn replace(self, us: Borrowed<'_, UserState>) {
        // The list of the user state must be consistent at any time.
        locked(|| {
            let (ours, theirs) = (self.root(), us.privkey_root());
            if let Some(first) = ours.follow() {
                first.tous().point_at(Some(theirs));
            }
            let old = theirs.follow();
            theirs.point_at(ours.follow());
            ours.point_at(old);
        });
        // This list has the old keys now.
    }
}

impl Drop for KeyList {
    fn drop(&mut self) {
        while let Some(node) = linked_list::take_first(self.root()) {
            // SAFETY: our own node, or one that is not used any more, as `replace` requires; it is in no list.
            unsafe { free(node) };
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
pub(crate) fn numbers_of(node: Borrowed<'_, OtrlPrivKey>) -> Result<DsaNumbers, GcryError> {
    DsaNumbers::from_sexp(key_of(node)?.whole()).map_err(file_error)
}

/// Forgets every key.
///
/// # Safety
/// They are not used afterwards.
pub(crate) unsafe fn forget_all(us: Borrowed<'_, UserState>) {
    // SAFETY: the old keys are not used afterwards, as the caller guarantees.
    unsafe { KeyList::empty().replace(us) };
}

/// # Safety
/// `node` is in no list and is not used afterwards, and its parts are NULL or from malloc and libgcrypt, whoever made them.
unsafe fn free(node: Borrowed<'_, OtrlPrivKey>) {
    node.privkey().clear();
    // SAFETY: the node is in no list, and its parts are from malloc, as the caller guarantees.
    unsafe {
        node.pubkey_data().free_bytes(0);
        free_of_account(node);
    }
}

entry! {
    /// The key of an account, or NULL.
    ///
    /// # Safety
    /// `us` is NULL or a live user state, the names NULL or C strings.
    on panic ptr::null_mut();
    pub fn otrl_privkey_find(
        us: *mut UserState as Option<Borrowed<UserState>>,
        account: *const c_char as Option<&[u8]>,
        protocol: *const c_char as Option<&[u8]>,
    ) -> *mut OtrlPrivKey as Option<Borrowed<OtrlPrivKey>> {
        find(us?, account?, protocol?)
    }
}

entry! {
    /// Takes a key out of its list and frees it. NULL is accepted.
    ///
    /// # Safety
    /// `key` is NULL or a live node that is not used afterwards.
    on panic ();
    pub fn otrl_privkey_forget(key: *mut OtrlPrivKey as Option<Borrowed<OtrlPrivKey>>) {
        if let Some(key) = key {
            locked(|| linked_list::unlink(key));
            // SAFETY: not in a list any more, and the caller gives it up, as `# Safety` requires.
            unsafe { free(key) };
        }
    }
}

entry! {
    /// Forgets every key.
    ///
    /// # Safety
    /// `us` is NULL or a live user state, whose keys are not used afterwards.
    on panic ();
    pub fn otrl_privkey_forget_all(us: *mut UserState as Option<Borrowed<UserState>>) {
        if let Some(us) = us {
            // SAFETY: the caller does not use the keys any more, as `# Safety` requires, and no `Borrowed` of one is alive
            // here.
            unsafe { forget_all(us) };
        }
    }
}

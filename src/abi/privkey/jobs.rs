//! The keys that are being generated, each under the number that the client holds as `newkey`.
//!
//! A `newkey` may come back twice, too late, from another thread, as text, or may never have been ours. So it is a number
//! that is issued only once, and odd, which no address of a C object is; it is looked up and never dereferenced. The key is
//! calculated without the lock, and is dropped if its number is gone by then.

use std::ffi::c_void;
use std::ptr;
use std::sync::atomic::{AtomicBool, AtomicPtr, AtomicUsize, Ordering};

use crate::abi::borrowed::Borrowed;
use crate::abi::locked_list::LockedList;
use crate::abi::types::UserState;
use otr_crypto::dsa::PrivateKey;
use otr_protocol::buffer::{self, OutOfMemory};

/// A key that is being generated.
pub(crate) struct Job {
    number: usize,
    /// The address of the user state, which may have been freed.
    us: usize,
    /// The account that the key is for.
    pub name: Vec<u8>,
    /// Its protocol.
    pub protocol: Vec<u8>,
    /// NULL until it is calculated, then our own box.
    key: AtomicPtr<PrivateKey>,
    failed: AtomicBool,
}

static JOBS: LockedList<Job> = LockedList::new();
static NEXT_NUMBER: AtomicUsize = AtomicUsize::new(0x1001);

impl Job {
    /// The key, once it is calculated.
    pub(crate) fn key(&self) -> Option<&PrivateKey> {
        // SAFETY: NULL, or a box that lives as long as the job.
        unsafe { self.key.load(Ordering::Acquire).as_ref() }
    }

    /// Stores the result of the calculation, or returns it if there is a key already.
    fn conclude(&self, key: Option<Box<PrivateKey>>) -> Option<Box<PrivateKey>> {
        if self.key().is_some() {
            return key;
        }
        self.failed.store(key.is_none(), Ordering::Release);
        let key = key.map_or(ptr::null_mut(), Box::into_raw);
        self.key.store(key, Ordering::Release);
        None
    }

    fn is_for(&self, us: Borrowed<'_, UserState>, name: &[u8], protocol: &[u8]) -> bool {
        self.us == us.as_ptr().addr() && self.name == name && self.protocol == protocol
    }
}

impl Drop for Job {
    fn drop(&mut self) {
        let key = *self.key.get_mut();
        if !key.is_null() {
            // SAFETY: our own box; the key wipes itself.
            drop(unsafe { Box::from_raw(key) });
        }
    }
}

/// Begins a job, and returns its `newkey`.
///
/// # Errors
/// There is no memory for the names.
pub(crate) fn begin(
    us: Borrowed<'_, UserState>,
    name: &[u8],
    protocol: &[u8],
) -> Result<*mut c_void, OutOfMemory> {
    let (name, protocol) = (buffer::copy(name)?, buffer::copy(protocol)?);
    let number = NEXT_NUMBER.fetch_add(2, Ordering::Relaxed);
    JOBS.push(Job {
        number,
        us: us.as_ptr().addr(),
        name,
        protocol,
        key: AtomicPtr::new(ptr::null_mut()),
        failed: AtomicBool::new(false),
    });
    Ok(ptr::without_provenance_mut(number))
}

/// Whether this `newkey` is still valid.
pub(crate) fn is_live(newkey: *const c_void) -> bool {
    JOBS.any(|job| job.number == newkey.addr())
}

/// Stores the result of the calculation. It is dropped if the job no longer exists or has a key already.
pub(crate) fn conclude<E>(newkey: *const c_void, result: Result<PrivateKey, E>) -> Result<(), E> {
    let (mut key, outcome) = match result {
        Ok(key) => (Some(Box::new(key)), Ok(())),
        Err(error) => (None, Err(error)),
    };
    JOBS.find_map(|job| (job.number == newkey.addr()).then(|| key = job.conclude(key.take())));
    // A key that was not taken is dropped here, where the lock is released again.
    outcome
}

/// Ends a job. `None` if this is not a `newkey`, or is no longer valid.
pub(crate) fn take(newkey: *const c_void) -> Option<Job> {
    JOBS.take(|job| job.number == newkey.addr())
}

/// Ends the job for an account whose calculation failed, because some clients neither finish nor cancel it.
pub(crate) fn take_failed(
    us: Borrowed<'_, UserState>,
    name: &[u8],
    protocol: &[u8],
) -> Option<Job> {
    JOBS.take(|job| job.failed.load(Ordering::Acquire) && job.is_for(us, name, protocol))
}

/// Ends the jobs of a user state that is freed, and drops their keys, which nobody can write any more.
pub(crate) fn forget_all(us: Borrowed<'_, UserState>) {
    JOBS.remove(|job| job.us == us.as_ptr().addr());
}

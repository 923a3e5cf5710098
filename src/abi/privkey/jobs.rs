//! The keys that are being generated, each under the number that the client holds as `newkey`.
//!
//! A `newkey` comes back twice, too late, from another thread, as text, or was never ours. So it is a number that is given out
//! once and never again, and odd, which no address of a C object is; it is looked up and never followed. The
//! key is calculated without the lock, and belongs to nobody if its number is gone by then.

use std::ffi::c_void;
use std::ptr;
use std::sync::atomic::{AtomicBool, AtomicPtr, AtomicUsize, Ordering};

use crate::abi::lock::locked;
use crate::abi::types::UserState;
use otr_crypto::dsa::PrivateKey;
use otr_protocol::buffer::{self, OutOfMemory};

/// One key to be.
pub(crate) struct Job {
    number: usize,
    /// Where the user state was; it may be gone.
    us: usize,
    /// The account that the key is for.
    pub name: Vec<u8>,
    /// Its protocol.
    pub protocol: Vec<u8>,
    /// NULL until it is calculated, then a box of our own.
    key: AtomicPtr<PrivateKey>,
    failed: AtomicBool,
    next: AtomicPtr<Job>,
}

/// Newest first. Changed and walked under the lock.
static FIRST: AtomicPtr<Job> = AtomicPtr::new(ptr::null_mut());
static NEXT_NUMBER: AtomicUsize = AtomicUsize::new(0x1001);

impl Job {
    /// The key, once it is calculated.
    pub(crate) fn key(&self) -> Option<&PrivateKey> {
        // SAFETY: NULL, or a box that lives as long as the job.
        unsafe { self.key.load(Ordering::Acquire).as_ref() }
    }

    fn is_for(&self, us: *const UserState, name: &[u8], protocol: &[u8]) -> bool {
        self.us == us.addr() && self.name == name && self.protocol == protocol
    }
}

impl Drop for Job {
    fn drop(&mut self) {
        let key = *self.key.get_mut();
        if !key.is_null() {
            // SAFETY: a box of our own; the key wipes itself.
            drop(unsafe { Box::from_raw(key) });
        }
    }
}

/// Begins a job, and gives its `newkey`.
///
/// # Errors
/// There is no memory for the names.
pub(crate) fn begin(
    us: *const UserState,
    name: &[u8],
    protocol: &[u8],
) -> Result<*mut c_void, OutOfMemory> {
    let (name, protocol) = (buffer::copy(name)?, buffer::copy(protocol)?);
    let number = NEXT_NUMBER.fetch_add(2, Ordering::Relaxed);
    let job = Box::into_raw(Box::new(Job {
        number,
        us: us.addr(),
        name,
        protocol,
        key: AtomicPtr::new(ptr::null_mut()),
        failed: AtomicBool::new(false),
        next: AtomicPtr::new(ptr::null_mut()),
    }));
    locked(|| {
        // SAFETY: made above.
        let next = unsafe { &(*job).next };
        next.store(FIRST.load(Ordering::Acquire), Ordering::Release);
        FIRST.store(job, Ordering::Release);
    });
    Ok(ptr::without_provenance_mut(number))
}

/// Whether this is a `newkey` still.
pub(crate) fn is_live(newkey: *const c_void) -> bool {
    locked(|| {
        // SAFETY: under the lock.
        let (job, _) = unsafe { find(|job| job.number == newkey.addr()) };
        !job.is_null()
    })
}

/// Stores what the calculation gave. It is dropped if the job has gone or has a key already.
pub(crate) fn conclude<E>(newkey: *const c_void, result: Result<PrivateKey, E>) -> Result<(), E> {
    let (key, outcome) = match result {
        Ok(key) => (Box::into_raw(Box::new(key)), Ok(())),
        Err(error) => (ptr::null_mut(), Err(error)),
    };
    let spare = locked(|| {
        // SAFETY: under the lock.
        let (job, _) = unsafe { find(|job| job.number == newkey.addr()) };
        // SAFETY: NULL or a live job; jobs go only under the lock.
        let Some(job) = (unsafe { job.as_ref() }) else {
            return key;
        };
        if job.key().is_some() {
            return key;
        }
        job.failed.store(key.is_null(), Ordering::Release);
        job.key.store(key, Ordering::Release);
        ptr::null_mut()
    });
    if !spare.is_null() {
        // SAFETY: made above and stored nowhere.
        drop(unsafe { Box::from_raw(spare) });
    }
    outcome
}

/// Ends a job. `None` if this is no `newkey`, or is none any more.
pub(crate) fn take(newkey: *const c_void) -> Option<Box<Job>> {
    take_if(|job| job.number == newkey.addr())
}

/// Ends the job for an account whose calculation failed: some clients say nothing more about it.
pub(crate) fn take_failed(us: *const UserState, name: &[u8], protocol: &[u8]) -> Option<Box<Job>> {
    take_if(|job| job.failed.load(Ordering::Acquire) && job.is_for(us, name, protocol))
}

/// Ends the jobs of a user state that goes: their keys go with it, and nobody can write one any more.
pub fn forget_all(us: *const UserState) {
    while take_if(|job| job.us == us.addr()).is_some() {}
}

fn take_if(wanted: impl Fn(&Job) -> bool) -> Option<Box<Job>> {
    let job = locked(|| {
        // SAFETY: under the lock.
        let (job, place) = unsafe { find(wanted) };
        // SAFETY: NULL or a live job; jobs go only under the lock.
        if let Some(job) = unsafe { job.as_ref() } {
            place.store(job.next.load(Ordering::Acquire), Ordering::Release);
        }
        job
    });
    // SAFETY: nobody finds it any more.
    (!job.is_null()).then(|| unsafe { Box::from_raw(job) })
}

/// The first such job and what points at it; NULL and the end of the list if there is none.
///
/// # Safety
/// The caller holds the lock, and uses the answer only while it does.
unsafe fn find<'a>(wanted: impl Fn(&Job) -> bool) -> (*mut Job, &'a AtomicPtr<Job>) {
    let mut place = &FIRST;
    loop {
        let job = place.load(Ordering::Acquire);
        // SAFETY: NULL or a live job; jobs go only under the lock.
        match unsafe { job.as_ref() } {
            Some(other) if !wanted(other) => place = &other.next,
            _ => return (job, place),
        }
    }
}

//! Copies of this process, which differ only in what they are told to do.

use std::fs::File;
use std::io::{Error, Read, Result};
use std::os::fd::FromRawFd;

use libc::pid_t;

/// A copy, and what it tells.
pub(crate) struct Copy {
    pid: pid_t,
    said: File,
}

/// Makes a copy that does `work`, writing to the file, and ends.
pub(crate) fn copy(work: impl FnOnce(File)) -> Result<Copy> {
    let mut ends = [0; 2];
    // SAFETY: an out-parameter of ours.
    if unsafe { libc::pipe(ends.as_mut_ptr()) } != 0 {
        return Err(Error::last_os_error());
    }
    let [from, to] = ends;
    // SAFETY: fresh descriptors that nothing else owns.
    let (from, to) = unsafe { (File::from_raw_fd(from), File::from_raw_fd(to)) };
    // SAFETY: this process has no second thread.
    let pid = unsafe { libc::fork() };
    if pid < 0 {
        return Err(Error::last_os_error());
    }
    if pid > 0 {
        return Ok(Copy { pid, said: from });
    }
    // SAFETY: a plain request: it dies with the one that listens.
    unsafe { libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL) };
    work(to);
    // SAFETY: ends the copy, and nothing of the original's is flushed or freed.
    unsafe { libc::_exit(0) }
}

impl Copy {
    /// The next piece of what it tells, this long unless it is the last one.
    pub(crate) fn listen(&mut self, length: u64) -> Result<Vec<u8>> {
        let mut piece = Vec::new();
        self.said.by_ref().take(length).read_to_end(&mut piece)?;
        Ok(piece)
    }
}

impl Drop for Copy {
    fn drop(&mut self) {
        // SAFETY: a child of ours that nobody has waited for.
        unsafe {
            libc::kill(self.pid, libc::SIGKILL);
            libc::waitpid(self.pid, std::ptr::null_mut(), 0);
        }
    }
}

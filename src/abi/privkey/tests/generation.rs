//! Making keys, in one call, in steps, in threads and in a forked child.

use std::ffi::c_void;
use std::os::unix::fs::{MetadataExt, symlink};

use super::super::generate::*;
use super::super::jobs;
use super::super::list::*;
use super::super::pending::*;
use super::super::read::*;
use super::super::sign::signing_key;
use super::*;

const NEW: &CStr = c"new";

unsafe fn start(user: &User, name: &CStr) -> (u32, *mut c_void) {
    let mut newkey = ptr::dangling_mut();
    let error =
        unsafe { otrl_privkey_generate_start(user.0, name.as_ptr(), JABBER.as_ptr(), &mut newkey) };
    (error.0, newkey)
}

fn generate(user: &User, path: &Path, name: &CStr) -> u32 {
    let path = c_path(path);
    unsafe { otrl_privkey_generate(user.0, path.as_ptr(), name.as_ptr(), JABBER.as_ptr()) }.0
}

/// The list after a key was added to the eight and read again from the file.
fn names_with_new() -> Vec<&'static str> {
    let mut names = vec!["new"];
    names.extend(NAMES.iter().rev());
    names
}

fn texts(user: &User) -> Vec<Vec<u8>> {
    let text = |node: *mut OtrlPrivKey| unsafe { borrow((*node).privkey).text().unwrap().to_vec() };
    user.nodes().into_iter().map(text).collect()
}

#[test]
fn a_key_is_generated_written_and_listed() {
    let scratch = Scratch::new();
    let user = User::with_keys(&scratch);
    let path = scratch.path("keys");
    let before = user.nodes();
    assert_eq!(generate(&user, &path, NEW), 0);
    assert_eq!(user.names(), names_with_new());
    assert!(!user.is_pending());
    assert_eq!(fs::metadata(&path).unwrap().mode() & 0o7777, 0o600);
    assert!(signing_key(Some(borrow(user.nodes()[0]))).is_ok());

    let again = User::new();
    unsafe { assert_eq!(otrl_privkey_read(again.0, c_path(&path).as_ptr()).0, 0) };
    assert_eq!(again.names(), user.names());
    assert_eq!(texts(&again), texts(&user));
    // The old keys are the same, in reverse order.
    let old = User::with_keys(&scratch);
    let mut kept = texts(&user).split_off(1);
    kept.reverse();
    assert_eq!(kept, texts(&old));
    assert_eq!(before.len(), 8);

    // The second one for an account replaces the first.
    let first = texts(&user).swap_remove(0);
    assert_eq!(generate(&user, &path, NEW), 0);
    let mut expected = vec!["new"];
    expected.extend(NAMES);
    assert_eq!(user.names(), expected);
    assert!(!texts(&user).contains(&first));
}

#[test]
fn links_devices_and_modes_stay() {
    let scratch = Scratch::new();
    let user = User::new();
    let (link, path) = (scratch.path("link"), scratch.path("keys"));
    fs::write(&path, b"old").unwrap();
    symlink("keys", &link).unwrap();
    assert_eq!(generate(&user, &link, NEW), 0);
    assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
    assert!(
        fs::read(&path)
            .unwrap()
            .starts_with(b"(privkeys\n (account\n(name new)\n")
    );
    assert_eq!(generate(&user, Path::new("/dev/null"), ALICE), 0);
    assert_eq!(user.names(), [ALICE.to_str().unwrap(), "new"]);
}

#[test]
fn a_file_that_cannot_be_written_changes_nothing() {
    let scratch = Scratch::new();
    let user = User::with_keys(&scratch);
    let before = user.nodes();
    for (path, errno) in [
        (scratch.path("none/keys"), libc::ENOENT),
        (scratch.0.clone(), libc::EISDIR),
        (PathBuf::from("/dev/full"), libc::ENOSPC),
    ] {
        assert_eq!(generate(&user, &path, NEW), GcryError::from_errno(errno).0);
        assert!(!user.is_pending(), "the next try is welcome");
    }
    assert_eq!(user.nodes(), before);
    assert!(!scratch.path("none").exists());
}

#[test]
fn a_stream_is_written_and_read_again() {
    let scratch = Scratch::new();
    let user = User::with_keys(&scratch);
    let path = scratch.path("keys");
    unsafe {
        let generate =
            |stream| otrl_privkey_generate_FILEp(user.0, stream, NEW.as_ptr(), JABBER.as_ptr()).0;
        let stream = open(&path, c"w+b");
        assert_eq!(generate(stream), 0);
        libc::fclose(stream);
        assert_eq!(user.names(), names_with_new());
        let before = user.nodes();

        let stream = open(Path::new("/dev/full"), c"r+b");
        assert_eq!(generate(stream), GcryError::from_errno(libc::ENOSPC).0);
        libc::fclose(stream);
        // The error that libotr returns for a stream that cannot be read again.
        let stream = open(&scratch.path("other"), c"wb");
        assert_eq!(generate(stream), 0x0100_800b);
        libc::fclose(stream);
        assert_eq!(generate(ptr::null_mut()), GcryError::INV_VALUE.0);
        assert_eq!(user.nodes(), before);
        assert!(!user.is_pending());

        let again = User::new();
        assert_eq!(otrl_privkey_read(again.0, c_path(&path).as_ptr()).0, 0);
        assert_eq!(texts(&again), texts(&user));
    }
}

#[test]
fn one_key_at_a_time_for_one_account() {
    let scratch = Scratch::new();
    let user = User::new();
    let exists = GcryError::EEXIST.0;
    unsafe {
        let (error, newkey) = start(&user, NEW);
        assert!(error == 0 && !newkey.is_null() && user.is_pending());
        assert_eq!(start(&user, NEW), (exists, ptr::null_mut()));
        let (name, protocol) = (NEW.as_ptr(), JABBER.as_ptr());
        let error = otrl_privkey_generate_start(user.0, name, protocol, ptr::null_mut());
        assert_eq!(error.0, exists);
        assert_eq!(generate(&user, &scratch.path("keys"), NEW), exists);
        assert!(!scratch.path("keys").exists());
        let (error, other) = start(&user, ALICE);
        assert_eq!(error, 0);
        otrl_privkey_generate_cancelled(user.0, newkey);
        assert_eq!(
            text((*(*user.0).pending_root).accountname),
            ALICE.to_str().unwrap()
        );
        let (error, newkey) = start(&user, NEW);
        assert_eq!(error, 0);
        // The public list is authoritative.
        otrl_privkey_pending_forget_all(user.0);
        assert!(!user.is_pending());
        let (error, second) = start(&user, NEW);
        assert_eq!(error, 0);
        for newkey in [newkey, other, second] {
            otrl_privkey_generate_cancelled(ptr::null_mut(), newkey);
        }
        assert!(
            user.is_pending(),
            "without a user state nobody can say whose it was"
        );
    }
}

#[test]
fn a_newkey_that_is_none_is_refused() {
    /// A struct that a client once made itself.
    #[repr(C)]
    struct Own {
        names: [*mut c_char; 2],
        key: *mut c_void,
    }
    let scratch = Scratch::new();
    let user = User::with_keys(&scratch);
    let file = c_path(&scratch.path("keys"));
    let mut own = Own {
        names: [NEW.as_ptr().cast_mut(), JABBER.as_ptr().cast_mut()],
        key: ptr::null_mut(),
    };
    unsafe {
        let (_, ended) = start(&user, NEW);
        otrl_privkey_generate_cancelled(user.0, ended);
        let stream = open(&scratch.path("stream"), c"w+b");
        for newkey in [
            (&raw mut own).cast(),
            ptr::null_mut(),
            ptr::dangling_mut(),
            ended,
        ] {
            assert_eq!(
                otrl_privkey_generate_calculate(newkey),
                GcryError::INV_VALUE
            );
            let error = otrl_privkey_generate_finish(user.0, newkey, file.as_ptr());
            assert_eq!(error, GcryError::INV_VALUE);
            let error = otrl_privkey_generate_finish_FILEp(user.0, newkey, stream);
            assert_eq!(error, GcryError::INV_VALUE);
            otrl_privkey_generate_cancelled(user.0, newkey);
        }
        libc::fclose(stream);
        assert!(own.key.is_null() && own.names[0] == NEW.as_ptr().cast_mut());
    }
    assert!(!scratch.path("keys").exists());
    assert_eq!(fs::read(scratch.path("stream")).unwrap(), b"");
    assert_eq!(user.names(), NAMES);
}

#[test]
fn a_newkey_ends_once() {
    let scratch = Scratch::new();
    let user = User::new();
    let file = c_path(&scratch.path("keys"));
    unsafe {
        // Calculated twice, in another thread, from a number.
        let (_, newkey) = start(&user, NEW);
        let number = newkey.addr();
        let worker = std::thread::spawn(move || {
            let newkey = ptr::without_provenance_mut(number);
            (0..2)
                .map(|_| otrl_privkey_generate_calculate(newkey).0)
                .sum::<u32>()
        });
        assert_eq!(worker.join().unwrap(), 0);
        assert_eq!(
            otrl_privkey_generate_finish(user.0, newkey, file.as_ptr()).0,
            0
        );
        assert_eq!(user.names(), ["new"]);

        // Too late, while the next one for the same account has begun.
        let (error, next) = start(&user, NEW);
        assert!(error == 0 && next != newkey);
        otrl_privkey_generate_cancelled(user.0, newkey);
        let error = otrl_privkey_generate_finish(user.0, newkey, file.as_ptr());
        assert_eq!(error, GcryError::INV_VALUE);
        assert_eq!(start(&user, NEW).0, GcryError::EEXIST.0);

        // Not yet calculated.
        let error = otrl_privkey_generate_finish(user.0, next, file.as_ptr());
        assert_eq!(error, GcryError::UNUSABLE_SECKEY);
        assert!(!user.is_pending());

        // Without a file, a user state or a stream.
        for (us, path) in [(user.0, ptr::null()), (ptr::null_mut(), file.as_ptr())] {
            let (error, newkey) = start(&user, NEW);
            assert_eq!(error, 0);
            assert_eq!(otrl_privkey_generate_calculate(newkey).0, 0);
            let error = otrl_privkey_generate_finish(us, newkey, path);
            assert_eq!(error, GcryError::INV_VALUE);
            assert!(!jobs::is_live(newkey));
            otrl_privkey_pending_forget_all(user.0);
        }
        let (_, newkey) = start(&user, NEW);
        let error = otrl_privkey_generate_finish_FILEp(user.0, newkey, ptr::null_mut());
        assert!(error.is_error() && !user.is_pending());
    }
    assert_eq!(user.names(), ["new"]);
}

#[test]
fn a_key_cancelled_while_it_is_calculated_is_dropped() {
    let user = User::new();
    unsafe {
        let (_, newkey) = start(&user, NEW);
        let number = newkey.addr();
        let worker = std::thread::spawn(move || {
            otrl_privkey_generate_calculate(ptr::without_provenance_mut(number)).0
        });
        otrl_privkey_generate_cancelled(user.0, newkey);
        let error = worker.join().unwrap();
        assert!(error == 0 || error == GcryError::INV_VALUE.0);
        assert!(!jobs::is_live(newkey) && !user.is_pending());
        // The same when the calculation is certain to be under way.
        let (_, newkey) = start(&user, NEW);
        let key = otr_crypto::dsa::PrivateKey::generate().unwrap();
        otrl_privkey_generate_cancelled(user.0, newkey);
        assert_eq!(jobs::conclude::<()>(newkey, Ok(key)), Ok(()));
        assert!(!jobs::is_live(newkey));
    }
}

#[test]
fn a_calculation_that_failed_does_not_block_the_next() {
    let user = User::new();
    unsafe {
        let (_, newkey) = start(&user, NEW);
        assert_eq!(jobs::conclude(newkey, Err(5)), Err(5));
        let (error, next) = start(&user, NEW);
        assert!(error == 0 && next != newkey);
        assert!(!jobs::is_live(newkey));
        assert_eq!(start(&user, NEW).0, GcryError::EEXIST.0);
        // Tried again, it can still succeed.
        assert_eq!(jobs::conclude(next, Err(5)), Err(5));
        assert_eq!(otrl_privkey_generate_calculate(next).0, 0);
        assert_eq!(start(&user, NEW).0, GcryError::EEXIST.0);
        otrl_privkey_generate_cancelled(user.0, next);
        assert!(!user.is_pending());
    }
}

#[test]
fn null_is_refused() {
    let user = User::new();
    let name = NEW.as_ptr();
    let mut newkey: *mut c_void = ptr::dangling_mut();
    unsafe {
        for error in [
            otrl_privkey_generate_start(ptr::null_mut(), name, name, &mut newkey),
            otrl_privkey_generate_start(user.0, ptr::null(), name, &mut newkey),
            otrl_privkey_generate_start(user.0, name, ptr::null(), &mut newkey),
            otrl_privkey_generate_start(user.0, name, name, ptr::null_mut()),
            otrl_privkey_generate(user.0, ptr::null(), name, name),
            otrl_privkey_generate(ptr::null_mut(), name, name, name),
            otrl_privkey_generate(user.0, name, ptr::null(), name),
        ] {
            assert_eq!(error, GcryError::INV_VALUE);
        }
        otrl_privkey_pending_forget_all(ptr::null_mut());
    }
    assert!(newkey.is_null() && !user.is_pending());
}

#[test]
fn keys_of_the_clients_own_are_written_too() {
    let scratch = Scratch::new();
    let user = User::with_keys(&scratch);
    let text = texts(&user).swap_remove(0);
    link(&user, foreign_node(c"own", c"p", &text));
    link(&user, foreign_node(c"no key", c"p", b""));
    assert_eq!(generate(&user, &scratch.path("keys"), NEW), 0);
    let mut expected = names_with_new();
    expected.push("own");
    assert_eq!(user.names(), expected);

    // One that no reader would accept: nothing is written, and nothing is lost.
    link(
        &user,
        foreign_node(c"no numbers", c"p", b"(private-key (dsa (p #05#)))"),
    );
    let (nodes, file) = (user.nodes(), fs::read(scratch.path("keys")).unwrap());
    let error = generate(&user, &scratch.path("keys"), NEW);
    assert_eq!(error, GcryError::UNUSABLE_SECKEY.0);
    assert_eq!(user.nodes(), nodes);
    assert_eq!(fs::read(scratch.path("keys")).unwrap(), file);
}

/// Forks; the child exits with the result of `body`, or by a signal if that takes too long.
fn in_a_child(body: impl FnOnce() -> bool) -> libc::pid_t {
    unsafe {
        let child = libc::fork();
        if child == 0 {
            libc::alarm(100);
            libc::_exit(if body() { 0 } else { 1 });
        }
        child
    }
}

fn succeeded(child: libc::pid_t) -> bool {
    let mut status = 0;
    assert_eq!(unsafe { libc::waitpid(child, &mut status, 0) }, child);
    libc::WIFEXITED(status) && libc::WEXITSTATUS(status) == 0
}

#[test]
fn a_child_generates_with_the_keys_that_it_inherited() {
    let scratch = Scratch::new();
    let user = User::with_keys(&scratch);
    let (_, other) = unsafe { start(&user, c"of the parent") };
    let paths = [scratch.path("one"), scratch.path("two")];
    let children = paths
        .each_ref()
        .map(|path| in_a_child(|| generate(&user, path, NEW) == 0));
    assert!(children.into_iter().all(succeeded));
    assert_eq!(user.names(), NAMES);
    unsafe { otrl_privkey_generate_cancelled(user.0, other) };
    let made = paths.map(|path| {
        unsafe { assert_eq!(otrl_privkey_read(user.0, c_path(&path).as_ptr()).0, 0) };
        assert_eq!(user.names(), names_with_new());
        texts(&user).swap_remove(0)
    });
    assert_ne!(made[0], made[1], "two children never draw the same key");
}

#[test]
fn a_child_of_a_busy_process_is_not_blocked() {
    let scratch = Scratch::new();
    let user = User::with_keys(&scratch);
    let done = std::sync::atomic::AtomicBool::new(false);
    let us = user.0.addr();
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                // Takes only the lock, again and again.
                let us = ptr::with_exposed_provenance::<UserState>(us);
                while !done.load(Ordering::Relaxed) {
                    assert!(find(borrow(us), NEW.to_bytes(), NEW.to_bytes()).is_none());
                }
            });
        }
        let children: Vec<_> = (0..20)
            .map(|_| {
                in_a_child(|| unsafe {
                    (0..100).all(|_| {
                        let (error, newkey) = start(&user, NEW);
                        otrl_privkey_generate_cancelled(user.0, newkey);
                        error == 0 && !user.is_pending()
                    })
                })
            })
            .collect();
        let all = children
            .into_iter()
            .map(succeeded)
            .filter(|good| *good)
            .count();
        done.store(true, Ordering::Relaxed);
        assert_eq!(all, 20);
    });
}

#[test]
fn threads_start_and_end_keys_without_harm() {
    let user = User::new();
    let us = user.0.expose_provenance();
    std::thread::scope(|scope| {
        for thread in 0..4 {
            scope.spawn(move || {
                let us = ptr::with_exposed_provenance_mut::<UserState>(us);
                let name = CString::new(format!("account {thread}")).unwrap();
                for round in 0..500 {
                    let mut newkey = ptr::null_mut();
                    unsafe {
                        let start = otrl_privkey_generate_start(
                            us,
                            name.as_ptr(),
                            name.as_ptr(),
                            &mut newkey,
                        );
                        assert_eq!(start.0, 0);
                        if round % 2 == 0 {
                            otrl_privkey_generate_cancelled(us, newkey);
                        } else {
                            let error = otrl_privkey_generate_finish(us, newkey, ptr::null());
                            assert!(error.is_error());
                        }
                    }
                }
            });
        }
    });
    assert!(!user.is_pending());
}

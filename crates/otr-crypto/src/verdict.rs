//! The one place where the verdict on a MAC, a signature or a proof of knowledge becomes a decision.
//!
//! Parsers and states behind a MAC would never be reached by a fuzzer, since it cannot make one. So the fuzzing build can
//! be told to accept every verdict. No other build contains this, and build.rs refuses `--cfg fuzzing` except for the
//! package under fuzz/.

#[cfg(fuzzing)]
static BELIEVE: std::sync::atomic::AtomicBool = std::sync::atomic::AtomicBool::new(false);

/// From now on every MAC, signature and proof is accepted (`yes`), or only valid ones.
#[cfg(fuzzing)]
pub fn believe_everything(yes: bool) {
    BELIEVE.store(yes, std::sync::atomic::Ordering::Relaxed);
}

/// Whether to accept a MAC, signature or proof with this verdict.
#[cfg(fuzzing)]
pub fn holds(verdict: bool) -> bool {
    verdict || BELIEVE.load(std::sync::atomic::Ordering::Relaxed)
}

/// Whether to accept a MAC, signature or proof with this verdict.
#[cfg(not(fuzzing))]
pub fn holds(verdict: bool) -> bool {
    verdict
}

#[cfg(all(test, not(fuzzing)))]
mod tests {
    #[test]
    fn a_verdict_is_what_it_is() {
        assert!(super::holds(true) && !super::holds(false));
    }
}

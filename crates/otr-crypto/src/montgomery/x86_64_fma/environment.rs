//! The thread's settings for floating-point arithmetic, which are the client's.

use std::arch::asm;

/// The client's settings for floating-point arithmetic, and its flags: which exceptions there were. While the kernel runs, the settings
/// are the usual ones, so that an inexact result is no signal; then all is as it was.
pub(super) struct Environment {
    before: u32,
}

impl Environment {
    /// All exceptions are masked, and numbers are rounded to the nearest.
    const USUAL: u32 = 0x1f80;
    const FLAGS: u32 = 0x3f;
    /// The flag that products raise.
    const INEXACT: u32 = 0x20;

    #[inline(always)]
    pub(super) fn begin() -> Self {
        let environment = Self { before: get() };
        if !environment.is_usual() {
            Self::set(Self::USUAL);
        }
        environment
    }

    #[inline(always)]
    pub(super) fn end(self) {
        #[cfg(test)]
        self.assert_that_all_was_usual();
        // Most programs have had inexact results.
        if !self.is_usual() || self.before & Self::INEXACT == 0 {
            Self::set(self.before);
        }
    }

    fn is_usual(&self) -> bool {
        self.before & !Self::FLAGS == Self::USUAL
    }

    fn set(value: u32) {
        // SAFETY: the usual settings, or those that the thread had.
        unsafe { asm!("ldmxcsr [{}]", in(reg) &raw const value, options(nostack)) };
    }

    /// No number was too small for the usual form, for which instructions may take longer; nor too large, nor none at all.
    #[cfg(test)]
    fn assert_that_all_was_usual(&self) {
        let before = if self.is_usual() { self.before } else { 0 };
        let raised = get() & Self::FLAGS & !before;
        assert!(raised & !Self::INEXACT == 0, "flags {raised:x}");
    }
}

/// The settings and the flags of this thread.
#[inline(always)]
fn get() -> u32 {
    let mut value = 0_u32;
    // SAFETY: writes to a variable of ours.
    unsafe { asm!("stmxcsr [{}]", in(reg) &raw mut value, options(nostack)) };
    value
}

#[cfg(test)]
mod tests {
    use super::super::{Modulus, Number};
    use super::*;
    use crate::montgomery::{Modulus as _, Transfer};
    use crate::uint::U1536;

    /// Calculates with these settings, and returns the result and the settings afterwards.
    fn with(settings: u32, modulus: &Modulus, number: &Number) -> (Number, u32) {
        let mut product = *number;
        let usual = get();
        Environment::set(settings);
        modulus.square(&mut product);
        modulus.multiply(&mut product, number);
        let after = get();
        Environment::set(usual);
        (product, after)
    }

    #[test]
    fn the_clients_settings_and_flags_make_no_difference_and_stay() {
        let words = [u64::MAX; U1536::BYTES / 8];
        let p = U1536::from_words(words);
        let Some(modulus) = Modulus::new::<{ U1536::LIMBS }, 6>(&p) else {
            eprintln!("this CPU has no FMA: nothing to calculate");
            return;
        };
        let number = modulus.enter(&U1536::from_words(words.map(|word| word / 3)));
        let (expected, _) = with(Environment::USUAL, &modulus, &number);
        for rounding in 0..4 {
            for flags in [0, Environment::INEXACT, Environment::FLAGS] {
                // Exceptions masked or not, small numbers taken for zeros or not.
                for others in [Environment::USUAL, 0, Environment::USUAL | 0x8040] {
                    // A flag whose exception is not masked would be a signal at once.
                    if others == 0 && flags != 0 {
                        continue;
                    }
                    let settings = others | flags | rounding << 13;
                    let (product, after) = with(settings, &modulus, &number);
                    assert_eq!(product.digits, expected.digits, "{settings:x}");
                    assert_eq!(after, settings);
                }
            }
        }
    }
}

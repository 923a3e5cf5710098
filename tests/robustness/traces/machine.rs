//! The processors on which a case is followed. A program learns from the instruction `cpuid` what its processor can do, and
//! a program that is followed can be told less. So every kernel that this processor can run is followed, in the build that
//! is tested.

use std::arch::x86_64::{__cpuid_count, CpuidResult};

/// Bits of `ebx` of leaf 7.
const AVX2: u32 = 1 << 5;
const BMI2: u32 = 1 << 8;
const AVX512F: u32 = 1 << 16;
const ADX: u32 = 1 << 19;
const IFMA: u32 = 1 << 21;
const SHA: u32 = 1 << 29;
/// A bit of `ecx` of leaf 1.
const AES: u32 = 1 << 25;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Machine {
    /// With the kernel for AVX-512 IFMA.
    Ifma,
    /// With the kernel for ADX, and without AVX-512.
    Adx,
    /// Without any of these, AVX2, AES or SHA.
    Portable,
}

impl Machine {
    pub(crate) const ALL: [Self; 3] = [Self::Ifma, Self::Adx, Self::Portable];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Ifma => "ifma",
            Self::Adx => "adx",
            Self::Portable => "portable",
        }
    }

    /// Whether this processor can play it, and the compiler could make it. Asked without the standard library, which would
    /// remember the answer.
    pub(crate) fn is_here(self) -> bool {
        if self == Self::Ifma && !otr_crypto::HAS_IFMA {
            return false;
        }
        let ebx = ask(7, 0).ebx;
        let needed = match self {
            Self::Ifma => AVX512F | IFMA,
            Self::Adx => BMI2 | ADX | AVX2,
            Self::Portable => 0,
        };
        ebx & needed == needed
    }

    /// What this machine answers for a leaf and its part: eax, ebx, ecx and edx.
    pub(crate) fn cpuid(self, leaf: u64, part: u64) -> [u32; 4] {
        let low = |value: u64| u32::try_from(value & 0xffff_ffff).unwrap_or(0);
        let real = ask(low(leaf), low(part));
        let (ebx, ecx) = match (self, leaf, part) {
            (Self::Adx, 7, 0) => (real.ebx & !(AVX512F | IFMA), real.ecx),
            (Self::Portable, 7, 0) => (
                real.ebx & !(AVX512F | IFMA | AVX2 | BMI2 | ADX | SHA),
                real.ecx,
            ),
            (Self::Portable, 1, _) => (real.ebx, real.ecx & !AES),
            _ => (real.ebx, real.ecx),
        };
        [real.eax, ebx, ecx, real.edx]
    }
}

#[allow(unused_unsafe, reason = "safe in newer compilers")]
fn ask(leaf: u32, part: u32) -> CpuidResult {
    // SAFETY: every processor of this kind has the instruction.
    unsafe { __cpuid_count(leaf, part) }
}

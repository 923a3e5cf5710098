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
const AVX512VL: u32 = 1 << 31;
/// A bit of `eax` of the second part of leaf 7.
const AVX_IFMA: u32 = 1 << 23;
/// Bits of `ecx` of leaf 1.
const FMA: u32 = 1 << 12;
const AES: u32 = 1 << 25;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Machine {
    /// With the kernel for AVX-512 IFMA.
    Ifma,
    /// With the kernel for AVX-IFMA, and without AVX-512.
    AvxIfma,
    /// With the kernel for FMA, and without AVX-512 and AVX-IFMA.
    Fma,
    /// With the kernel for ADX, and without these and FMA.
    Adx,
    /// Without any of these, AVX2, AES or SHA.
    Portable,
}

impl Machine {
    pub(crate) const ALL: [Self; 5] = [
        Self::Ifma,
        Self::AvxIfma,
        Self::Fma,
        Self::Adx,
        Self::Portable,
    ];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Ifma => "ifma",
            Self::AvxIfma => "avx-ifma",
            Self::Fma => "fma",
            Self::Adx => "adx",
            Self::Portable => "portable",
        }
    }

    /// Whether this processor can play it, and the compiler could make it. Asked without the standard library, which would
    /// remember the answer.
    pub(crate) fn is_here(self) -> bool {
        let is_newer = matches!(self, Self::Ifma | Self::AvxIfma);
        if is_newer && !otr_crypto::HAS_VECTORS {
            return false;
        }
        if self == Self::Fma && ask(1, 0).ecx & FMA == 0 {
            return false;
        }
        let ebx = ask(7, 0).ebx;
        let needed = match self {
            Self::Ifma => AVX512F | IFMA,
            Self::AvxIfma if has_avx_ifma() => AVX2,
            Self::AvxIfma => AVX2 | AVX512F | IFMA | AVX512VL,
            Self::Fma => ADX | AVX2,
            Self::Adx => BMI2 | ADX | AVX2,
            Self::Portable => 0,
        };
        ebx & needed == needed
    }

    /// What this machine answers for a leaf and its part: eax, ebx, ecx and edx.
    pub(crate) fn cpuid(self, leaf: u64, part: u64) -> [u32; 4] {
        let low = |value: u64| u32::try_from(value & 0xffff_ffff).unwrap_or(0);
        let CpuidResult { eax, ebx, ecx, edx } = ask(low(leaf), low(part));
        match (self, leaf, part) {
            (Self::AvxIfma, 7, 0) => [eax.max(1), ebx & !(AVX512F | IFMA), ecx, edx],
            (Self::AvxIfma, 7, 1) => [eax | AVX_IFMA, ebx, ecx, edx],
            (Self::Fma | Self::Adx, 7, 0) => [eax, ebx & !(AVX512F | IFMA), ecx, edx],
            (Self::Portable, 7, 0) => {
                let without = AVX512F | IFMA | AVX2 | BMI2 | ADX | SHA;
                [eax, ebx & !without, ecx, edx]
            }
            (Self::Fma | Self::Adx | Self::Portable, 7, 1) => [eax & !AVX_IFMA, ebx, ecx, edx],
            (Self::Adx, 1, _) => [eax, ebx, ecx & !FMA, edx],
            (Self::Portable, 1, _) => [eax, ebx, ecx & !(AES | FMA), edx],
            _ => [eax, ebx, ecx, edx],
        }
    }
}

/// Whether this processor has AVX-IFMA itself. With AVX-512 it can do the same in another encoding.
pub(crate) fn has_avx_ifma() -> bool {
    ask(7, 0).eax >= 1 && ask(7, 1).eax & AVX_IFMA != 0
}

#[allow(unused_unsafe, reason = "safe in newer compilers")]
fn ask(leaf: u32, part: u32) -> CpuidResult {
    // SAFETY: every processor of this kind has the instruction.
    unsafe { __cpuid_count(leaf, part) }
}

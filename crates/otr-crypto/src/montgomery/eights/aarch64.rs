//! Many limbs at once with `mul`, `umulh` and chains of `adcs`, as assembly. Eight of a sum are in registers, the others in memory.
//!
//! Every arm64 processor has these instructions. x18, x19 and x29 are left alone: they are the platform's or the compiler's.

use std::arch::asm;

/// How many limbs are in registers.
pub(super) const EIGHT: usize = 8;

/// Eight limbs, the lowest first.
type Eight = [u64; EIGHT];

/// The lower halves of x3 times the limbs in x11 to x17 are added to seven registers, with the carry that comes in; the carry out
/// is left in x5.
#[rustfmt::skip]
macro_rules! add_low_halves {
    ($a1:literal, $a2:literal, $a3:literal, $a4:literal, $a5:literal, $a6:literal, $a7:literal, $first:literal) => {
        concat!(
            "mul x7, x11, x3\n",
            "mul x8, x12, x3\n",
            "mul x9, x13, x3\n",
            $first, " ", $a1, ", ", $a1, ", x7\n",
            "mul x7, x14, x3\n",
            "adcs ", $a2, ", ", $a2, ", x8\n",
            "mul x8, x15, x3\n",
            "adcs ", $a3, ", ", $a3, ", x9\n",
            "mul x9, x16, x3\n",
            "adcs ", $a4, ", ", $a4, ", x7\n",
            "mul x7, x17, x3\n",
            "adcs ", $a5, ", ", $a5, ", x8\n",
            "adcs ", $a6, ", ", $a6, ", x9\n",
            "adcs ", $a7, ", ", $a7, ", x7\n",
            "adc x5, xzr, xzr\n",
        )
    };
}

/// The upper halves of x3 times the limbs in x11 to x17 are added to six registers, with the carry that comes in; the last of
/// them, with the carry in x5, becomes a new one.
#[rustfmt::skip]
macro_rules! add_high_halves {
    ($a2:literal, $a3:literal, $a4:literal, $a5:literal, $a6:literal, $a7:literal, $new:literal) => {
        concat!(
            "umulh x7, x11, x3\n",
            "umulh x8, x12, x3\n",
            "umulh x9, x13, x3\n",
            "adcs ", $a2, ", ", $a2, ", x7\n",
            "umulh x7, x14, x3\n",
            "adcs ", $a3, ", ", $a3, ", x8\n",
            "umulh x8, x15, x3\n",
            "adcs ", $a4, ", ", $a4, ", x9\n",
            "umulh x9, x16, x3\n",
            "adcs ", $a5, ", ", $a5, ", x7\n",
            "umulh x7, x17, x3\n",
            "adcs ", $a6, ", ", $a6, ", x8\n",
            "adcs ", $a7, ", ", $a7, ", x9\n",
            "adc ", $new, ", x7, x5\n",
        )
    };
}

/// The limb at x0, and the eight in x10 to x17 times the one at x1, are added to eight registers. The lowest of them goes to where
/// the first limb was and becomes the highest. Both pointers move on.
#[rustfmt::skip]
macro_rules! row {
    ($at:literal, $a0:literal, $a1:literal, $a2:literal, $a3:literal, $a4:literal, $a5:literal, $a6:literal, $a7:literal) => {
        concat!(
            "ldr x3, [x1], 8\n",
            "ldr x4, [x0]\n",
            "mul x6, x10, x3\n",
            "adds ", $a0, ", ", $a0, ", x6\n",
            add_low_halves!($a1, $a2, $a3, $a4, $a5, $a6, $a7, "adcs"),
            "umulh x6, x10, x3\n",
            "adds x4, x4, ", $a0, "\n",
            "adcs ", $a1, ", ", $a1, ", x6\n",
            "str x4, [x0], 8\n",
            add_high_halves!($a2, $a3, $a4, $a5, $a6, $a7, $a0),
        )
    };
}

/// The lowest register becomes zero by adding the eight limbs in x10 to x17 times what goes to x0 + `$at`; then it becomes the
/// highest. x2 is the factor that does so for 1.
#[rustfmt::skip]
macro_rules! reducing_row {
    ($at:literal, $a0:literal, $a1:literal, $a2:literal, $a3:literal, $a4:literal, $a5:literal, $a6:literal, $a7:literal) => {
        concat!(
            "mul x3, ", $a0, ", x2\n",
            "str x3, [x0, ", $at, "]\n",
            "umulh x6, x10, x3\n",
            // There is a carry out of the lowest limb unless it is zero already.
            "subs xzr, ", $a0, ", 1\n",
            add_low_halves!($a1, $a2, $a3, $a4, $a5, $a6, $a7, "adcs"),
            "adds ", $a1, ", ", $a1, ", x6\n",
            add_high_halves!($a2, $a3, $a4, $a5, $a6, $a7, $a0),
        )
    };
}

/// The same where the limb in x10 is 2^64 - 1: the factor is the lowest register itself, and 2^64 times it is what its product adds.
#[rustfmt::skip]
macro_rules! reducing_row_by_ones {
    ($at:literal, $a0:literal, $a1:literal, $a2:literal, $a3:literal, $a4:literal, $a5:literal, $a6:literal, $a7:literal) => {
        concat!(
            "mov x3, ", $a0, "\n",
            "str x3, [x0, ", $at, "]\n",
            add_low_halves!($a1, $a2, $a3, $a4, $a5, $a6, $a7, "adds"),
            "adds ", $a1, ", ", $a1, ", x3\n",
            add_high_halves!($a2, $a3, $a4, $a5, $a6, $a7, $a0),
        )
    };
}

/// One of these rows for each of eight limbs.
#[rustfmt::skip]
macro_rules! rows {
    ($row:ident) => {
        concat!(
            $row!(0, "x20", "x21", "x22", "x23", "x24", "x25", "x26", "x27"),
            $row!(8, "x21", "x22", "x23", "x24", "x25", "x26", "x27", "x20"),
            $row!(16, "x22", "x23", "x24", "x25", "x26", "x27", "x20", "x21"),
            $row!(24, "x23", "x24", "x25", "x26", "x27", "x20", "x21", "x22"),
            $row!(32, "x24", "x25", "x26", "x27", "x20", "x21", "x22", "x23"),
            $row!(40, "x25", "x26", "x27", "x20", "x21", "x22", "x23", "x24"),
            $row!(48, "x26", "x27", "x20", "x21", "x22", "x23", "x24", "x25"),
            $row!(56, "x27", "x20", "x21", "x22", "x23", "x24", "x25", "x26"),
        )
    };
}

/// Loads or stores eight limbs at the address in a register: those of a factor, in x10 to x17, or those of a sum, in x20 to x27.
#[rustfmt::skip]
macro_rules! eight {
    ($instruction:literal, factor, $address:literal) => {
        concat!(
            $instruction, " x10, x11, [", $address, "]\n",
            $instruction, " x12, x13, [", $address, ", 16]\n",
            $instruction, " x14, x15, [", $address, ", 32]\n",
            $instruction, " x16, x17, [", $address, ", 48]\n",
        )
    };
    ($instruction:literal, sum, $address:literal) => {
        concat!(
            $instruction, " x20, x21, [", $address, "]\n",
            $instruction, " x22, x23, [", $address, ", 16]\n",
            $instruction, " x24, x25, [", $address, ", 32]\n",
            $instruction, " x26, x27, [", $address, ", 48]\n",
        )
    };
}

/// t += a b + window + carry 2^(64 (limbs of a)), as far as eight limbs beyond a; the carry out of these. Nothing happens if t is
/// shorter.
#[inline(never)]
pub(super) fn add_products(t: &mut [u64], a: &[u64], b: &Eight, window: &Eight, carry: u64) -> u64 {
    let length = a.len() / EIGHT * EIGHT;
    if t.len() < length + EIGHT {
        return 0;
    }
    let carry_out;
    // SAFETY: reads b and window, `length` limbs of a, reads and writes eight limbs more of t.
    unsafe {
        asm!(
            eight!("ldp", factor, "x3"),
            eight!("ldp", sum, "x4"),
            "cmp x1, x2",
            "b.eq 3f",
            "2:",
            rows!(row),
            "cmp x1, x2",
            "b.lo 2b",
            "3:",
            eight!("ldp", factor, "x0"),
            // The carry in becomes the processor's.
            "subs xzr, x28, 1",
            "adcs x20, x20, x10",
            "adcs x21, x21, x11",
            "adcs x22, x22, x12",
            "adcs x23, x23, x13",
            "adcs x24, x24, x14",
            "adcs x25, x25, x15",
            "adcs x26, x26, x16",
            "adcs x27, x27, x17",
            "adc x28, xzr, xzr",
            eight!("stp", sum, "x0"),
            inout("x0") t.as_mut_ptr() => _,
            inout("x1") a.as_ptr() => _,
            in("x2") a.as_ptr().wrapping_add(length),
            inout("x3") b.as_ptr() => _,
            inout("x4") window.as_ptr() => _,
            inout("x28") carry => carry_out,
            out("x5") _, out("x6") _, out("x7") _, out("x8") _, out("x9") _,
            out("x10") _, out("x11") _, out("x12") _, out("x13") _,
            out("x14") _, out("x15") _, out("x16") _, out("x17") _,
            out("x20") _, out("x21") _, out("x22") _, out("x23") _,
            out("x24") _, out("x25") _, out("x26") _, out("x27") _,
            options(nostack),
        );
    }
    carry_out
}

/// The product of two limbs is added to two registers, by two chains: first all lower halves, then all upper ones.
#[rustfmt::skip]
macro_rules! half {
    ($half:literal, $add:literal, $a:literal, $b:literal, $to:literal) => {
        concat!(
            $half, " x7, ", $a, ", ", $b, "\n",
            $add, " ", $to, ", ", $to, ", x7\n",
        )
    };
}

/// The upper half of the product of two limbs, the carry of the chain of upper halves and that of the lower ones, in x5, become a
/// new register.
#[rustfmt::skip]
macro_rules! last_half {
    ($a:literal, $b:literal, $new:literal) => {
        concat!(
            "umulh x7, ", $a, ", ", $b, "\n",
            "adc ", $new, ", x7, x5\n",
        )
    };
}

/// t and window become the low and the high half of t and all products of two different limbs of a.
#[inline(never)]
pub(super) fn add_triangle(t: &mut Eight, a: &Eight, window: &mut Eight) {
    // SAFETY: reads a, reads and writes t, and writes window.
    unsafe {
        asm!(
            eight!("ldp", factor, "x1"),
            eight!("ldp", sum, "x0"),
            // Times the lowest limb.
            half!("mul", "adds", "x10", "x11", "x21"),
            half!("mul", "adcs", "x10", "x12", "x22"),
            half!("mul", "adcs", "x10", "x13", "x23"),
            half!("mul", "adcs", "x10", "x14", "x24"),
            half!("mul", "adcs", "x10", "x15", "x25"),
            half!("mul", "adcs", "x10", "x16", "x26"),
            half!("mul", "adcs", "x10", "x17", "x27"),
            "adc x5, xzr, xzr",
            "str x20, [x0]",
            half!("umulh", "adds", "x10", "x11", "x22"),
            half!("umulh", "adcs", "x10", "x12", "x23"),
            half!("umulh", "adcs", "x10", "x13", "x24"),
            half!("umulh", "adcs", "x10", "x14", "x25"),
            half!("umulh", "adcs", "x10", "x15", "x26"),
            half!("umulh", "adcs", "x10", "x16", "x27"),
            last_half!("x10", "x17", "x20"),
            "stp x21, x22, [x0, 8]",
            // The next.
            half!("mul", "adds", "x11", "x12", "x23"),
            half!("mul", "adcs", "x11", "x13", "x24"),
            half!("mul", "adcs", "x11", "x14", "x25"),
            half!("mul", "adcs", "x11", "x15", "x26"),
            half!("mul", "adcs", "x11", "x16", "x27"),
            half!("mul", "adcs", "x11", "x17", "x20"),
            "adc x5, xzr, xzr",
            half!("umulh", "adds", "x11", "x12", "x24"),
            half!("umulh", "adcs", "x11", "x13", "x25"),
            half!("umulh", "adcs", "x11", "x14", "x26"),
            half!("umulh", "adcs", "x11", "x15", "x27"),
            half!("umulh", "adcs", "x11", "x16", "x20"),
            last_half!("x11", "x17", "x21"),
            "stp x23, x24, [x0, 24]",
            half!("mul", "adds", "x12", "x13", "x25"),
            half!("mul", "adcs", "x12", "x14", "x26"),
            half!("mul", "adcs", "x12", "x15", "x27"),
            half!("mul", "adcs", "x12", "x16", "x20"),
            half!("mul", "adcs", "x12", "x17", "x21"),
            "adc x5, xzr, xzr",
            half!("umulh", "adds", "x12", "x13", "x26"),
            half!("umulh", "adcs", "x12", "x14", "x27"),
            half!("umulh", "adcs", "x12", "x15", "x20"),
            half!("umulh", "adcs", "x12", "x16", "x21"),
            last_half!("x12", "x17", "x22"),
            "stp x25, x26, [x0, 40]",
            half!("mul", "adds", "x13", "x14", "x27"),
            half!("mul", "adcs", "x13", "x15", "x20"),
            half!("mul", "adcs", "x13", "x16", "x21"),
            half!("mul", "adcs", "x13", "x17", "x22"),
            "adc x5, xzr, xzr",
            half!("umulh", "adds", "x13", "x14", "x20"),
            half!("umulh", "adcs", "x13", "x15", "x21"),
            half!("umulh", "adcs", "x13", "x16", "x22"),
            last_half!("x13", "x17", "x23"),
            "str x27, [x0, 56]",
            half!("mul", "adds", "x14", "x15", "x21"),
            half!("mul", "adcs", "x14", "x16", "x22"),
            half!("mul", "adcs", "x14", "x17", "x23"),
            "adc x5, xzr, xzr",
            half!("umulh", "adds", "x14", "x15", "x22"),
            half!("umulh", "adcs", "x14", "x16", "x23"),
            last_half!("x14", "x17", "x24"),
            half!("mul", "adds", "x15", "x16", "x23"),
            half!("mul", "adcs", "x15", "x17", "x24"),
            "adc x5, xzr, xzr",
            half!("umulh", "adds", "x15", "x16", "x24"),
            last_half!("x15", "x17", "x25"),
            half!("mul", "adds", "x16", "x17", "x25"),
            "adc x5, xzr, xzr",
            "umulh x7, x16, x17",
            "add x26, x7, x5",
            "mov x27, xzr",
            eight!("stp", sum, "x2"),
            in("x0") t.as_mut_ptr(),
            in("x1") a.as_ptr(),
            in("x2") window.as_mut_ptr(),
            out("x5") _, out("x7") _,
            out("x10") _, out("x11") _, out("x12") _, out("x13") _,
            out("x14") _, out("x15") _, out("x16") _, out("x17") _,
            out("x20") _, out("x21") _, out("x22") _, out("x23") _,
            out("x24") _, out("x25") _, out("x26") _, out("x27") _,
            options(nostack),
        );
    }
}

/// Two limbs of t are doubled, by shifts, and the square of one of a is added to them, by a chain of carries. x7 is the limb
/// below them, and then the upper one.
#[rustfmt::skip]
macro_rules! square {
    ($a:literal) => {
        concat!(
            "ldp x8, x9, [x0]\n",
            "mul x10, ", $a, ", ", $a, "\n",
            "umulh x11, ", $a, ", ", $a, "\n",
            "extr x12, x8, x7, 63\n",
            "extr x13, x9, x8, 63\n",
            "mov x7, x9\n",
            "adcs x12, x12, x10\n",
            "adcs x13, x13, x11\n",
            "stp x12, x13, [x0], 16\n",
        )
    };
}

/// t becomes 2 t plus the squares of the limbs of a, each at its place: the square of a, if t was the sum of the products of two
/// different limbs.
#[inline(never)]
pub(super) fn double_and_add_squares(t: &mut [u64], a: &[u64]) {
    let fours = (t.len() / 2).min(a.len()) / 4;
    if fours == 0 {
        return;
    }
    // SAFETY: reads four times `fours` limbs of a, reads and writes twice as many of t.
    unsafe {
        asm!(
            "mov x7, xzr",
            "adds xzr, xzr, xzr",
            "2:",
            "ldp x3, x4, [x1], 16",
            "ldp x5, x6, [x1], 16",
            square!("x3"),
            square!("x4"),
            square!("x5"),
            square!("x6"),
            // These leave the carry alone.
            "sub x2, x2, 1",
            "cbnz x2, 2b",
            inout("x0") t.as_mut_ptr() => _,
            inout("x1") a.as_ptr() => _,
            inout("x2") fours => _,
            out("x3") _, out("x4") _, out("x5") _, out("x6") _, out("x7") _, out("x8") _,
            out("x9") _, out("x10") _, out("x11") _, out("x12") _, out("x13") _,
            options(nostack),
        );
    }
}

/// The lowest eight limbs of t + m p become zero by an m, which t becomes; what is carried out of them goes to `window`. `lowest` are
/// those of p, `inverse` is -1/p modulo 2^64.
#[inline(never)]
pub(super) fn reduce(t: &mut Eight, lowest: &Eight, inverse: u64, window: &mut Eight) {
    // SAFETY: reads `lowest`, reads and writes t, and writes `window`.
    unsafe {
        asm!(
            eight!("ldp", factor, "x1"),
            eight!("ldp", sum, "x0"),
            rows!(reducing_row),
            eight!("stp", sum, "x4"),
            in("x0") t.as_mut_ptr(),
            in("x1") lowest.as_ptr(),
            in("x2") inverse,
            in("x4") window.as_mut_ptr(),
            out("x3") _, out("x5") _, out("x6") _, out("x7") _, out("x8") _, out("x9") _,
            out("x10") _, out("x11") _, out("x12") _, out("x13") _,
            out("x14") _, out("x15") _, out("x16") _, out("x17") _,
            out("x20") _, out("x21") _, out("x22") _, out("x23") _,
            out("x24") _, out("x25") _, out("x26") _, out("x27") _,
            options(nostack),
        );
    }
}

/// The same where `inverse` is 1.
#[inline(never)]
pub(super) fn reduce_by_ones(t: &mut Eight, lowest: &Eight, window: &mut Eight) {
    // SAFETY: as above.
    unsafe {
        asm!(
            eight!("ldp", factor, "x1"),
            eight!("ldp", sum, "x0"),
            rows!(reducing_row_by_ones),
            eight!("stp", sum, "x4"),
            in("x0") t.as_mut_ptr(),
            in("x1") lowest.as_ptr(),
            in("x4") window.as_mut_ptr(),
            out("x3") _, out("x5") _, out("x7") _, out("x8") _, out("x9") _,
            out("x10") _, out("x11") _, out("x12") _, out("x13") _,
            out("x14") _, out("x15") _, out("x16") _, out("x17") _,
            out("x20") _, out("x21") _, out("x22") _, out("x23") _,
            out("x24") _, out("x25") _, out("x26") _, out("x27") _,
            options(nostack),
        );
    }
}

/// Two limbs of p are subtracted from two of t if x3 is all ones, and not if it is zero.
#[rustfmt::skip]
macro_rules! difference {
    ($at:literal) => {
        concat!(
            "ldp x5, x6, [x2, ", $at, "]\n",
            "ldp x7, x8, [x1, ", $at, "]\n",
            "and x5, x5, x3\n",
            "and x6, x6, x3\n",
            "sbcs x5, x7, x5\n",
            "sbcs x6, x8, x6\n",
            "stp x5, x6, [x0, ", $at, "]\n",
        )
    };
}

/// a = t - p, if the secret condition is 1; a = t, if it is 0. What is borrowed at the top is forgotten.
#[inline(never)]
pub(super) fn subtract_if(a: &mut [u64], t: &[u64], p: &[u64], condition: u64) {
    let fours = a.len().min(t.len()).min(p.len()) / 4;
    if fours == 0 {
        return;
    }
    // SAFETY: reads four times `fours` limbs of t and p, and writes as many of a.
    unsafe {
        asm!(
            "neg x3, x3",
            // Nothing is borrowed.
            "subs xzr, xzr, xzr",
            "2:",
            difference!(0),
            difference!(16),
            // These leave the borrow alone.
            "add x0, x0, 32",
            "add x1, x1, 32",
            "add x2, x2, 32",
            "sub x4, x4, 1",
            "cbnz x4, 2b",
            inout("x0") a.as_mut_ptr() => _,
            inout("x1") t.as_ptr() => _,
            inout("x2") p.as_ptr() => _,
            inout("x3") condition => _,
            inout("x4") fours => _,
            out("x5") _, out("x6") _, out("x7") _, out("x8") _,
            options(nostack),
        );
    }
}

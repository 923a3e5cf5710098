//! Many limbs at once with `mulx`, `adcx` and `adox`, as assembly. Eight of a sum are in registers, the others in memory.

use std::arch::asm;

/// How many limbs are in registers.
pub(super) const EIGHT: usize = 8;

/// Eight limbs, the lowest first.
type Eight = [u64; EIGHT];

/// The limb at rdi + `$at` times rdx is added to two registers, in two chains of carries.
#[rustfmt::skip]
macro_rules! product {
    ($at:literal, $low:literal, $high:literal) => {
        concat!(
            "mulx rcx, rax, [rdi + ", $at, "]\n",
            "adcx ", $low, ", rax\n",
            "adox ", $high, ", rcx\n",
        )
    };
}

/// The same of the highest limb: its upper half and both carries become a new register. rbp is zero.
#[rustfmt::skip]
macro_rules! last {
    ($low:literal, $new:literal) => {
        concat!(
            "mulx ", $new, ", rax, [rdi + 56]\n",
            "adcx ", $low, ", rax\n",
            "adox ", $new, ", rbp\n",
            "adcx ", $new, ", rbp\n",
        )
    };
}

/// The limb at rbx + `$at`, and the eight at rdi times one at rsi + `$at`, are added to eight registers. The lowest of them goes to
/// where that limb was and becomes the highest.
#[rustfmt::skip]
macro_rules! row {
    ($at:literal, $a0:literal, $a1:literal, $a2:literal, $a3:literal, $a4:literal, $a5:literal, $a6:literal, $a7:literal) => {
        concat!(
            "mov rdx, [rsi + ", $at, "]\n",
            // Both carries are zero.
            "xor eax, eax\n",
            "mulx rcx, rax, [rdi]\n",
            "adox ", $a0, ", [rbx + ", $at, "]\n",
            "adcx ", $a0, ", rax\n",
            "mov [rbx + ", $at, "], ", $a0, "\n",
            "adox ", $a1, ", rcx\n",
            product!(8, $a1, $a2),
            product!(16, $a2, $a3),
            product!(24, $a3, $a4),
            product!(32, $a4, $a5),
            product!(40, $a5, $a6),
            product!(48, $a6, $a7),
            last!($a7, $a0),
        )
    };
}

/// The lowest register becomes zero by adding the eight limbs at rdi times what goes to rsi + `$at`; then it becomes the highest.
/// rbx is the factor that does so for 1.
#[rustfmt::skip]
macro_rules! reducing_row {
    ($at:literal, $a0:literal, $a1:literal, $a2:literal, $a3:literal, $a4:literal, $a5:literal, $a6:literal, $a7:literal) => {
        concat!(
            "mov rdx, ", $a0, "\n",
            "imul rdx, rbx\n",
            "mov [rsi + ", $at, "], rdx\n",
            "xor eax, eax\n",
            product!(0, $a0, $a1),
            product!(8, $a1, $a2),
            product!(16, $a2, $a3),
            product!(24, $a3, $a4),
            product!(32, $a4, $a5),
            product!(40, $a5, $a6),
            product!(48, $a6, $a7),
            last!($a7, $a0),
        )
    };
}

/// The same where the limb at rdi is 2^64 - 1: the factor is the lowest register itself, and 2^64 times it is what its product adds.
#[rustfmt::skip]
macro_rules! reducing_row_by_ones {
    ($at:literal, $a0:literal, $a1:literal, $a2:literal, $a3:literal, $a4:literal, $a5:literal, $a6:literal, $a7:literal) => {
        concat!(
            "mov rdx, ", $a0, "\n",
            "mov [rsi + ", $at, "], rdx\n",
            "xor eax, eax\n",
            "adox ", $a1, ", rdx\n",
            product!(8, $a1, $a2),
            product!(16, $a2, $a3),
            product!(24, $a3, $a4),
            product!(32, $a4, $a5),
            product!(40, $a5, $a6),
            product!(48, $a6, $a7),
            last!($a7, $a0),
        )
    };
}

/// One of these rows for each of eight limbs.
#[rustfmt::skip]
macro_rules! rows {
    ($row:ident) => {
        concat!(
            $row!(0, "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15"),
            $row!(8, "r9", "r10", "r11", "r12", "r13", "r14", "r15", "r8"),
            $row!(16, "r10", "r11", "r12", "r13", "r14", "r15", "r8", "r9"),
            $row!(24, "r11", "r12", "r13", "r14", "r15", "r8", "r9", "r10"),
            $row!(32, "r12", "r13", "r14", "r15", "r8", "r9", "r10", "r11"),
            $row!(40, "r13", "r14", "r15", "r8", "r9", "r10", "r11", "r12"),
            $row!(48, "r14", "r15", "r8", "r9", "r10", "r11", "r12", "r13"),
            $row!(56, "r15", "r8", "r9", "r10", "r11", "r12", "r13", "r14"),
        )
    };
}

/// The same instruction between eight registers and eight limbs in memory: `$memory` comes after the registers, or before them.
#[rustfmt::skip]
macro_rules! eight {
    ($instruction:literal, registers, $memory:literal) => {
        concat!(
            $instruction, " r8, [", $memory, "]\n",
            $instruction, " r9, [", $memory, " + 8]\n",
            $instruction, " r10, [", $memory, " + 16]\n",
            $instruction, " r11, [", $memory, " + 24]\n",
            $instruction, " r12, [", $memory, " + 32]\n",
            $instruction, " r13, [", $memory, " + 40]\n",
            $instruction, " r14, [", $memory, " + 48]\n",
            $instruction, " r15, [", $memory, " + 56]\n",
        )
    };
    ($instruction:literal, $memory:literal, registers) => {
        concat!(
            $instruction, " [", $memory, "], r8\n",
            $instruction, " [", $memory, " + 8], r9\n",
            $instruction, " [", $memory, " + 16], r10\n",
            $instruction, " [", $memory, " + 24], r11\n",
            $instruction, " [", $memory, " + 32], r12\n",
            $instruction, " [", $memory, " + 40], r13\n",
            $instruction, " [", $memory, " + 48], r14\n",
            $instruction, " [", $memory, " + 56], r15\n",
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
    // SAFETY: only reached through a `Modulus`, so the CPU has the instructions. Reads b and window, `length` limbs of a, reads
    // and writes eight limbs more of t, and leaves the stack as it was.
    unsafe {
        asm!(
            "push rbx",
            "push rbp",
            "push r8",
            "push rcx",
            eight!("mov", registers, "rax"),
            "mov rbx, rdx",
            "xor ebp, ebp",
            "cmp rsi, [rsp]",
            "je 3f",
            "2:",
            rows!(row),
            "add rbx, 64",
            "add rsi, 64",
            "cmp rsi, [rsp]",
            "jb 2b",
            "3:",
            "pop rcx",
            "pop rcx",
            // The carry in becomes the processor's.
            "add rcx, -1",
            eight!("adc", registers, "rbx"),
            eight!("mov", "rbx", registers),
            "mov eax, 0",
            "adc eax, 0",
            "pop rbp",
            "pop rbx",
            in("rdi") b.as_ptr(),
            inout("rsi") a.as_ptr() => _,
            inout("rcx") a.as_ptr().wrapping_add(length) => _,
            inout("rdx") t.as_mut_ptr() => _,
            inout("rax") window.as_ptr() => carry_out,
            inout("r8") carry => _,
            out("r9") _, out("r10") _, out("r11") _,
            out("r12") _, out("r13") _, out("r14") _, out("r15") _,
        );
    }
    carry_out
}

/// t and window become the low and the high half of t and all products of two different limbs of a.
#[inline(never)]
pub(super) fn add_triangle(t: &mut Eight, a: &Eight, window: &mut Eight) {
    // SAFETY: only reached through a `Modulus`, so the CPU has the instructions. Reads a, reads and writes t, writes window, and
    // leaves the stack as it was.
    unsafe {
        asm!(
            "push rbx",
            "push rbp",
            "push rdx",
            "mov rbx, rsi",
            eight!("mov", registers, "rbx"),
            "xor ebp, ebp",
            "mov rdx, [rdi]",
            "xor eax, eax",
            product!(8, "r9", "r10"),
            product!(16, "r10", "r11"),
            product!(24, "r11", "r12"),
            product!(32, "r12", "r13"),
            product!(40, "r13", "r14"),
            product!(48, "r14", "r15"),
            last!("r15", "r8"),
            "mov [rbx + 8], r9",
            "mov [rbx + 16], r10",
            "mov rdx, [rdi + 8]",
            "xor eax, eax",
            product!(16, "r11", "r12"),
            product!(24, "r12", "r13"),
            product!(32, "r13", "r14"),
            product!(40, "r14", "r15"),
            product!(48, "r15", "r8"),
            last!("r8", "r9"),
            "mov [rbx + 24], r11",
            "mov [rbx + 32], r12",
            "mov rdx, [rdi + 16]",
            "xor eax, eax",
            product!(24, "r13", "r14"),
            product!(32, "r14", "r15"),
            product!(40, "r15", "r8"),
            product!(48, "r8", "r9"),
            last!("r9", "r10"),
            "mov [rbx + 40], r13",
            "mov [rbx + 48], r14",
            "mov rdx, [rdi + 24]",
            "xor eax, eax",
            product!(32, "r15", "r8"),
            product!(40, "r8", "r9"),
            product!(48, "r9", "r10"),
            last!("r10", "r11"),
            "mov [rbx + 56], r15",
            "mov rdx, [rdi + 32]",
            "xor eax, eax",
            product!(40, "r9", "r10"),
            product!(48, "r10", "r11"),
            last!("r11", "r12"),
            "mov rdx, [rdi + 40]",
            "xor eax, eax",
            product!(48, "r11", "r12"),
            last!("r12", "r13"),
            "mov rdx, [rdi + 48]",
            "xor eax, eax",
            last!("r13", "r14"),
            "xor r15d, r15d",
            "pop rdx",
            eight!("mov", "rdx", registers),
            "pop rbp",
            "pop rbx",
            in("rdi") a.as_ptr(),
            in("rsi") t.as_mut_ptr(),
            inout("rdx") window.as_mut_ptr() => _,
            out("rax") _, out("rcx") _, out("r8") _, out("r9") _, out("r10") _, out("r11") _,
            out("r12") _, out("r13") _, out("r14") _, out("r15") _,
        );
    }
}

/// Two limbs of t are doubled, by one chain of carries, and the square of one of a is added to them, by the other.
#[rustfmt::skip]
macro_rules! square {
    ($a:literal, $low:literal, $high:literal) => {
        concat!(
            "mov rdx, [rsi + ", $a, "]\n",
            "mulx r9, r8, rdx\n",
            "mov rax, [rdi + ", $low, "]\n",
            "adcx rax, rax\n",
            "adox rax, r8\n",
            "mov [rdi + ", $low, "], rax\n",
            "mov rax, [rdi + ", $high, "]\n",
            "adcx rax, rax\n",
            "adox rax, r9\n",
            "mov [rdi + ", $high, "], rax\n",
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
    // SAFETY: only reached through a `Modulus`, so the CPU has the instructions. Reads four times `fours` limbs of a, reads and
    // writes twice as many of t.
    unsafe {
        asm!(
            "xor eax, eax",
            "2:",
            square!(0, 0, 8),
            square!(8, 16, 24),
            square!(16, 32, 40),
            square!(24, 48, 56),
            // These leave the carries alone.
            "lea rsi, [rsi + 32]",
            "lea rdi, [rdi + 64]",
            "lea rcx, [rcx - 1]",
            "jrcxz 3f",
            "jmp 2b",
            "3:",
            inout("rdi") t.as_mut_ptr() => _,
            inout("rsi") a.as_ptr() => _,
            inout("rcx") fours => _,
            out("rax") _, out("rdx") _, out("r8") _, out("r9") _,
            options(nostack),
        );
    }
}

/// The lowest eight limbs of t + m p become zero by an m, which t becomes; what is carried out of them goes to `window`. `lowest` are
/// those of p, `inverse` is -1/p modulo 2^64.
#[inline(never)]
pub(super) fn reduce(t: &mut Eight, lowest: &Eight, inverse: u64, window: &mut Eight) {
    // SAFETY: only reached through a `Modulus`, so the CPU has the instructions. Reads `lowest`, reads and writes t, writes
    // `window`, and leaves the stack as it was.
    unsafe {
        asm!(
            "push rbx",
            "push rbp",
            "push rcx",
            "mov rbx, rdx",
            eight!("mov", registers, "rsi"),
            "xor ebp, ebp",
            rows!(reducing_row),
            "pop rcx",
            eight!("mov", "rcx", registers),
            "pop rbp",
            "pop rbx",
            in("rdi") lowest.as_ptr(),
            in("rsi") t.as_mut_ptr(),
            inout("rdx") inverse => _,
            inout("rcx") window.as_mut_ptr() => _,
            out("rax") _, out("r8") _, out("r9") _, out("r10") _, out("r11") _,
            out("r12") _, out("r13") _, out("r14") _, out("r15") _,
        );
    }
}

/// The same where `inverse` is 1.
#[inline(never)]
pub(super) fn reduce_by_ones(t: &mut Eight, lowest: &Eight, window: &mut Eight) {
    // SAFETY: as above.
    unsafe {
        asm!(
            "push rbp",
            "push rcx",
            eight!("mov", registers, "rsi"),
            "xor ebp, ebp",
            rows!(reducing_row_by_ones),
            "pop rcx",
            eight!("mov", "rcx", registers),
            "pop rbp",
            in("rdi") lowest.as_ptr(),
            in("rsi") t.as_mut_ptr(),
            inout("rcx") window.as_mut_ptr() => _,
            out("rax") _, out("rdx") _, out("r8") _, out("r9") _, out("r10") _, out("r11") _,
            out("r12") _, out("r13") _, out("r14") _, out("r15") _,
        );
    }
}

/// A limb of p is subtracted if rdx is 1, and not if it is 0: a product, because that leaves the borrow alone.
#[rustfmt::skip]
macro_rules! difference {
    ($at:literal) => {
        concat!(
            "mulx r9, r8, [rsi + ", $at, "]\n",
            "mov r9, [rax + ", $at, "]\n",
            "sbb r9, r8\n",
            "mov [rdi + ", $at, "], r9\n",
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
    // SAFETY: only reached through a `Modulus`, so the CPU has the instructions. Reads four times `fours` limbs of t and p, and
    // writes as many of a.
    unsafe {
        asm!(
            "test edx, edx",
            "2:",
            difference!(0),
            difference!(8),
            difference!(16),
            difference!(24),
            // These leave the borrow alone.
            "lea rax, [rax + 32]",
            "lea rsi, [rsi + 32]",
            "lea rdi, [rdi + 32]",
            "dec rcx",
            "jnz 2b",
            in("rdx") condition,
            inout("rax") t.as_ptr() => _,
            inout("rdi") a.as_mut_ptr() => _,
            inout("rsi") p.as_ptr() => _,
            inout("rcx") fours => _,
            out("r8") _, out("r9") _,
            options(nostack),
        );
    }
}

//! The kernel for x86-64 with BMI2 and ADX: numbers as in the portable one, eight limbs by eight with two chains of carries.
//!
//! `unsafe` is the assembly itself, which may only run on a CPU that has the instructions; that there is a [`Modulus`] proves it.

use super::portable::{Block, Number, add_with, double, subtract_if};
use super::{Modulus as Arithmetic, Portable, Transfer};
use crate::uint::{Uint, Word};
use std::arch::asm;

/// Eight limbs, the lowest first.
type Pair = [Block; 2];

const ZERO: Pair = [[0; 4]; 2];

/// A modulus with its highest bit set, of an even number of blocks.
pub(crate) struct Modulus<const B: usize>(Box<Portable<B>>);

impl<const B: usize> Modulus<B> {
    /// None if the CPU lacks the instructions.
    pub(super) fn new<const LIMBS: usize>(modulus: &Uint<LIMBS>) -> Option<Self> {
        let here = is_x86_feature_detected!("bmi2") && is_x86_feature_detected!("adx");
        // For measuring and testing the portable kernel where this one would be taken.
        (here && B % 2 == 0 && !cfg!(otr_portable)).then(|| Self(Portable::new(modulus)))
    }
}

impl<const B: usize> Arithmetic for Modulus<B> {
    type Number = Number<B>;

    fn one(&self) -> Number<B> {
        self.0.one()
    }

    fn multiply(&self, a: &mut Number<B>, b: &Number<B>) {
        let p = pairs(&self.0.p);
        let mut sum = [[0; 4]; B];
        let mut carry = 0;
        for b in pairs(&b.0) {
            // sum + a b, of which `top` is the highest pair.
            let mut top = ZERO;
            for (sum, a) in pairs_mut(&mut sum).iter_mut().zip(pairs(&a.0)) {
                row(sum, a, b, &mut top);
            }
            let overflow = add(&mut top, &[[carry, 0, 0, 0], [0; 4]]);
            // Divided by 2^512 after adding the multiple of p that makes it divisible.
            let mut places = pairs_mut(&mut sum).iter_mut();
            let (Some(mut place), Some(lowest)) = (places.next(), p.first()) else {
                return;
            };
            let (m, mut window) = reduce(place, lowest, self.0.inverse);
            for (next, p) in places.zip(p.iter().skip(1)) {
                *place = *next;
                row(place, p, &m, &mut window);
                place = next;
            }
            carry = overflow + add(&mut top, &window);
            *place = top;
        }
        subtract_if(&mut sum, &self.0.p, carry);
        a.0 = sum;
    }

    fn square(&self, a: &mut Number<B>) {
        let p = pairs(&self.0.p);
        // The whole square.
        let mut wide = [[[0; 4]; B]; 2];
        let wide = pairs_mut(wide.as_flattened_mut());
        let mut factors = pairs(&a.0);
        let mut start = 1;
        while let Some((factor, others)) = factors.split_first() {
            // What is above the diagonal, once.
            let mut window = ZERO;
            let mut places = wide.iter_mut().skip(start);
            for (other, sum) in others.iter().zip(&mut places) {
                row(sum, other, factor, &mut window);
            }
            if let Some(place) = places.next() {
                *place = window;
            }
            factors = others;
            start += 2;
        }
        let (mut doubling, mut carry) = (0, 0);
        for (factor, place) in pairs(&a.0).iter().zip(wide.chunks_exact_mut(2)) {
            let [low, high] = place else { return };
            for block in low.iter_mut().chain(high.iter_mut()) {
                doubling = double(block, doubling);
            }
            let (mut square_low, mut square_high) = (ZERO, ZERO);
            row(&mut square_low, factor, factor, &mut square_high);
            carry = add_carrying(low, &square_low, carry);
            carry = add_carrying(high, &square_high, carry);
        }
        // Divided by R, pair by pair.
        let mut carry = 0;
        for start in 0..B / 2 {
            let mut places = wide.iter_mut().skip(start);
            let (Some(place), Some(lowest)) = (places.next(), p.first()) else {
                return;
            };
            let (m, mut window) = reduce(place, lowest, self.0.inverse);
            for (p, sum) in p.iter().skip(1).zip(&mut places) {
                row(sum, p, &m, &mut window);
            }
            if let Some(place) = places.next() {
                carry = add_carrying(place, &window, carry);
            }
        }
        for (place, block) in a.0.iter_mut().zip(wide.as_flattened().iter().skip(B)) {
            *place = *block;
        }
        subtract_if(&mut a.0, &self.0.p, carry);
    }

    fn select(&self, into: &mut Number<B>, table: &[Number<B>], index: Word) {
        self.0.select(into, table, index);
    }
}

impl<const B: usize, const LIMBS: usize> Transfer<LIMBS> for Modulus<B> {
    fn enter(&self, value: &Uint<LIMBS>) -> Box<Number<B>> {
        self.0.enter(value)
    }

    fn leave(&self, number: &Number<B>, value: &mut Uint<LIMBS>) {
        self.0.leave(number, value);
    }
}

/// Blocks two by two.
fn pairs(blocks: &[Block]) -> &[Pair] {
    // SAFETY: a pair is two blocks one after the other, and there are as many as are in `blocks`.
    unsafe { std::slice::from_raw_parts(blocks.as_ptr().cast(), blocks.len() / 2) }
}

/// The same, to be written to.
fn pairs_mut(blocks: &mut [Block]) -> &mut [Pair] {
    // SAFETY: as above, and the only reference to them is given up for the new one.
    unsafe { std::slice::from_raw_parts_mut(blocks.as_mut_ptr().cast(), blocks.len() / 2) }
}

/// a += b; the carry out.
fn add(a: &mut Pair, b: &Pair) -> u64 {
    add_carrying(a, b, 0)
}

/// a += b + carry; the carry out.
fn add_carrying(a: &mut Pair, b: &Pair, mut carry: u64) -> u64 {
    for (a, b) in a.iter_mut().zip(b) {
        carry = add_with(a, b, carry);
    }
    carry
}

/// The eight limbs at rdi times rdx are added to eight registers, by two chains of carries. The lowest is then done with: `$store`
/// does so, and it becomes the highest.
macro_rules! products {
    ($store:literal, $a0:literal, $a1:literal, $a2:literal, $a3:literal, $a4:literal, $a5:literal, $a6:literal, $a7:literal) => {
        concat!(
            // Both carries are zero.
            "xor eax, eax\n",
            "mulx rcx, rax, [rdi]\n",
            "adcx ",
            $a0,
            ", rax\n",
            "adox ",
            $a1,
            ", rcx\n",
            "mulx rcx, rax, [rdi + 8]\n",
            "adcx ",
            $a1,
            ", rax\n",
            "adox ",
            $a2,
            ", rcx\n",
            "mulx rcx, rax, [rdi + 16]\n",
            "adcx ",
            $a2,
            ", rax\n",
            "adox ",
            $a3,
            ", rcx\n",
            "mulx rcx, rax, [rdi + 24]\n",
            "adcx ",
            $a3,
            ", rax\n",
            "adox ",
            $a4,
            ", rcx\n",
            "mulx rcx, rax, [rdi + 32]\n",
            "adcx ",
            $a4,
            ", rax\n",
            "adox ",
            $a5,
            ", rcx\n",
            "mulx rcx, rax, [rdi + 40]\n",
            "adcx ",
            $a5,
            ", rax\n",
            "adox ",
            $a6,
            ", rcx\n",
            "mulx rcx, rax, [rdi + 48]\n",
            "adcx ",
            $a6,
            ", rax\n",
            "adox ",
            $a7,
            ", rcx\n",
            "mulx rcx, rax, [rdi + 56]\n",
            "adcx ",
            $a7,
            ", rax\n",
            $store,
            "\n",
            "mov ",
            $a0,
            ", 0\n",
            "adox ",
            $a0,
            ", rcx\n",
            "mov eax, 0\n",
            "adcx ",
            $a0,
            ", rax\n",
        )
    };
}

/// sum and window become the low and the high half of sum + window + a b.
fn row(sum: &mut Pair, a: &Pair, b: &Pair, window: &mut Pair) {
    let mut low = ZERO;
    // SAFETY: only reached through a `Modulus`, so the CPU has the instructions. Reads 64 bytes each of a, b and sum, writes 64
    // bytes each of low, sum and window, and leaves the stack as it was.
    unsafe {
        asm!(
            "push rbx",
            "push r9",
            "push rcx",
            "mov rbx, r8",
            "mov rax, r9",
            "mov r8, [rax]",
            "mov r9, [rax + 8]",
            "mov r10, [rax + 16]",
            "mov r11, [rax + 24]",
            "mov r12, [rax + 32]",
            "mov r13, [rax + 40]",
            "mov r14, [rax + 48]",
            "mov r15, [rax + 56]",
            "mov rdx, [rbx]",
            products!("mov [rsi], r8", "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15"),
            "mov rdx, [rbx + 8]",
            products!("mov [rsi + 8], r9", "r9", "r10", "r11", "r12", "r13", "r14", "r15", "r8"),
            "mov rdx, [rbx + 16]",
            products!("mov [rsi + 16], r10", "r10", "r11", "r12", "r13", "r14", "r15", "r8", "r9"),
            "mov rdx, [rbx + 24]",
            products!("mov [rsi + 24], r11", "r11", "r12", "r13", "r14", "r15", "r8", "r9", "r10"),
            "mov rdx, [rbx + 32]",
            products!("mov [rsi + 32], r12", "r12", "r13", "r14", "r15", "r8", "r9", "r10", "r11"),
            "mov rdx, [rbx + 40]",
            products!("mov [rsi + 40], r13", "r13", "r14", "r15", "r8", "r9", "r10", "r11", "r12"),
            "mov rdx, [rbx + 48]",
            products!("mov [rsi + 48], r14", "r14", "r15", "r8", "r9", "r10", "r11", "r12", "r13"),
            "mov rdx, [rbx + 56]",
            products!("mov [rsi + 56], r15", "r15", "r8", "r9", "r10", "r11", "r12", "r13", "r14"),
            // The low half and what was in sum.
            "pop rcx",
            "mov rax, [rsi]", "add [rcx], rax",
            "mov rax, [rsi + 8]", "adc [rcx + 8], rax",
            "mov rax, [rsi + 16]", "adc [rcx + 16], rax",
            "mov rax, [rsi + 24]", "adc [rcx + 24], rax",
            "mov rax, [rsi + 32]", "adc [rcx + 32], rax",
            "mov rax, [rsi + 40]", "adc [rcx + 40], rax",
            "mov rax, [rsi + 48]", "adc [rcx + 48], rax",
            "mov rax, [rsi + 56]", "adc [rcx + 56], rax",
            "adc r8, 0", "adc r9, 0", "adc r10, 0", "adc r11, 0",
            "adc r12, 0", "adc r13, 0", "adc r14, 0", "adc r15, 0",
            "pop rax",
            "mov [rax], r8",
            "mov [rax + 8], r9",
            "mov [rax + 16], r10",
            "mov [rax + 24], r11",
            "mov [rax + 32], r12",
            "mov [rax + 40], r13",
            "mov [rax + 48], r14",
            "mov [rax + 56], r15",
            "pop rbx",
            in("rdi") b.as_ptr(),
            in("rsi") low.as_mut_ptr(),
            inout("rcx") sum.as_mut_ptr() => _,
            inout("r8") a.as_ptr() => _,
            inout("r9") window.as_mut_ptr() => _,
            out("rax") _, out("rdx") _, out("r10") _, out("r11") _,
            out("r12") _, out("r13") _, out("r14") _, out("r15") _,
        );
    }
}

/// The m for which the lowest eight limbs of t + m p are zero, and what is carried out of these. `lowest` are those of p,
/// `inverse` is -1/p modulo 2^64.
fn reduce(t: &Pair, lowest: &Pair, inverse: u64) -> (Pair, Pair) {
    let (mut m, mut window) = (ZERO, ZERO);
    // SAFETY: only reached through a `Modulus`, so the CPU has the instructions. Reads 64 bytes each of t and lowest, writes 64
    // bytes each of m and window, and leaves the stack as it was.
    unsafe {
        asm!(
            "push rbx",
            "push r9",
            "mov rbx, r8",
            "mov r8, [rcx]",
            "mov r9, [rcx + 8]",
            "mov r10, [rcx + 16]",
            "mov r11, [rcx + 24]",
            "mov r12, [rcx + 32]",
            "mov r13, [rcx + 40]",
            "mov r14, [rcx + 48]",
            "mov r15, [rcx + 56]",
            "mov rdx, r8", "imul rdx, rbx",
            products!("mov [rsi], rdx", "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15"),
            "mov rdx, r9", "imul rdx, rbx",
            products!("mov [rsi + 8], rdx", "r9", "r10", "r11", "r12", "r13", "r14", "r15", "r8"),
            "mov rdx, r10", "imul rdx, rbx",
            products!("mov [rsi + 16], rdx", "r10", "r11", "r12", "r13", "r14", "r15", "r8", "r9"),
            "mov rdx, r11", "imul rdx, rbx",
            products!("mov [rsi + 24], rdx", "r11", "r12", "r13", "r14", "r15", "r8", "r9", "r10"),
            "mov rdx, r12", "imul rdx, rbx",
            products!("mov [rsi + 32], rdx", "r12", "r13", "r14", "r15", "r8", "r9", "r10", "r11"),
            "mov rdx, r13", "imul rdx, rbx",
            products!("mov [rsi + 40], rdx", "r13", "r14", "r15", "r8", "r9", "r10", "r11", "r12"),
            "mov rdx, r14", "imul rdx, rbx",
            products!("mov [rsi + 48], rdx", "r14", "r15", "r8", "r9", "r10", "r11", "r12", "r13"),
            "mov rdx, r15", "imul rdx, rbx",
            products!("mov [rsi + 56], rdx", "r15", "r8", "r9", "r10", "r11", "r12", "r13", "r14"),
            "pop rax",
            "mov [rax], r8",
            "mov [rax + 8], r9",
            "mov [rax + 16], r10",
            "mov [rax + 24], r11",
            "mov [rax + 32], r12",
            "mov [rax + 40], r13",
            "mov [rax + 48], r14",
            "mov [rax + 56], r15",
            "pop rbx",
            in("rdi") lowest.as_ptr(),
            in("rsi") m.as_mut_ptr(),
            inout("rcx") t.as_ptr() => _,
            inout("r8") inverse => _,
            inout("r9") window.as_mut_ptr() => _,
            out("rax") _, out("rdx") _, out("r10") _, out("r11") _,
            out("r12") _, out("r13") _, out("r14") _, out("r15") _,
        );
    }
    (m, window)
}

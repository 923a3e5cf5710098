//! Carries out the instructions of AVX-IFMA where the CPU does not know them, so that the kernel's machine code can be tested: each
//! one raises SIGILL, and the handler does what it would have done.

use crate::montgomery::AvxIfma;
use crate::uint::Uint;
use iced_x86::{Code, Decoder, DecoderOptions, Instruction, OpKind, Register};
use std::arch::x86_64::__cpuid_count;
use std::ffi::{c_int, c_void};
use std::mem::MaybeUninit;
use std::ptr;
use std::sync::OnceLock;

/// No instruction is longer.
const LONGEST: usize = 15;
/// The numbers of the general registers in a signal's frame, in the order in which instructions number them.
const GENERAL: [c_int; 16] = [
    libc::REG_RAX,
    libc::REG_RCX,
    libc::REG_RDX,
    libc::REG_RBX,
    libc::REG_RSP,
    libc::REG_RBP,
    libc::REG_RSI,
    libc::REG_RDI,
    libc::REG_R8,
    libc::REG_R9,
    libc::REG_R10,
    libc::REG_R11,
    libc::REG_R12,
    libc::REG_R13,
    libc::REG_R14,
    libc::REG_R15,
];

static BEFORE: OnceLock<Before> = OnceLock::new();

/// What the handler must know.
struct Before {
    /// What was done about SIGILL before.
    action: libc::sigaction,
    /// Where the area of `xsave` has the upper halves. Asking takes long on a virtual machine.
    upper: usize,
}

/// From now on, the process has the instructions. False where the CPU lacks AVX2 as well.
pub(super) fn begin() -> bool {
    if !is_x86_feature_detected!("avx2") {
        return false;
    }
    BEFORE.get_or_init(|| {
        let mut before = MaybeUninit::zeroed();
        // SAFETY: asks only.
        let asked = unsafe { libc::sigaction(libc::SIGILL, ptr::null(), before.as_mut_ptr()) };
        assert_eq!(asked, 0);
        #[allow(unused_unsafe, reason = "safe in newer compilers")]
        // SAFETY: CPUs with AVX have the leaf.
        let upper = unsafe { __cpuid_count(0xd, 2) }.ebx as usize;
        // SAFETY: it was written to.
        let action = unsafe { before.assume_init() };
        Before { action, upper }
    });
    // The decoder's tables are made at its first use, which is not to be in a handler.
    assert!(Decoder::new(64, &[0x90], DecoderOptions::NONE).can_decode());
    // SAFETY: zeros are no flags and an empty mask.
    let mut action: libc::sigaction = unsafe { MaybeUninit::zeroed().assume_init() };
    let handler: extern "C" fn(c_int, *mut libc::siginfo_t, *mut c_void) = on_illegal;
    action.sa_sigaction = handler as usize;
    action.sa_flags = libc::SA_SIGINFO;
    // SAFETY: the handler has the type that the flag asks for.
    let set = unsafe { libc::sigaction(libc::SIGILL, &raw const action, ptr::null_mut()) };
    set == 0
}

/// The kernel, after [`begin`].
pub(super) fn kernel<const V: usize, const B: usize, const LIMBS: usize>(
    modulus: &Uint<LIMBS>,
) -> Box<AvxIfma<V>> {
    assert!(BEFORE.get().is_some());
    // SAFETY: the instructions are emulated, and `begin` has looked for those of AVX2.
    unsafe { AvxIfma::make::<LIMBS, B>(modulus) }
}

extern "C" fn on_illegal(signal: c_int, _: *mut libc::siginfo_t, context: *mut c_void) {
    // SAFETY: with SA_SIGINFO, this is what the handler is given.
    let context = unsafe { &mut *context.cast::<libc::ucontext_t>() };
    let Some(before) = BEFORE.get() else {
        return;
    };
    if carry_out(&mut context.uc_mcontext, before.upper).is_none() {
        // The same instruction then raises the signal again.
        // SAFETY: what was set before is valid.
        unsafe { libc::sigaction(signal, &raw const before.action, ptr::null_mut()) };
    }
}

/// Carries out the instruction at which the program is, and moves on to the next. None if it is another one.
fn carry_out(context: &mut libc::mcontext_t, upper: usize) -> Option<()> {
    let general = context.gregs;
    let instruction = decode(general[libc::REG_RIP as usize] as u64)?;
    let (high, lanes) = match instruction.code() {
        Code::VEX_Vpmadd52luq_ymm_ymm_ymmm256 => (false, 4),
        Code::VEX_Vpmadd52huq_ymm_ymm_ymmm256 => (true, 4),
        Code::VEX_Vpmadd52luq_xmm_xmm_xmmm128 => (false, 2),
        Code::VEX_Vpmadd52huq_xmm_xmm_xmmm128 => (true, 2),
        _ => return None,
    };
    let mut vectors = Vectors::new(context.fpregs.cast(), upper)?;
    let sum = vectors.read(instruction.op0_register());
    let a = vectors.read(instruction.op1_register());
    let b = if instruction.op2_kind() == OpKind::Register {
        vectors.read(instruction.op2_register())
    } else {
        let address = instruction.virtual_address(2, 0, |register, _, _| {
            let of = |index: &c_int| general[*index as usize] as u64;
            match register {
                Register::DS | Register::ES | Register::SS => Some(0),
                _ if register.is_gpr64() => GENERAL.get(register.number()).map(of),
                _ => None,
            }
        })?;
        let from = ptr::with_exposed_provenance::<u64>(address as usize);
        std::array::from_fn(|lane| {
            if lane < lanes {
                // SAFETY: the program reads as many words from there.
                unsafe { from.add(lane).read_unaligned() }
            } else {
                0
            }
        })
    };
    let result = std::array::from_fn(|lane| {
        let factor = |lanes: [u64; 4]| u128::from(lanes[lane] & ((1 << 52) - 1));
        let product = factor(a) * factor(b);
        let half = if high {
            product >> 52
        } else {
            product % (1 << 52)
        };
        let sum = sum[lane].wrapping_add(half as u64);
        // The instructions for half of the register clear the other one.
        if lane < lanes { sum } else { 0 }
    });
    vectors.write(instruction.op0_register(), result);
    context.gregs[libc::REG_RIP as usize] = instruction.next_ip() as i64;
    Some(())
}

/// The instruction at an address.
fn decode(address: u64) -> Option<Instruction> {
    let at = ptr::with_exposed_provenance::<u8>(address as usize);
    // As far as its page goes; beyond, only if the instruction does.
    let page = 4096 - at.addr() % 4096;
    [LONGEST.min(page), LONGEST].into_iter().find_map(|length| {
        // SAFETY: the program is about to execute it.
        let bytes = unsafe { std::slice::from_raw_parts(at, length) };
        let instruction = Decoder::with_ip(64, bytes, address, DecoderOptions::NONE).decode();
        (!instruction.is_invalid()).then_some(instruction)
    })
}

/// The vector registers in the frame of a signal: an area as `xsave` writes it.
struct Vectors {
    area: *mut u8,
    /// Where the upper halves are.
    upper: usize,
}

impl Vectors {
    const XMM: u64 = 1 << 1;
    const YMM: u64 = 1 << 2;

    /// None if the area has no upper halves.
    fn new(area: *mut u8, upper: usize) -> Option<Self> {
        // Where Linux says whether there is more than the 512 bytes of `fxsave`, and which parts.
        // SAFETY: within these 512 bytes.
        let (magic, parts) = unsafe {
            let magic = area.add(464).cast::<u32>().read_unaligned();
            (magic, area.add(472).cast::<u64>().read_unaligned())
        };
        (magic == 0x4650_5853 && parts & Self::YMM != 0).then_some(Self { area, upper })
    }

    /// Each part, and where it begins: the lower and the upper halves of 16 registers.
    fn halves(&self) -> [(u64, *mut [u64; 2]); 2] {
        let starts = [(Self::XMM, 160), (Self::YMM, self.upper)];
        starts.map(|(part, start)| (part, self.area.wrapping_add(start).cast()))
    }

    /// A word with a bit for each part; what it does not have is zero, whatever the area has there.
    fn parts(&self) -> *mut u64 {
        self.area.wrapping_add(512).cast()
    }

    fn read(&self, register: Register) -> [u64; 4] {
        let mut words = [0; 4];
        for (half, (part, start)) in words.chunks_mut(2).zip(self.halves()) {
            // SAFETY: all of it is within the area.
            unsafe {
                if self.parts().read_unaligned() & part != 0 {
                    half.copy_from_slice(&start.add(register.number()).read_unaligned());
                }
            }
        }
        words
    }

    fn write(&mut self, register: Register, words: [u64; 4]) {
        let [a, b, c, d] = words;
        for (half, (part, start)) in [[a, b], [c, d]].into_iter().zip(self.halves()) {
            // SAFETY: all of it is within the area.
            unsafe {
                let parts = self.parts().read_unaligned();
                if parts & part == 0 {
                    start.write_bytes(0, 16);
                    self.parts().write_unaligned(parts | part);
                }
                start.add(register.number()).write_unaligned(half);
            }
        }
    }
}

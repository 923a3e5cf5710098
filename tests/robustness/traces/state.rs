//! The part of a program's state that is saved while we inspect it, and how to enter and leave the program.
//!
//! The register gs, which programs on x86-64 do not use, points to the state: so it can be reached from anywhere, without
//! another register and without changing the flags.

use std::arch::global_asm;
use std::io::{Error, Result};

use iced_x86::Register;

/// The general registers, in the order in which instructions number them.
pub(crate) const REGISTERS: [Register; 16] = [
    Register::RAX,
    Register::RCX,
    Register::RDX,
    Register::RBX,
    Register::RSP,
    Register::RBP,
    Register::RSI,
    Register::RDI,
    Register::R8,
    Register::R9,
    Register::R10,
    Register::R11,
    Register::R12,
    Register::R13,
    Register::R14,
    Register::R15,
];

/// The assembly below, and what is translated, know where each member is.
#[repr(C, align(64))]
pub(crate) struct State {
    pub registers: [u64; 16],
    pub flags: u64,
    /// Our own stack, while the program runs.
    host: u64,
    /// The translated block to run.
    pub entry: u64,
    /// Where translated blocks end: `leave`.
    exit: u64,
    /// Where the next address goes.
    pub log: u64,
    /// For translated code to keep registers in.
    spare: [u64; 3],
    padding: [u64; 8],
    /// As the instruction xsave has it.
    vectors: [u8; 4096],
}

pub(crate) const EXIT: i64 = 19 * 8;
pub(crate) const LOG: i64 = 20 * 8;
pub(crate) const SPARE: [i64; 3] = [21 * 8, 22 * 8, 23 * 8];

impl State {
    pub(crate) fn new() -> Box<Self> {
        let mut state = Box::new(Self {
            registers: [0; 16],
            flags: 0x202,
            host: 0,
            entry: 0,
            exit: u64::try_from((leave as unsafe extern "C" fn() as *const ()).addr()).unwrap_or(0),
            log: 0,
            spare: [0; 3],
            padding: [0; 8],
            vectors: [0; 4096],
        });
        // MXCSR as programs find it: no exceptions.
        for (byte, at) in state.vectors.iter_mut().skip(24).zip([0x80, 0x1f]) {
            *byte = at;
        }
        state
    }

    /// Lets gs point here.
    pub(crate) fn install(&self) -> Result<()> {
        const ARCH_SET_GS: libc::c_long = 0x1001;
        // SAFETY: nothing else uses gs.
        match unsafe { libc::syscall(libc::SYS_arch_prctl, ARCH_SET_GS, std::ptr::from_ref(self)) }
        {
            0 => Ok(()),
            _ => Err(Error::last_os_error()),
        }
    }

    /// The value of a register, as much of it as its name says. The segments begin at 0 here: where they do begin is the
    /// same all the time.
    pub(crate) fn value(&self, register: Register) -> Option<u64> {
        if matches!(
            register,
            Register::CS | Register::DS | Register::ES | Register::SS | Register::FS
        ) {
            return Some(0);
        }
        let full = register.full_register();
        let (whole, _) = self
            .registers
            .iter()
            .zip(REGISTERS)
            .find(|(_, known)| *known == full)?;
        match register.size() {
            8 => Some(*whole),
            4 => Some(*whole & 0xffff_ffff),
            _ => None,
        }
    }

    pub(crate) fn get(&self, register: Register) -> u64 {
        self.value(register).unwrap_or(0)
    }

    pub(crate) fn set(&mut self, register: Register, value: u64) {
        for (place, known) in self.registers.iter_mut().zip(REGISTERS) {
            if known == register {
                *place = value;
            }
        }
    }
}

unsafe extern "C" {
    /// Runs the block at `entry` of the installed state, this one, and comes back at its end.
    ///
    /// # Safety
    /// The block is code that keeps to the stack of the state.
    #[link_name = "otr_traces_enter"]
    pub(crate) fn enter(state: *mut State);

    /// Where every block goes at its end.
    #[link_name = "otr_traces_leave"]
    fn leave();
}

global_asm!(
    ".pushsection .text",
    ".globl otr_traces_enter",
    ".hidden otr_traces_enter",
    "otr_traces_enter:",
    "push rbx",
    "push rbp",
    "push r12",
    "push r13",
    "push r14",
    "push r15",
    "push rdi",
    "mov gs:[17*8], rsp",
    // x87, SSE, AVX and AVX-512.
    "mov eax, 0xe7",
    "xor edx, edx",
    "xrstor64 [rdi + 32*8]",
    "push qword ptr gs:[16*8]",
    "popfq",
    "mov rax, gs:[0*8]",
    "mov rcx, gs:[1*8]",
    "mov rdx, gs:[2*8]",
    "mov rbx, gs:[3*8]",
    "mov rsp, gs:[4*8]",
    "mov rbp, gs:[5*8]",
    "mov rsi, gs:[6*8]",
    "mov rdi, gs:[7*8]",
    "mov r8, gs:[8*8]",
    "mov r9, gs:[9*8]",
    "mov r10, gs:[10*8]",
    "mov r11, gs:[11*8]",
    "mov r12, gs:[12*8]",
    "mov r13, gs:[13*8]",
    "mov r14, gs:[14*8]",
    "mov r15, gs:[15*8]",
    "jmp qword ptr gs:[18*8]",
    ".globl otr_traces_leave",
    ".hidden otr_traces_leave",
    "otr_traces_leave:",
    "mov gs:[0*8], rax",
    "mov gs:[1*8], rcx",
    "mov gs:[2*8], rdx",
    "mov gs:[3*8], rbx",
    "mov gs:[4*8], rsp",
    "mov gs:[5*8], rbp",
    "mov gs:[6*8], rsi",
    "mov gs:[7*8], rdi",
    "mov gs:[8*8], r8",
    "mov gs:[9*8], r9",
    "mov gs:[10*8], r10",
    "mov gs:[11*8], r11",
    "mov gs:[12*8], r12",
    "mov gs:[13*8], r13",
    "mov gs:[14*8], r14",
    "mov gs:[15*8], r15",
    "mov rsp, gs:[17*8]",
    "pushfq",
    "pop qword ptr gs:[16*8]",
    "cld",
    "pop rdi",
    "mov eax, 0xe7",
    "xor edx, edx",
    "xsave64 [rdi + 32*8]",
    "pop r15",
    "pop r14",
    "pop r13",
    "pop r12",
    "pop rbp",
    "pop rbx",
    "ret",
    ".popsection",
);

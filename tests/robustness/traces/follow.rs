//! Executes a program block by block, and reports what it does.

use std::collections::BTreeMap;
use std::ffi::c_void;
use std::io::Write;
use std::ptr::with_exposed_provenance_mut;

use iced_x86::{FlowControl, Instruction, Mnemonic, OpKind, Register};

use crate::heap::Heap;
use crate::machine::Machine;
use crate::secrets::Secret;
use crate::state::{State, enter};
use crate::translate::{Block, NotFollowed, ROOM, translate};

/// Translated code, and the stack of what is followed.
const CODE: usize = 16 << 20;
const STACK: usize = 4 << 20;
/// Where the program goes when its work is done: nowhere.
const END: u64 = 0x0dea_d000;
/// Words that are told at once.
const TOLD: usize = 8192;
/// In a word that is told: a block begins at this address. Addresses of programs are shorter.
pub(crate) const BLOCK: u64 = 1 << 63;
/// And: one of the functions of malloc is called with these arguments.
pub(crate) const CALL: u64 = 1 << 62;

pub(crate) struct Follower<W: Write> {
    state: Box<State>,
    machine: Machine,
    blocks: BTreeMap<u64, (u64, Block)>,
    code: *mut u8,
    written: usize,
    stack: u64,
    heap: Heap,
    /// What was noted and not told yet.
    log: Vec<u64>,
    /// Who is told; nobody during preparations.
    to: Option<W>,
    draws: (Secret, u64),
    malloc: [(u64, Function); 6],
}

/// What `heap` stands in for.
#[derive(Clone, Copy)]
enum Function {
    Malloc,
    Calloc,
    Realloc,
    Free,
    PosixMemalign,
    AlignedAlloc,
}

pub(crate) fn word(address: usize) -> u64 {
    u64::try_from(address).unwrap_or(0)
}

pub(crate) fn place<T>(address: u64) -> *mut T {
    with_exposed_provenance_mut(usize::try_from(address).unwrap_or(0))
}

pub(crate) fn map(length: usize, protection: libc::c_int) -> Result<*mut c_void, NotFollowed> {
    // SAFETY: fresh memory.
    let at = unsafe {
        libc::mmap(
            std::ptr::null_mut(),
            length,
            protection,
            libc::MAP_PRIVATE | libc::MAP_ANONYMOUS,
            -1,
            0,
        )
    };
    if at == libc::MAP_FAILED {
        return Err(NotFollowed(format!(
            "no memory for code that is written at run time (some systems forbid it): {}",
            std::io::Error::last_os_error()
        )));
    }
    Ok(at)
}

/// What the program is entered by.
extern "C" fn begin(work: *mut c_void) {
    // SAFETY: `run` gives a closure that is alive.
    let work = unsafe { &mut *work.cast::<&mut dyn FnMut()>() };
    work();
}

impl<W: Write> Follower<W> {
    pub(crate) fn new(machine: Machine) -> Result<Self, NotFollowed> {
        let state = State::new();
        state
            .install()
            .map_err(|error| NotFollowed(format!("arch_prctl: {error}")))?;
        let readable = libc::PROT_READ | libc::PROT_WRITE;
        let address = |function: *const ()| word(function.expose_provenance());
        Ok(Self {
            state,
            machine,
            blocks: BTreeMap::new(),
            code: map(CODE, readable | libc::PROT_EXEC)?.cast(),
            written: 0,
            stack: word(map(STACK, readable)?.expose_provenance() + STACK - 64),
            heap: Heap::new()?,
            log: vec![0; TOLD + 2 * ROOM],
            to: None,
            draws: (Secret::Random(0), 0),
            malloc: [
                (address(libc::malloc as *const ()), Function::Malloc),
                (address(libc::calloc as *const ()), Function::Calloc),
                (address(libc::realloc as *const ()), Function::Realloc),
                (address(libc::free as *const ()), Function::Free),
                (
                    address(libc::posix_memalign as *const ()),
                    Function::PosixMemalign,
                ),
                (
                    address(libc::aligned_alloc as *const ()),
                    Function::AlignedAlloc,
                ),
            ],
        })
    }

    /// Does the work without telling of it. What it draws at random is the same each time.
    pub(crate) fn prepare(&mut self, work: &mut dyn FnMut()) -> Result<(), NotFollowed> {
        self.run(work)
    }

    /// Does the work and tells of it: first how each block begins and what it reaches for, then, with `u64::MAX` in front,
    /// nothing more. What it draws at random is this secret.
    pub(crate) fn tell(
        &mut self,
        work: &mut dyn FnMut(),
        secret: Secret,
        to: W,
    ) -> Result<(), NotFollowed> {
        (self.to, self.draws) = (Some(to), (secret, 0));
        self.run(work)?;
        self.note(u64::MAX);
        self.hand_over(0);
        self.to = None;
        Ok(())
    }

    fn run(&mut self, mut work: &mut dyn FnMut()) -> Result<(), NotFollowed> {
        self.state.log = word(self.log.as_ptr().expose_provenance());
        self.state.set(Register::RSP, self.stack);
        self.state
            .set(Register::RDI, word((&raw mut work).expose_provenance()));
        self.push(END);
        let mut at = word((begin as *const ()).expose_provenance());
        while at != END {
            at = match self.malloc.iter().find(|(address, _)| *address == at) {
                Some((_, function)) => self.allocate(*function)?,
                None => self.block(at)?,
            };
            self.hand_over(TOLD);
        }
        Ok(())
    }

    /// Runs a block and the instruction at its end. Where the program goes on.
    fn block(&mut self, at: u64) -> Result<u64, NotFollowed> {
        self.note(BLOCK | at);
        if !self.blocks.contains_key(&at) {
            self.translate(at)?;
        }
        let Some((entry, block)) = self.blocks.get(&at) else {
            return Err(NotFollowed("a block was lost".to_owned()));
        };
        let (tail, next) = (block.tail, block.next);
        self.state.entry = *entry;
        // SAFETY: the state is installed, and the code does what the program does.
        unsafe { enter(&raw mut *self.state) };
        match tail {
            Some(tail) => self.carry_out(&tail),
            None => Ok(next),
        }
    }

    fn translate(&mut self, at: u64) -> Result<(), NotFollowed> {
        // SAFETY: the program goes there.
        let block = unsafe { translate(at) }?;
        if self.written + block.code.len() > CODE {
            return Err(NotFollowed("more code than there is room for".to_owned()));
        }
        let to = self.code.wrapping_add(self.written);
        // SAFETY: room that nothing else uses.
        unsafe { to.copy_from_nonoverlapping(block.code.as_ptr(), block.code.len()) };
        self.written += block.code.len();
        self.blocks
            .insert(at, (word(to.expose_provenance()), block));
        Ok(())
    }

    /// What `translate` leaves.
    fn carry_out(&mut self, tail: &Instruction) -> Result<u64, NotFollowed> {
        match tail.flow_control() {
            FlowControl::UnconditionalBranch => return Ok(tail.near_branch_target()),
            FlowControl::ConditionalBranch if tail.is_jcc_short_or_near() => {
                return Ok(if self.holds(tail) {
                    tail.near_branch_target()
                } else {
                    tail.next_ip()
                });
            }
            FlowControl::ConditionalBranch if tail.mnemonic() == Mnemonic::Jrcxz => {
                return Ok(if self.state.get(Register::RCX) == 0 {
                    tail.near_branch_target()
                } else {
                    tail.next_ip()
                });
            }
            FlowControl::IndirectBranch => return self.target(tail),
            FlowControl::Call if tail.op0_kind() == OpKind::NearBranch64 => {
                self.push(tail.next_ip());
                return Ok(tail.near_branch_target());
            }
            FlowControl::IndirectCall => {
                let target = self.target(tail)?;
                self.push(tail.next_ip());
                return Ok(target);
            }
            FlowControl::Return => {
                let target = self.pop();
                let extra = if tail.op_count() == 1 {
                    u64::from(tail.immediate16())
                } else {
                    0
                };
                self.state
                    .set(Register::RSP, self.state.get(Register::RSP) + extra);
                return Ok(target);
            }
            _ => {}
        }
        match tail.mnemonic() {
            Mnemonic::Cpuid => {
                let (leaf, part) = (self.state.get(Register::EAX), self.state.get(Register::ECX));
                let [eax, ebx, ecx, edx] = self.machine.cpuid(leaf, part);
                for (register, value) in [
                    (Register::RAX, eax),
                    (Register::RBX, ebx),
                    (Register::RCX, ecx),
                    (Register::RDX, edx),
                ] {
                    self.state.set(register, u64::from(value));
                }
            }
            Mnemonic::Syscall => self.system_call(),
            other => {
                return Err(NotFollowed(format!(
                    "{other:?} at {:x} is not known here",
                    tail.ip()
                )));
            }
        }
        Ok(tail.next_ip())
    }

    /// Whether a condition holds, by the flags.
    fn holds(&self, tail: &Instruction) -> bool {
        use iced_x86::ConditionCode as Is;
        let flag = |bit: u32| self.state.flags >> bit & 1 == 1;
        let (carry, parity, zero, sign, overflow) = (flag(0), flag(2), flag(6), flag(7), flag(11));
        match tail.condition_code() {
            Is::o => overflow,
            Is::no => !overflow,
            Is::b => carry,
            Is::ae => !carry,
            Is::e => zero,
            Is::ne => !zero,
            Is::be => carry || zero,
            Is::a => !(carry || zero),
            Is::s => sign,
            Is::ns => !sign,
            Is::p => parity,
            Is::np => !parity,
            Is::l => sign != overflow,
            Is::ge => sign == overflow,
            Is::le => zero || sign != overflow,
            Is::g => !zero && sign == overflow,
            Is::None => false,
        }
    }

    /// Where a jump or a call through a register or through memory goes.
    fn target(&mut self, tail: &Instruction) -> Result<u64, NotFollowed> {
        if tail.op0_kind() == OpKind::Register {
            return Ok(self.state.get(tail.op0_register()));
        }
        let address = tail
            .virtual_address(0, 0, |register, _, _| self.state.value(register))
            .filter(|_| tail.segment_prefix() == Register::None)
            .ok_or_else(|| NotFollowed(format!("a jump at {:x}", tail.ip())))?;
        self.note(address);
        // SAFETY: the program would read it.
        Ok(unsafe { place::<u64>(address).read_unaligned() })
    }

    fn push(&mut self, value: u64) {
        let top = self.state.get(Register::RSP) - 8;
        self.state.set(Register::RSP, top);
        self.note(top);
        // SAFETY: the stack of the program, which would do this.
        unsafe { place::<u64>(top).write_unaligned(value) };
    }

    fn pop(&mut self) -> u64 {
        let top = self.state.get(Register::RSP);
        self.state.set(Register::RSP, top + 8);
        self.note(top);
        // SAFETY: as above.
        unsafe { place::<u64>(top).read_unaligned() }
    }

    /// malloc and its like are not followed, because we use them ourselves: `heap` stands in for them. What they are
    /// called with is told.
    fn allocate(&mut self, function: Function) -> Result<u64, NotFollowed> {
        let [a, b, c] =
            [Register::RDI, Register::RSI, Register::RDX].map(|register| self.state.get(register));
        let heap = &mut self.heap;
        let (arguments, answer) = match function {
            Function::Malloc => (1, heap.take(a, 16)),
            Function::Calloc => (2, heap.take(a.saturating_mul(b), 16)),
            // SAFETY: the program would make the same call.
            Function::Realloc => (2, unsafe { heap.resize(a, b) }),
            Function::Free => {
                // SAFETY: likewise.
                unsafe { heap.give_back(a) };
                (1, Some(0))
            }
            Function::PosixMemalign => {
                let taken = heap.take(c, b);
                // SAFETY: likewise.
                unsafe { place::<u64>(a).write_unaligned(taken.unwrap_or(0)) };
                (3, taken.map(|_| 0))
            }
            Function::AlignedAlloc => (2, heap.take(b, a)),
        };
        for argument in [a, b, c].into_iter().take(arguments) {
            self.note(CALL | argument);
        }
        let answer = answer.ok_or_else(|| NotFollowed("more memory than there is".to_owned()))?;
        self.state.set(Register::RAX, answer);
        Ok(self.pop())
    }

    /// A system call: made as it stands, but what is drawn at random is ours.
    fn system_call(&mut self) {
        let number = self.state.get(Register::RAX);
        let [a, b, c, d, e, f] = [
            Register::RDI,
            Register::RSI,
            Register::RDX,
            Register::R10,
            Register::R8,
            Register::R9,
        ]
        .map(|register| self.state.get(register));
        let mut answer = number;
        if number == u64::try_from(libc::SYS_getrandom).unwrap_or(0) {
            self.draws.1 += 1;
            let length = usize::try_from(b).unwrap_or(0);
            let drawn = self.draws.0.drawn(length, self.draws.1);
            // SAFETY: the program wants this many bytes there.
            unsafe { place::<u8>(a).copy_from_nonoverlapping(drawn.as_ptr(), drawn.len()) };
            answer = b;
        } else {
            // SAFETY: the program makes this call.
            unsafe {
                std::arch::asm!("syscall", inout("rax") answer, in("rdi") a, in("rsi") b, in("rdx") c, in("r10") d,
                    in("r8") e, in("r9") f, out("rcx") _, out("r11") _);
            }
        }
        self.state.set(Register::RAX, answer);
    }

    /// A word for those who are told.
    fn note(&mut self, value: u64) {
        // SAFETY: `hand_over` sees to it that there is room.
        unsafe { place::<u64>(self.state.log).write(value) };
        self.state.log += 8;
    }

    /// Tells what was noted, if it is more than so many words.
    fn hand_over(&mut self, more_than: usize) {
        let begin = self.log.as_ptr();
        let noted = usize::try_from(self.state.log)
            .unwrap_or(0)
            .wrapping_sub(begin.addr())
            / 8;
        if noted <= more_than {
            return;
        }
        // SAFETY: so many words have been written there.
        let bytes = unsafe { std::slice::from_raw_parts(begin.cast::<u8>(), noted * 8) };
        let told = self.to.as_mut().map(|to| to.write_all(bytes));
        if matches!(told, Some(Err(_))) {
            // Nobody listens any more: the others have parted from this one.
            // SAFETY: ends this copy.
            unsafe { libc::_exit(0) };
        }
        self.state.log = word(begin.expose_provenance());
    }
}

//! Translates a part of a program into one that does the same and also records the addresses that it reads and writes.
//!
//! A block is translated from its beginning to the first instruction that jumps elsewhere, or that needs special handling
//! (a `Tail`); `follow` executes that one, and at the end of the block `leave` is executed. Instructions are copied
//! unchanged; those of AVX-IFMA are encoded for AVX-512 where the processor has nothing else. Before each one with an operand
//! in memory there is code that records the address: it changes no flag, and restores the registers.

use iced_x86::{
    Code, Decoder, DecoderOptions, Encoder, FlowControl, Instruction, InstructionInfoFactory,
    MemoryOperand, Mnemonic, OpAccess, OpKind, Register, UsedMemory,
};

use crate::machine::has_avx_ifma;
use crate::state::{EXIT, LOG, REGISTERS, SPARE};

/// No instruction is longer.
const LONGEST: usize = 15;
/// Blocks end after so many instructions at the latest, so that what they note is bounded.
const MOST: usize = 200;
/// An instruction notes so many words at the most.
const NOTES: usize = 8;
/// What a block may note.
pub(crate) const ROOM: usize = (MOST + 1) * NOTES;

/// Which kernel instructions belong to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Marks {
    pub ifma: bool,
    pub avx_ifma: bool,
    pub fma: bool,
    pub adx: bool,
}

/// A translated block.
pub(crate) struct Block {
    pub code: Vec<u8>,
    /// How many instructions were copied.
    pub length: u64,
    pub marks: Marks,
    /// The instruction behind them, which has not been done. None where the block just became long.
    pub tail: Option<Instruction>,
    /// Where what follows the copied instructions is.
    pub next: u64,
    /// For each word that it notes: of which instruction.
    pub notes: Vec<u64>,
}

/// Why a program cannot be followed.
#[derive(Debug)]
pub(crate) struct NotFollowed(pub String);

/// The instruction at an address.
///
/// # Safety
/// There is code.
pub(crate) unsafe fn decode(address: u64) -> Instruction {
    let at = std::ptr::with_exposed_provenance::<u8>(usize::try_from(address).unwrap_or(0));
    // The last bytes of a mapping are followed by no others.
    let page = 4096 - at.addr() % 4096;
    let mut length = LONGEST.min(page);
    loop {
        // SAFETY: as far as the page goes; beyond, only if the instruction does.
        let bytes = unsafe { std::slice::from_raw_parts(at, length) };
        let instruction = Decoder::with_ip(64, bytes, address, DecoderOptions::NONE).decode();
        if !instruction.is_invalid() || length == LONGEST {
            return instruction;
        }
        length = LONGEST;
    }
}

/// The addresses of an instruction that are not the same each time.
fn operands(instruction: &Instruction) -> Vec<UsedMemory> {
    let mut factory = InstructionInfoFactory::new();
    let info = factory.info(instruction);
    let varies = |used: &&UsedMemory| {
        used.access() != OpAccess::NoMemAccess
            && (used.base() != Register::None || used.index() != Register::None)
    };
    info.used_memory().iter().filter(varies).copied().collect()
}

/// An instruction of AVX-IFMA as AVX-512 has it, which does the same. None of any other.
fn with_avx512(instruction: &Instruction) -> Option<Instruction> {
    let code = match instruction.code() {
        Code::VEX_Vpmadd52luq_xmm_xmm_xmmm128 => Code::EVEX_Vpmadd52luq_xmm_k1z_xmm_xmmm128b64,
        Code::VEX_Vpmadd52huq_xmm_xmm_xmmm128 => Code::EVEX_Vpmadd52huq_xmm_k1z_xmm_xmmm128b64,
        Code::VEX_Vpmadd52luq_ymm_ymm_ymmm256 => Code::EVEX_Vpmadd52luq_ymm_k1z_ymm_ymmm256b64,
        Code::VEX_Vpmadd52huq_ymm_ymm_ymmm256 => Code::EVEX_Vpmadd52huq_ymm_k1z_ymm_ymmm256b64,
        _ => return None,
    };
    let mut other = *instruction;
    other.set_code(code);
    Some(other)
}

/// Whether `follow` carries this one out.
fn is_tail(instruction: &Instruction) -> bool {
    instruction.flow_control() != FlowControl::Next
        || matches!(instruction.mnemonic(), Mnemonic::Cpuid | Mnemonic::Syscall)
}

/// Translates the block at an address.
///
/// # Safety
/// There is code.
pub(crate) unsafe fn translate(address: u64) -> Result<Block, NotFollowed> {
    let mut block = Block {
        code: Vec::new(),
        length: 0,
        marks: Marks::default(),
        tail: None,
        next: address,
        notes: Vec::new(),
    };
    let mut writer = Writer::default();
    for _ in 0..MOST {
        // SAFETY: the program would go here.
        let instruction = unsafe { decode(block.next) };
        if instruction.is_invalid() {
            return Err(NotFollowed(format!(
                "what is at {:x} is no instruction",
                block.next
            )));
        }
        if is_tail(&instruction) {
            block.tail = Some(instruction);
            break;
        }
        let before = writer.notes;
        writer.copy(&instruction)?;
        block
            .notes
            .resize(block.notes.len() + writer.notes - before, block.next);
        let avx_ifma = with_avx512(&instruction).is_some();
        let multiplies = matches!(
            instruction.mnemonic(),
            Mnemonic::Vpmadd52luq | Mnemonic::Vpmadd52huq
        );
        block.marks.avx_ifma |= avx_ifma;
        block.marks.ifma |= multiplies && !avx_ifma;
        block.marks.fma |= instruction.mnemonic() == Mnemonic::Vfmadd231pd;
        block.marks.adx |= matches!(instruction.mnemonic(), Mnemonic::Adcx | Mnemonic::Adox);
        block.length += 1;
        block.next = instruction.next_ip();
    }
    // jmp gs:[EXIT]
    writer.code.extend([0x65, 0xff, 0x24, 0x25]);
    writer
        .code
        .extend(i32::try_from(EXIT).unwrap_or(0).to_le_bytes());
    block.code = writer.code;
    Ok(block)
}

/// A word of the state.
fn spare(at: i64) -> MemoryOperand {
    MemoryOperand::new(
        Register::None,
        Register::None,
        1,
        at,
        8,
        false,
        Register::GS,
    )
}

#[derive(Default)]
struct Writer {
    code: Vec<u8>,
    notes: usize,
}

impl Writer {
    fn put(&mut self, instruction: &Instruction) -> Result<(), NotFollowed> {
        let mut encoder = Encoder::new(64);
        // What is written here is the same wherever it is.
        let written = encoder.encode(instruction, 0);
        written.map_err(|error| NotFollowed(format!("{instruction:?}: {error}")))?;
        self.code.extend(encoder.take_buffer());
        Ok(())
    }

    fn make(&mut self, made: Result<Instruction, iced_x86::IcedError>) -> Result<(), NotFollowed> {
        self.put(&made.map_err(|error| NotFollowed(error.to_string()))?)
    }

    fn save(&mut self, register: Register, at: i64) -> Result<(), NotFollowed> {
        self.make(Instruction::with2(Code::Mov_rm64_r64, spare(at), register))
    }

    fn load(&mut self, register: Register, at: i64) -> Result<(), NotFollowed> {
        self.make(Instruction::with2(Code::Mov_r64_rm64, register, spare(at)))
    }

    /// Notes what `make` brings to rax.
    fn note(&mut self, make: Result<Instruction, iced_x86::IcedError>) -> Result<(), NotFollowed> {
        let [kept_rax, kept_rbx, _] = SPARE;
        let place = |by| {
            MemoryOperand::new(
                Register::RBX,
                Register::None,
                1,
                by,
                u32::from(by != 0),
                false,
                Register::None,
            )
        };
        self.save(Register::RAX, kept_rax)?;
        self.save(Register::RBX, kept_rbx)?;
        self.make(make)?;
        self.load(Register::RBX, LOG)?;
        self.make(Instruction::with2(
            Code::Mov_rm64_r64,
            place(0),
            Register::RAX,
        ))?;
        self.make(Instruction::with2(Code::Lea_r64_m, Register::RBX, place(8)))?;
        self.save(Register::RBX, LOG)?;
        self.load(Register::RAX, kept_rax)?;
        self.load(Register::RBX, kept_rbx)?;
        self.notes += 1;
        Ok(())
    }

    /// Notes a register in halves: a word with its highest bit set means something else.
    fn note_register(&mut self, register: Register) -> Result<(), NotFollowed> {
        if register.size() == 4 {
            return self.note(Instruction::with2(
                Code::Mov_r32_rm32,
                Register::EAX,
                register,
            ));
        }
        let [_, _, kept] = SPARE;
        for half in [kept, kept + 4] {
            self.save(register, kept)?;
            self.note(Instruction::with2(
                Code::Mov_r32_rm32,
                Register::EAX,
                spare(half),
            ))?;
        }
        Ok(())
    }

    /// An instruction, and before it what notes its addresses.
    fn copy(&mut self, instruction: &Instruction) -> Result<(), NotFollowed> {
        let refuse = |why: &str| {
            NotFollowed(format!(
                "{:?} at {:x}: {why}",
                instruction.mnemonic(),
                instruction.ip()
            ))
        };
        for used in operands(instruction) {
            let plain =
                |register: Register| register == Register::None || REGISTERS.contains(&register);
            if !plain(used.base()) || !plain(used.index()) {
                return Err(refuse("its addresses are not in general registers"));
            }
            if used.segment() == Register::GS {
                return Err(refuse("it uses gs"));
            }
            let displacement = used.displacement() as i64;
            let size = u32::from(displacement != 0);
            let operand = MemoryOperand::new(
                used.base(),
                used.index(),
                used.scale(),
                displacement,
                size,
                false,
                Register::None,
            );
            self.note(Instruction::with2(Code::Lea_r64_m, Register::RAX, operand))?;
        }
        let repeats = instruction.has_rep_prefix() || instruction.has_repne_prefix();
        let repeats = repeats && instruction.is_string_instruction();
        if repeats {
            self.note_register(Register::RCX)?;
        }
        if matches!(instruction.mnemonic(), Mnemonic::Div | Mnemonic::Idiv) {
            self.note_division(instruction)?;
        }
        // The processor is asked last: that takes long on a virtual machine.
        let other = with_avx512(instruction).filter(|_| !has_avx_ifma());
        if instruction.is_ip_rel_memory_operand() {
            self.copy_elsewhere(other.as_ref().unwrap_or(instruction))?;
        } else if let Some(other) = other {
            self.put(&other)?;
        } else {
            let at = usize::try_from(instruction.ip()).unwrap_or(0);
            let at = std::ptr::with_exposed_provenance::<u8>(at);
            // SAFETY: it was read from there.
            let bytes = unsafe { std::slice::from_raw_parts(at, instruction.len()) };
            self.code.extend_from_slice(bytes);
        }
        if repeats {
            self.note_register(Register::RCX)?;
        }
        Ok(())
    }

    /// The time of a division depends on its operands.
    fn note_division(&mut self, instruction: &Instruction) -> Result<(), NotFollowed> {
        let wide = match instruction.op0_kind() {
            OpKind::Register => instruction.op0_register().size(),
            _ => instruction.memory_size().size(),
        };
        let (rax, rdx) = match wide {
            8 => (Register::RAX, Register::RDX),
            4 => (Register::EAX, Register::EDX),
            _ => {
                return Err(NotFollowed(format!(
                    "a division of {wide} bytes at {:x}",
                    instruction.ip()
                )));
            }
        };
        self.note_register(rax)?;
        self.note_register(rdx)?;
        if instruction.op0_kind() == OpKind::Register {
            return self.note_register(instruction.op0_register());
        }
        if instruction.is_ip_rel_memory_operand() {
            // A constant.
            return Ok(());
        }
        for half in (0..).step_by(4).take(wide / 4) {
            let mut load = *instruction;
            load.set_code(Code::Mov_r32_rm32);
            load.set_op1_kind(OpKind::Memory);
            load.set_op0_kind(OpKind::Register);
            load.set_op0_register(Register::EAX);
            load.set_memory_displ_size(8);
            load.set_memory_displacement64(load.memory_displacement64().wrapping_add(half));
            self.note(Ok(load))?;
        }
        Ok(())
    }

    /// An instruction that names its operand by its distance, with the address in a register instead.
    fn copy_elsewhere(&mut self, instruction: &Instruction) -> Result<(), NotFollowed> {
        let [_, _, kept] = SPARE;
        let mut factory = InstructionInfoFactory::new();
        let info = factory.info(instruction);
        let used: Vec<_> = info
            .used_registers()
            .iter()
            .map(|used| used.register().full_register())
            .collect();
        let free = [
            Register::RAX,
            Register::RCX,
            Register::RDX,
            Register::RSI,
            Register::RDI,
            Register::R8,
            Register::R9,
        ];
        let Some(base) = free.into_iter().find(|register| !used.contains(register)) else {
            return Err(NotFollowed(format!(
                "{:?} leaves no register",
                instruction.mnemonic()
            )));
        };
        let mut moved = *instruction;
        moved.set_memory_base(base);
        moved.set_memory_displacement64(0);
        moved.set_memory_displ_size(0);
        self.save(base, kept)?;
        let address = instruction.ip_rel_memory_address();
        self.make(Instruction::with2(Code::Mov_r64_imm64, base, address))?;
        self.put(&moved)?;
        self.load(base, kept)
    }
}

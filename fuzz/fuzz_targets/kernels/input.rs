//! What the bytes of an input mean: a modulus, four numbers and a program.
//!
//! | bytes | what |
//! |---|---|
//! | 1 | the modulus modulo 3: the prime of the group, or any odd number of 1536 or of 1024 bits |
//! | words | this odd number; nothing for the prime |
//! | four numbers | a byte modulo 3, and words: the number itself; p and so much more; or what is so much once it is multiplied by 2^n, with n in two more bytes, the lower one first |
//! | the rest | the program |
//!
//! A word is a byte for 2^k - 1, for its complement or for 2^k, or else a byte and the word itself: numbers with long runs of
//! zeros and ones, in which carries travel far, are short. What a kernel calculates with is a number times a power of 2.
//!
//! A step of the program is a byte, for a power five: its upper half is the operation, its lower half two numbers. Bytes that are
//! missing are zero.

use num_bigint::BigUint;

/// How many numbers a program has.
pub(crate) const NUMBERS: usize = 4;

/// A program is not longer.
const STEPS: usize = 48;

/// The prime of RFC 3526 group 5.
const P: &[u8] = b"\
    ffffffffffffffffc90fdaa22168c234c4c6628b80dc1cd129024e088a67cc74\
    020bbea63b139b22514a08798e3404ddef9519b3cd3a431b302b0a6df25f1437\
    4fe1356d6d51c245e485b576625e7ec6f44c42e9a637ed6b0bff5cb6f406b7ed\
    ee386bfb5a899fa5ae9f24117c4b1fe649286651ece45b3dc2007cb8a163bf05\
    98da48361c55d39a69163fa8fd24cf5f83655d23dca3ad961c62f356208552bb\
    9ed529077096966d670c354e4abc9804f1746c08ca237327ffffffffffffffff";

#[derive(Debug)]
pub(crate) struct Input {
    /// Odd, its highest bit set.
    pub(crate) modulus: BigUint,
    /// The length of the modulus: 1536 or 1024. The numbers are not longer.
    pub(crate) bits: usize,
    pub(crate) numbers: [BigUint; NUMBERS],
    pub(crate) program: Vec<Step>,
}

/// A number becomes the result of an operation on it and on another one, or on itself once more.
#[derive(Debug)]
pub(crate) struct Step {
    pub(crate) into: usize,
    pub(crate) other: usize,
    pub(crate) operation: Operation,
}

#[derive(Debug)]
pub(crate) enum Operation {
    /// The product of both.
    Multiply,
    Square,
    /// The other one, from the table of all numbers.
    Select,
    One,
    /// The product of both, raised to these.
    Power([u16; 2]),
}

impl Input {
    /// None if there are more bytes than a program can have.
    pub(crate) fn read(bytes: &[u8]) -> Option<Self> {
        let mut rest = Rest(bytes);
        let kind = rest.byte() % 3;
        let bits = if kind == 2 { 1024 } else { 1536 };
        let modulus = match kind {
            0 => BigUint::parse_bytes(P, 16).unwrap(),
            _ => {
                let mut any = rest.words(bits);
                any.set_bit(0, true);
                any.set_bit(bits as u64 - 1, true);
                any
            }
        };
        let numbers = [(); NUMBERS].map(|()| rest.number(&modulus, bits));
        let program = std::iter::from_fn(|| rest.step()).take(STEPS).collect();
        rest.0.is_empty().then_some(Self {
            modulus,
            bits,
            numbers,
            program,
        })
    }
}

/// base^exponent modulo p. Not `modpow`, which multiplies in Montgomery's way itself, and is slow in a build for fuzzing.
pub(crate) fn power_of(base: &BigUint, exponent: u16, p: &BigUint) -> BigUint {
    let bits = (0..u16::BITS - exponent.leading_zeros()).rev();
    bits.fold(BigUint::from(1_u32), |power, bit| {
        let square = &power * &power % p;
        if exponent >> bit & 1 == 1 {
            square * base % p
        } else {
            square
        }
    })
}

/// The bytes that were not read yet.
struct Rest<'a>(&'a [u8]);

impl Rest<'_> {
    fn array<const N: usize>(&mut self) -> [u8; N] {
        let mut bytes = [0; N];
        let there = N.min(self.0.len());
        bytes[..there].copy_from_slice(&self.0[..there]);
        self.0 = &self.0[there..];
        bytes
    }

    fn byte(&mut self) -> u8 {
        let [byte] = self.array();
        byte
    }

    /// The highest word comes first.
    fn words(&mut self, bits: usize) -> BigUint {
        (0..bits / 64).fold(BigUint::ZERO, |number, _| (number << 64) + self.word())
    }

    fn word(&mut self) -> u64 {
        let byte = self.byte();
        let power = 1 << (byte & 63);
        match byte >> 6 {
            0 => power - 1,
            1 => !(power - 1),
            2 => power,
            _ => u64::from_be_bytes(self.array()),
        }
    }

    fn number(&mut self, modulus: &BigUint, bits: usize) -> BigUint {
        match self.byte() % 3 {
            0 => self.words(bits),
            1 => (modulus + self.words(bits)) % (BigUint::from(1_u32) << bits),
            _ => {
                let power = u16::from_le_bytes(self.array()) % 2048;
                let half: BigUint = (modulus + 1_u32) >> 1;
                self.words(bits) * power_of(&half, power, modulus) % modulus
            }
        }
    }

    fn step(&mut self) -> Option<Step> {
        if self.0.is_empty() {
            return None;
        }
        let byte = self.byte();
        let operation = match byte >> 4 {
            0..6 => Operation::Multiply,
            6..12 => Operation::Square,
            12 | 13 => Operation::Select,
            14 => Operation::One,
            _ => Operation::Power([(); 2].map(|()| u16::from_le_bytes(self.array()))),
        };
        Some(Step {
            into: usize::from(byte & 3),
            other: usize::from(byte >> 2 & 3),
            operation,
        })
    }
}

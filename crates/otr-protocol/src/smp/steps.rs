//! The five steps of the Socialist Millionaires' Protocol (OTR protocol, "Socialist Millionaires' Protocol"): two people
//! learn whether they typed the same secret, and nothing else.
//!
//! Each step takes the result of its predecessor and returns what its successor needs, so no step can be taken out of turn.
//! The numbers have the names of the specification.
#![expect(clippy::disallowed_methods, reason = "numbers of 192 bytes")]

mod base;
mod proofs;

use otr_crypto::group::{
    Challenge, Element, Exponent, Residue, Scalar, divide, generator_pow_public, pow,
};
use otr_crypto::hash::sha256_into;
use zeroize::Zeroizing;

pub use self::base::Base;
use self::proofs::{
    Coordinates, check_coordinates, check_equal_logs, check_half, half, prove_equal_powers,
};
use crate::error::ProtocolError;
use crate::wire::messages::smp::{read_mpis, write_mpis};

/// What the secret of both sides is bound to: who asks, who answers, and this session.
#[derive(Debug)]
pub struct SecretBinding<'a> {
    /// Fingerprint of the side that began.
    pub initiator: &'a [u8; 20],
    /// Fingerprint of the other side.
    pub responder: &'a [u8; 20],
    /// The secure session id.
    pub session_id: &'a [u8],
}

impl SecretBinding<'_> {
    /// The number that is compared: SHA-256 of 0x01, both fingerprints, the session id and the typed secret.
    pub fn bind(&self, typed: &[u8]) -> Result<Exponent, ProtocolError> {
        let mut hash = Zeroizing::new([0; 32]);
        let parts = [
            &[0x01],
            &self.initiator[..],
            self.responder,
            self.session_id,
            typed,
        ];
        sha256_into(&parts, &mut hash);
        Exponent::from_bytes(&*hash).ok_or(ProtocolError::Invalid)
    }
}

/// The side that began, after message 1.
#[derive(Clone, Debug)]
pub struct Initiated {
    /// The secret to compare.
    pub secret: Exponent,
    /// Our exponent behind g2.
    pub x2: Exponent,
    /// Our exponent behind g3.
    pub x3: Exponent,
}

/// The other side, after message 1: it waits for its user to type the secret.
#[derive(Clone, Debug)]
pub struct Asked {
    /// Our exponent behind g2.
    pub x2: Exponent,
    /// Our exponent behind g3.
    pub x3: Exponent,
    /// g2 = (their g2 half)^x2.
    pub g2: Base,
    /// g3 = (their g3 half)^x3.
    pub g3: Base,
    /// Their half of g3.
    pub g3o: Element,
}

/// The other side, after message 2.
#[derive(Clone, Debug)]
pub struct Answered {
    /// Our exponent behind g3.
    pub x3: Exponent,
    /// The common base g2.
    pub g2: Base,
    /// The common base g3.
    pub g3: Base,
    /// Their half of g3.
    pub g3o: Element,
    /// Our P.
    pub p: Residue,
    /// Our Q.
    pub q: Residue,
}

/// The side that began, after message 3.
#[derive(Clone, Debug)]
pub struct Compared {
    /// Our exponent behind g3.
    pub x3: Exponent,
    /// Their half of g3.
    pub g3o: Element,
    /// Pa / Pb.
    pub pab: Residue,
    /// Qa / Qb.
    pub qab: Base,
}

/// Numbers that later steps do not need but that the public state of the C interface shows.
#[derive(Clone, Debug)]
pub struct Shown {
    /// The common base g2.
    pub g2: Residue,
    /// The common base g3.
    pub g3: Residue,
    /// Our P.
    pub p: Residue,
    /// Our Q.
    pub q: Residue,
}

/// Message 1: begins the comparison of `secret`.
pub fn step1(secret: Exponent) -> Result<(Initiated, Vec<u8>), ProtocolError> {
    let x2 = Exponent::random_1536()?;
    let x3 = Exponent::random_1536()?;
    let mut numbers = Vec::with_capacity(6);
    numbers.extend(half(&x2, 1)?);
    numbers.extend(half(&x3, 2)?);
    let message = write_mpis(&numbers)?;
    Ok((Initiated { secret, x2, x3 }, message))
}

/// Checks message 1 and makes our halves; message 2 waits for the user's secret.
pub fn step2a(message1: &[u8]) -> Result<Asked, ProtocolError> {
    let numbers = Numbers::<6>::read(message1)?;
    let g2a = numbers.element(0)?;
    let d2 = numbers.scalar(2)?;
    let g3a = numbers.element(3)?;
    let d3 = numbers.scalar(5)?;
    let (c2, c3) = (numbers.challenge(1)?, numbers.challenge(4)?);
    let half2 = check_half(&g2a, &c2, &d2, 1)?;
    let half3 = check_half(&g3a, &c3, &d3, 2)?;

    let x2 = Exponent::random_1536()?;
    let x3 = Exponent::random_1536()?;
    let g2 = Base::raised(half2, &x2);
    let g3 = Base::raised(half3, &x3);
    Ok(Asked {
        x2,
        x3,
        g2,
        g3,
        g3o: g3a,
    })
}

/// Message 2: answers with our secret.
// A frame of its own, so that the test of constant time can except its verdict by name.
#[inline(never)]
pub fn step2b(asked: &Asked, secret: &Exponent) -> Result<(Answered, Vec<u8>), ProtocolError> {
    let Asked {
        x2,
        x3,
        g2,
        g3,
        g3o,
    } = asked;
    let mut numbers = Vec::with_capacity(11);
    numbers.extend(half(x2, 3)?);
    numbers.extend(half(x3, 4)?);
    let (g2, g3) = (g2.clone().prepare(), g3.clone().prepare());
    let coordinates = Coordinates::make((&g2, &g3), secret, 5)?;
    coordinates.write(&mut numbers);
    let message = write_mpis(&numbers)?;
    let answered = Answered {
        x3: x3.clone(),
        g2,
        g3,
        g3o: g3o.clone(),
        p: coordinates.p,
        q: coordinates.q,
    };
    Ok((answered, message))
}

/// Message 3, and what it leaves with the side that began. Boxed on its way: clients run on small stacks.
pub type Message3 = Box<(Compared, Shown, Vec<u8>)>;

/// Checks message 2 and makes message 3.
// A frame of its own, so that the test of constant time can except its verdict by name.
#[inline(never)]
pub fn step3(initiated: &Initiated, message2: &[u8]) -> Result<Message3, ProtocolError> {
    let theirs = check_message2(initiated, message2)?;
    let ours = Coordinates::make((&theirs.g2, &theirs.g3), &initiated.secret, 6)?;
    let pab = quotient(&ours.p, &theirs.pb)?;
    let qab = Base::new(quotient(&ours.q, &theirs.qb)?).prepare();
    let mut numbers = Vec::with_capacity(8);
    ours.write(&mut numbers);
    prove_equal_powers(&qab, &initiated.x3, 7, &mut numbers)?;
    finish_message3(initiated, *theirs, *ours, (pab, qab), &numbers)
}

/// What message 2 gave the side that began.
struct Theirs {
    g2: Base,
    g3: Base,
    g3b: Element,
    pb: Element,
    qb: Element,
}

// A frame of its own, so that the test of constant time can except its verdict by name; and so that it leaves room on the
// stack for what comes after it.
#[inline(never)]
fn check_message2(initiated: &Initiated, message2: &[u8]) -> Result<Box<Theirs>, ProtocolError> {
    let Initiated { x2, x3, .. } = initiated;
    let message2 = read_message2(message2)?;
    let Message2Numbers {
        g2b,
        g3b,
        pb,
        qb,
        d2,
        d3,
        d5,
        d6,
        c2,
        c3,
        cp,
    } = &*message2;
    let g2 = Base::raised(check_half(g2b, c2, d2, 3)?, x2);
    let g3 = Base::raised(check_half(g3b, c3, d3, 4)?, x3);
    let first = g3.product_public(d5, pb, cp);
    let second = g2.product_public(d6, qb, cp);
    check_coordinates(cp, &generator_pow_public(d5), &first, &second, 5)?;
    let Message2Numbers { g3b, pb, qb, .. } = *message2;
    Ok(Box::new(Theirs {
        g2,
        g3,
        g3b,
        pb,
        qb,
    }))
}

/// The numbers of message 2, in their ranges.
struct Message2Numbers {
    g2b: Element,
    g3b: Element,
    pb: Element,
    qb: Element,
    d2: Scalar,
    d3: Scalar,
    d5: Scalar,
    d6: Scalar,
    c2: Challenge,
    c3: Challenge,
    cp: Challenge,
}

#[inline(never)]
fn read_message2(message2: &[u8]) -> Result<Box<Message2Numbers>, ProtocolError> {
    let numbers = Numbers::<11>::read(message2)?;
    Ok(Box::new(Message2Numbers {
        g2b: numbers.element(0)?,
        g3b: numbers.element(3)?,
        pb: numbers.element(6)?,
        qb: numbers.element(7)?,
        d2: numbers.scalar(2)?,
        d3: numbers.scalar(5)?,
        d5: numbers.scalar(9)?,
        d6: numbers.scalar(10)?,
        c2: numbers.challenge(1)?,
        c3: numbers.challenge(4)?,
        cp: numbers.challenge(8)?,
    }))
}

#[inline(never)]
fn finish_message3(
    initiated: &Initiated,
    theirs: Theirs,
    ours: Coordinates,
    (pab, qab): (Residue, Base),
    numbers: &[Vec<u8>],
) -> Result<Message3, ProtocolError> {
    let message = write_mpis(numbers)?;
    let compared = Compared {
        x3: initiated.x3.clone(),
        g3o: theirs.g3b,
        pab,
        qab,
    };
    let shown = Shown {
        g2: theirs.g2.value().clone(),
        g3: theirs.g3.value().clone(),
        p: ours.p,
        q: ours.q,
    };
    Ok(Box::new((compared, shown, message)))
}

/// What message 3 gave the side that answered.
#[derive(Debug)]
pub struct Verdict {
    /// Whether the two secrets are the same.
    pub equal: bool,
    /// Message 4.
    pub message: Vec<u8>,
    /// Pa / Pb.
    pub pab: Residue,
    /// Qa / Qb.
    pub qab: Residue,
}

/// Checks message 3, makes message 4 and knows the verdict.
// A frame of its own, so that the test of constant time can except its verdict by name.
#[inline(never)]
pub fn step4(answered: &Answered, message3: &[u8]) -> Result<Verdict, ProtocolError> {
    let Answered {
        x3,
        g2,
        g3,
        g3o,
        p,
        q,
    } = answered;
    let message3 = read_message3(message3)?;
    let (pa, qa, ra, cp) = (&message3.pa, &message3.qa, &message3.ra, &message3.cp);
    let first = g3.product_public(&message3.d5, pa, cp);
    let second = g2.product_public(&message3.d6, qa, cp);
    check_coordinates(cp, &generator_pow_public(&message3.d5), &first, &second, 6)?;
    let pab = quotient(pa, p)?;
    let qab = Base::new(quotient(qa, q)?).prepare();
    let (cr, d7) = (&message3.cr, &message3.d7);
    check_equal_logs(cr, d7, g3o, &qab.product_public(d7, ra, cr), 7)?;

    let mut numbers = Vec::with_capacity(3);
    prove_equal_powers(&qab, x3, 8, &mut numbers)?;
    let message = write_mpis(&numbers)?;
    let equal = pow(ra, x3) == pab;
    Ok(Verdict {
        equal,
        message,
        pab,
        qab: qab.value().clone(),
    })
}

/// The numbers of message 3, in their ranges.
struct Message3Numbers {
    pa: Element,
    qa: Element,
    ra: Element,
    d5: Scalar,
    d6: Scalar,
    d7: Scalar,
    cp: Challenge,
    cr: Challenge,
}

#[inline(never)]
fn read_message3(message3: &[u8]) -> Result<Box<Message3Numbers>, ProtocolError> {
    let numbers = Numbers::<8>::read(message3)?;
    Ok(Box::new(Message3Numbers {
        pa: numbers.element(0)?,
        qa: numbers.element(1)?,
        ra: numbers.element(5)?,
        d5: numbers.scalar(3)?,
        d6: numbers.scalar(4)?,
        d7: numbers.scalar(7)?,
        cp: numbers.challenge(2)?,
        cr: numbers.challenge(6)?,
    }))
}

/// Checks message 4: whether the two secrets are the same.
// A frame of its own, so that the test of constant time can except its verdict by name.
#[inline(never)]
pub fn step5(compared: &Compared, message4: &[u8]) -> Result<bool, ProtocolError> {
    let Compared { x3, g3o, pab, qab } = compared;
    let numbers = Numbers::<3>::read(message4)?;
    let rb = numbers.element(0)?;
    let d7 = numbers.scalar(2)?;
    let cr = numbers.challenge(1)?;
    check_equal_logs(&cr, &d7, g3o, &qab.product_public(&d7, &rb, &cr), 8)?;
    Ok(pow(&rb, x3) == *pab)
}

/// a / b, refused when it is 1: the specification demands that Pa differs from Pb and Qa from Qb.
// A frame of its own, so that the test of constant time can except its verdict by name.
#[inline(never)]
fn quotient(a: &Residue, b: &Residue) -> Result<Residue, ProtocolError> {
    if a == b {
        return Err(ProtocolError::Invalid);
    }
    divide(a, b).ok_or(ProtocolError::Invalid)
}

/// The numbers of one message, of which every access checks the range.
struct Numbers<'a, const N: usize>(Vec<&'a [u8]>);

impl<'a, const N: usize> Numbers<'a, N> {
    fn read(message: &'a [u8]) -> Result<Self, ProtocolError> {
        Ok(Self(read_mpis(message, N)?))
    }

    fn get(&self, index: usize) -> Result<&[u8], ProtocolError> {
        self.0.get(index).copied().ok_or(ProtocolError::Invalid)
    }

    #[inline(never)]
    fn element(&self, index: usize) -> Result<Element, ProtocolError> {
        Element::from_bytes(self.get(index)?).ok_or(ProtocolError::Invalid)
    }

    #[inline(never)]
    fn scalar(&self, index: usize) -> Result<Scalar, ProtocolError> {
        Scalar::from_bytes(self.get(index)?).ok_or(ProtocolError::Invalid)
    }

    #[inline(never)]
    fn challenge(&self, index: usize) -> Result<Challenge, ProtocolError> {
        Challenge::from_bytes(self.get(index)?).ok_or(ProtocolError::Invalid)
    }
}

//! The state of an SMP exchange between two of its messages.

use super::steps::{self, Answered, Asked, Base, Compared, Initiated, Shown};
use crate::error::ProtocolError;
use otr_crypto::group::{Element, Exponent, Residue};

/// The SMP message that comes next, as the specification names it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Expected {
    /// Nothing is under way.
    #[default]
    Message1,
    /// We began.
    Message2,
    /// We answered.
    Message3,
    /// We compare.
    Message4,
    /// Not used by the exchange; part of the C interface.
    Message5,
}

/// How the exchange went so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Progress {
    /// Under way, or not begun.
    #[default]
    Good,
    /// A proof of theirs was false.
    Cheated,
    /// The secrets differ.
    Failed,
    /// The secrets are the same.
    Succeeded,
}

/// The numbers of an exchange, each there once it is known. Any step takes just what it needs, and
/// is refused when that is missing.
#[derive(Clone, Debug, Default)]
pub struct Numbers {
    /// The secret to compare.
    pub secret: Option<Exponent>,
    /// Our exponent behind g2.
    pub x2: Option<Exponent>,
    /// Our exponent behind g3.
    pub x3: Option<Exponent>,
    /// The common base g2.
    pub g2: Option<Residue>,
    /// The common base g3.
    pub g3: Option<Residue>,
    /// Their half of g3.
    pub g3o: Option<Element>,
    /// Our P.
    pub p: Option<Residue>,
    /// Our Q.
    pub q: Option<Residue>,
    /// Pa / Pb.
    pub pab: Option<Residue>,
    /// Qa / Qb.
    pub qab: Option<Residue>,
}

/// The bases that a later step raises again, prepared in the step before. They only make it quicker: which numbers the
/// exchange has is in [`Numbers`], and one that has become another there is not found here.
#[derive(Clone, Debug, Default)]
pub struct Bases(Vec<Base>);

impl Bases {
    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn find(&self, value: Residue) -> Base {
        let found = self.0.iter().find(|base| *base.value() == value);
        found.cloned().unwrap_or_else(|| Base::new(value))
    }
}

/// One side of an exchange.
#[derive(Clone, Debug, Default)]
pub struct Smp {
    /// The message that comes next.
    pub expected: Expected,
    /// How it went.
    pub progress: Progress,
    /// Whether they asked with a question.
    pub received_question: bool,
    /// The numbers.
    pub numbers: Numbers,
    /// Those of them that are prepared for more powers.
    pub bases: Bases,
}

impl Smp {
    /// Step 1: begins; gives message 1.
    pub fn initiate(&mut self, secret: Exponent) -> Result<Vec<u8>, ProtocolError> {
        let (Initiated { secret, x2, x3 }, message) = steps::step1(secret)?;
        let numbers = Numbers {
            secret: Some(secret),
            x2: Some(x2),
            x3: Some(x3),
            ..Numbers::default()
        };
        *self = Self {
            numbers,
            bases: Bases::default(),
            received_question: false,
            progress: Progress::Good,
            expected: self.expected,
        };
        Ok(message)
    }

    /// Step 2a: takes message 1; the user is asked next.
    pub fn on_message1(
        &mut self,
        message: &[u8],
        with_question: bool,
    ) -> Result<(), ProtocolError> {
        self.received_question = with_question;
        let Asked {
            x2,
            x3,
            g2,
            g3,
            g3o,
        } = self.judge(steps::step2a(message))?;
        self.numbers = Numbers {
            // Clients tell "asked" from "nothing under way" by a secret that is there, whatever its value.
            secret: Exponent::from_bytes(&[]),
            x2: Some(x2),
            x3: Some(x3),
            g2: Some(g2.value().clone()),
            g3: Some(g3.value().clone()),
            g3o: Some(g3o),
            ..Numbers::default()
        };
        self.bases = Bases(vec![g2, g3]);
        Ok(())
    }

    /// Step 2b: answers with our secret; gives message 2.
    pub fn respond(&mut self, secret: Exponent) -> Result<Vec<u8>, ProtocolError> {
        let (Answered { g2, g3, p, q, .. }, message) = steps::step2b(&self.asked()?, &secret)?;
        self.bases = Bases(vec![g2, g3]);
        self.numbers.secret = Some(secret);
        self.numbers.p = Some(p);
        self.numbers.q = Some(q);
        Ok(message)
    }

    /// Step 3: takes message 2; gives message 3.
    pub fn on_message2(&mut self, message: &[u8]) -> Result<Vec<u8>, ProtocolError> {
        let outcome = self
            .initiated()
            .and_then(|initiated| steps::step3(&initiated, message));
        let made = self.judge(outcome)?;
        Ok(self.keep(*made))
    }

    /// Keeps what step 3 leaves; gives message 3.
    #[inline(never)]
    fn keep(
        &mut self,
        (Compared { g3o, pab, qab, .. }, shown, reply): (Compared, Shown, Vec<u8>),
    ) -> Vec<u8> {
        let numbers = &mut self.numbers;
        numbers.g2 = Some(shown.g2);
        numbers.g3 = Some(shown.g3);
        numbers.p = Some(shown.p);
        numbers.q = Some(shown.q);
        numbers.g3o = Some(g3o);
        numbers.pab = Some(pab);
        numbers.qab = Some(qab.value().clone());
        self.bases = Bases(vec![qab]);
        reply
    }

    /// Step 4: takes message 3; gives message 4. The verdict is in `progress`.
    pub fn on_message3(&mut self, message: &[u8]) -> Result<Vec<u8>, ProtocolError> {
        let outcome = self
            .answered()
            .and_then(|answered| steps::step4(&answered, message));
        let verdict = self.judge(outcome)?;
        self.numbers.pab = Some(verdict.pab);
        self.numbers.qab = Some(verdict.qab);
        self.progress = if verdict.equal {
            Progress::Succeeded
        } else {
            Progress::Failed
        };
        Ok(verdict.message)
    }

    /// Step 5: takes message 4. The verdict is in `progress`.
    pub fn on_message4(&mut self, message: &[u8]) -> Result<(), ProtocolError> {
        let outcome = self
            .compared()
            .and_then(|compared| steps::step5(&compared, message));
        let equal = self.judge(outcome)?;
        self.progress = if equal {
            Progress::Succeeded
        } else {
            Progress::Failed
        };
        Ok(())
    }

    /// Forgets the numbers of an exchange that is over. Clients still see that there was one.
    pub fn forget_numbers(&mut self) {
        let secret = self.numbers.secret.take();
        self.numbers = Numbers {
            secret: secret.and_then(|_| Exponent::from_bytes(&[])),
            ..Numbers::default()
        };
        self.bases = Bases::default();
    }

    /// Marks a false proof as cheating, a true one as good.
    fn judge<T>(&mut self, outcome: Result<T, ProtocolError>) -> Result<T, ProtocolError> {
        self.progress = if outcome.is_ok() {
            Progress::Good
        } else {
            Progress::Cheated
        };
        outcome
    }

    fn initiated(&self) -> Result<Initiated, ProtocolError> {
        let n = &self.numbers;
        Ok(Initiated {
            secret: known(&n.secret)?,
            x2: known(&n.x2)?,
            x3: known(&n.x3)?,
        })
    }

    fn asked(&self) -> Result<Asked, ProtocolError> {
        let n = &self.numbers;
        Ok(Asked {
            x2: known(&n.x2)?,
            x3: known(&n.x3)?,
            g2: self.bases.find(known(&n.g2)?),
            g3: self.bases.find(known(&n.g3)?),
            g3o: known(&n.g3o)?,
        })
    }

    fn answered(&self) -> Result<Answered, ProtocolError> {
        let n = &self.numbers;
        Ok(Answered {
            x3: known(&n.x3)?,
            g2: self.bases.find(known(&n.g2)?),
            g3: self.bases.find(known(&n.g3)?),
            g3o: known(&n.g3o)?,
            p: known(&n.p)?,
            q: known(&n.q)?,
        })
    }

    fn compared(&self) -> Result<Compared, ProtocolError> {
        let n = &self.numbers;
        Ok(Compared {
            x3: known(&n.x3)?,
            g3o: known(&n.g3o)?,
            pab: known(&n.pab)?,
            qab: self.bases.find(known(&n.qab)?),
        })
    }
}

fn known<T: Clone>(number: &Option<T>) -> Result<T, ProtocolError> {
    number.clone().ok_or(ProtocolError::Conflict)
}

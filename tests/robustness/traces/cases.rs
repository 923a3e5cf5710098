//! The cases: computations with secrets, each prepared up to the point where only the secret differs.

use std::hint::black_box;

use otr_crypto::dsa::PrivateKey;
use otr_crypto::group::{self, Element, Exponent};
use otr_crypto::{aes_ctr, hash, mac};
use otr_protocol::dh::{AuthKeys, DhKeyPair};
use otr_protocol::smp::steps::{self, Answered, Asked, Compared, Initiated};

use crate::hex::hex;
use crate::secrets::Secret;

/// What is to be followed, once everything is prepared.
pub(crate) type Work = Box<dyn FnMut()>;

/// The modulus of the products of a case, if it has any.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Multiplies {
    Nothing,
    /// The group's, of 1536 bits.
    Group,
    /// Of 1024 bits.
    Dsa,
}

pub(crate) struct Case {
    pub name: &'static str,
    /// Modulo what it multiplies with one of the kernels.
    #[cfg_attr(
        not(target_arch = "x86_64"),
        expect(dead_code, reason = "there is one kernel")
    )]
    pub multiplies: Multiplies,
    /// Whether it is many millions of instructions: in short runs it is followed with the fastest kernel only.
    #[cfg_attr(
        not(target_arch = "x86_64"),
        expect(dead_code, reason = "there is one kernel")
    )]
    pub long: bool,
    pub prepare: fn(Secret) -> Work,
}

const fn case(name: &'static str, multiplies: Multiplies, prepare: fn(Secret) -> Work) -> Case {
    Case {
        name,
        multiplies,
        long: false,
        prepare,
    }
}

const fn long(name: &'static str, prepare: fn(Secret) -> Work) -> Case {
    Case {
        name,
        multiplies: Multiplies::Group,
        long: true,
        prepare,
    }
}

pub(crate) const CASES: &[Case] = &[
    case("generator^x, 320 bits", Multiplies::Group, |secret| {
        generator_power(secret, 40)
    }),
    case("base^x, 320 bits", Multiplies::Group, |secret| {
        power(secret, 40)
    }),
    case(
        "shared secret, AKE and data keys",
        Multiplies::Group,
        session_keys,
    ),
    case("DSA signing", Multiplies::Dsa, signing),
    case("comparison of MACs", Multiplies::Nothing, comparison),
    case("AES-CTR and MAC of a text", Multiplies::Nothing, text),
    case("generator^x, 1536 bits", Multiplies::Group, |secret| {
        generator_power(secret, 192)
    }),
    case("base^x, 1536 bits", Multiplies::Group, |secret| {
        power(secret, 192)
    }),
    case(
        "secret base^x, 320 bits",
        Multiplies::Group,
        power_of_secret,
    ),
    case("a new DH key", Multiplies::Group, new_key),
    case("secret of the SMP", Multiplies::Nothing, binding),
    long("SMP, step 1", smp1),
    long("SMP, step 2, on arrival", smp2a),
    long("SMP, step 2, the answer", smp2b),
    long("SMP, step 3", smp3),
    long("SMP, step 4", smp4),
    long("SMP, step 5", smp5),
];

/// Leaks that must be found.
pub(crate) const PLANTED: &[Case] = &[
    case("a planted branch", Multiplies::Nothing, planted_branch),
    case("a planted lookup", Multiplies::Nothing, planted_lookup),
    case("a planted division", Multiplies::Nothing, planted_division),
];

/// Asks the processor, in each of the ways that the library has, what it can do: the answers are remembered.
pub(crate) fn meet_processor() {
    #[cfg(target_arch = "x86_64")]
    let _ = black_box(is_x86_feature_detected!("adx"));
    let _ = black_box((hash::sha1(&[]), hash::sha256(&[])));
    aes_ctr::apply(&[0; 16], &[0; 16], &mut [0; 1]);
}

fn fail<E, T>(_: E) -> T {
    std::process::exit(3)
}

fn exponent(bytes: &[u8]) -> Exponent {
    Exponent::from_bytes(bytes).unwrap_or_else(|| fail(()))
}

/// A public value.
fn somebody() -> Element {
    let power = group::generator_pow(&exponent(&[9; 40]));
    power.to_element().unwrap_or_else(|| fail(()))
}

fn generator_power(secret: Secret, length: usize) -> Work {
    let x = exponent(&secret.bytes(length, 1));
    let _ = black_box(group::generator_pow(&exponent(&vec![7; length])));
    Box::new(move || drop(black_box(group::generator_pow(&x))))
}

fn power(secret: Secret, length: usize) -> Work {
    let x = exponent(&secret.bytes(length, 2));
    let base = somebody();
    Box::new(move || drop(black_box(group::pow(&base, &x))))
}

fn power_of_secret(secret: Secret) -> Work {
    let x = exponent(&secret.bytes(40, 3));
    let mut base = secret.bytes(192, 4);
    // p begins with ff ff: this is below it.
    base.iter_mut()
        .take(1)
        .for_each(|byte| *byte = (*byte).min(0xfe));
    let base = group::Residue::from_bytes(&base).unwrap_or_else(|| fail(()));
    let _ = black_box(somebody());
    Box::new(move || drop(black_box(group::pow(&base, &x))))
}

fn new_key(_: Secret) -> Work {
    let _ = black_box(DhKeyPair::generate());
    Box::new(|| drop(black_box(DhKeyPair::generate())))
}

fn session_keys(secret: Secret) -> Work {
    let theirs = somebody();
    // Its public half is compared with theirs; of a made-up one as of any.
    let ours = DhKeyPair::from_parts(exponent(&secret.bytes(40, 5)), group::generator());
    Box::new(move || {
        let keys = AuthKeys::derive(ours.shared_secret(&theirs));
        drop(black_box(keys.first_data_keys(&ours, &theirs)));
        drop(black_box(keys));
    })
}

// A key of 1024 bits whose q begins with 64 bits of 1: no candidate for a nonce is thrown away, which shows.
const P: &str = "FF269F50EBC4AEBF956BF4192FD36BD3CF9F0D4582E634972BEFC94FCD76327B3213D6E8075E4CF0AE81F1532DAC374A
    845287B11E61CDBAFBBE08750BDE3640A0FD4D60E0573431DC5B2E5474739BF7841E538EDB1023B3E096226AE0FB3329C1DAF93393CBBCBD0753
    3ED65BB0F0FB8FCF0EFB1B216FAEFCA6E1B1066BE56D";
const Q: &str = "FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFD1";
const G: &str = "C8C3BE23319A959A4B1604E8A5420C878B1D68DF07B91A237C7FF82E59BDFDFBCA7EFBC89FD66A9DBE17ACA5E3E62678
    2392F027742A0321F72E2BD86890D1E7ACFE538044877BD12FE97B3471B25E0628EE83F95F7CD6635B963360B23364344CBEAFDDC9143D7681B6
    F401A1B269DDED8D11064028C38C4E6CF1834FA71DAC";
const Y: &str = "559F7C805ACF81B6532B6473564B91A4B1AFC995FE0343E2613AA53B8E36393D0D50A809CA1C17D7E7B859F4E31A6A4F
    3A931330C14CD4770752F246C7A61385CA46D6F0CA29C05967C731C4C72622CAC7698A34B1B1DC46F5877E0E94A2A1937E6114BF3C594FD12A06
    0491C43F04EFC6FAB9BDA7164A9F2DDF73592B6EF82D";

fn signing(secret: Secret) -> Work {
    let mut x = secret.bytes(20, 6);
    // Below q.
    x.iter_mut().skip(19).for_each(|byte| *byte &= 0x7f);
    let key = PrivateKey::new(&hex(P), &hex(Q), &hex(G), &hex(Y), &x).unwrap_or_else(fail);
    let _ = black_box(key.sign(b"something else"));
    // That it succeeds is seen by its length; a failure would part those who fail from the others.
    Box::new(move || {
        let _ = black_box(key.sign(b"data to sign, of thirty-two byte"));
    })
}

fn comparison(secret: Secret) -> Work {
    // One that is equal, and some that differ in the first byte, in all bytes, or in one bit.
    let made = Secret::Random(1).bytes(20, 7);
    let given = secret.bytes(20, 7);
    Box::new(move || {
        black_box(mac::equal(black_box(&made), black_box(&given)));
    })
}

fn text(secret: Secret) -> Work {
    let (key, mac_key) = (secret.bytes(16, 8), secret.bytes(20, 9));
    let mut text = secret.bytes(300, 10);
    let key: [u8; 16] = key.try_into().unwrap_or_else(fail);
    aes_ctr::apply(&[1; 16], &[0; 16], &mut [0; 300]);
    let _ = black_box(mac::hmac_sha1(&[1; 20], &[&[0; 300]]));
    Box::new(move || {
        aes_ctr::apply(&key, &[0; 16], &mut text);
        black_box(mac::hmac_sha1(&mac_key, &[&text]));
        black_box(mac::hmac_sha256(&mac_key, &[&text]));
    })
}

fn binding(secret: Secret) -> Work {
    let typed = secret.bytes(30, 11);
    Box::new(move || {
        let binding = steps::SecretBinding {
            initiator: &[1; 20],
            responder: &[2; 20],
            session_id: &[3; 8],
        };
        drop(black_box(binding.bind(&typed)));
    })
}

/// An SMP up to each step, the same each time. The numbers of the peer are public and stay as they are; what a step adds,
/// and what is ours alone, differs.
struct Smp {
    initiated: Initiated,
    message1: Vec<u8>,
    asked: Asked,
    answered: Answered,
    message2: Vec<u8>,
    compared: Compared,
    message3: Vec<u8>,
    message4: Vec<u8>,
}

fn smp() -> Smp {
    let (initiated, message1) = steps::step1(exponent(&[5; 32])).unwrap_or_else(fail);
    let asked = steps::step2a(&message1).unwrap_or_else(fail);
    let (answered, message2) = steps::step2b(&asked, &exponent(&[6; 32])).unwrap_or_else(fail);
    let (compared, _, message3) = *steps::step3(&initiated, &message2).unwrap_or_else(fail);
    let verdict = steps::step4(&answered, &message3).unwrap_or_else(fail);
    if steps::step5(&compared, &verdict.message).unwrap_or_else(fail) {
        fail::<_, ()>(());
    }
    Smp {
        initiated,
        message1,
        asked,
        answered,
        message2,
        compared,
        message3,
        message4: verdict.message,
    }
}

/// The number that is compared.
fn typed(secret: Secret) -> Exponent {
    exponent(&secret.bytes(32, 12))
}

/// An exponent of ours in the SMP.
fn own(secret: Secret, purpose: u64) -> Exponent {
    exponent(&secret.bytes(192, purpose))
}

fn smp1(secret: Secret) -> Work {
    let typed = typed(secret);
    let _ = smp();
    Box::new(move || drop(black_box(steps::step1(typed.clone()).unwrap_or_else(fail))))
}

fn smp2a(_: Secret) -> Work {
    let message1 = smp().message1;
    Box::new(move || drop(black_box(steps::step2a(&message1).unwrap_or_else(fail))))
}

fn smp2b(secret: Secret) -> Work {
    let asked = Asked {
        x2: own(secret, 13),
        x3: own(secret, 14),
        ..smp().asked
    };
    let typed = typed(secret);
    Box::new(move || {
        drop(black_box(
            steps::step2b(&asked, &typed).unwrap_or_else(fail),
        ))
    })
}

fn smp3(secret: Secret) -> Work {
    let smp = smp();
    let initiated = Initiated {
        secret: typed(secret),
        ..smp.initiated
    };
    let message2 = smp.message2;
    Box::new(move || {
        drop(black_box(
            steps::step3(&initiated, &message2).unwrap_or_else(fail),
        ))
    })
}

fn smp4(secret: Secret) -> Work {
    let smp = smp();
    let answered = Answered {
        x3: own(secret, 15),
        ..smp.answered
    };
    let message3 = smp.message3;
    Box::new(move || {
        drop(black_box(
            steps::step4(&answered, &message3).unwrap_or_else(fail),
        ))
    })
}

fn smp5(secret: Secret) -> Work {
    let smp = smp();
    let compared = Compared {
        x3: own(secret, 16),
        ..smp.compared
    };
    let message4 = smp.message4;
    Box::new(move || {
        black_box(steps::step5(&compared, &message4).unwrap_or_else(fail));
    })
}

fn planted_branch(secret: Secret) -> Work {
    let key = secret.bytes(16, 17);
    Box::new(move || {
        for _ in 0..key.iter().map(|byte| byte % 2).sum() {
            black_box("a branch");
        }
    })
}

fn planted_lookup(secret: Secret) -> Work {
    let key = secret.bytes(16, 18);
    let table: Vec<u8> = (0..=255).collect();
    Box::new(move || {
        for byte in &key {
            black_box(table.get(usize::from(*byte)).copied());
        }
    })
}

fn planted_division(secret: Secret) -> Work {
    let key = secret.bytes(16, 19);
    Box::new(move || {
        for byte in &key {
            black_box(black_box(u64::from(*byte) << 40) / black_box(12345));
        }
    })
}

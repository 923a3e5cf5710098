//! The private keys of potr and of otr.js. Both write p, q, g, y and x after a type of two bytes.

use otr_protocol::store::private_keys::DsaNumbers;
use otr_protocol::wire::armour;
use otr_protocol::wire::messages::public_key::PUBLIC_KEY_TYPE_DSA;
use otr_protocol::wire::mpi::minimal;
use otr_protocol::wire::reader::Reader;
use serde_json::Value;
use zeroize::Zeroizing;

use crate::program::or_end;

/// The bits of each element of a number in otr.js, the lowest ones first.
const LIMB_BITS: u32 = 26;
/// No number of a DSA key is longer than this many elements.
const MOST_LIMBS: usize = 256;

/// Reads a key of potr.
pub(super) fn potr(contents: &[u8]) -> Option<DsaNumbers> {
    let mut reader = Reader::new(contents);
    if reader.u16().ok()? != PUBLIC_KEY_TYPE_DSA {
        return None;
    }
    let mut number = || reader.mpi().ok().map(|body| minimal(body).to_vec());
    let numbers = DsaNumbers {
        p: number()?,
        q: number()?,
        g: number()?,
        y: number()?,
        x: number()?,
    };
    reader.finish().ok()?;
    Some(numbers)
}

/// Reads a key of otr.js.
pub(super) fn otr_js(text: &[u8]) -> Option<DsaNumbers> {
    if text.starts_with(b"{") || text.starts_with(b"\"") {
        return match serde_json::from_slice(text).ok()? {
            Value::String(packed) => unpack(packed.as_bytes()),
            Value::Object(fields) => {
                let number = |name| limbs(fields.get(name)?);
                Some(DsaNumbers {
                    p: number("p")?,
                    q: number("q")?,
                    g: number("g")?,
                    y: number("y")?,
                    x: number("x")?,
                })
            }
            _ => None,
        };
    }
    unpack(text)
}

/// Base64 of what potr writes.
fn unpack(text: &[u8]) -> Option<DsaNumbers> {
    let is_base64 = |byte: &u8| byte.is_ascii_alphanumeric() || b"+/=\r\n".contains(byte);
    if !text.iter().all(is_base64) {
        return None;
    }
    potr(&Zeroizing::new(or_end(armour::decode(text))))
}

/// A number, big-endian without leading zeros, from the array that otr.js keeps it in.
fn limbs(array: &Value) -> Option<Vec<u8>> {
    let array = array.as_array()?;
    if array.len() > MOST_LIMBS {
        return None;
    }
    let mut bytes = Vec::with_capacity(array.len() * 4);
    let (mut held, mut bits) = (0_u64, 0);
    for limb in array {
        let limb = limb.as_u64().filter(|limb| limb >> LIMB_BITS == 0)?;
        held |= limb << bits;
        bits += LIMB_BITS;
        while bits >= 8 {
            let [lowest, ..] = held.to_le_bytes();
            bytes.push(lowest);
            held >>= 8;
            bits -= 8;
        }
    }
    let [lowest, ..] = held.to_le_bytes();
    bytes.push(lowest);
    while bytes.last() == Some(&0) {
        bytes.pop();
    }
    bytes.reverse();
    Some(bytes)
}

//! What no message can do without: SHA-1 and base64 alone, with the crates that the library has for them, and its AES, of as many
//! blocks and bytes as a message takes at both ends. What comes on top is the library's.

use crate::table::Row;
use base64_simd::{Out, STANDARD};
use otr_crypto::{aes_ctr, mac};
use otr_protocol::wire::armour;
use otr_protocol::wire::instance::Instances;
use otr_protocol::wire::messages::data::Data;
use otr_protocol::wire::messages::header::Header;
use otr_protocol::wire::version::Version;
use sha1::block_api::compress;
use std::hint::black_box;

/// The texts, and how often each is handled in a round.
pub(crate) const COLUMNS: [(&str, u32); 3] = [("64 B", 1000), ("1 kB", 300), ("16 kB", 20)];
/// Their lengths.
const LENGTHS: [usize; 3] = [64, 1024, 16384];

/// One end encrypts, calculates the MAC and encodes; the other one decodes, calculates the MAC and decrypts.
const ENDS: usize = 2;

const ENCRYPTION_KEY: [u8; 16] = [0x33; 16];
const MAC_KEY: [u8; 20] = [0x44; 20];
/// The block with which the key stream of a message begins.
const COUNTER: [u8; 16] = [0, 0, 0, 0, 0, 0, 0, 7, 0, 0, 0, 0, 0, 0, 0, 0];

/// A row for each of the three.
pub(crate) fn rows() -> Vec<Row> {
    let messages = LENGTHS.map(Message::new);
    let of_each = |work: fn(&Message) -> Box<dyn FnMut()>| messages.iter().map(work).collect();
    vec![
        Row::new("sha1", of_each(sha1)),
        Row::new("aes-ctr", of_each(ctr)),
        Row::new("base64", of_each(base64)),
    ]
}

/// A data message of version 3, as the library writes it.
struct Message {
    /// What is encrypted.
    plain: Vec<u8>,
    encrypted: Vec<u8>,
    /// What the MAC is of.
    covered: Vec<u8>,
    mac: [u8; 20],
    /// All of it.
    bytes: Vec<u8>,
}

impl Message {
    fn new(length: usize) -> Self {
        // A NUL ends the text; TLVs would come behind it.
        let mut plain = vec![b'a'; length];
        plain.push(0);
        let tags = Instances {
            from: 0x1111,
            to: 0x2222,
        };
        let [counter, _] = [0, 8].map(|at| COUNTER[at..at + 8].try_into().unwrap());
        let data = Data {
            header: Header::new(Version::V3, tags),
            flags: 0,
            sender_keyid: 2,
            recipient_keyid: 2,
            next_dh: &[0xa5; 192],
            counter,
            encrypted: &[],
            mac: [0; 20],
            revealed_mac_keys: &[],
        };
        let (mut encrypted, mut covered, mut mac) = (Vec::new(), Vec::new(), [0; 20]);
        let bytes = data.serialise_sealed(Vec::new(), &[&plain], |written, start| {
            aes_ctr::apply(&ENCRYPTION_KEY, &COUNTER, &mut written[start..]);
            encrypted = written[start..].to_vec();
            covered = written.to_vec();
            mac = mac::hmac_sha1(&MAC_KEY, &[written]);
            mac
        });
        Self {
            plain,
            encrypted,
            covered,
            mac,
            bytes: bytes.unwrap(),
        }
    }
}

/// The blocks of HMAC that are left for a message: not those of the key, and not the beginning, of which the library keeps the
/// state.
fn sha1(message: &Message) -> Box<dyn FnMut()> {
    let [inner, outer] = [0x36, 0x5c].map(|pad| {
        let mut block = [pad; 64];
        block
            .iter_mut()
            .zip(MAC_KEY)
            .for_each(|(to, key)| *to ^= key);
        // The initial state of SHA-1.
        let mut state = [
            0x6745_2301,
            0xefcd_ab89,
            0x98ba_dcfe,
            0x1032_5476,
            0xc3d2_e1f0,
        ];
        compress(&mut state, &[block]);
        state
    });
    let (beginning, rest) = message.covered.split_at(mac::BEGINNING);
    let mut begun = inner;
    compress(&mut begun, &blocks(beginning));
    let rest = padded(rest, 64 + message.covered.len());
    let mut last = padded(&[0; 20], 64 + 20);
    let mut authenticate = move || {
        let mut state = begun;
        compress(&mut state, black_box(&rest));
        bytes_of(state, &mut last[0]);
        let mut state = outer;
        compress(&mut state, &last);
        state
    };
    let mut mac = [0; 20];
    bytes_of(authenticate(), &mut mac);
    assert_eq!(mac, message.mac);
    Box::new(move || {
        for _ in 0..ENDS {
            black_box(authenticate());
        }
    })
}

/// The end of a string of `length` bytes in whole blocks, as SHA-1 pads it.
fn padded(end: &[u8], length: usize) -> Vec<[u8; 64]> {
    let mut bytes = [end, &[0x80]].concat();
    bytes.resize((bytes.len() + 8).next_multiple_of(64) - 8, 0);
    bytes.extend((8 * length as u64).to_be_bytes());
    blocks(&bytes)
}

fn blocks(bytes: &[u8]) -> Vec<[u8; 64]> {
    let whole = bytes.chunks_exact(64);
    whole.map(|block| block.try_into().unwrap()).collect()
}

fn bytes_of(state: [u32; 5], into: &mut [u8]) {
    for (to, word) in into.chunks_mut(4).zip(state) {
        to.copy_from_slice(&word.to_be_bytes());
    }
}

/// The key stream, and the data with it.
fn ctr(message: &Message) -> Box<dyn FnMut()> {
    let key = aes_ctr::Key::new(&ENCRYPTION_KEY);
    let apply = move |data: &mut [u8]| key.apply(u128::from_be_bytes(COUNTER), data);
    let mut data = message.plain.clone();
    apply(&mut data);
    assert_eq!(data, message.encrypted);
    Box::new(move || (0..ENDS).for_each(|_| apply(black_box(&mut data))))
}

/// There and back.
fn base64(message: &Message) -> Box<dyn FnMut()> {
    let bytes = message.bytes.clone();
    let armoured = armour::armour(&bytes).unwrap();
    let mut text = vec![0; STANDARD.encoded_length(bytes.len())];
    let mut back = vec![0; bytes.len()];
    let text_of_bytes = STANDARD.encode(&bytes, Out::from_slice(&mut text));
    assert_eq!([armour::PREFIX, text_of_bytes, b"."].concat(), armoured);
    Box::new(move || {
        let text = STANDARD.encode(black_box(&bytes), Out::from_slice(&mut text));
        let read = STANDARD.decode(black_box(text), Out::from_slice(&mut back));
        assert_eq!(
            black_box(read).map(|read| read.len()).ok(),
            Some(bytes.len())
        );
    })
}

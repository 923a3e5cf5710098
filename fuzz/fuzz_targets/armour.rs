//! The armour: any text is decoded or refused, and any bytes survive armouring.
#![no_main]

use libfuzzer_sys::fuzz_target;
use otr_protocol::wire::armour;

fuzz_target!(|bytes: &[u8]| {
    // As text: what is skipped, where it ends.
    assert!(armour::decode(bytes).unwrap().len() <= bytes.len() / 4 * 3 + 2);
    let lenient = armour::dearmour(bytes, false);
    if let (Ok(decoded), Ok((start, count))) = (&lenient, armour::dearmour_start::<12>(bytes)) {
        assert_eq!(start[..count], decoded[..decoded.len().min(12)]);
    }
    if let Ok(ended) = armour::dearmour(bytes, true) {
        assert_eq!(lenient.as_ref(), Ok(&ended));
    }
    if let Ok(decoded) = lenient {
        let again = armour::armour(&decoded).unwrap();
        assert_eq!(armour::dearmour(&again, true).as_ref(), Ok(&decoded));
    }
    // As bytes.
    let armoured = armour::armour(bytes).unwrap();
    assert_eq!(armour::dearmour(&armoured, true).as_deref(), Ok(bytes));
    let mut encoded = Vec::new();
    armour::encode(bytes, |piece| encoded.extend_from_slice(piece));
    assert_eq!(armour::decode(&encoded).as_deref(), Ok(bytes));
});

//! The kind that a message claims to be, from its first characters only.

use super::armour;
use super::error::Malformed;
use super::instance::Instances;
use super::reader::Reader;
use super::search::find;
use super::version::Version;
use super::whitespace;

/// What a message claims to be. It need not be valid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MessageKind {
    /// Text with no sign of OTR in it.
    NotOtr,
    /// Text with a whitespace tag.
    TaggedPlaintext,
    /// An OTR query message.
    Query,
    /// A DH-commit message.
    DhCommit,
    /// A DH-key message.
    DhKey,
    /// A reveal signature message.
    RevealSig,
    /// A signature message.
    Signature,
    /// A key exchange message of version 1.
    V1KeyExchange,
    /// A data message.
    Data,
    /// An OTR error message.
    Error,
    /// "?OTR" followed by something else.
    Unknown,
}

/// The offset of the first "?OTR" of a message, which all other functions here start from.
pub fn otr_tag(message: &[u8]) -> Option<usize> {
    find(message, b"?OTR")
}

/// What the message claims to be.
pub fn message_kind(message: &[u8]) -> MessageKind {
    match from_tag(message) {
        Some(tagged) => tagged_kind(tagged),
        None => untagged_kind(message),
    }
}

/// What a message without "?OTR" is.
pub fn untagged_kind(message: &[u8]) -> MessageKind {
    if find(message, whitespace::TAG_BASE).is_some() {
        MessageKind::TaggedPlaintext
    } else {
        MessageKind::NotOtr
    }
}

/// What a message claims to be, from its first "?OTR" on.
pub fn tagged_kind(tagged: &[u8]) -> MessageKind {
    match tagged {
        [
            b'?',
            b'O',
            b'T',
            b'R',
            b':',
            b'A',
            b'A',
            b'M' | b'I',
            kind,
            ..,
        ] => match kind {
            b'C' => MessageKind::DhCommit,
            b'K' => MessageKind::DhKey,
            b'R' => MessageKind::RevealSig,
            b'S' => MessageKind::Signature,
            b'D' => MessageKind::Data,
            _ => MessageKind::Unknown,
        },
        _ if is_query(tagged) => MessageKind::Query,
        _ if tagged.starts_with(b"?OTR:AAEK") => MessageKind::V1KeyExchange,
        _ if tagged.starts_with(b"?OTR:AAED") => MessageKind::Data,
        _ if tagged.starts_with(b"?OTR Error:") => MessageKind::Error,
        _ => MessageKind::Unknown,
    }
}

/// Whether the message claims to be a query.
pub fn is_query(message: &[u8]) -> bool {
    from_tag(message).is_some_and(|tagged| matches!(tagged, [_, _, _, _, b'?' | b'v', ..]))
}

/// The protocol version of an encoded message.
pub fn message_version(message: &[u8]) -> Option<Version> {
    from_tag(message).and_then(tagged_version)
}

/// The protocol version of an encoded message, from its first "?OTR" on.
pub fn tagged_version(tagged: &[u8]) -> Option<Version> {
    match tagged.strip_prefix(b"?OTR:AA")?.first()? {
        b'M' => Some(Version::V3),
        b'I' => Some(Version::V2),
        b'E' => Some(Version::V1),
        _ => None,
    }
}

/// The instance tags of an encoded version 3 message. `message` must start with its "?OTR:".
pub fn instances(message: &[u8]) -> Result<Instances, Malformed> {
    if !message.starts_with(b"?OTR:AAM") {
        return Err(Malformed::Version);
    }
    // Version and type are 4 characters of base64, so the tags are exactly the next 12.
    let text = message.get(9..21).ok_or(Malformed::Truncated)?;
    let (bytes, count) = armour::decode_start::<8>(text);
    let mut reader = Reader::new(bytes.get(..count).unwrap_or_default());
    Ok(Instances {
        from: reader.u32()?,
        to: reader.u32()?,
    })
}

fn from_tag(message: &[u8]) -> Option<&[u8]> {
    message.get(otr_tag(message)?..)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_and_versions_by_their_first_characters() {
        use MessageKind::*;
        const V: [Option<Version>; 4] = [
            None,
            Some(Version::V1),
            Some(Version::V2),
            Some(Version::V3),
        ];
        let cases: [(&[u8], MessageKind, Option<Version>); 34] = [
            (b"", NotOtr, V[0]),
            (b"hello", NotOtr, V[0]),
            (b"?otr?", NotOtr, V[0]),
            (b"hello \t  \t\t\t\t \t \t \t  ", TaggedPlaintext, V[0]),
            (b"hello \t  \t\t\t\t \t \t \t ", NotOtr, V[0]),
            (b" \t  \t\t\t\t \t \t \t  ?OTR", Unknown, V[0]),
            (b"?OTR", Unknown, V[0]),
            (b"?OTR?", Query, V[0]),
            (b"hello ?OTR?v23? there", Query, V[0]),
            (b"?OTRv", Query, V[0]),
            (b"?OTRv4?", Query, V[0]),
            (b"?OTR:", Unknown, V[0]),
            (b"?OTR:AA", Unknown, V[0]),
            (b"?OTR:AAM", Unknown, V[3]),
            (b"?OTR:AAMC", DhCommit, V[3]),
            (b"?OTR:AAMK", DhKey, V[3]),
            (b"?OTR:AAMR", RevealSig, V[3]),
            (b"?OTR:AAMS", Signature, V[3]),
            (b"?OTR:AAMD", Data, V[3]),
            (b"?OTR:AAMX", Unknown, V[3]),
            (b"?OTR:AAIC", DhCommit, V[2]),
            (b"?OTR:AAIK", DhKey, V[2]),
            (b"?OTR:AAIR", RevealSig, V[2]),
            (b"?OTR:AAIS", Signature, V[2]),
            (b"?OTR:AAID", Data, V[2]),
            (b"> ?OTR:AAID", Data, V[2]),
            (b"?OTR:AAEK", V1KeyExchange, V[1]),
            (b"?OTR:AAED", Data, V[1]),
            (b"?OTR:AAEC", Unknown, V[1]),
            (b"?OTR:AAQD", Unknown, V[0]),
            (b"?OTR Error:", Error, V[0]),
            (b"?OTR Error", Unknown, V[0]),
            (b"?OTR,1,2,", Unknown, V[0]),
            (b"?OTR ?OTR?", Unknown, V[0]), // the first "?OTR" decides
        ];
        for (message, kind, version) in cases {
            assert_eq!(message_kind(message), kind, "{}", message.escape_ascii());
            assert_eq!(is_query(message), kind == Query);
            assert_eq!(
                message_version(message),
                version,
                "{}",
                message.escape_ascii()
            );
        }
        assert_eq!(otr_tag(b"x?OT?OTR?OTR"), Some(4));
        assert_eq!(otr_tag(b"?OT"), None);
    }

    #[test]
    fn instance_tags_come_from_the_first_characters() {
        // 00 03 0a, 00 00 01 00, 12 34 56 78
        let message = b"?OTR:AAMKAAABABI0Vng";
        assert_eq!(instances(message), Err(Malformed::Truncated)); // 20 characters
        let tags = Ok(Instances {
            from: 0x100,
            to: 0x1234_5678,
        });
        assert_eq!(
            instances(b"?OTR:AAMKAAABABI0Vnh"),
            Err(Malformed::Truncated)
        );
        assert_eq!(instances(b"?OTR:AAMKAAABABI0VngA"), tags);
        assert_eq!(instances(b"?OTR:AAMKAAABABI0VngAAAAA."), tags);
        // A character outside the alphabet replaces one that counts.
        assert_eq!(
            instances(b"?OTR:AAMKAAABABI0V ngAAAA."),
            Err(Malformed::Truncated)
        );
        assert_eq!(
            instances(b"?OTR:AAMK============."),
            Err(Malformed::Truncated)
        );
        // 11 characters before "=" still contain 8 bytes.
        assert_eq!(instances(b"?OTR:AAMKAAABABI0Vng=."), tags);
        assert_eq!(
            instances(b"?OTR:AAIKAAABABI0VngA."),
            Err(Malformed::Version)
        );
        assert_eq!(
            instances(b" ?OTR:AAMKAAABABI0VngA."),
            Err(Malformed::Version)
        );
    }
}

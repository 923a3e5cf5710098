//! OTR query messages: "?OTR?v23?" and the text for a person without OTR.

use super::dialect::Dialect;
use super::search::find;
use super::version::Version;
use crate::buffer::{self, OutOfMemory};

/// A set of protocol versions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Versions {
    /// Version 1 is in the set.
    pub v1: bool,
    /// Version 2 is in the set.
    pub v2: bool,
    /// Version 3 is in the set.
    pub v3: bool,
}

impl Versions {
    /// The newest version that is in both sets.
    pub const fn best_common(self, allowed: Self) -> Option<Version> {
        if self.v3 && allowed.v3 {
            Some(Version::V3)
        } else if self.v2 && allowed.v2 {
            Some(Version::V2)
        } else if self.v1 && allowed.v1 {
            Some(Version::V1)
        } else {
            None
        }
    }

    /// Whether a version is in the set.
    pub const fn contains(self, version: Version) -> bool {
        match version {
            Version::V1 => self.v1,
            Version::V2 => self.v2,
            Version::V3 => self.v3,
        }
    }
}

/// The query message that offers `versions` in the name of `our_name`.
///
/// Peers and clients compare this text byte for byte.
pub fn default_query(
    our_name: &[u8],
    versions: Versions,
    dialect: Dialect,
) -> Result<Vec<u8>, OutOfMemory> {
    let home: &[u8] = match dialect {
        Dialect::Libotr4 => b"https://otr.cypherpunks.ca/",
        Dialect::Libotr3 => b"http://otr.cypherpunks.ca/",
    };
    let Versions { v1, v2, v3 } = versions;
    let nothing = !(v1 || v2 || v3);
    let tag = |is_there: bool, tag: &'static [u8]| if is_there { tag } else { b"" };
    buffer::concat(&[
        b"?OTR",
        tag(v1, b"?"),
        tag(v2 || v3, b"v"),
        tag(v2, b"2"),
        tag(v3, b"3"),
        tag(v2 || v3, b"?"),
        tag(nothing && dialect == Dialect::Libotr3, b"v?"),
        b"\n<b>",
        our_name,
        b"</b> has requested an <a href=\"",
        home,
        b"\">Off-the-Record private conversation</a>.  However, you do not have a plugin to support that.\n\
          See <a href=\"",
        home,
        b"\">",
        home,
        b"</a> for more information.",
    ])
}

/// The versions that a query message offers: none if there is no "?OTR" in it.
pub fn query_versions(message: &[u8]) -> Versions {
    let mut versions = Versions::default();
    let Some(mut rest) = find(message, b"?OTR").and_then(|start| message.get(start + 4..)) else {
        return versions;
    };
    if let Some(after) = rest.strip_prefix(b"?") {
        versions.v1 = true;
        rest = after;
    }
    if let Some(list) = rest.strip_prefix(b"v") {
        // Unknown versions are skipped.
        for byte in list.iter().take_while(|&&byte| byte != b'?') {
            match byte {
                b'2' => versions.v2 = true,
                b'3' => versions.v3 = true,
                _ => {}
            }
        }
    }
    versions
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn versions(v1: bool, v2: bool, v3: bool) -> Versions {
        Versions { v1, v2, v3 }
    }

    fn all_sets() -> impl Iterator<Item = Versions> {
        (0..8_u8).map(|bits| versions(bits & 1 != 0, bits & 2 != 0, bits & 4 != 0))
    }

    #[test]
    fn the_default_query_is_the_one_that_clients_know() {
        let text = "?OTRv23?\n<b>alice@example.org</b> has requested an <a href=\"https://otr.cypherpunks.ca/\">Off-the-Record private conversation</a>.  However, you do not have a plugin to support that.\nSee <a href=\"https://otr.cypherpunks.ca/\">https://otr.cypherpunks.ca/</a> for more information.";
        let query = default_query(
            b"alice@example.org",
            versions(false, true, true),
            Dialect::Libotr4,
        )
        .unwrap();
        assert_eq!(
            query.escape_ascii().to_string(),
            text.as_bytes().escape_ascii().to_string()
        );
    }

    #[test]
    fn the_older_form_has_another_address_and_offers_nothing_in_another_way() {
        let text = "\n<b>bob</b> has requested an <a href=\"http://otr.cypherpunks.ca/\">Off-the-Record private conversation</a>.  However, you do not have a plugin to support that.\nSee <a href=\"http://otr.cypherpunks.ca/\">http://otr.cypherpunks.ca/</a> for more information.";
        for (offered, tag) in [
            (versions(true, true, false), "?OTR?v2?"),
            (versions(false, true, false), "?OTRv2?"),
            (versions(true, false, false), "?OTR?"),
            (versions(false, false, false), "?OTRv?"),
        ] {
            let query = default_query(b"bob", offered, Dialect::Libotr3).unwrap();
            assert_eq!(String::from_utf8(query).unwrap(), format!("{tag}{text}"));
        }
    }

    #[test]
    fn the_version_tag_names_what_is_offered() {
        let tags: [&[u8]; 8] = [
            b"?OTR",
            b"?OTR?",
            b"?OTRv2?",
            b"?OTR?v2?",
            b"?OTRv3?",
            b"?OTR?v3?",
            b"?OTRv23?",
            b"?OTR?v23?",
        ];
        for (offered, tag) in all_sets().zip(tags) {
            let query = default_query(b"\xff%s", offered, Dialect::Libotr4).unwrap();
            assert!(
                query.starts_with(&[tag, b"\n<b>\xff%s</b> has"].concat()),
                "{offered:?}"
            );
            assert_eq!(query_versions(&query), offered);
        }
    }

    #[test]
    fn reads_what_others_offer() {
        let cases: [(&[u8], Versions); 16] = [
            (b"?OTR?", versions(true, false, false)),
            (b"?OTRv2?", versions(false, true, false)),
            (b"?OTR?v2?", versions(true, true, false)),
            (b"?OTRv23?", versions(false, true, true)),
            (b"?OTRv32?", versions(false, true, true)),
            (b"?OTRv?", versions(false, false, false)),
            (b"?OTR?v?", versions(true, false, false)),
            (b"?OTRv24x?", versions(false, true, false)),
            (b"?OTRv4?2 3", versions(false, false, false)),
            (
                b"?OTRv4 and no end, see 2 or 3",
                versions(false, true, true),
            ),
            (b"?OTRv1?", versions(false, false, false)),
            (b"?OTR? v2?", versions(true, false, false)),
            (b"?OTR??v2?", versions(true, false, false)),
            (b"hi ?OTRv3? ?OTR?v2?", versions(false, false, true)),
            (b"?OTR", versions(false, false, false)),
            (b"no query", versions(false, false, false)),
        ];
        for (message, expected) in cases {
            assert_eq!(
                query_versions(message),
                expected,
                "{}",
                message.escape_ascii()
            );
        }
    }

    #[test]
    fn the_newest_common_version_is_best() {
        let list = [Version::V3, Version::V2, Version::V1];
        for ours in all_sets() {
            for theirs in all_sets() {
                let best = list
                    .into_iter()
                    .find(|&v| ours.contains(v) && theirs.contains(v));
                assert_eq!(ours.best_common(theirs), best);
            }
        }
    }
}

//! The secrets that a case is run with. None begins with a zero byte: the number of leading zeros shows in the length of a
//! number, on purpose (see `leading_zeros` in crates/otr-crypto/src/bignum.rs).

/// A way to make secrets of any length.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Secret {
    /// Pseudo-random bytes of this seed.
    Random(u64),
    /// The same with one bit in the middle turned.
    Flipped(u64),
    /// Every bit is 1, but for the last byte, in which purposes differ.
    Ones,
    /// The first byte is 1 and everything else 0, but for the last byte.
    Sparse,
    /// The first byte is 0x80 and everything else 0, but for the last byte.
    Edges,
    /// 0x55, but for the last byte.
    Comb,
}

/// What the first is compared with in every run.
pub(crate) const SHORT: &[Secret] = &[
    Secret::Random(1),
    Secret::Flipped(1),
    Secret::Ones,
    Secret::Sparse,
];

/// And in long ones.
pub(crate) const ALL: &[Secret] = &[
    Secret::Random(1),
    Secret::Flipped(1),
    Secret::Ones,
    Secret::Sparse,
    Secret::Edges,
    Secret::Comb,
    Secret::Random(2),
    Secret::Random(3),
];

impl Secret {
    fn seed(self) -> u64 {
        match self {
            Self::Random(seed) | Self::Flipped(seed) => seed,
            _ => 0,
        }
    }

    /// Bytes for the purpose of this number; other purposes have others, as far as there are any.
    pub(crate) fn bytes(self, length: usize, purpose: u64) -> Vec<u8> {
        let mut bytes = vec![0; length];
        let mut random = random(self.seed(), purpose);
        for byte in &mut bytes {
            *byte = match self {
                Self::Random(_) | Self::Flipped(_) => random.next().unwrap_or(0),
                Self::Ones => 0xff,
                Self::Sparse | Self::Edges => 0,
                Self::Comb => 0x55,
            };
        }
        if let Some(first) = bytes.first_mut() {
            *first = match self {
                Self::Random(_) | Self::Flipped(_) => *first | 1,
                Self::Sparse => 1,
                Self::Edges => 0x80,
                Self::Ones | Self::Comb => *first,
            };
        }
        if let Some(last) = bytes.last_mut() {
            *last ^= purpose.to_le_bytes()[0];
        }
        if let (Self::Flipped(_), Some(middle)) = (self, bytes.get_mut(length / 2)) {
            *middle ^= 0x10;
        }
        bytes
    }

    /// In the place of bytes from the system's generator, at the draw of this number.
    pub(crate) fn drawn(self, length: usize, draw: u64) -> Vec<u8> {
        let mut bytes = self.bytes(length, 1000 + draw);
        // Not near 0 and not near the order of the group: in the SMP the difference of such a number and a small one is
        // published, and has as many leading zeros as it has.
        bytes
            .iter_mut()
            .take(1)
            .for_each(|first| *first = *first & 0x3f | 0x10);
        bytes
    }
}

/// splitmix64.
fn random(seed: u64, purpose: u64) -> impl Iterator<Item = u8> {
    let mut state =
        seed.wrapping_mul(0x0123_4567_89ab_cdef) ^ purpose.wrapping_mul(0xfedc_ba98_7654_3211);
    std::iter::repeat_with(move || {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut word = state;
        word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (word ^ (word >> 31)).to_le_bytes()
    })
    .flatten()
}

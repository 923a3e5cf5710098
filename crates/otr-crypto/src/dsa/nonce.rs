//! The nonces of DSA signatures: RFC 6979, with fresh randomness mixed in (its section 3.6).
//!
//! A nonce that repeats, or that is even slightly biased, reveals the key. If it were derived only from the key and the
//! data, it would not depend on the machine's randomness, but the same data would always cause the same computation, which
//! helps somebody who can disturb it. With both, the key is still safe if either fails.

use super::Order;
use crate::uint::U256;
use crate::{bignum, mac};
use zeroize::Zeroizing;

/// A generator of candidates: that of RFC 6979, section 3.2, with HMAC-SHA-256.
pub(super) struct Nonces<'a> {
    order: &'a Order,
    key: Zeroizing<[u8; 32]>,
    value: Zeroizing<[u8; 32]>,
    started: bool,
}

impl<'a> Nonces<'a> {
    /// `x` is the secret key, `number` the number to sign, below q. Without fresh bytes these are RFC 6979's nonces.
    pub(super) fn new(order: &'a Order, x: &[u8], number: &U256, fresh: &[u8]) -> Self {
        let mut nonces = Self {
            order,
            key: Zeroizing::new([0; 32]),
            value: Zeroizing::new([1; 32]),
            started: false,
        };
        // x is below q, so this is its encoding in the length of q.
        let x = order.octets(&Zeroizing::new(bignum::read(x).unwrap_or(U256::ZERO)));
        let number = order.octets(number);
        nonces.mix(&[&[0], &x, &number, fresh]);
        nonces.mix(&[&[1], &x, &number, fresh]);
        nonces
    }

    /// The next nonce, from 1 to q - 1. None after 256 rejected candidates, which has a negligible probability.
    pub(super) fn next(&mut self) -> Option<Zeroizing<U256>> {
        /// At least every second candidate is below q, on average.
        const TRIES: usize = 256;
        for _ in 0..TRIES {
            if self.started {
                self.mix(&[&[0]]);
            }
            self.started = true;
            *self.value = mac::hmac_sha256(&*self.key, &[&*self.value]);
            // The leftmost bits, as many as q has.
            let mut k = Zeroizing::new(bignum::read(&*self.value)?);
            k.shift_right(256 - self.order.bits());
            if self.order.is_unit_range(&k) {
                return Some(k);
            }
        }
        None
    }

    /// K = HMAC(K, V | parts), V = HMAC(K, V).
    fn mix(&mut self, parts: &[&[u8]]) {
        let mut input: Vec<&[u8]> = vec![&*self.value];
        input.extend(parts);
        self.key = Zeroizing::new(mac::hmac_sha256(&*self.key, &input));
        *self.value = mac::hmac_sha256(&*self.key, &[&*self.value]);
    }
}

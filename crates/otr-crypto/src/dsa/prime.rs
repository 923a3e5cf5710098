//! Probable primes: trial division by a sieve, then Miller-Rabin. The results are public, so the time may vary.

use crate::bignum;
use crate::montgomery::{Kernel, Portable, Transfer, with_kernel};
use crate::multiexp;
use crate::random::{self, RandomError};
use crate::uint::{U256, U1024, Uint};
use zeroize::Zeroizing;

/// Whether a number above 3 is prime: a test to base 2, then this many to random bases. A composite passes each of these
/// with a probability of at most 1/4, and a random one with a far smaller probability.
pub(super) fn is_prime(number: &U256, rounds: usize) -> Result<bool, RandomError> {
    if number.parity() == 0 {
        return Ok(false);
    }
    is_prime_modulus(&*Portable::<1>::new(number), number, rounds)
}

/// The same for a number of 1024 bits.
pub(super) fn is_prime_1024(number: &U1024, rounds: usize) -> Result<bool, RandomError> {
    if number.parity() == 0 || number.bits() != 1024 {
        return Ok(false);
    }
    let kernel: Kernel<4, 3, 5> = Kernel::new(number);
    with_kernel!(&kernel, modulus => is_prime_modulus(modulus, number, rounds))
}

/// `modulus` calculates modulo the number.
fn is_prime_modulus<M: Transfer<LIMBS>, const LIMBS: usize>(
    modulus: &M,
    number: &Uint<LIMBS>,
    rounds: usize,
) -> Result<bool, RandomError> {
    let test = Test::new(modulus, number);
    // Most composites are found here.
    if !test.passes(&Uint::from(2)) {
        return Ok(false);
    }
    for _ in 0..rounds {
        // Uniformly from 1 to n - 1, except the two bases that always pass.
        let base = loop {
            let base = below(number)?;
            if Uint::from(1).is_below(&base) && base.is_below(&test.minus_one) {
                break base;
            }
        };
        if !test.passes(&base) {
            return Ok(false);
        }
    }
    Ok(true)
}

/// A random number from 0 to limit - 1, by rejection.
pub(super) fn below<const LIMBS: usize>(limit: &Uint<LIMBS>) -> Result<Uint<LIMBS>, RandomError> {
    let length = usize::try_from(limit.bits()).unwrap_or(0);
    let mut bytes = Zeroizing::new(vec![0; length.div_ceil(8)]);
    loop {
        random::fill(&mut bytes)?;
        if let Some(first) = bytes.first_mut() {
            *first &= u8::MAX >> ((8 - length % 8) % 8);
        }
        match bignum::read(&bytes) {
            Some(value) if value.is_below(limit) => return Ok(value),
            _ => {}
        }
    }
}

/// The strong probable prime test of one number: n - 1 = odd * 2^twos.
struct Test<'a, M, const LIMBS: usize> {
    modulus: &'a M,
    minus_one: Uint<LIMBS>,
    odd: Uint<LIMBS>,
    twos: u32,
}

impl<'a, M: Transfer<LIMBS>, const LIMBS: usize> Test<'a, M, LIMBS> {
    fn new(modulus: &'a M, number: &Uint<LIMBS>) -> Self {
        let mut minus_one = *number;
        minus_one.subtract(&Uint::from(1));
        let twos = (0..minus_one.bits())
            .find(|bit| minus_one.bit(*bit))
            .unwrap_or(0);
        let mut odd = minus_one;
        odd.shift_right(twos);
        Self {
            modulus,
            minus_one,
            odd,
            twos,
        }
    }

    /// Whether base^odd is 1, or becomes -1 before the squarings are used up.
    fn passes(&self, base: &Uint<LIMBS>) -> bool {
        let base = self.modulus.enter(base);
        let mut power = multiexp::product_public(self.modulus, &[(base, &self.odd)]);
        let mut value = Uint::ZERO;
        self.modulus.leave(&power, &mut value);
        if value == Uint::from(1) || value == self.minus_one {
            return true;
        }
        for _ in 1..self.twos {
            self.modulus.square(&mut power);
            self.modulus.leave(&power, &mut value);
            if value == self.minus_one {
                return true;
            }
        }
        false
    }
}

/// The odd primes below a limit, and which numbers of a sequence they divide.
pub(super) struct Sieve {
    primes: Vec<u32>,
}

impl Sieve {
    /// A sieve with all odd primes below the limit.
    pub(super) fn new(limit: u32) -> Self {
        let mut primes: Vec<u32> = Vec::new();
        let mut composite = vec![false; usize::try_from(limit).unwrap_or(0)];
        for number in (3..limit).step_by(2) {
            let at = |number: u32| usize::try_from(number).unwrap_or(usize::MAX);
            if composite
                .get(at(number))
                .is_some_and(|composite| !composite)
            {
                primes.push(number);
                let multiples = (at(number)..composite.len()).step_by(at(number));
                for multiple in multiples {
                    if let Some(mark) = composite.get_mut(multiple) {
                        *mark = true;
                    }
                }
            }
        }
        Self { primes }
    }

    /// The indices i below `count` for which no small prime divides start + i step, in order.
    /// The numbers themselves are larger than the small primes.
    pub(super) fn survivors<const LIMBS: usize>(
        &self,
        start: &Uint<LIMBS>,
        step: &Uint<LIMBS>,
        count: usize,
    ) -> Vec<usize> {
        let mut survives = vec![true; count];
        for &prime in &self.primes {
            let (start, step) = (remainder(start, prime), remainder(step, prime));
            // If prime divides the step, it divides all numbers or none.
            let (first, stride) = match inverse(step, prime) {
                Some(inverse) => ((prime - start) % prime * inverse % prime, prime),
                None if start == 0 => (0, 1),
                None => continue,
            };
            let marks = survives
                .iter_mut()
                .skip(usize::try_from(first).unwrap_or(usize::MAX))
                .step_by(usize::try_from(stride).unwrap_or(usize::MAX));
            for mark in marks {
                *mark = false;
            }
        }
        let indices = survives.iter().enumerate();
        indices
            .filter(|(_, survives)| **survives)
            .map(|(index, _)| index)
            .collect()
    }
}

fn remainder<const LIMBS: usize>(number: &Uint<LIMBS>, prime: u32) -> u32 {
    let prime = u64::from(prime);
    let remainder = number.as_words().iter().rev().fold(0, |above, word| {
        let high = (above << 32 | word >> 32) % prime;
        (high << 32 | word & u64::from(u32::MAX)) % prime
    });
    // Below the prime, so it fits.
    u32::try_from(remainder).unwrap_or(0)
}

/// The inverse of a number modulo a prime below 2^16; None for 0.
fn inverse(number: u32, prime: u32) -> Option<u32> {
    let (mut a, mut b) = (i64::from(prime), i64::from(number));
    let (mut x, mut y) = (0_i64, 1_i64);
    while b != 0 {
        let quotient = a / b;
        (a, b) = (b, a - quotient * b);
        (x, y) = (y, x - quotient * y);
    }
    let prime = i64::from(prime);
    (a == 1)
        .then(|| u32::try_from((x % prime + prime) % prime).ok())
        .flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_numbers_agree_with_trial_division() {
        for number in (5..20_000_u32).step_by(2) {
            let prime = (2..)
                .take_while(|d| d * d <= number)
                .all(|d| number % d != 0);
            assert_eq!(
                is_prime(&U256::from(u64::from(number)), 8),
                Ok(prime),
                "{number}"
            );
        }
    }

    fn passes_base_2(number: &U256) -> bool {
        Test::new(&*Portable::<1>::new(number), number).passes(&U256::from(2))
    }

    #[test]
    fn strong_pseudoprimes_to_base_2_are_found_out() {
        // The first strong pseudoprimes to base 2, and one to all bases up to 37 (Sorenson and Webster).
        for number in [
            2047_u64,
            3277,
            4033,
            4681,
            8321,
            3_215_031_751,
            3_825_123_056_546_413_051,
        ] {
            assert!(passes_base_2(&U256::from(number)));
            assert_eq!(is_prime(&U256::from(number), 40), Ok(false));
        }
        let hard = bignum::read(&318_665_857_834_031_151_167_461_u128.to_be_bytes()).unwrap();
        assert!(passes_base_2(&hard));
        assert_eq!(is_prime(&hard, 40), Ok(false));
        assert_eq!(is_prime(&U256::from(10), 1), Ok(false));
    }

    #[test]
    fn large_numbers() {
        // 2^255 - 19 is prime, 2^255 - 21 is not.
        let mut number = U256::ZERO;
        number.set_bit(255);
        number.subtract(&U256::from(19));
        assert_eq!(is_prime(&number, 20), Ok(true));
        number.subtract(&U256::from(2));
        assert_eq!(is_prime(&number, 20), Ok(false));
    }

    #[test]
    fn large_numbers_of_1024_bits() {
        // 2^1024 - 105 is the largest prime below 2^1024, 2^1023 + 1155 the smallest above 2^1023.
        let [mut largest, mut smallest, mut top] = [U1024::ZERO; 3];
        largest.subtract(&U1024::from(105));
        top.set_bit(1023);
        smallest.set_bit(1023);
        smallest.add(&U1024::from(1155));
        for prime in [largest, smallest] {
            assert_eq!(is_prime_1024(&prime, 8), Ok(true), "{prime:?}");
            let mut below = prime;
            for _ in 0..4 {
                below.subtract(&U1024::from(2));
                let modulus = Portable::<4>::new(&below);
                let expected = is_prime_modulus(&*modulus, &below, 8);
                assert_eq!(is_prime_1024(&below, 8), expected, "{below:?}");
            }
        }
        assert_eq!(is_prime_1024(&U1024::from(7), 8), Ok(false));
        assert_eq!(is_prime_1024(&top, 8), Ok(false));
    }

    #[test]
    fn random_numbers_stay_below_and_reach_the_limit() {
        for limit in [1_u64, 2, 3, 7, 8, 9, 255, 256, 257] {
            let mut seen = vec![false; limit as usize];
            for _ in 0..limit * 30 {
                let value = below(&U256::from(limit)).unwrap();
                seen[value.as_words()[0] as usize] = true;
            }
            assert!(seen.iter().all(|seen| *seen), "{limit}");
        }
    }

    #[test]
    fn the_sieve_agrees_with_division() {
        let sieve = Sieve::new(1000);
        assert_eq!(sieve.primes.len(), 167);
        // 15 = 3 * 5: primes that divide the step.
        for (start, step) in [
            (1_000_003_u64, 2_u64),
            (1_000_001, 15),
            (1_000_005, 15),
            (1_000_003, 14),
        ] {
            let survivors = sieve.survivors(&U256::from(start), &U256::from(step), 500);
            let expected: Vec<_> = (0..500)
                .filter(|i| {
                    let number = start + *i as u64 * step;
                    sieve.primes.iter().all(|p| number % u64::from(*p) != 0)
                })
                .collect();
            assert_eq!(survivors, expected);
            assert_eq!(survivors.is_empty(), start == 1_000_005);
        }
    }
}

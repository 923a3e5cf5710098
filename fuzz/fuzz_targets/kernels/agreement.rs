//! Carries out the program of an input with each kernel, and compares each result with that of num-bigint.

use super::montgomery::{Kernel, Transfer, with_kernel};
use super::multiexp;
use crate::input::{Input, NUMBERS, Operation, Step, power_of};
use crate::uint::Uint;
use num_bigint::BigUint;
use std::any::type_name;

pub(crate) fn check(input: &Input) {
    match input.bits {
        1024 => check_all::<4, 3, 5, 16>(input),
        _ => check_all::<6, 4, 8, 24>(input),
    }
}

fn check_all<const B: usize, const K: usize, const V: usize, const LIMBS: usize>(input: &Input) {
    let expected = with_num_bigint(input);
    for kernel in Kernel::<B, K, V>::all(&uint::<LIMBS>(&input.modulus)) {
        with_kernel!(&kernel, kernel => check_one::<_, LIMBS>(kernel, input, &expected));
    }
}

/// The result of each step.
fn with_num_bigint(input: &Input) -> Vec<BigUint> {
    let p = &input.modulus;
    let mut numbers = input.numbers.clone();
    let steps = input.program.iter();
    let results = steps.map(|step| {
        let (a, b) = (&numbers[step.into], &numbers[step.other]);
        let result = match step.operation {
            Operation::Multiply => a * b % p,
            Operation::Square => a * a % p,
            Operation::Select => b % p,
            Operation::One => BigUint::from(1_u32),
            Operation::Power([x, y]) => power_of(a, x, p) * power_of(b, y, p) % p,
        };
        numbers[step.into] = result.clone();
        result
    });
    results.collect()
}

fn check_one<M: Transfer<LIMBS>, const LIMBS: usize>(
    kernel: &M,
    input: &Input,
    expected: &[BigUint],
) {
    let who = type_name::<M>();
    let mut numbers = input
        .numbers
        .each_ref()
        .map(|number| *kernel.enter(&uint(number)));
    for (number, entered) in numbers.iter().zip(&input.numbers) {
        let back = left::<_, LIMBS>(kernel, number);
        assert_eq!(back, entered % &input.modulus, "there and back: {who}");
    }
    for (step, expected) in input.program.iter().zip(expected) {
        numbers[step.into] = result_of::<_, LIMBS>(kernel, step, &numbers);
        let result = left::<_, LIMBS>(kernel, &numbers[step.into]);
        assert_eq!(result, *expected, "{step:?}: {who}");
    }
}

fn result_of<M: Transfer<LIMBS>, const LIMBS: usize>(
    kernel: &M,
    step: &Step,
    numbers: &[M::Number; NUMBERS],
) -> M::Number {
    let (mut a, b) = (numbers[step.into].clone(), &numbers[step.other]);
    match step.operation {
        Operation::Multiply => kernel.multiply(&mut a, b),
        Operation::Square => kernel.square(&mut a),
        Operation::Select => kernel.select(&mut a, numbers, step.other as u64),
        Operation::One => a = kernel.one(),
        Operation::Power(exponents) => {
            let [x, y] = exponents.map(|exponent| Uint::<1>::from(u64::from(exponent)));
            let powers = [
                (Box::new(a), &x, x.bits()),
                (Box::new(b.clone()), &y, y.bits()),
            ];
            a = *multiexp::product(kernel, &powers);
        }
    }
    a
}

fn uint<const LIMBS: usize>(number: &BigUint) -> Uint<LIMBS> {
    let mut value = Uint::ZERO;
    for (word, digit) in value
        .as_mut_words()
        .iter_mut()
        .zip(number.iter_u64_digits())
    {
        *word = digit;
    }
    value
}

fn left<M: Transfer<LIMBS>, const LIMBS: usize>(kernel: &M, number: &M::Number) -> BigUint {
    let mut value = Uint::ZERO;
    kernel.leave(number, &mut value);
    let words = value.as_words().iter().rev();
    words.fold(BigUint::ZERO, |sum, word| (sum << 64) + *word)
}

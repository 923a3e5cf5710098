//! Counts the products and squares modulo the group's prime, for tests (feature `count`).

use std::cell::Cell;

/// How many were calculated.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Count {
    /// Of one number with itself.
    pub squares: u32,
    /// Of two numbers.
    pub products: u32,
}

thread_local! {
    static SO_FAR: Cell<Count> = const { Cell::new(Count { squares: 0, products: 0 }) };
}

/// The result of `work`, and what this thread has calculated for it.
pub fn during<T>(work: impl FnOnce() -> T) -> (T, Count) {
    let before = SO_FAR.get();
    let result = work();
    let after = SO_FAR.get();
    let count = Count {
        squares: after.squares - before.squares,
        products: after.products - before.products,
    };
    (result, count)
}

/// The moduli of DSA have 1024 bits, and are not counted.
fn is_of_the_group(bits: usize) -> bool {
    bits >= 1536
}

/// A kernel for numbers of `bits` bits squares one.
pub(crate) fn square(bits: usize) {
    let count = SO_FAR.get();
    SO_FAR.set(Count {
        squares: count.squares + u32::from(is_of_the_group(bits)),
        ..count
    });
}

/// It multiplies two.
pub(crate) fn product(bits: usize) {
    let count = SO_FAR.get();
    SO_FAR.set(Count {
        products: count.products + u32::from(is_of_the_group(bits)),
        ..count
    });
}

//! What is measured of each kernel.

use super::montgomery::{Kernel, Transfer, with_kernel};
use super::multiexp::{self, Comb};
use crate::Numbers;
use crate::table::Row;
use crate::uint::U1536;
use std::hint::black_box;

/// The length of an exponent modulo p.
const BITS: u32 = 1536;

/// A row for each kernel of this machine, and y^long as it calculates it.
pub(crate) fn rows(p: &U1536, numbers: &Numbers) -> Vec<(Row, U1536)> {
    // Leaked: the work of the rows uses them to the end.
    let kernels = Kernel::<6, 4, 8>::all(p).map(|kernel| &*Box::leak(Box::new(kernel)));
    kernels
        .map(|kernel| {
            let name = match kernel {
                Kernel::Portable(_) => "portable",
                #[cfg(otr_eights)]
                Kernel::Eights(_) => {
                    if cfg!(target_arch = "x86_64") {
                        "adx"
                    } else {
                        "arm64"
                    }
                }
                #[cfg(otr_vectors)]
                Kernel::Ifma(_) => "ifma",
                #[cfg(otr_vectors)]
                Kernel::AvxIfma(_) => "avx-ifma",
                #[cfg(target_arch = "x86_64")]
                Kernel::Fma(_) => "fma",
            };
            with_kernel!(kernel, kernel => row(name, kernel, numbers))
        })
        .collect()
}

fn row<M: Transfer<{ U1536::LIMBS }>>(
    name: &'static str,
    kernel: &'static M,
    numbers: &Numbers,
) -> (Row, U1536) {
    let Numbers { y, long, short } = *numbers;
    let mut product = kernel.enter(&y);
    let factor = kernel.enter(&long);
    let mut square = kernel.enter(&y);
    let combs: &_ =
        Box::leak(Box::new([320, BITS].map(|length| {
            (length, Comb::new(kernel, &kernel.enter(&y), length))
        })));
    let power = move |x: &U1536, length| {
        let power = multiexp::product(kernel, &[(kernel.enter(&y), x, length)]);
        left(kernel, &power)
    };
    let fixed = move |x: &U1536, length| {
        let (_, comb) = combs
            .iter()
            .find(|(longest, _)| length <= *longest)
            .unwrap();
        left(kernel, &comb.power(kernel, x, length))
    };
    assert_eq!(power(&short, 320), fixed(&short, 320));
    assert_eq!(power(&long, BITS), fixed(&long, BITS));
    let work: Vec<Box<dyn FnMut()>> = vec![
        Box::new(move || kernel.multiply(&mut product, &factor)),
        Box::new(move || kernel.square(&mut square)),
        Box::new(move || {
            black_box(power(&short, 320));
        }),
        Box::new(move || {
            black_box(power(&long, BITS));
        }),
        Box::new(move || {
            black_box(fixed(&short, 320));
        }),
        Box::new(move || {
            black_box(fixed(&long, BITS));
        }),
    ];
    (Row::new(name, work), power(&long, BITS))
}

fn left<M: Transfer<{ U1536::LIMBS }>>(kernel: &M, number: &M::Number) -> U1536 {
    let mut value = U1536::ZERO;
    kernel.leave(number, &mut value);
    value
}

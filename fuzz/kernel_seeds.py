#!/usr/bin/env python3
"""Writes the seeds of the fuzz target `kernels`, whose input.rs says what the bytes mean:  fuzz/kernel_seeds.py DIRECTORY

Each has one of the moduli, and numbers that are long runs of zeros and ones: as they are, around p, and in the form in which a
kernel calculates. They are not found by fuzzing: the fuzzer sees no difference between carries in assembly."""

import sys
from pathlib import Path

ZERO, ONES, ONE, HIGH = 0, 64, 128, 128 + 63  # 0, 2^64 - 1, 1, 2^63
FROM_ZERO, ABOVE_P, MULTIPLIED = 0, 1, 2
# Multiply, square, select, one and a power, with different numbers; so that the program goes on with what it has calculated.
PROGRAM = bytes([0x04, 0x61, 0x0B, 0x62, 0x67, 0x0E, 0xC8, 0x05, 0x63, 0xF1, 3, 2, 0xFF, 0, 0x66, 0x01, 0xE3, 0x07, 0x61, 0x0C])

# The kind of modulus, its words, and the powers of 2 by which the kernels multiply: R, with digits of 64 bits and of 52.
MODULI = {
    "prime": (0, 24, [], [1536, 1560]),
    "ones": (1, 24, [ONES] * 24, [1536, 1560]),
    "low": (1, 24, [HIGH] + [ZERO] * 22 + [ONE], [1536, 1560]),
    "dsa": (2, 16, [ONES] * 8 + [ZERO] * 8, [1024, 1040]),
}


def numbers(words, powers):
    """Four numbers for each seed of a modulus."""
    small, large = [ZERO] * (words - 1) + [ONE], [ONES] * words
    blocks = [ONES if word // 4 % 2 else ZERO for word in range(words)]
    below = [ONES] * (words - 1) + [ONES + 1]
    plain = [(FROM_ZERO, large), (ABOVE_P, small), (ABOVE_P, below), (FROM_ZERO, blocks)]
    yield "plain", plain
    for power in powers:
        yield f"by-2-{power}", [(MULTIPLIED, number, power) for number in (large, blocks, below, [HIGH] + [ZERO] * (words - 1))]


def main():
    """Writes them all."""
    directory = Path(sys.argv[1])
    directory.mkdir(parents=True, exist_ok=True)
    for name, (kind, words, modulus, powers) in MODULI.items():
        for of, four in numbers(words, powers):
            content = bytes([kind, *modulus])
            for how, digits, *power in four:
                content += bytes([how]) + b"".join(one.to_bytes(2, "little") for one in power) + bytes(digits)
            (directory / f"{name}-{of}").write_bytes(content + PROGRAM)


if __name__ == "__main__":
    main()

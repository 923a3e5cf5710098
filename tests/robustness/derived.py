"""Keys derived from secret Diffie-Hellman exponents: a helper of wiped.c, which must not have these in its own memory.

Reads exponents, one a line, each as hexadecimal digits of masked bytes; writes for each two of them (their numbers), and
each secret that the two give, a line with its name and its first bytes, masked as well.

    derived.py PUBLIC SECRET

gives the number that the SMP compares instead: of both fingerprints and the session id, and of a masked secret."""

import hashlib
import sys
from itertools import combinations

# RFC 3526, group 5.
P = int("FFFFFFFFFFFFFFFFC90FDAA22168C234C4C6628B80DC1CD129024E088A67CC74020BBEA63B139B22514A08798E3404DDEF9519B3CD3A431B302B0A6DF25"
        "F14374FE1356D6D51C245E485B576625E7EC6F44C42E9A637ED6B0BFF5CB6F406B7EDEE386BFB5A899FA5AE9F24117C4B1FE649286651ECE45B3DC200"
        "7CB8A163BF0598DA48361C55D39A69163FA8FD24CF5F83655D23DCA3AD961C62F356208552BB9ED529077096966D670C354E4ABC9804F1746C08CA237"
        "327FFFFFFFFFFFFFFFF", 16)
PIECE, MASK = 16, 0x5A


def sha1(*parts):
    return hashlib.sha1(b"".join(parts)).digest()


def sha256(*parts):
    return hashlib.sha256(b"".join(parts)).digest()


def secrets(a, b):
    """Names and bytes."""
    number = pow(pow(2, a, P), b, P)
    shared = number.to_bytes((number.bit_length() + 7) // 8, "big")
    mpi = len(shared).to_bytes(4, "big") + shared
    # The middle: the ends of a number may be cut differently.
    yield "shared secret", shared[80:]
    for byte in (1, 2):
        # Its hash, the MAC key, is published when it is no longer needed.
        yield "AES key", sha1(bytes([byte]), mpi)[:16]
    both = sha256(b"\1", mpi)
    yield "c", both
    yield "c'", both[16:]
    for byte, name in ((2, "m1"), (3, "m2"), (4, "m1'"), (5, "m2'")):
        yield name, sha256(bytes([byte]), mpi)
    yield "extra key", sha256(b"\xff", mpi)


def unmasked(digits):
    return bytes(byte ^ MASK for byte in bytes.fromhex(digits))


def main():
    if len(sys.argv) == 3:
        # Its beginning would do, but numbers are kept in words: the end of it is at the end of one.
        compared = sha256(b"\1", bytes.fromhex(sys.argv[1]), unmasked(sys.argv[2]))
        print(bytes(byte ^ MASK for byte in compared[PIECE:]).hex())
        return
    exponents = [int.from_bytes(unmasked(line), "big") for line in sys.stdin.read().split()]
    for (i, a), (j, b) in combinations(enumerate(exponents), 2):
        for name, secret in secrets(a, b):
            piece = bytes(byte ^ MASK for byte in secret[:PIECE])
            print(i, j, piece.hex(), name)


main()

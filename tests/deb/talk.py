#!/usr/bin/env python3
"""Inside the chroot of tests/deb: two BitlBees talk over the libotr that the system's loader finds, with keys that are kept.

    talk.py HOMES    where there are none, keys are made and kept there, and both prove to each other that they know a secret

Prints, as JSON: which files named libotr.so both have mapped, and for each of the two the fingerprint, the trust in the other and
the digest of the key file. Ends with 1 and the reason if anything went wrong."""

import hashlib
import json
import os
import shutil
import sys
from pathlib import Path

sys.dont_write_bytecode = True
PROJECT = Path(__file__).resolve().parent.parent.parent
sys.path[:0] = [str(PROJECT / "tests/bitlbee"), str(PROJECT / "tests/support")]

from bitlbee import debian_installation  # noqa: E402
from couple import Couple  # noqa: E402
from processes import Failure, Missing, temporary_directory  # noqa: E402
from scenario import own_fingerprint, prove, talk, trust_of_buddy  # noqa: E402


def make_keys(homes):
    """Both sign up and make their keys."""
    with Couple(temporary_directory("otr-deb-"), debian_installation(), {}) as couple:
        couple.start(signed_up=False)
        couple.go_online()
        for side in couple.sides:
            side.generate_key()
            side.save()
    os.makedirs(homes)
    couple.keep_homes(homes)


def converse(homes, trust):
    """A session, a message each way, the secret, a message each way; then both homes are kept as they are."""
    with Couple(temporary_directory("otr-deb-"), debian_installation(), {}, homes=homes) as couple:
        couple.start()
        couple.go_online()
        couple.connect_otr(trust=trust)
        mapped = sorted({path for side in couple.sides for path in side.bitlbee.mapped_libotr()})
        talk(couple)
        prove(couple.alice, couple.bob, question="the way in?", secret="mellon")
        prove(couple.bob, couple.alice, secret="mellon")
        talk(couple, color="03")
        told = {"mapped": mapped}
        for side in couple.sides:
            keys = Path(side.bitlbee.stored("otr_keys")).read_bytes()
            told[side.user] = {"fingerprint": own_fingerprint(side), "trust": trust_of_buddy(side),
                               "keys": hashlib.sha256(keys).hexdigest()}
            side.save()
    shutil.rmtree(homes)
    os.makedirs(homes)
    couple.keep_homes(homes)
    return told


def main():
    homes = sys.argv[1]
    try:
        known = os.path.exists(homes)
        if not known:
            make_keys(homes)
        print(json.dumps(converse(homes, "trusted" if known else "untrusted!")))
    except (Failure, Missing) as problem:
        sys.exit(str(problem))


main()

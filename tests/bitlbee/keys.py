"""Keys made in BitlBee's background process, and OTR data that outlive a BitlBee."""

import base64
import glob
import os
import re

from couple import KEY_GENERATION_TIMEOUT
from processes import Failure, wait_until
from relay import SENT
from scenario import (file_mode, info, own_fingerprint, prove, require, scenario, talk, trust_of_buddy)

# Where BitlBee's key generation child writes before BitlBee takes the file over.
CHILD_FILES = "/tmp/bitlbee-*"


@scenario("keys: otr keygen makes a key in the background; the file is there, private, and nothing is left behind")
def keygen(stage):
    before = set(glob.glob(CHILD_FILES))
    with stage.strangers() as couple:
        alice = couple.alice
        require(not os.path.exists(alice.bitlbee.stored("otr_keys")), "there was a key file before any key was made")
        alice.generate_key()
        fingerprint = own_fingerprint(alice)
        path = alice.bitlbee.stored("otr_keys")
        require(file_mode(path) == 0o600, f"the mode of the key file is {file_mode(path):o}, not 600")
        require(len(accounts_in(path)) == 1, f"the key file has the accounts {accounts_in(path)}")
        require(len(fingerprint) == 44, f"the fingerprint is {fingerprint!r}")
        wait_until(lambda: not set(glob.glob(CHILD_FILES)) - before, 5, "the child's temporary key file was not removed")


@scenario("keys: a BitlBee that finds an account without a key makes one by itself")
def keygen_at_sign_in(stage):
    with stage.strangers() as couple:
        alice = couple.alice
        alice.leave()
        alice.start()
        alice.sign_in_without_key()
        alice.person.expect_text(f"otr keygen for {alice.account}/jabber complete", "root", KEY_GENERATION_TIMEOUT)
        require(accounts_in(alice.bitlbee.stored("otr_keys")) == [alice.account], "the key file is not there or not Alice's")


@scenario("keys: a second account's key is added; the first key stays as it was")
def second_account(stage):
    with stage.couple() as couple:
        alice = couple.alice
        first = own_fingerprint(alice)
        alice.person.command("account add jabber carol@localhost secret")
        tag = alice.person.expect(r"Account successfully added with tag (\S+)").text.split()[-1]
        alice.person.command(f"otr keygen {tag}")
        alice.person.expect_text("otr keygen for carol@localhost/jabber complete", "root", KEY_GENERATION_TIMEOUT)
        names = sorted(accounts_in(alice.bitlbee.stored("otr_keys")))
        require(names == ["alice@localhost", "carol@localhost"], f"the key file has the accounts {names}")
        require(own_fingerprint(alice) == first, "the first account's key was changed")
        couple.connect_otr()
        talk(couple)


@scenario("keys: a key is replaced after a question; the buddy sees a new fingerprint")
def replaced_key(stage):
    with stage.couple() as couple:
        alice, bob = couple.sides
        couple.connect_otr()
        first = own_fingerprint(alice)
        alice.person.command("otr keygen jabber")
        alice.person.expect("already has a key, replace it\\?")
        alice.person.command("yes")
        alice.person.expect_text(f"otr keygen for {alice.account}/jabber complete", "root", KEY_GENERATION_TIMEOUT)
        second = own_fingerprint(alice)
        require(second != first, "the key is still the old one")
        require(accounts_in(alice.bitlbee.stored("otr_keys")) == [alice.account], "the key file has more than the new key")
        bob.person.skip()
        alice.person.command("otr disconnect bob")
        alice.person.command("otr connect bob")
        bob.person.expect_text(f"new fingerprint: {second}", "alice")
        bob.person.expect_text("conversation is now off the record (untrusted!)", "alice")
        talk(couple)


@scenario("keys: keys, trust and instance tags outlive both BitlBees; the files have the modes they should")
def persistence(stage):
    with stage.couple() as couple:
        couple.connect_otr()
        prove(couple.alice, couple.bob)
        before = [remembered(side) for side in couple.sides]
        for side in couple.sides:
            side.person.skip()
            side.leave()
            for suffix in ("otr_keys", "otr_fprints"):
                mode = file_mode(side.bitlbee.stored(suffix))
                require(mode == 0o600, f"the mode of {side.user}'s {suffix} is {mode:o}, not 600")
            mode = file_mode(side.bitlbee.stored("otr_instags"))
            require(mode & 0o022 == 0, f"the mode of {side.user}'s otr_instags is {mode:o}: others may write it")
        contents = [stored_files(side) for side in couple.sides]
        for side in couple.sides:
            side.come_back()
        for side in couple.sides:
            side.wait_for_buddy()
            side.person.skip()
        couple.connect_otr(trust="trusted")
        talk(couple, color="03")
        for side, old, old_files in zip(couple.sides, before, contents):
            new = remembered(side)
            require(new == old, f"{side.user} had {old} and came back with {new}")
            require(stored_files(side) == old_files, f"{side.user}'s files changed although nothing new was learnt")


@scenario("keys: a damaged fingerprint file and a missing one do no harm to the keys")
def damaged_files(stage):
    with stage.couple() as couple:
        couple.connect_otr()
        alice, bob = couple.sides
        fingerprint = own_fingerprint(alice)
        for side in couple.sides:
            side.leave()
        with open(alice.bitlbee.stored("otr_fprints"), "ab") as file:
            file.write(b"half a line\n\tand\tanother\tnot-hexadecimal\n\xff\xfe\n")
        os.remove(bob.bitlbee.stored("otr_fprints"))
        for side in couple.sides:
            side.come_back()
        for side in couple.sides:
            side.wait_for_buddy()
        require(own_fingerprint(alice) == fingerprint, "the key is another one")
        for side in couple.sides:
            side.person.skip()
        alice.person.command("otr connect bob")
        bob.person.expect(f"^new fingerprint: {fingerprint}$", "alice")
        couple.expect_secure()
        require(not alice.person.seen("^new fingerprint"), "Alice forgot the fingerprint in the intact line of her file")
        talk(couple)


def accounts_in(path):
    """The names of the accounts in a key file."""
    with open(path, encoding="utf-8") as file:
        text = file.read()
    require(text.startswith("(privkeys"), f"the key file begins {text[:20]!r}")
    return re.findall(r'\(name "?([^")\s]+)"?\)', text)


def stored_files(side):
    """The contents of the three OTR files."""
    contents = {}
    for suffix in ("otr_keys", "otr_fprints", "otr_instags"):
        with open(side.bitlbee.stored(suffix), "rb") as file:
            contents[suffix] = file.read()
    return contents


def remembered(side):
    """What must be the same after a restart: own fingerprint, the buddy's trust, own instance tag on the wire."""
    return own_fingerprint(side), trust_of_buddy(side), instance_on_the_wire(side)


def instance_on_the_wire(side):
    """The sender's instance tag (in hexadecimal) of the last OTR message sent; it must be the one in the file."""
    encoded = [body for body in side.relay.bodies(SENT) if body.startswith("?OTR:")]
    if not encoded:
        raise Failure(f"{side.user} has sent no OTR message")
    header = base64.b64decode(encoded[-1][len("?OTR:"):len("?OTR:") + 16])
    instance = header[3:7].hex()
    with open(side.bitlbee.stored("otr_instags"), encoding="utf-8") as file:
        text = file.read()
    line = f"{side.account}\tjabber\t{instance}\n"
    require(line in text, f"the tag on the wire is {instance}, but the file has {text!r}")
    return instance

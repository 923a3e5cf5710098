"""BitlBee 3.2.1, a client of libotr 3.2, built from its own source against libotr.so.2. No package has that source: BITLBEE_SRC
names a directory with it."""

import os
import re
import shutil

from bitlbee import Installation
from built import run
from library import Library, library_directory
from processes import Missing
from scenario import NotRun, Stage, begin_proof, prove, require, say_in_the_clear, scenario, talk

VERSION = "3.2.1"


@scenario("older: BitlBee 3.2.1 with libotr.so.2: a conversation, SMP and the end")
def conversation(stage):
    with older_stage(stage).couple() as couple:
        say_in_the_clear(couple.alice, couple.bob)
        couple.connect_otr()
        talk(couple, color="05")
        prove(couple.alice, couple.bob, question="question question question", secret="answer")
        prove(couple.bob, couple.alice)
        prove(couple.alice, couple.bob, answer="another")
        talk(couple)
        couple.alice.person.command("otr disconnect bob")
        couple.alice.person.expect_text("conversation is now in cleartext", "bob")
        couple.bob.person.command("otr disconnect alice")
        couple.bob.person.expect_text("conversation is now in cleartext", "alice")
        say_in_the_clear(couple.alice, couple.bob)


@scenario("older: BitlBee 3.2.1 with libotr.so.2: SMP begun anew breaks the first off")
def broken_off(stage):
    with older_stage(stage).couple() as couple:
        couple.connect_otr()
        begin_proof(couple.alice, couple.bob, "mellon")
        prove(couple.alice, couple.bob, secret="other")
        prove(couple.bob, couple.alice, question="which?", secret="mellon", answer="wrong")
        talk(couple)


@scenario("older: BitlBee 3.2.1 with libotr.so.2: a session that one side has lost")
def lost(stage):
    with older_stage(stage).couple() as couple:
        couple.connect_otr()
        talk(couple)
        couple.bob.crash()
        couple.bob.come_back()
        couple.bob.wait_for_buddy()
        couple.alice.person.say("bob", "to one who has forgotten")
        # Bob's client tells Alice's that it cannot read it, and both begin anew.
        couple.alice.person.expect_text("otr connection has been refreshed (untrusted!)", "bob")
        couple.bob.person.expect_text("conversation is now off the record (untrusted!)", "alice")
        couple.bob.person.expect_text("[resent] to one who has forgotten", "alice")
        talk(couple)


def older_stage(stage):
    """A stage for BitlBee 3.2.1 on the libotr.so.2 beside the library under test; one for all scenarios."""
    if not hasattr(stage, "older"):
        source = os.environ.get("BITLBEE_SRC")
        if not source:
            raise NotRun(f"no source of BitlBee {VERSION} (BITLBEE_SRC)")
        if not stage.prefix:
            raise Missing("OTR_PREFIX is not set: BitlBee can only be built against an installation with headers")
        library = Library(library_directory(stage.prefix), "libotr.so.2")
        older = Stage(library, stage.prefix, stage.build_directory)
        older.installation = build(stage, source)
        stage.older = older
    return stage.older


def build(stage, source):
    """The Installation of BitlBee from this source, unmodified but for where libotr is."""
    with open(os.path.join(source, "bitlbee.h"), encoding="utf-8", errors="replace") as file:
        require(f'BITLBEE_VERSION "{VERSION}"' in file.read(), f"{source} is not the source of BitlBee {VERSION}")
    own = os.path.join(library_directory(stage.prefix), "libotr-2")
    directory = os.path.join(stage.build_directory, f"bitlbee-{VERSION}")
    shutil.rmtree(directory, ignore_errors=True)
    shutil.copytree(source, directory, ignore=shutil.ignore_patterns(".git"))
    log = os.path.join(directory, "build.log")
    # It is older than a compiler that refuses two definitions of a variable.
    here = {"CFLAGS": "-O1 -fcommon -w"}
    run("configuring BitlBee", ["./configure", "--otr=1", f"--prefix={directory}/installed", "--ssl=gnutls", "--twitter=0", "--doc=0",
                                f"--config={directory}/state/"], directory, log, here)
    settings = os.path.join(directory, "Makefile.settings")
    with open(settings, encoding="utf-8") as file:
        text = file.read()
    text = re.sub(r"-L\S*/lib -lotr", f"{own}/lib/libotr.so", text) + f"CFLAGS+=-I{own}/include\n"
    with open(settings, "w", encoding="utf-8") as file:
        file.write(text)
    run("compiling BitlBee", ["make", "-j2"], directory, log, here)
    return Installation(os.path.join(directory, "bitlbee"), None, first_account="0")

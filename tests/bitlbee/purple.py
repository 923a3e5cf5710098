"""Debian's BitlBee on libpurple (bitlbee-libpurple), without BitlBee's own implementations of the networks. The package takes the
place of bitlbee, and so it is unpacked beside that one instead of being installed."""

import glob
import os
import shutil

from bitlbee import DEBIAN_PLUGINS, Installation
from built import run
from loading import converse
from processes import Failure
from scenario import require, scenario, talk

PACKAGE = "bitlbee-libpurple"


@scenario("purple: BitlBee on libpurple: keys, a conversation and SMP, only the library under test mapped")
def on_libpurple(stage):
    installation = unpacked(stage)
    converse(stage, stage.library.by_library_path(), installation)


@scenario("purple: BitlBee on libpurple makes a key, and goes on with it after a restart")
def key(stage):
    with stage.strangers(unpacked(stage)) as couple:
        for side in couple.sides:
            side.generate_key()
            side.save()
        couple.connect_otr()
        talk(couple)
        couple.bob.leave()
        couple.bob.come_back()
        couple.bob.wait_for_buddy()
        couple.bob.person.command("otr connect alice")
        couple.expect_secure()
        talk(couple)


def unpacked(stage):
    """The Installation in the package."""
    directory = os.path.join(stage.build_directory, PACKAGE)
    program = os.path.join(directory, "unpacked", "usr", "sbin", "bitlbee")
    if not os.path.exists(program):
        shutil.rmtree(directory, ignore_errors=True)
        os.makedirs(directory)
        log = os.path.join(directory, "unpack.log")
        run(f"fetching {PACKAGE}", ["apt-get", "-q", "-o", "APT::Sandbox::User=", "download", PACKAGE], directory, log, {})
        found = glob.glob(os.path.join(directory, f"{PACKAGE}_*.deb"))
        require(found, f"apt-get has not left {PACKAGE} in {directory}")
        run(f"unpacking {PACKAGE}", ["dpkg", "-x", found[0], "unpacked"], directory, log, {})
    if not os.path.exists(program):
        raise Failure(f"there is no bitlbee in {PACKAGE}")
    return Installation(program, DEBIAN_PLUGINS, server_setting="connect_server",
                        in_the_clear=[("connection_security", "opportunistic_tls"), ("auth_plain_in_clear", "true")],
                        fork_daemon=True)

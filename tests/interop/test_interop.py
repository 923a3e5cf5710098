"""Conversations between two implementations, each in its own process.

Pairs our libotr.so.5 with the distribution's libotr, and with four independent implementations: python-potr, the npm package otr,
otr3 in Go and the crate otrr; and our libotr.so.2 with these and with our libotr.so.5. With --reference, the distribution's libotr is
used instead of ours, which tests this driver and shows which faults are not ours. See README.md."""

import functools
import os
import shutil
import subprocess
from pathlib import Path

import by_chance
import conversations
import pytest
import strangers
from go_peer import GoPeer
from needs import COMPILERS, GCRYPT, packages
from npm_peer import NpmPeer
from once import TARGET, Failed, once
from peers import Peer
from rust_peer import RustPeer

try:
    from potr_peer import PotrPeer
except ImportError:
    PotrPeer = None

HERE = Path(__file__).resolve().parent
# Node.js from elsewhere mostly has npm in it, and does not go together with Debian's.
NODE = [] if shutil.which("node") and shutil.which("npm") else ["nodejs", "npm"]
GO = ["golang-go", "golang-github-twstrike-otr3-dev"]
pytestmark = [packages(COMPILERS, GCRYPT, NODE, GO, "libotr5", "libotr5-dev", "python3-potr"), pytest.mark.minutes(15)]
STRANGERS = [one for one in (PotrPeer, NpmPeer, GoPeer, RustPeer) if one]
PAIRS = {
    "reference": [("reference", "reference")],
    "ours": [("reference", "reference"), ("ours", "reference"), ("reference", "ours"), ("ours", "ours")],
    "abi2": [("abi2", "abi2"), ("abi2", "ours"), ("reference", "abi2")],
}


class Libraries:
    """Where each library is, and how to start a peer on it."""

    def __init__(self, prefix):
        self.build = TARGET / "interop-tests"
        self.build.mkdir(parents=True, exist_ok=True)
        self.directory, self.binaries = {"reference": None}, {}
        if prefix:
            self.directory |= {"ours": prefix / "lib", "abi2": prefix / "lib"}
            own = prefix / "lib" / "libotr-2"
        self.binaries = dict.fromkeys(self.directory, self.compile("peer"))
        if prefix:
            self.binaries["abi2"] = self.compile("peer2", f"-I{own}/include", f"-L{own}/lib")
        hindrance = once("interop-npm", lambda: NpmPeer.install(self.build)) or NpmPeer.install(self.build)
        if hindrance:
            raise Failed(hindrance)
        # Those that cannot be had are left out.
        self.hindrance = {}
        for one in (GoPeer, RustPeer):
            self.hindrance[one] = (once(f"interop-{one.label}", lambda one=one: one.install(self.build))
                                   or one.install(self.build))
        once("interop-keys", self.make_keys)

    def compile(self, name, *options):
        """The program of peer.c or peer2.c, each with peer_common.c."""
        def make():
            done = subprocess.run(["cc", "-Wall", "-Wextra", "-Werror", "-O1", "-g", "-std=c11", "-D_GNU_SOURCE", HERE / f"{name}.c",
                                   HERE / "peer_common.c", "-o", self.build / name, *options, "-lotr", "-ldl"],
                                  capture_output=True, text=True, check=False)
            if done.returncode:
                raise Failed(f"{name}.c does not compile:\n{done.stderr}")

        once(f"interop-{name}", make)
        return self.build / name

    def make_keys(self):
        """A library makes its key files on first use."""
        for library in self.directory:
            for account in ("alice", "bob"):
                self.peer(library, account, 0).quit()
        for stranger in (NpmPeer, *(one for one, hindrance in self.hindrance.items() if not hindrance)):
            stranger("bob", 0).quit()

    def peer(self, library, name, policy, keys=None):
        """A peer on this library, with its own key file, or that of `keys`."""
        env = {k: v for k, v in os.environ.items() if k != "LD_LIBRARY_PATH"}
        if self.directory[library]:
            env["LD_LIBRARY_PATH"] = str(self.directory[library])
        keyfile = self.build / f"{keys or library}-{name}.keys"
        return Peer(name, [str(self.binaries[library]), name, str(keyfile)], env, policy)

    def check_loaded(self, library):
        """The peer really runs on the library that it is meant to."""
        peer = self.peer(library, "alice", 0)
        path = peer.command("library")[0][1]
        peer.quit()
        wanted = self.directory[library]
        if wanted is None:
            return not any(path.startswith(str(d)) for d in self.directory.values() if d)
        return Path(path).resolve() == (wanted / ("libotr.so.2" if library == "abi2" else "libotr.so.5")).resolve()


@pytest.fixture(scope="session")
def libraries(request, real_library):
    """The libraries, and the programs that run on them."""
    try:
        return Libraries(None if request.config.option.reference else request.getfixturevalue("prefix"))
    except Failed as failed:
        pytest.fail(str(failed), pytrace=False)


def case(name, function, *arguments):
    """A test's parameters, with the marks of the interface that it is about."""
    abi = 2 if "abi2" in arguments else 5
    return pytest.param(function, arguments, id=name, marks=[pytest.mark.abi(abi)])


def between(tested):
    """What pairs of libotrs do."""
    functions = conversations.BETWEEN_ABI2 if tested == "abi2" else conversations.BETWEEN_LIBOTRS
    for first, second in PAIRS[tested]:
        more = conversations.ONLY_ABI2 if first == "abi2" else []
        more = more + (conversations.BOTH_ABI2 if first == second == "abi2" else [])
        for function in functions + more:
            yield case(f"{first}-{second}-{function.__name__}", function, first, second)


def who_meet(tested):
    """The other implementations that have a version in common with this one."""
    return [one for one in STRANGERS if strangers.versions_of(tested, one)]


def with_strangers(tested):
    """What a libotr does with another implementation."""
    for stranger in who_meet(tested):
        for function in [*strangers.meetings(tested, stranger), by_chance.schedules]:
            yield case(f"{tested}-{stranger.label.replace(' ', '-')}-{function.__name__}", function, tested, stranger)


def long_ones(tested):
    """What a libotr and another implementation do by chance, for long."""
    for stranger in who_meet(tested):
        yield case(f"{tested}-{stranger.label.replace(' ', '-')}-200-schedules",
                   functools.partial(by_chance.schedules, numbers=range(200)), tested, stranger)


def pytest_generate_tests(metafunc):
    """The conversations, of our libraries or of the distribution's."""
    tested = ("reference",) if metafunc.config.option.reference else ("ours", "abi2")
    if "conversation" in metafunc.fixturenames:
        source = {test_libotrs: between, test_strangers: with_strangers, test_soak: long_ones}[metafunc.function]
        metafunc.parametrize("conversation, ends", [one for name in tested for one in source(name)])


def test_setup(checks, libraries):
    """Every peer runs on what it should."""
    for library in libraries.directory:
        checks.ok(libraries.check_loaded(library), f"a peer on {library} runs on that library")
    npm = NpmPeer("bob", 0)
    checks.ok(npm.powers_agree(), "the powers in npm/peer.js are those of the package")
    npm.quit()


def test_libotrs(checks, libraries, conversation, ends):
    """A conversation between two libotrs."""
    conversation(checks, libraries, *ends)


@pytest.mark.skipif(PotrPeer is None, reason="python-potr or pycryptodome is missing: packages python3-potr and python3-pycryptodome, "
                    "for Debian's Python")
def test_potr():
    """python-potr is there to talk to."""


def test_strangers(checks, libraries, conversation, ends):
    """A conversation with another implementation."""
    stranger = ends[-1]
    if libraries.hindrance.get(stranger):
        pytest.skip(libraries.hindrance[stranger])
    conversation(checks, libraries, *ends)
    if stranger.faulty:
        print(f"({stranger.faults} of {stranger.cases} cases met the fault of {stranger.label} itself, and were done again)")


@pytest.mark.soak
@pytest.mark.only_with("soak")
@pytest.mark.minutes(60)
def test_soak(checks, libraries, conversation, ends):
    """Two hundred conversations by chance with another implementation."""
    test_strangers(checks, libraries, conversation, ends)

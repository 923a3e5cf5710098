"""What a run needs before it starts: the driver, the two libraries, keys and instance tags."""

import glob
import os
import subprocess
from pathlib import Path

from machine import chosen as machine
from world import Driver, to_hex

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
# What the driver is made of, and what it has besides for each interface.
SOURCES = ("driver.c", "callbacks.c", "seen.c", "lines.c", "system.c")
OWN_SOURCES = {5: ("commands5.c", "callbacks5.c"), 2: ("commands2.c", "callbacks2.c", "smp2.c")}
PROTOCOL = "prpl-same"
ACCOUNTS = ("alice", "bob", "carol", "dave")
PLACES = ("/usr/lib/*/libotr.so.5", "/usr/lib64/libotr.so.5", "/usr/lib/libotr.so.5")

# Debian adds this line to the default query text.
DEBIAN_LINE = b"\nIf you are using Pidgin in Debian or Ubuntu,install the pidgin-otr package."


class Missing(Exception):
    """Something that the run needs is not there."""


def reference():
    """The libotr 4 of the system, or of the machine that the tests are for; None if there is none."""
    if not machine.native:
        return machine.library("libotr.so.5")
    return next((path for pattern in PLACES for path in sorted(glob.glob(pattern))), None)


def find_ours(name="libotr.so.5"):
    directory = os.environ.get("OTR_LIBDIR")
    prefix = os.environ.get("OTR_PREFIX")
    if directory:
        return os.path.join(directory, name)
    if not prefix:
        raise Missing("set OTR_PREFIX to the prefix that the library is installed under, or OTR_LIBDIR to its directory")
    for top, _, files in sorted(os.walk(os.path.join(prefix, "lib"))):
        if name in files:
            return os.path.join(top, name)
    raise Missing(f"there is no {name} under {prefix}/lib")


class Pool:
    """A directory below target/ with all of it. Keys are made once and kept."""

    def __init__(self):
        target = Path(os.environ.get("CARGO_TARGET_DIR") or ROOT / "target")
        self.directory = machine.place(target.resolve()) / "differential"
        self.directory.mkdir(parents=True, exist_ok=True)
        self.binaries = {}
        self.paths = {"real": self.plain_reference(reference()), "ours": find_ours()}
        self.drivers = {name: self.driver(5, path) for name, path in self.paths.items()}
        self.make_keys()

    def binary(self, interface):
        """The driver for an interface, which is compiled once."""
        if interface not in self.binaries:
            out = self.directory / f"driver{interface}.{os.getpid()}"
            sources = [str(HERE / name) for name in SOURCES + OWN_SOURCES[interface]]
            done = subprocess.run([machine.cc, "-Wall", "-Wextra", "-Werror", "-O1", "-g", "-std=c11", "-D_GNU_SOURCE",
                                   "-rdynamic", *machine.include(), "-I", str(ROOT / f"include/abi{interface}"), *sources,
                                   "-o", str(out), "-ldl"], capture_output=True, text=True, check=False)
            if done.returncode:
                raise Missing(f"the driver does not compile:\n{done.stderr}")
            self.binaries[interface] = out
        return self.binaries[interface]

    def driver(self, interface, path, environment=None):
        """A driver on a library."""
        command, loader = machine.command(str(self.binary(interface)), machine.loader())
        return Driver(command, path, loader | (environment or {}))

    def older(self):
        """The driver for our library with the interface of libotr 3.2."""
        if "older" not in self.drivers:
            self.drivers["older"] = self.driver(2, find_ours("libotr.so.2"))
        return self.drivers["older"]

    def driver3(self, path, fill):
        """The driver for a libotr.so.2 of libotr 3.2, over memory that is filled with a byte before it is used."""
        name = f"3.2 over {fill:02x}"
        if name not in self.drivers:
            self.drivers[name] = self.driver(2, path, {"MALLOC_PERTURB_": str(fill)} if fill else {})
        return self.drivers[name]

    def plain_reference(self, path):
        """The reference with Debian's line taken out of its default query text, so that the texts, and the fragments
        of them, need no normalising."""
        data = Path(path).read_bytes()
        at = data.find(DEBIAN_LINE)
        if at >= 0:
            end = data.index(b"\0", at)
            tail = data[at + len(DEBIAN_LINE):end]
            data = data[:at] + tail + bytes(end - at - len(tail)) + data[end:]
        out = self.directory / f"libotr-reference.{os.getpid()}.so"
        out.write_bytes(data)
        return out

    def make_keys(self):
        driver = self.drivers["ours"]
        for account in ACCOUNTS:
            for number in range(2):
                path = self.directory / f"{account}.{number}.keys"
                if not path.exists():
                    temporary = self.directory / f"making.{os.getpid()}.keys"
                    driver.ask("user 0 maker 1")
                    # Without a stream of random numbers of his own, the user would draw the same key again.
                    answer = driver.ask(f"files 0 generate {temporary} {to_hex(account)} {to_hex(PROTOCOL)}")
                    if "ret generate err=0" not in answer:
                        raise Missing(f"no key could be made: {answer}")
                    os.replace(temporary, path)
        for account in ACCOUNTS:
            for number in range(8):
                path = self.directory / f"{account}.{number}.tags"
                text = f"{account}\t{PROTOCOL}\t{0x1000 + 0x111 * number:08x}\n"
                # Another process may read it.
                if not path.exists() or path.read_text(encoding="ascii") != text:
                    path.write_text(text, encoding="ascii")

    def key(self, account, number):
        return self.directory / f"{account}.{number}.keys"

    def tag(self, account, number):
        return self.directory / f"{account}.{number}.tags"

    def pairing(self, first, second):
        """The drivers of a pairing."""
        return (self.drivers[first], self.drivers[second])

    def close(self):
        for driver in self.drivers.values():
            driver.stop()
        for path in (*self.binaries.values(), self.paths["real"]):
            path.unlink(missing_ok=True)

"""Plugin of pytest: the machine that C programs are compiled for and run on. It is this one, unless three options name another, as
scripts/cross does; then neither valgrind nor AddressSanitizer is there."""

import os
import shlex
import shutil
from pathlib import Path

import pytest


class Machine:
    """A machine, in the words of its compiler."""

    def __init__(self, cc="cc", run_with="", sysroot=None):
        self.native = cc == "cc"
        self.cc, self.cxx = cc, "c++" if self.native else cc.removesuffix("gcc") + "g++"
        self.run_with = shlex.split(run_with)
        self.sysroot = Path(sysroot).resolve() if sysroot else None

    def place(self, target):
        """Where programs for it are kept, below cargo's directory."""
        return target if self.native else target / "cross" / "tests" / self.cc

    def has_gcrypt(self):
        """Whether libgcrypt is there for it."""
        return self.native or bool(self.sysroot and self.directories("libgcrypt.so.20"))

    def can_compile(self, language):
        """Whether there is a compiler."""
        return shutil.which(self.cxx if language == "c++" else self.cc) is not None

    def directories(self, name):
        """Those of the sysroot with a file of this name."""
        return sorted({path.parent for path in self.sysroot.rglob(name)}) if self.sysroot else []

    def library(self, name):
        """The path of a library in the sysroot; None if it is not there."""
        return next((str(place / name) for place in self.directories(name)), None)

    def libraries(self):
        """Where libgcrypt and what it needs are."""
        return sorted({*self.directories("libgcrypt.so.20"), *self.directories("libgpg-error.so.0")})

    def include(self):
        """Options for the headers of libgcrypt; where there is none, our headers do not look for those of the machine that compiles."""
        if not self.has_gcrypt():
            return ["-DLIBOTR_NO_GCRYPT_H"]
        found = self.directories("gcrypt.h") + self.directories("gpg-error.h")
        return [word for place in found for word in ("-isystem", str(place))]

    def link(self):
        """Where a linker finds libgcrypt."""
        return [word for place in self.libraries() for word in (f"-L{place}", f"-Wl,-rpath-link,{place}")]

    def loader(self, directories=()):
        """The variables by which the loader there finds libraries of ours, and libgcrypt."""
        found = [*map(str, directories), *map(str, self.libraries())]
        return {"LD_LIBRARY_PATH": os.pathsep.join(found)} if found else {}

    def command(self, program, loader):
        """The command that runs a program, and the environment that it takes. What is for the loader there is not for the one of
        the machine that qemu runs on."""
        if not self.run_with:
            return [program], loader
        return [*self.run_with, *(word for name, value in loader.items() for word in ("-E", f"{name}={value}")), program], {}


chosen = Machine()


def pytest_addoption(parser):
    """The options."""
    group = parser.getgroup("another machine")
    group.addoption("--cc", default="cc", metavar="COMPILER", help="the C compiler for another machine")
    group.addoption("--run-with", default="", metavar="COMMAND", help="what runs its programs: qemu's user mode, with its options")
    group.addoption("--sysroot", metavar="DIRECTORY", help="where libgcrypt and libotr for it are unpacked")


def pytest_configure(config):
    """Takes them."""
    option = config.option
    chosen.__init__(option.cc, option.run_with, option.sysroot)
    if not chosen.native:
        option.fast = True
        if "OTR_PREFIX" not in os.environ:
            raise pytest.UsageError("--cc takes OTR_PREFIX, where the library for that machine is installed")

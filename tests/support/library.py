"""The libotr under test: where it is, how a program is made to load it, and which one a process really mapped."""

import os
import re

from processes import Missing

SONAME = "libotr.so.5"


class Library:
    """A directory that holds libotr.so.5, or another libotr."""

    def __init__(self, directory, soname=SONAME):
        self.directory = os.path.abspath(directory)
        self.path = os.path.join(self.directory, soname)
        if not os.path.exists(self.path):
            raise Missing(f"there is no {soname} in {self.directory}")
        self.real_path = os.path.realpath(self.path)

    def by_library_path(self):
        """Environment by which a program finds this library first."""
        return {"LD_LIBRARY_PATH": self.directory}

    def by_preload(self):
        """Environment by which a program loads this library before all others, whatever it asks for."""
        return {"LD_PRELOAD": self.path}


def from_environment():
    """The library that OTR_LIBDIR or OTR_PREFIX names."""
    directory = os.environ.get("OTR_LIBDIR")
    if directory:
        return Library(directory)
    prefix = os.environ.get("OTR_PREFIX")
    if prefix:
        return Library(library_directory(prefix))
    raise Missing(f"set OTR_LIBDIR to the directory of the {SONAME} to test, or OTR_PREFIX to the prefix it is installed under")


def library_directory(prefix):
    """The directory under an installation prefix that holds libotr.so.5: lib, or a multiarch directory below it."""
    top = os.path.join(prefix, "lib")
    for directory, _, files in sorted(os.walk(top)):
        if SONAME in files:
            return directory
    raise Missing(f"there is no {SONAME} under {top}")


def mapped_libotr(pid):
    """The files named libotr.so* that a process has mapped, as /proc tells it (sorted, without repeats)."""
    found = set()
    with open(f"/proc/{pid}/maps", encoding="utf-8", errors="surrogateescape") as maps:
        for line in maps:
            match = re.search(r"(/\S*/libotr\.so\S*)", line)
            if match:
                found.add(match.group(1))
    return sorted(found)

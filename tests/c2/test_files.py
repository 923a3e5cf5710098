"""Files of keys and fingerprints, written by our libotr.so.2, our libotr.so.5 and the distribution's libotr, and
read by each."""

import os
import subprocess
from pathlib import Path

import pytest
from needs import COMPILERS, GCRYPT, packages

pytestmark = [packages(COMPILERS, GCRYPT, "libotr5", "libotr5-dev"), pytest.mark.abi(2), pytest.mark.quick]
HERE = Path(__file__).resolve().parent
TIMEOUT = 300


def environment(lib):
    """That of a program on our libraries, or on the distribution's."""
    env = {name: value for name, value in os.environ.items() if name != "LD_LIBRARY_PATH"}
    return env | {"LC_ALL": "C"} | ({"LD_LIBRARY_PATH": str(lib)} if lib else {})


def test_files(checks, prefix, real_library, work):
    lib, own = prefix / "lib", prefix / "lib" / "libotr-2"
    sides = {"our libotr.so.2": ([f"-I{own}/include", f"-L{own}/lib"], lib),
             "our libotr.so.5": ([f"-I{prefix}/include", f"-L{lib}"], lib),
             "the C libotr": ([], None)}
    programs = {side: work / f"filer-{number}" for number, side in enumerate(sides)}
    for side, (options, _) in sides.items():
        checks.runs(f"filer.c is built for {side}", ["cc", "-Wall", "-Wextra", "-Werror", "-O1", "-g", "-std=c99", "-D_GNU_SOURCE",
                                                     HERE / "filer.c", "-o", programs[side], *options, "-lotr"])
    for writer, (_, lib) in sides.items():
        place = work / writer.replace(" ", "-")
        place.mkdir()
        checks.runs(f"{writer} writes its files", [programs[writer], "write", place], env=environment(lib), timeout=TIMEOUT)
        read = {}
        for reader, (_, otherlib) in sides.items():
            done = subprocess.run([programs[reader], "read", place], env=environment(otherlib), capture_output=True, check=False,
                                  timeout=TIMEOUT)
            checks.ok(done.returncode == 0 and done.stdout.count(b"\n") == 12, f"{reader} reads what {writer} wrote",
                      done.stdout.decode(errors="replace"))
            read[reader] = done.stdout
        checks.ok(len(set(read.values())) == 1, f"all read the same of what {writer} wrote", read)

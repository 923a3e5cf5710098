"""Files of keys and fingerprints, written by our libotr.so.2, our libotr.so.5 and the distribution's libotr, and
read by each."""

import os
import subprocess
from pathlib import Path

import pytest
from machine import chosen as machine
from needs import COMPILERS, GCRYPT, packages

pytestmark = [packages(COMPILERS, GCRYPT, "libotr5", "libotr5-dev"), pytest.mark.abi(2), pytest.mark.quick]
HERE = Path(__file__).resolve().parent
TIMEOUT = 300


def command(program, directories, *arguments):
    """The command for a program on the libraries in these directories, and its environment."""
    words, loader = machine.command(program, machine.loader(directories))
    env = {name: value for name, value in os.environ.items() if name != "LD_LIBRARY_PATH"}
    return [*words, *arguments], env | {"LC_ALL": "C"} | loader


def the_c_libotr(request, prefix):
    """Options to compile with the C libotr, and its directories; nothing if there is none for the machine."""
    if machine.native:
        request.getfixturevalue("real_library")
        return {"the C libotr": (["-lotr"], [])}
    found = machine.library("libotr.so.5")
    # The headers are the same.
    return {"the C libotr": ([f"-I{prefix}/include", found, *machine.link()], [Path(found).parent])} if found else {}


def test_files(checks, prefix, request, work):
    lib, own = prefix / "lib", prefix / "lib" / "libotr-2"
    sides = {"our libotr.so.2": ([f"-I{own}/include", f"-L{own}/lib", "-lotr"], [lib]),
             "our libotr.so.5": ([f"-I{prefix}/include", f"-L{lib}", "-lotr"], [lib]), **the_c_libotr(request, prefix)}
    programs = {side: work / f"filer-{number}" for number, side in enumerate(sides)}
    for side, (options, _) in sides.items():
        checks.runs(f"filer.c is built for {side}", [machine.cc, "-Wall", "-Wextra", "-Werror", "-O1", "-g", "-std=c99", "-D_GNU_SOURCE",
                                                     *machine.include(), HERE / "filer.c", "-o", programs[side], *options])
    for writer, (_, places) in sides.items():
        place = work / writer.replace(" ", "-")
        place.mkdir()
        words, env = command(programs[writer], places, "write", place)
        checks.runs(f"{writer} writes its files", words, env=env, timeout=TIMEOUT)
        read = {}
        for reader, (_, others) in sides.items():
            words, env = command(programs[reader], others, "read", place)
            done = subprocess.run(words, env=env, capture_output=True, check=False, timeout=TIMEOUT)
            checks.ok(done.returncode == 0 and done.stdout.count(b"\n") == 12, f"{reader} reads what {writer} wrote",
                      done.stdout.decode(errors="replace"))
            read[reader] = done.stdout
        checks.ok(len(set(read.values())) == 1, f"all read the same of what {writer} wrote", read)

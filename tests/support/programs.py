"""Plugin of pytest: the test programs in C of tests/c and tests/c2. Each is a file of some items, one for each way to run it:

    with-libgcrypt              with libgcrypt in the process
    without-libgcrypt           built and run without it
    address-sanitizer           with libgcrypt, the program's own code under AddressSanitizer, which sees what the library has freed,
                                or frees that is not to be freed
    valgrind, valgrind-without-libgcrypt

A program of tests/c says after `test:` in the first lines of its file how it is run: `valgrind` (memory and leaks) or `memcheck`
(memory only; jumps leak), with `once` only without libgcrypt; `gcrypt` if the program itself needs libgcrypt; `c99`;
`time` for a clock that it sets; `plain` if it runs under neither valgrind nor AddressSanitizer, for example because it forks while
a thread runs, which AddressSanitizer's allocator does not support; `both` if it also runs on libotr.so.2, as those of tests/c2 do.
(helgrind and drd do not understand Rust's locks and atomics, and report each as a race.)

With --cc (machine.py), they are compiled for another machine, and run there with libgcrypt and without. Under qemu they have as much
time as under valgrind.

With --reference, the programs of tests/c run on the distribution's libotr. Checks marked BETTER in them name what it is
known to get wrong; all others must hold, which proves that they test libotr's behaviour."""

import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import installed
import pytest
import tap
from counting import begin
from machine import chosen as machine
from needs import COMPILERS, GCRYPT
from once import ROOT, TARGET, Failed, once

WARNINGS = ["-Wall", "-Wextra", "-Werror", "-O1", "-g", "-D_GNU_SOURCE", f"-I{ROOT}/tests/support"]
ASAN = ["-fsanitize=address", "-static-libasan", "-fno-omit-frame-pointer"]
MEMCHECK = ["valgrind", "--quiet", "--error-exitcode=99", "--num-callers=25"]
LEAKS = ["--leak-check=full", "--show-leak-kinds=definite", "--errors-for-leak-kinds=definite"]
TIMEOUT, UNDER_VALGRIND, ELSEWHERE = 300, 600, 5400
# Of those that start themselves once more: with these variables they need not, which qemu does not run.
STARTED_ALREADY = {"LD_BIND_NOW": "1", "GLIBC_TUNABLES": "glibc.malloc.tcache_count=0"}
# What is not run on other machines, and why.
NOT_UNDER_QEMU = {"stack.c": "it compares with what libotr needs on x86-64", "growth.c": "so many messages take too long under qemu"}
LOADS_GCRYPT = ("gcrypt_later.c",)
NOT_WITH_MUSL = {"growth.c": "it asks glibc's allocator", "files.c": "musl-gcc finds no headers of the kernel"}
PLACES = (ROOT / "tests/c", ROOT / "tests/c2")


def pytest_collect_file(parent, file_path):
    """A program ends with `finish`; other sources do not."""
    if file_path.parent in PLACES and file_path.suffix in (".c", ".cpp"):
        if re.search(r"return finish\(\);", file_path.read_text(encoding="utf-8")):
            return Program.from_parent(parent, path=file_path)
    return None


def compiled(command):
    """Runs a compiler."""
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, check=False)
    if done.returncode:
        raise Failed(f"{' '.join(map(str, command))}\n{done.stderr}")


class Suite:
    """How the programs of tests/c are built and run, on ours or on the distribution's libotr."""

    helpers = ("support/harness.c", "c/scratch.c", "c/world.c", "c/interface5.c")
    key_files = ("all", "other")
    flags = {"c": ["-std=c11"], "c99": ["-std=c99"], "c++": ["-std=c++17"]}

    def __init__(self, name, prefix):
        self.prefix = prefix
        self.lib = prefix / "lib" if prefix else None
        self.build = machine.place(TARGET) / name / ("ours" if prefix else "reference")
        self.build.mkdir(parents=True, exist_ok=True)
        self.name = f"{name}-{'ours' if prefix else 'reference'}"

    def paths(self):
        """Where the compiler finds headers and library."""
        return ([f"-I{self.prefix}/include"], [f"-L{self.lib}", f"-Wl,-rpath,{self.lib}"]) if self.prefix else ([], [])

    def libraries(self, gcrypt):
        """What a program is linked to."""
        return ["-lotr", "-lpthread", "-ldl", *self.gcrypt(gcrypt)]

    def gcrypt(self, there):
        """Options to link to libgcrypt, if a program is to."""
        return [*machine.link(), "-Wl,--no-as-needed", "-lgcrypt"] if there else []

    def hidden(self, language):
        """Options under which the headers of libgcrypt do not exist."""
        def make():
            place = self.build / f"no-gcrypt-{language}"
            return subprocess.check_output([sys.executable, ROOT / "scripts/without-gcrypt", place, language, machine.cc], text=True)

        return once(f"{self.name}-no-gcrypt-{language}", make).split()

    def options(self, words, language, gcrypt, asan):
        """The compiler and its options."""
        include, _ = self.paths()
        standard = self.flags["c99" if language == "c" and "c99" in words else language]
        return [machine.cxx if language == "c++" else machine.cc, *standard, *WARNINGS, *(ASAN if asan else []), *include,
                *(machine.include() if gcrypt else self.hidden(language))]

    def objects(self, gcrypt, asan):
        """What all programs share, compiled."""
        def make():
            for helper in self.helpers:
                # Exceptions of C++ go through them, for which ARM's compiler makes no table unless it is told to.
                compiled([*self.options((), "c", gcrypt, asan), "-fexceptions", "-c", ROOT / "tests" / helper, "-o",
                          place / f"{Path(helper).stem}.o"])

        place = self.build / f"shared{'' if gcrypt else '-without-gcrypt'}{'-asan' if asan else ''}"
        place.mkdir(exist_ok=True)
        once(f"{self.name}-{place.name}", make)
        return [place / f"{Path(helper).stem}.o" for helper in self.helpers]

    def clock(self):
        """The library by which a program sets the clock."""
        out = self.build / "time_shim.so"
        once(f"{self.name}-clock", lambda: compiled([machine.cc, *WARNINGS, "-std=c11", "-shared", "-fPIC",
                                                     ROOT / "tests/support/time_shim.c", "-o", out, "-ldl"]))
        return out

    def keys(self):
        """The directory with the keys of the users, which are made once and kept."""
        def make():
            if all((self.build / name).exists() for name in self.key_files):
                return
            gcrypt = machine.has_gcrypt()
            program = self.compile(ROOT / "tests/c/make_keys.c", set(), gcrypt, False)
            command, loader = machine.command(program, self.loader())
            subprocess.run(command, env=self.environment(gcrypt, self.build) | loader | {"OTR_KEYS": str(self.build)},
                           timeout=TIMEOUT if machine.native else ELSEWHERE, check=True)

        once(f"{self.name}-keys", make)
        return self.build

    def compile(self, source, words, gcrypt, asan):
        """Builds a program; its path."""
        def make():
            link = [self.clock()] if "time" in words else []
            compiled([*self.options(words, language, gcrypt, asan), source, *self.objects(gcrypt, asan), "-o", target,
                      *self.paths()[1], *link, *self.libraries(gcrypt)])

        language = "c++" if source.suffix == ".cpp" else "c"
        target = self.build / f"{source.stem}{'' if gcrypt else '-without-gcrypt'}{'-asan' if asan else ''}"
        once(f"{self.name}-program-{target.name}", make)
        return target

    def environment(self, gcrypt, scratch):
        """That of a program."""
        return dict(os.environ, OTR_UNDER_TEST="ours" if self.prefix else "reference", OTR_GCRYPT="with" if gcrypt else "without",
                    OTR_LIBRARY=str(self.lib / "libotr.so.5") if self.lib else "libotr.so.5", OTR_SCRATCH=str(scratch), LC_ALL="C")

    def loader(self, words=()):
        """The variables for the loader of a program, by the words in its head."""
        found = machine.loader([self.lib] if self.lib else [])
        return found | ({"LD_PRELOAD": str(self.clock())} if "time" in words else {})

    def confirm(self, checks, program, gcrypt):
        """Looks at a program before it runs."""


class Suite2(Suite):
    """How those of tests/c2 are: on our libotr.so.2."""

    helpers = ("support/harness.c", "c/scratch.c", "c/world.c", "c2/interface2.c")
    flags = {"c": ["-std=c99"], "c99": ["-std=c99"]}

    def __init__(self, name, prefix):
        super().__init__(name, prefix)
        self.own = prefix / "lib" / "libotr-2"

    def paths(self):
        return [f"-I{self.own}/include", f"-I{ROOT}/tests/c"], [f"-L{self.own}/lib"]

    def libraries(self, gcrypt):
        return ["-lotr", *self.gcrypt(gcrypt)]

    def confirm(self, checks, program, gcrypt):
        if not gcrypt:
            needed = subprocess.check_output(["readelf", "-d", program], text=True)
            checks.ok("libotr.so.2" in needed and "gcrypt" not in needed, f"{program.name} needs libotr.so.2 and no libgcrypt", needed)


def words_of(source):
    """The words after `test:` in the head of a program."""
    head = "".join(source.read_text(encoding="utf-8").splitlines(keepends=True)[:6])
    found = re.search(r"test:([a-z0-9 ]*)", head)
    return set(found[1].split()) if found else set()


class Program(pytest.File):
    """A program, and the ways to run it."""

    def collect(self):
        words = words_of(self.path)
        second = self.path.parent.name == "c2"
        if not second:
            yield from self.ways(words, False)
        if second or "both" in words:
            yield from self.ways({"valgrind", "c99", "once"}, True, "" if second else "libotr.so.2-")

    def ways(self, words, second, prefix=""):
        """Those on one of the libraries; the names of those on a second one begin with a prefix."""
        option = self.config.option
        if option.reference and second:
            return
        variants = {"with-libgcrypt": (True, False, False)}
        if "gcrypt" not in words and not option.reference:
            variants["without-libgcrypt"] = (False, False, False)
        if not option.fast:
            if words & {"valgrind", "memcheck"}:
                if "once" not in words:
                    variants["valgrind"] = (True, False, True)
                if not option.reference and "gcrypt" not in words:
                    variants["valgrind-without-libgcrypt"] = (False, False, True)
            if not option.reference and "plain" not in words:
                variants["address-sanitizer"] = (True, True, False)
        for name, variant in variants.items():
            item = Way.from_parent(self, name=prefix + name)
            item.words, item.variant, item.second = words, variant, second
            item.add_marker(pytest.mark.minutes(12 if variant[2] else 10 if machine.native else 95))
            if machine.native:
                item.add_marker(pytest.mark.packages(*COMPILERS, *GCRYPT, "g++", "valgrind"))
            item.add_marker(pytest.mark.abi(2 if second else 5))
            item.add_marker(pytest.mark.quick)
            yield item


class Way(pytest.Item):
    """A program in one of the ways to run it."""

    def runtest(self):
        gcrypt, asan, valgrind = self.variant
        if why := self.left_out(gcrypt):
            pytest.skip(why)
        checks = begin(self)
        prefix = None if self.config.option.reference else installed.place()
        suite = Suite2("c2-tests", prefix) if self.second else Suite("c-tests", prefix)
        try:
            program = suite.compile(self.path, self.words, gcrypt, asan)
            keys = suite.keys()
        except (Failed, subprocess.SubprocessError) as failed:
            pytest.fail(str(failed), pytrace=False)
        suite.confirm(checks, program, gcrypt)
        with tempfile.TemporaryDirectory(prefix="otr-c-", dir=suite.build) as scratch:
            os.chmod(scratch, 0o755)
            loader = suite.loader(self.words) | (STARTED_ALREADY if machine.run_with else {})
            command, loader = machine.command(program, loader)
            env = suite.environment(gcrypt, scratch) | loader | {"OTR_KEYS": str(keys)}
            if asan:
                env["ASAN_OPTIONS"] = "detect_leaks=0:abort_on_error=1:handle_segv=0"
            if valgrind:
                # The C libotr is known to leak.
                leaks = "valgrind" in self.words and prefix
                command = [*MEMCHECK, *(LEAKS if leaks else ["--leak-check=no"]), *command]
            if valgrind or machine.run_with:
                env["OTR_SLOW"] = "1"
            timeout = UNDER_VALGRIND if valgrind else TIMEOUT if machine.native else ELSEWHERE
            tap.run(checks, command, timeout, cwd=scratch, env=env)

    def left_out(self, gcrypt):
        """Why it is not run on the machine, if it is not."""
        if machine.native:
            return None
        if (gcrypt or self.path.name in LOADS_GCRYPT) and not machine.has_gcrypt():
            return "libgcrypt is not there for this machine"
        if self.path.suffix == ".cpp" and not machine.can_compile("c++"):
            return f"there is no {machine.cxx}"
        return (NOT_UNDER_QEMU if machine.run_with else NOT_WITH_MUSL if "musl" in machine.cc else {}).get(self.path.name)

    def reportinfo(self):
        return self.path, None, f"{self.path.name}: {self.name}"

    def repr_failure(self, excinfo, style=None):
        return str(excinfo.value) if excinfo.errisinstance(pytest.fail.Exception) else super().repr_failure(excinfo)

"""What must hold when things go wrong: faults, kills, attackers, secrets, time. docs/reliability.md says what each check promises.

Compiles the programs of this directory against the installed library and runs each as PLAN says. OTR_ROBUSTNESS_EVERY=1 lets every
allocation fail instead of a sample, and so does --soak, which adds a statistic of times and a build without wiping."""

import json
import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest
import tap
from needs import COMPILERS, GCRYPT, packages
from once import ROOT, SHARED, TARGET, Failed, once

HERE = Path(__file__).resolve().parent
FLAGS = ["-std=gnu11", "-D_GNU_SOURCE", "-Wall", "-Wextra", "-Werror", "-O1", "-g"]
EVERY = os.environ.get("OTR_ROBUSTNESS_EVERY", "25")
LONG = EVERY == "1"
MINUTES = 60 if LONG else 20
TIMEOUT = 3600 if LONG else 400
pytestmark = [packages(COMPILERS, GCRYPT, "valgrind"), pytest.mark.soak, pytest.mark.minutes(MINUTES)]

# name: program, preloaded part, arguments
PLAN = {
    "memory, once": ("fault_points", "faults", ["memory", "once", EVERY, "1"]),
    "memory, lasting": ("fault_points", "faults", ["memory", "lasting", EVERY, "0"]),
    "randomness, once": ("fault_points", "faults", ["randomness", "once", "1", "0"]),
    "randomness, lasting": ("fault_points", "faults", ["randomness", "lasting", "1", "1"]),
    "large, by size": ("large", "faults", ["sizes"]),
    "large, once": ("large", "faults", ["once", "1" if LONG else "7"]),
    "large, lasting": ("large", "faults", ["lasting", "1" if LONG else "7"]),
    "killed": ("killed", None, []),
    "attackers": ("attackers", None, []),
    "wiped": ("wiped", "draws", []),
}
# The same in a library that panics where it is told to, around each step, and where it gets no randomness.
PANICS = {
    "panics, once": ("fault_points", "faults", ["panic", "once", "1", "1"]),
    "panics, lasting": ("fault_points", "faults", ["panic", "lasting", "5", "0"]),
    "panics for want of randomness": ("fault_points", "faults", ["randomness", "once", "1", "1"]),
}
# Sources of a program beside its own and pair.c, and of what is preloaded.
MORE = {"wiped": ["memory.c"], "draws": ["../support/time_shim.c"], "faults": ["../support/time_shim.c"]}


def compiler(*arguments):
    """Runs the C compiler."""
    done = subprocess.run(["cc", *FLAGS, *map(str, arguments)], capture_output=True, text=True, check=False)
    if done.returncode:
        raise Failed(done.stderr)


class Programs:
    """The programs of this directory, built when they are asked for."""

    def __init__(self, prefix):
        self.include, self.library = prefix / "include", prefix / "lib"
        self.build = SHARED / "robustness"
        self.build.mkdir(parents=True, exist_ok=True)
        self.keys = self.build / "keys"

    def part(self, name):
        """A library to be preloaded."""
        out = self.build / f"{name}.so"
        sources = [HERE / source for source in (f"{name}.c", *MORE.get(name, []))]
        once(f"robustness-{name}", lambda: compiler("-fPIC", "-shared", *sources, "-o", out, "-ldl"))
        return out

    def program(self, name, part=None, library=None):
        """A program, linked to the library in this directory, and with the keys that it needs."""
        library = library or self.library
        out = self.build / (name if library == self.library else f"{name}-{library.name}")
        sources = [HERE / source for source in (f"{name}.c", "pair.c", *MORE.get(name, []))]
        needs = [self.part(part)] if part else []
        once(f"robustness-{out.name}", lambda: compiler("-I", self.include, *sources, "-o", out, "-L", library, f"-Wl,-rpath,{library}",
                                                        "-lotr", *needs))
        once("robustness-keys", self.make_keys)
        return out

    def make_keys(self):
        """Keys for all of them."""
        maker = self.build / "make_keys"
        compiler("-I", self.include, HERE / "make_keys.c", "-o", maker, "-L", self.library, f"-Wl,-rpath,{self.library}", "-lotr")
        subprocess.run([maker, self.keys], check=True)

    def run(self, checks, name, command, environment, may_panic=False):
        """Runs a program and counts its checks."""
        with tempfile.TemporaryDirectory(dir=self.build) as scratch:
            env = dict(os.environ, OTR_KEYS=str(self.keys), OTR_SCRATCH=scratch, OTR_DERIVED=str(HERE / "derived.py"), LC_ALL="C",
                       **{key: str(value) for key, value in environment.items()})
            output = tap.run(checks, command, TIMEOUT, name, env=env, cwd=scratch)
        # Panics of the library say a line on stderr: there must be none, but for those that were asked for.
        panics, asked_for = output.count("panicked at"), output.count("as the test demands")
        if may_panic:
            assert asked_for, "there was no panic"
            panics -= asked_for
        assert not panics, f"{panics} panics of the library:\n{output[-5000:]}"
        return output


@pytest.fixture
def programs(prefix):
    """The programs of this directory."""
    return Programs(prefix)


def cargo(*arguments, **environment):
    """Builds something with cargo."""
    done = subprocess.run(["cargo", "build", "--release", *arguments], cwd=environment.pop("cwd", ROOT), env=os.environ | environment,
                          stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    if done.returncode:
        raise Failed(done.stderr[-3000:])


@pytest.mark.parametrize("name", PLAN)
def test_plan(checks, programs, name):
    """A program, with the part that is preloaded."""
    program, part, arguments = PLAN[name]
    preload = {"LD_PRELOAD": programs.part(part)} if part else {}
    programs.run(checks, name, [programs.program(program, part), *arguments], preload)


def panicking(programs):
    """The library that can be made to panic, in a directory of its own."""
    place, target = programs.build / "panics", TARGET / "panics"
    cargo("--locked", "--lib", "--target-dir", target, RUSTFLAGS="--cfg otr_panics", CARGO_PROFILE_RELEASE_LTO="off",
          CARGO_PROFILE_RELEASE_CODEGEN_UNITS="16")
    place.mkdir()
    shutil.copy(target / "release" / "libotr.so", place / "libotr.so.5")
    return place


@pytest.mark.parametrize("name", PANICS)
def test_panics(checks, programs, name):
    """A program on the library that panics where it is told to."""
    library = once("robustness-panics", lambda: panicking(programs))
    program, part, arguments = PANICS[name]
    environment = {"LD_PRELOAD": programs.part(part), "LD_LIBRARY_PATH": library, "RUST_BACKTRACE": "0"}
    programs.run(checks, name, [programs.program(program, part), *arguments], environment, may_panic=True)


def example(name):
    """A program in Rust, built as the library is."""
    cargo("--locked", "--example", name)
    return TARGET / "release" / "examples" / name


def test_constant_time(checks, programs):
    """No branch and no address depends on a secret, as memcheck sees it. It knows neither AVX-512 nor AVX-IFMA: the kernels for these
    are for `test_traces` to see."""
    valgrind = ["valgrind", "-q", "--error-limit=no", "--num-callers=30", f"--suppressions={HERE / 'constant_time.supp'}"]
    programs.run(checks, "constant time", [*valgrind, example("constant_time")], {"LD_PRELOAD": programs.part("taint")})


def test_traces(checks, programs):
    """The same instructions run whatever the secret is."""
    programs.run(checks, "traces", [example("traces"), *(["--all"] if LONG else [])], {})


@pytest.mark.soak
@pytest.mark.only_with("soak")
def test_times(checks, programs):
    """A statistic of times."""
    programs.run(checks, "times", [example("times")], {})


@pytest.mark.soak
@pytest.mark.only_with("soak")
def test_without_wiping(checks, programs):
    """With a `zeroize` that does nothing, `wiped` must find secrets, or it would prove nothing."""
    tree, wiping, library = (programs.build / name for name in ("tree", "zeroize", "unwiped"))
    shutil.copytree(ROOT, tree, ignore=shutil.ignore_patterns("target", ".git", "fuzz"))
    described = subprocess.run(["cargo", "metadata", "--format-version=1", "--locked"], cwd=ROOT, check=True,
                               stdout=subprocess.PIPE).stdout
    manifest = next(p["manifest_path"] for p in json.loads(described)["packages"] if p["name"] == "zeroize")
    shutil.copytree(Path(manifest).parent, wiping)
    changed = 0
    for source in (wiping / "src").glob("*.rs"):
        text, count = re.subn(r"(fn zeroize\(&mut self\) \{)", r"\1 if true { return; }", source.read_text())
        source.write_text(text)
        changed += count
    with open(tree / "Cargo.toml", "a", encoding="utf-8") as file:
        file.write(f'\n[patch.crates-io]\nzeroize = {{ path = "{wiping}" }}\n')
    cargo("--lib", "--target-dir", TARGET / "without-wiping", cwd=tree)
    library.mkdir()
    for file in ("libotr.so", "libotr.so.5"):
        shutil.copy(TARGET / "without-wiping" / "release" / "libotr.so", library / file)
    found = type(checks)(tell=lambda text: None)
    output = programs.run(found, "without wiping", [programs.program("wiped", "draws", library)], {"LD_PRELOAD": programs.part("draws")})
    seen = re.findall(r"^# (.*): \d+ secrets looked for, found (\d+) times in data", output, re.M)
    checks.ok(changed and found.failed and len(seen) == 4, "wiping was taken out, and found to be", output[-3000:])
    for when, times in seen:
        checks.ok(int(times), f"{when}: {times} found")

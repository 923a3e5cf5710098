"""Runs the test suites and adds up their counts. See scripts/check."""

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import tomllib
from dataclasses import dataclass, field, replace

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
TARGET = os.path.abspath(os.environ.get("CARGO_TARGET_DIR") or os.path.join(ROOT, "target"))
LOGS = os.path.join(TARGET, "check")

# The suites that run now: their processes.
RUNNING = set()

# What failed, said once more at the end, where a reader of a long log looks.
FAILURES = []

# How a suite's result is read from its output and exit status; see `count`.
STATUS, LAST_LINE, CARGO_TEST = "status", "last line", "cargo test"


@dataclass
class Suite:
    """A command of some tests. Its output is read as `counts` says.

    Two suites run at a time, but never two with the same `lock`: cargo works on one directory at a time. One that `waits` for
    most of its time runs beside them. After `minutes` a suite is ended; those that may take longest start first, so that none
    of them is left alone at the end. `quick` is what the command gets besides in the quick run (`make test`); a suite without it
    is not in that run."""

    name: str
    command: list
    counts: str
    packages: list = field(default_factory=list)
    minutes: int = 10
    needs_install: bool = False
    lock: str = ""
    waits: bool = False
    quick: list | None = None


CLIPPY = ["cargo", "clippy", "--all-targets", "--locked"]
TEST = ["cargo", "test", "--locked", "--no-fail-fast"]
CORE = ["-p", "otr-crypto", "-p", "otr-protocol", "-p", "otr-toolkit"]
ABI2 = ["--no-default-features", "--features", "abi2"]
FUZZ = ["env", "OTR_FUZZ_SEED=1", "fuzz/run"]
PARSERS = ["armour", "tags", "fragments", "tlvs", "messages", "sexp", "private_keys", "fingerprints", "instance_tags"]
COMPILERS = ["gcc", "libc6-dev", "binutils", "make"]
GCRYPT = ["libgcrypt20-dev", "libgpg-error-dev"]
# Node.js from elsewhere mostly has npm in it, and does not go together with Debian's.
NODE = [] if shutil.which("node") and shutil.which("npm") else ["nodejs", "npm"]
INTEROP = COMPILERS + GCRYPT + NODE + ["libotr5", "libotr5-dev", "python3-potr"]
ABI_CHECK = COMPILERS + GCRYPT + ["g++", "abigail-tools", "pkg-config", "autoconf", "automake", "cmake", "meson"]

SUITES = [
    Suite("runner", ["python3", "scripts/check_test.py"], LAST_LINE, minutes=1, waits=True),
    Suite("layers", ["scripts/layers.py"], LAST_LINE, minutes=1),
    Suite("documents", ["scripts/documents.py"], LAST_LINE, ["codespell"], minutes=1),
    Suite("format", ["cargo", "fmt", "--all", "--check"], STATUS, minutes=2),
    Suite("licences", ["scripts/licences.py"], LAST_LINE, minutes=5),
    Suite("clippy", CLIPPY + ["--", "-D", "warnings"], STATUS, COMPILERS, lock="debug"),
    Suite("clippy-core", CLIPPY + CORE + ["--", "-D", "warnings"], STATUS, COMPILERS, lock="debug"),
    Suite("clippy-abi2", CLIPPY + ABI2 + ["--", "-D", "warnings"], STATUS, COMPILERS, lock="debug"),
    Suite("docs", ["env", "RUSTDOCFLAGS=-D warnings", "cargo", "doc", "--locked", "--no-deps", "--workspace"], STATUS, COMPILERS,
          lock="debug"),
    Suite("rust", TEST, CARGO_TEST, COMPILERS, minutes=15, lock="debug", quick=[]),
    Suite("rust-core", TEST + CORE, CARGO_TEST, COMPILERS, minutes=15, lock="debug", quick=[]),
    Suite("rust-abi2", TEST + ABI2, CARGO_TEST, COMPILERS, minutes=15, lock="debug", quick=[]),
    # Whole conversations: recorded messages, two who type at once, an unreliable network; and what libotr does in the same.
    Suite("conversations", ["env", "OTR_REAL_LIBRARY=libotr.so.5", "OTR_REPLAY_SCHEDULES=150", "OTR_TYPING_SCHEDULES=100",
                            "OTR_TYPING_DEPTH=5", "OTR_UNRELIABLE_SCHEDULES=60", *TEST, "--lib", "testing"], CARGO_TEST,
          COMPILERS + ["libotr5"], minutes=20, lock="debug"),
    # The multiplication kernels against num-bigint: optimised, since there are many cases; a debug build takes some hundred.
    Suite("kernels", ["env", "OTR_KERNEL_CASES=100000", *TEST, "-p", "otr-crypto", "--profile", "kernels", "--lib", "montgomery"],
          CARGO_TEST, COMPILERS, minutes=15, lock="kernels"),
    # `make cross` has more machines, and the unit tests on them.
    Suite("cross", ["scripts/cross", "--quick", "i386"], LAST_LINE, COMPILERS + GCRYPT + ["libotr5-dev"], lock="debug"),
    Suite("abi-check", ["abi-check/run"], LAST_LINE, ABI_CHECK, needs_install=True, quick=[]),
    Suite("abi-check-abi2", ["env", "-u", "OTR_PREFIX", "abi-check/run", "--abi", "2"], LAST_LINE, ABI_CHECK,
          needs_install=True, lock="release"),
    Suite("abi-self-test", ["abi-check/self-test"], LAST_LINE, ABI_CHECK + ["libotr5", "libotr5-dev"], needs_install=True),
    Suite("upstream", ["tests/upstream/run"], LAST_LINE, COMPILERS + GCRYPT + ["valgrind"], needs_install=True, waits=True),
    Suite("install", ["tests/install/run"], LAST_LINE,
          COMPILERS + GCRYPT + ["g++", "pkg-config", "autoconf", "automake"], needs_install=True, lock="release"),
    Suite("install-abi2", ["tests/install/abi2"], LAST_LINE, COMPILERS + GCRYPT + ["g++", "pkg-config"],
          needs_install=True, lock="release"),
    Suite("dist", ["tests/dist/run"], LAST_LINE, COMPILERS + ["git"]),
    Suite("c-abi2", ["tests/c2/run"], LAST_LINE, COMPILERS + GCRYPT + ["valgrind", "libotr5", "libotr5-dev"],
          needs_install=True, quick=["--fast"]),
    Suite("interop-abi2", ["tests/interop/run", "--abi2"], LAST_LINE, INTEROP, needs_install=True),
    Suite("c", ["tests/c/run"], LAST_LINE, COMPILERS + GCRYPT + ["valgrind"], minutes=15, needs_install=True, quick=["--fast"]),
    Suite("robustness", ["tests/robustness/run"], LAST_LINE, COMPILERS + GCRYPT + ["valgrind"], minutes=30,
          needs_install=True),
    # The same inputs in each run; `make fuzz` goes where no run has been. Where clients talk, an input takes much longer.
    Suite("fuzz-parsers", FUZZ + ["4", *PARSERS], LAST_LINE, COMPILERS + ["g++"], minutes=20, lock="fuzz"),
    Suite("fuzz-clients", FUZZ + ["20", "receiving", "conversation"], LAST_LINE, COMPILERS + ["g++"], minutes=20, lock="fuzz"),
    Suite("interop", ["tests/interop/run"], LAST_LINE, INTEROP, minutes=15, needs_install=True),
    Suite("toolkit", ["tests/toolkit/run"], LAST_LINE, COMPILERS + GCRYPT + [
        "libotr5", "libotr5-dev", "libotr5-bin", "python3-potr", "man-db", "groff-base"], needs_install=True),
    Suite("differential", ["tests/differential/run"], LAST_LINE, COMPILERS + GCRYPT + ["libotr5"], minutes=15, needs_install=True,
          quick=["--sample", "50"]),
    Suite("differential-abi2", ["tests/differential/run", "--abi2"], LAST_LINE, COMPILERS + GCRYPT + ["libotr5"], minutes=15,
          needs_install=True),
    Suite("bitlbee", ["tests/bitlbee/run"], LAST_LINE,
          COMPILERS + ["bitlbee", "bitlbee-plugin-otr", "prosody", "pkg-config", "dpkg-dev", "libglib2.0-dev",
                       "libgnutls28-dev"],
          minutes=15, needs_install=True, waits=True),
]


def run(name, command, minutes, environment):
    """Runs a command with its output in a log, and says every now and then that it still runs.

    Returns its exit status (None when it took too long), its output, and the seconds it took."""
    os.makedirs(LOGS, exist_ok=True)
    log = os.path.join(LOGS, name + ".log")
    started = time.monotonic()
    with open(log, "wb") as output:
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stdin=subprocess.DEVNULL, stdout=output,
                                   stderr=subprocess.STDOUT, start_new_session=True)
    RUNNING.add(process)
    status = None
    next_word = 2
    try:
        while status is None:
            seconds = time.monotonic() - started
            if seconds > minutes * 60:
                break
            if seconds >= next_word:
                print(f"  {name}: running, {seconds:.0f} s", flush=True)
                next_word = 15 if next_word < 15 else next_word + 15
            try:
                status = process.wait(timeout=0.2)
            except subprocess.TimeoutExpired:
                pass
    finally:
        # What a suite leaves behind ends with it.
        end_group(process)
        RUNNING.discard(process)
    with open(log, encoding="utf-8", errors="replace") as text:
        return status, text.read(), time.monotonic() - started


def end_group(process):
    """Ends a command, if it still runs, and the processes it has started."""
    for sign, patience in ((signal.SIGTERM, 5), (signal.SIGKILL, 5)):
        try:
            os.killpg(process.pid, sign)
        except ProcessLookupError:
            break
        deadline = time.monotonic() + patience
        while time.monotonic() < deadline:
            process.poll()
            try:
                os.killpg(process.pid, 0)
            except ProcessLookupError:
                return
            time.sleep(0.05)
    process.poll()


def count(how, status, output):
    """How many checks passed and failed, and why the suite itself counts as one that failed, if it does."""
    if how == STATUS:
        return (1, 0, None) if status == 0 else (0, 1, None)
    if how == LAST_LINE:
        lines = [line.strip() for line in output.splitlines() if line.strip()]
        found = re.fullmatch(r"(\d+) passed, (\d+) failed", lines[-1]) if lines else None
        if not found:
            return 0, 1, "it did not end with a line 'N passed, M failed'"
        passed, failed = int(found[1]), int(found[2])
    else:
        results = re.findall(r"^test result: \w+\. (\d+) passed; (\d+) failed; (\d+) ignored", output, re.M)
        passed, failed = sum(int(r[0]) for r in results), sum(int(r[1]) for r in results)
        ignored = sum(int(r[2]) for r in results)
        started = len(re.findall(r"^ +(?:Running|Doc-tests) ", output, re.M))
        # Documentation tests may close with more lines than they opened with: those that must not compile run apart.
        if started > len(results):
            return passed, failed + started - len(results), \
                f"{started - len(results)} of {started} test programs ended without a result"
        if ignored:
            return passed, failed + ignored, f"{ignored} tests are ignored, which no test should be"
    if passed + failed == 0:
        return 0, 1, "it checked nothing"
    if status != 0 and failed == 0:
        return passed, 1, f"it says that nothing failed, but its exit status is {status}"
    return passed, failed, None


def run_suite(suite, environment):
    """Runs a suite, says how it went, and returns how many checks passed and failed."""
    print(f"{suite.name}: {' '.join(suite.command)}", flush=True)
    try:
        status, output, seconds = run(suite.name, suite.command, suite.minutes, environment)
    except OSError as error:
        print(f"  {suite.name}: FAILED, it cannot be run: {error}", flush=True)
        return 0, 1
    if status is None:
        passed, failed, why = 0, 1, f"it took more than {suite.minutes} minutes"
    else:
        passed, failed, why = count(suite.counts, status, output)
    for line in output.splitlines() if status is not None else ():
        if line.startswith("not run - "):
            print(f"  {suite.name}: {line}", flush=True)
    verdict = f"{passed} passed, {failed} failed, {seconds:.1f} s"
    if failed == 0:
        print(f"  {suite.name}: {verdict}", flush=True)
        return passed, failed
    complaints = [line for line in output.splitlines() if re.match(r"\s*(FAIL|not ok|test .* FAILED)", line)]
    lines = [f"  | {line}" for line in complaints[:40] + ["-" * 20] + output.splitlines()[-40:]]
    lines.append(f"  {suite.name}: FAILED, {verdict}{'; ' + why if why else ''}")
    lines.append(f"  all it said: {os.path.join(LOGS, suite.name + '.log')}")
    # In one piece: another suite may have something to say.
    print("\n".join(lines), flush=True)
    FAILURES.append(f"{suite.name}: {failed} failed{'; ' + why if why else ''}")
    FAILURES.extend("  " + line.strip()[:2000] for line in complaints[:5])
    return passed, failed


def choose(names):
    """The suites of these names; all for none. After `--quick`, those of the quick run."""
    if names[:1] == ["--quick"]:
        return [replace(suite, command=suite.command + suite.quick) for suite in choose(names[1:]) if suite.quick is not None]
    known = {suite.name: suite for suite in SUITES}
    unknown = [name for name in names if name not in known]
    if unknown:
        sys.exit(f"There is no suite {', '.join(unknown)}. There are: {', '.join(known)}")
    return [known[name] for name in names] if names else SUITES


def prepare(suites):
    """Installs what the suites need. Ends the program with a sentence when that cannot be."""
    home = os.environ.get("CARGO_HOME") or os.path.expanduser("~/.cargo")
    os.environ["PATH"] += os.pathsep + os.path.join(home, "bin")
    if not shutil.which("cargo"):
        with open(os.path.join(ROOT, "Cargo.toml"), "rb") as manifest:
            oldest = tomllib.load(manifest)["workspace"]["package"]["rust-version"]
        sys.exit(f"cargo was not found. Building libotr takes Rust {oldest} or newer: see https://rustup.rs")
    packages = []
    for suite in suites:
        packages += [package for package in suite.packages if package not in packages]
    if subprocess.run([os.path.join(ROOT, "scripts/install-packages"), *packages], check=False).returncode:
        sys.exit("The tests were not run, because packages are missing.")
    for tool, component in (("cargo-fmt", "rustfmt"), ("cargo-clippy", "clippy")):
        if not shutil.which(tool) and shutil.which("rustup"):
            print(f"installing from rustup: {component}", flush=True)
            subprocess.run(["rustup", "component", "add", component], check=False, stdin=subprocess.DEVNULL)


class Run:
    """Some suites, of which two run at a time, and a third that waits, and what they have found."""

    def __init__(self, suites, environment):
        self.pending = sorted(suites, key=lambda suite: -suite.minutes)
        self.environment = environment
        self.running = []
        # Nothing to wait for if no suite uses the installation.
        self.builds = sum(suite.name in BUILDS for suite in suites)
        self.installed = True
        self.passed = self.failed = 0
        self.changed = threading.Condition()

    def take(self):
        """The next suite that may run now; None when there is nothing left."""
        with self.changed:
            while self.pending:
                suite = next((suite for suite in self.pending if self.may_run(suite)), None)
                if suite:
                    self.pending.remove(suite)
                    self.running.append(suite)
                    return suite
                self.changed.wait()
            return None

    def may_run(self, suite):
        if suite.needs_install and self.builds:
            return False
        if sum(other.waits == suite.waits for other in self.running) >= (1 if suite.waits else 2):
            return False
        return not suite.lock or all(other.lock != suite.lock for other in self.running)

    def work(self):
        """Runs suites until there are no more."""
        while suite := self.take():
            if suite.needs_install and not self.installed:
                print(f"{suite.name}: FAILED, not run, since there is nothing to test", flush=True)
                passed, failed = 0, 1
            else:
                try:
                    passed, failed = run_suite(suite, self.environment)
                except Exception as error:  # pylint: disable=broad-exception-caught
                    print(f"{suite.name}: FAILED, {error!r}", flush=True)
                    passed, failed = 0, 1
            with self.changed:
                self.running.remove(suite)
                self.passed, self.failed = self.passed + passed, self.failed + failed
                if suite.name in BUILDS:
                    self.builds -= 1
                    self.installed = self.installed and failed == 0
                self.changed.notify_all()

    def all(self):
        """Runs all of them."""
        # Daemons: an interruption ends this program at once, and not when the suites are done.
        workers = [threading.Thread(target=self.work, daemon=True) for _ in range(3)]
        try:
            for worker in workers:
                worker.start()
            for worker in workers:
                worker.join()
        finally:
            for process in list(RUNNING):
                end_group(process)


BUILDS = {"build": "5", "build-abi2": "2"}


def builds(prefix):
    """The suites that install both libraries for the others, as a client would have them."""
    return [Suite(name, ["make", "install", f"ABI={abi}", f"PREFIX={prefix}"], STATUS, minutes=30, lock="release")
            for name, abi in BUILDS.items()]


def main():
    # Clean up after an interruption as after an error.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    suites = choose(sys.argv[1:])
    prepare(suites)
    # Most is compiled once here: what cargo keeps for the next time would take longer than it saves.
    environment = {"CARGO_INCREMENTAL": "0", **os.environ, "CARGO_TERM_COLOR": "never"}
    # What the make around us was told (a DESTDIR, say) is not for the one that installs for the tests.
    for name in ("MAKEFLAGS", "MAKEOVERRIDES", "MFLAGS", "DESTDIR", "PREFIX", "LIBDIR", "INCLUDEDIR", "DATADIR", "BINDIR", "MANDIR"):
        environment.pop(name, None)
    with tempfile.TemporaryDirectory(prefix="libotr-check-") as prefix:
        environment["OTR_PREFIX"] = prefix
        needed = builds(prefix) if any(suite.needs_install for suite in suites) else []
        run = Run(needed + suites, environment)
        run.all()
    for line in FAILURES:
        print(line)
    print(f"{run.passed} passed, {run.failed} failed", flush=True)
    return 1 if run.failed else 0


if __name__ == "__main__":
    sys.exit(main())

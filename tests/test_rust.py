"""Tests with cargo: the tests of the Rust packages, with nextest if it is installed, and clippy, rustfmt, rustdoc, compilers for other
machines, the oldest compiler that works, and the fuzzer. Tests that use the same directory of cargo are in one group."""

import os
import re
import shutil
import subprocess
import tomllib
import xml.etree.ElementTree as xml

import pytest
import tap
from needs import COMPILERS, GCRYPT, packages
from once import ROOT, TARGET

pytestmark = packages(COMPILERS)
one_by_one = pytest.mark.xdist_group("cargo")
CORE = ["-p", "otr-crypto", "-p", "otr-protocol", "-p", "otr-toolkit"]
ABI2 = ["--no-default-features", "--features", "abi2"]
PARSERS = ["armour", "tags", "fragments", "tlvs", "messages", "sexp", "private_keys", "fingerprints", "instance_tags"]
# Whole conversations: recorded messages, two who type at once, an unreliable network; and what libotr does in the same.
CONVERSATIONS = {"OTR_REAL_LIBRARY": "libotr.so.5", "OTR_REPLAY_SCHEDULES": "150", "OTR_TYPING_SCHEDULES": "100",
                 "OTR_TYPING_DEPTH": "5", "OTR_UNRELIABLE_SCHEDULES": "60"}
# The multiplication kernels against num-bigint: optimised, since there are many cases; a debug build takes some hundred.
KERNELS = {"OTR_KERNEL_CASES": "100000"}


def component(tool, name):
    """A component of Rust, which rustup installs where it is missing."""
    if not shutil.which(tool) and shutil.which("rustup"):
        subprocess.run(["rustup", "component", "add", name], check=False, stdin=subprocess.DEVNULL)


def cargo(*arguments, **environment):
    """Runs cargo, which must succeed."""
    output, status = tap.execute(["cargo", *arguments], 3600, cwd=ROOT, env=os.environ | environment)
    print(output)
    assert status == 0, f"cargo {' '.join(arguments)}: exit status {status}\n" + "\n".join(output.splitlines()[-60:])


def test_format():
    """Everything is formatted."""
    component("cargo-fmt", "rustfmt")
    cargo("fmt", "--all", "--check")


@one_by_one
@pytest.mark.parametrize("arguments", [[], CORE, ABI2], ids=["abi5", "core", "abi2"])
def test_clippy(arguments):
    """clippy has nothing to say."""
    component("cargo-clippy", "clippy")
    cargo("clippy", "--all-targets", "--locked", *arguments, "--", "-D", "warnings")


@pytest.mark.xdist_group("fuzz")
def test_benches():
    """The benchmark of the kernels, which is a package of its own, compiles with the library's versions of crates."""
    shutil.copyfile(ROOT / "Cargo.lock", ROOT / "benches/kernels/Cargo.lock")
    cargo("check", "--bins", "--manifest-path", "benches/kernels/Cargo.toml", "--target-dir", str(TARGET / "benches"))


@one_by_one
def test_docs():
    """rustdoc has nothing to say."""
    cargo("doc", "--locked", "--no-deps", "--workspace", RUSTDOCFLAGS="-D warnings")


def nextest(checks, name, arguments, environment):
    """Runs tests by nextest, and counts them as its report has them."""
    report = TARGET / "nextest" / "default" / "junit.xml"
    report.unlink(missing_ok=True)
    arguments = ["--cargo-profile" if word == "--profile" else word for word in arguments]
    output, status = tap.execute(["cargo", "nextest", "run", "--locked", *arguments], 3600, cwd=ROOT, env=os.environ | environment)
    print(output[-20000:])
    tail = "\n".join(output.splitlines()[-60:])
    if not report.exists():
        checks.ok(False, f"nextest ends with a report; its exit status is {status}", tail)
        return
    (TARGET / "junit").mkdir(exist_ok=True)
    shutil.copy(report, TARGET / "junit" / f"{name}.xml")
    before = checks.failed
    for case in xml.parse(report).getroot().iter("testcase"):
        wrong = [*case.iter("failure"), *case.iter("error")]
        said = [one.get("message") for one in wrong] + [case.findtext("system-out"), case.findtext("system-err")]
        checks.ok(not wrong, f"{case.get('classname')} {case.get('name')}", "\n".join(filter(None, said)))
    if status != 0 and checks.failed == before:
        checks.ok(False, f"nextest ends well; its exit status is {status}", tail)
    only = ["--run-ignored", "only", "--message-format", "oneline"]
    listed, _ = tap.execute(["cargo", "nextest", "list", "--locked", *only, *arguments], 3600, cwd=ROOT, env=os.environ | environment)
    for line in listed.splitlines():
        if "::" in line and not line.startswith((" ", "warning", "info")):
            checks.skip(line, "it is ignored")


def cargo_test(checks, arguments, environment):
    """Runs tests by cargo, and counts them as their programs do."""
    output, status = tap.execute(["cargo", "test", "--locked", "--no-fail-fast", *arguments], 3600, cwd=ROOT,
                                 env=os.environ | environment)
    print(output[-20000:])
    count(checks, output, status)


def count(checks, output, status):
    """Counts what the test programs of cargo have said."""
    results = re.findall(r"^test result: \w+\. (\d+) passed; (\d+) failed; (\d+) ignored", output, re.M)
    complaints = re.findall(r"^test (.*) \.\.\. FAILED", output, re.M)
    ignored = re.findall(r"^test (.*) \.\.\. ignored", output, re.M)
    failed = sum(int(result[1]) for result in results)
    started = len(re.findall(r"^ +(?:Running|Doc-tests) ", output, re.M))
    tail = "\n".join(output.splitlines()[-60:])
    checks.passed += sum(int(result[0]) for result in results)
    for number in range(failed):
        checks.ok(False, complaints[number] if number < len(complaints) else "and another test", tail if number == 0 else "")
    for number in range(sum(int(result[2]) for result in results)):
        checks.skip(ignored[number] if number < len(ignored) else "another test", "it is ignored")
    # Documentation tests may close with more lines than they opened with: those that must not compile run apart.
    if started > len(results):
        checks.ok(False, f"{started - len(results)} of {started} test programs ended with a result", tail)
    elif status != 0 and not failed:
        checks.ok(False, f"cargo ends well; its exit status is {status}", tail)


def run(checks, name, arguments, environment=None, documentation=True):
    """Runs the tests of some packages, those in their documentation as well, which nextest does not know."""
    environment = environment or {}
    if shutil.which("cargo-nextest"):
        nextest(checks, name, arguments, environment)
        if documentation:
            cargo_test(checks, ["--doc", *arguments], environment)
    else:
        cargo_test(checks, arguments, environment)


@one_by_one
@pytest.mark.quick
@pytest.mark.minutes(15)
@pytest.mark.parametrize("name", ["rust", "rust-core", "rust-abi2"])
def test_unit(checks, name):
    """The unit and property tests: of the library, of the packages it is made of, of the library with the other interface."""
    run(checks, name, {"rust": [], "rust-core": CORE, "rust-abi2": ABI2}[name])


@one_by_one
@packages("libotr5")
@pytest.mark.minutes(20)
def test_conversations(checks):
    """Whole conversations over the C interface."""
    run(checks, "conversations", ["--lib", "testing"], CONVERSATIONS, documentation=False)


@pytest.mark.minutes(15)
def test_kernels(checks):
    """The arithmetic for this processor."""
    run(checks, "kernels", ["-p", "otr-crypto", "--profile", "kernels", "--lib", "montgomery"], KERNELS, documentation=False)


@one_by_one
@pytest.mark.quick
@pytest.mark.parametrize("interface", [[], ABI2], ids=["abi5", "abi2"])
def test_unsigned_char(interface):
    """It compiles where C's char is unsigned. No linker is needed for that, nor anything else of the machine's."""
    target = "aarch64-unknown-linux-gnu"
    if not shutil.which("rustup"):
        pytest.skip(f"rustup is not there: it gives the standard library for {target}")
    subprocess.run(["rustup", "target", "add", target], check=True, stdin=subprocess.DEVNULL)
    cargo("check", "--lib", "--locked", "--target", target, *interface)


def oldest_rust():
    """The environment in which cargo and rustc are the oldest that will do. rustup installs them where they are missing."""
    version = tomllib.loads((ROOT / "Cargo.toml").read_text(encoding="utf-8"))["workspace"]["package"]["rust-version"]

    def is_it(environment):
        found = subprocess.run(["rustc", "--version"], capture_output=True, text=True, check=False, env=environment)
        return re.match(rf"rustc {re.escape(version)}\.", found.stdout)

    environment = os.environ | {"CARGO_TARGET_DIR": str(TARGET / "oldest"), "CARGO_PROFILE_DEV_DEBUG": "0"}
    if is_it(environment):
        return environment
    if not shutil.which("rustup"):
        pytest.skip(f"Rust {version} is not there, and neither is rustup, which gives it")
    install = ["rustup", "toolchain", "install", version, "--profile", "minimal", "--no-self-update"]
    installed, status = tap.execute(install, 300)
    if status:
        pytest.skip(f"Rust {version} is not to be had: {installed.strip().splitlines()[-1:]}")
    which = subprocess.run(["rustup", "which", "--toolchain", version, "cargo"], capture_output=True, text=True, check=True)
    environment["PATH"] = os.path.dirname(which.stdout) + os.pathsep + environment["PATH"]
    assert is_it(environment), f"rustup gives another compiler than {version}"
    return environment


@pytest.mark.xdist_group("oldest")
@pytest.mark.minutes(20)
def test_oldest(checks):
    """The oldest Rust that will do compiles everything, and the tests of the arithmetic and the protocol pass with it."""
    environment = oldest_rust()
    for arguments in (["--workspace"], ABI2):
        output, status = tap.execute(["cargo", "check", "--all-targets", "--locked", *arguments], 900, cwd=ROOT, env=environment)
        checks.ok(status == 0, " ".join(["cargo check", *arguments]), "\n".join(output.splitlines()[-60:]))
    cargo_test(checks, ["-p", "otr-crypto", "-p", "otr-protocol", "--lib"], environment)


@one_by_one
@packages(GCRYPT, "libotr5-dev")
def test_cross(checks):
    """It builds for another machine. `make cross` has more of them, and the unit tests there."""
    tap.run_counted(checks, [ROOT / "scripts/cross", "--quick", "i386"], cwd=ROOT)


@one_by_one
@packages("qemu-user", "gcc-aarch64-linux-gnu", "libc6-dev-arm64-cross")
@pytest.mark.minutes(15)
def test_emulated(checks):
    """The arithmetic for arm64 is right, and nothing depends on a secret there. `make cross` has more machines."""
    tap.run_counted(checks, [ROOT / "scripts/cross", "--traces", "arm64"], cwd=ROOT)


@packages("g++")
@pytest.mark.xdist_group("fuzz")
@pytest.mark.minutes(20)
@pytest.mark.parametrize("seconds, targets", [(4, PARSERS), (10, ["kernels"]), (20, ["receiving", "conversation"])],
                         ids=["parsers", "kernels", "clients"])
def test_fuzz(checks, seconds, targets):
    """The same inputs in each run; `make fuzz` goes where no run has been. Where clients talk, an input takes much longer."""
    tap.run_counted(checks, [ROOT / "fuzz/run", str(seconds), *targets], 1200, cwd=ROOT, env=os.environ | {"OTR_FUZZ_SEED": "1"})


CARGO = "     Running unittests src/lib.rs (target/debug/deps/otr-1)\n{}   Doc-tests otr\n{}"
RESULT = "test result: {}. {} passed; {} failed; {} ignored; 0 measured; 0 filtered out; finished in 0.00s\n"
# The exit status, the output; the passed, failed and skipped checks that must come of it.
COUNTED = {
    "all is well": (0, CARGO.format(RESULT.format("ok", 5, 0, 0), RESULT.format("ok", 2, 0, 0)), (7, 0, 0)),
    "failures": (101, CARGO.format(RESULT.format("FAILED", 5, 2, 0), RESULT.format("ok", 2, 0, 0)), (7, 2, 0)),
    "a test program that died": (101, CARGO.format("", RESULT.format("ok", 2, 0, 0)), (2, 1, 0)),
    "ignored tests": (0, CARGO.format(RESULT.format("ok", 5, 0, 3), RESULT.format("ok", 2, 0, 0)), (7, 0, 3)),
    "no compilation": (101, "error: could not compile `libotr`\n", (0, 1, 0)),
    "cargo died after the tests": (101, CARGO.format(RESULT.format("ok", 5, 0, 0), RESULT.format("ok", 2, 0, 0)), (7, 1, 0)),
}


@pytest.mark.parametrize("name", COUNTED)
def test_count(checks, name):
    """How the output of cargo is counted."""
    status, output, expected = COUNTED[name]
    found = type(checks)(tell=lambda text: None)
    count(found, output, status)
    checks.equal(name, (found.passed, found.failed, len(found.skipped)), expected)

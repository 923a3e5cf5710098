"""libotr 4.1.1's own tests, unmodified, on the library and headers under test. See README.md.

OTR_UPSTREAM_TREE names an unpacked libotr to use instead of Debian's source archive."""

import fcntl
import os
import re
import shutil
import signal
import subprocess
import tempfile
import time

import pytest
import tap
from checks import ROOT, command_output
from needs import COMPILERS, GCRYPT, packages
from once import TARGET

HERE = os.path.dirname(os.path.abspath(__file__))
# They mostly wait, one at a time: the client's sockets have fixed names in /tmp.
pytestmark = [packages(COMPILERS, GCRYPT, "valgrind"), pytest.mark.minutes(15), pytest.mark.xdist_group("waits")]

VERSION = "4.1.1"
# The unit test programs, and how many tests each one has.
UNIT = {"test_auth": 5, "test_proto": 48, "test_dh": 38, "test_b64": 10, "test_context": 22, "test_userstate": 1,
        "test_tlv": 11, "test_mem": 5, "test_sm": 23, "test_instag": 13, "test_privkey": 13}
SCRIPTS = ["random-msg", "random-msg-auth", "random-msg-fast", "random-msg-frag", "random-msg-disconnect",
           "random-msg-disconnect-frag", "random-msg-disconnect-auth", "random-msg-disconnect-frag-auth"]
UNIT_SECONDS, VALGRIND_SECONDS, SCRIPT_SECONDS, ENDING_SECONDS = 60, 240, 30, 20
VALGRIND = ["valgrind", "--quiet", "--error-exitcode=99", "--leak-check=no", "--num-callers=30",
            f"--suppressions={os.path.join(HERE, 'valgrind.supp')}"]


def add(checks, line, passed, failed, why=""):
    """Counts the result of a program."""
    print(line)
    checks.passed += passed
    for number in range(failed):
        checks.ok(False, line, "\n".join(why.strip().splitlines()[-30:]) if number == 0 else "")


def sources(build):
    """A fresh tree of libotr's sources."""
    done = command_output([os.path.join(ROOT, "tests/support/fetch-source"), "libotr", VERSION, build], timeout=300)
    archives = [name for name in os.listdir(build) if re.fullmatch(rf"libotr_{re.escape(VERSION)}[-+.\w]*\.orig\.tar\.\w+", name)]
    if done.returncode or not archives:
        pytest.fail(f"libotr {VERSION} could not be had from Debian's source archive:\n{done.stdout}{done.stderr}", pytrace=False)
    tree = os.path.join(build, "libotr")
    shutil.rmtree(tree, ignore_errors=True)
    os.makedirs(tree)
    done = command_output(["tar", "-xf", os.path.join(build, archives[0]), "--strip-components=1", "-C", tree])
    if done.returncode:
        pytest.fail(f"{archives[0]} could not be unpacked:\n{done.stderr}", pytrace=False)
    return tree


class Upstream:
    """The tests of a tree, and the library they are linked to."""

    def __init__(self, tree, prefix, work):
        self.directory = os.path.join(tree, "tests")
        self.include, self.library, self.work = f"{prefix}/include", f"{prefix}/lib", work
        self.environment = dict(os.environ, LD_LIBRARY_PATH=self.library, LC_ALL="C")

    def compile(self, source, program, *options):
        """Compiles a test program; why not, if it fails."""
        utilities = os.path.join(self.directory, "utils")
        # libotr's tests include its headers without the directory. Which warnings they give is not our business. Not
        # optimised: test_auth.c counts on finding on the stack what the test before has left there.
        done = command_output(["gcc", "-w", "-g", "-O0", "-DHAVE_LIBPTHREAD", f"-I{self.include}/libotr", f"-I{self.include}",
                               f"-I{utilities}", *options, os.path.join(self.directory, source),
                               os.path.join(utilities, "tap/tap.c"), "-o", program,
                               f"-L{self.library}", "-lotr", "-lgcrypt", "-lpthread"])
        return done.stderr if done.returncode else None

    def unit(self, name, checks):
        """Compiles and runs a unit test program, and then again under valgrind."""
        planned = UNIT[name]
        program = os.path.join(self.directory, "unit", name)
        problem = self.compile(f"unit/{name}.c", program)
        if problem:
            add(checks, f"{name}: does not compile", 0, planned + 1, problem)
            return
        started = time.monotonic()
        done = command_output([program], cwd=os.path.dirname(program), env=self.environment, timeout=UNIT_SECONDS)
        passed, failed, why = verdict(done, planned)
        add(checks, f"{name}: {passed} of {planned} tests{why} ({time.monotonic() - started:.1f} s)", passed, failed,
            done.stdout + done.stderr)
        started = time.monotonic()
        done = command_output([*VALGRIND, program], cwd=os.path.dirname(program), env=self.environment,
                              timeout=VALGRIND_SECONDS)
        _, failed, why = verdict(done, planned)
        clean = not failed and not re.search(r"^==\d+==", done.stderr, re.M)
        add(checks, f"{name} under valgrind: {'no error' if clean else 'errors' + why} ({time.monotonic() - started:.1f} s)",
            int(clean), int(not clean), done.stdout + "\n".join(done.stderr.splitlines()[:60]))

    def script(self, name, checks):
        """Runs a regression script, for as long as it may."""
        path = os.path.join(self.directory, "regression", name + ".sh")
        started = time.monotonic()
        with tempfile.TemporaryFile("w+", errors="replace") as output:
            # The shell lets SIGTERM pass, and the client below it has a handler.
            process = subprocess.Popen(["bash", path], cwd=os.path.dirname(path), env=self.environment, stdout=output,
                                       stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, start_new_session=True,
                                       preexec_fn=lambda: signal.signal(signal.SIGTERM, signal.SIG_IGN))
            ended = "by itself"
            try:
                for patience, number, words in ((SCRIPT_SECONDS, signal.SIGTERM, f"when its {SCRIPT_SECONDS} s were over"),
                                                (ENDING_SECONDS, signal.SIGKILL, "by force")):
                    try:
                        process.wait(patience)
                        break
                    except subprocess.TimeoutExpired:
                        ended = words
                        os.killpg(process.pid, number)
            finally:
                tap.end_group(process)
            output.seek(0)
            text = output.read()
        done = subprocess.CompletedProcess([path], process.returncode, text, "")
        passed, failed, why = verdict(done)
        messages = len(re.findall(r"^ok \d+ - Message exchanged is valid", text, re.M))
        good = not failed and messages > 0 and ended != "by force"
        add(checks, f"{name}.sh: {passed} ok, {failed} not ok{why}, {messages} messages; ended {ended} "
            f"({time.monotonic() - started:.1f} s)", int(good), int(not good), text)
        return good


def verdict(done, planned=None):
    """How many tests of a program passed and failed by what it says in TAP, and what is wrong with the rest.

    Without a number of tests, the program says at its end how many there were."""
    numbers = [int(number) for number in re.findall(r"^ok (\d+)\b", done.stdout, re.M)]
    bad = re.findall(r"^not ok\b.*", done.stdout, re.M)
    plans = re.findall(r"^1\.\.(\d+)", done.stdout, re.M)
    passed, failed = len(set(numbers)), len(bad)
    expected = planned if planned is not None else passed + failed
    why = ""
    if plans != [str(expected)]:
        why += f", plan {plans or 'missing'}"
    if done.returncode != 0:
        why += f", exit status {done.returncode}"
    if passed + failed < expected:
        failed = expected - passed
    return passed, failed or int(bool(why)), why


@pytest.fixture(scope="module")
def tests(prefix):
    """The tests, compiled against the installation."""
    build = str(TARGET / "upstream")
    os.makedirs(build, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="libotr-test-") as work, \
            open(os.path.join(tempfile.gettempdir(), "libotr-upstream-check.lock"), "a+b") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        copy = os.path.join(work, "libotr")
        shutil.copytree(os.environ.get("OTR_UPSTREAM_TREE") or sources(build), copy)
        yield Upstream(copy, str(prefix), work)


@pytest.mark.parametrize("name", UNIT)
def test_unit(checks, tests, name):
    """A unit test program."""
    tests.unit(name, checks)


@pytest.fixture(scope="module")
def client(tests):
    """The regression client. It uses what <gcrypt.h> included until libgcrypt 1.6: the names of sockets."""
    problem = tests.compile("regression/client/client.c", os.path.join(tests.directory, "regression/client/client"), "-include",
                            "sys/socket.h")
    assert not problem, problem


@pytest.mark.parametrize("name", SCRIPTS)
def test_script(checks, tests, client, name):
    """A regression script."""
    tests.script(name, checks)

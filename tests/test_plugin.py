"""The plugin that counts checks: a test that goes wrong never counts as success."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
import tap
from checks import Checks

SUPPORT = Path(__file__).resolve().parent / "support"
CONFTEST = 'import sys\nsys.dont_write_bytecode = True\npytest_plugins = ["limits", "counting", "needs"]\n'
OK = "def test_good(): pass\n"


def run(work, text, *options, conftest=""):
    """Runs pytest with the plugins on a file of tests. The last line, the exit status, and all it said."""
    place = work / "tests"
    place.mkdir(exist_ok=True)
    (place / "conftest.py").write_text(CONFTEST + conftest)
    (place / "test_sample.py").write_text("import pytest\n" + text)
    (work / "pytest.ini").write_text(f"[pytest]\npythonpath = {SUPPORT}\naddopts = -p no:cacheprovider\n")
    env = {name: value for name, value in os.environ.items() if not name.startswith(("OTR_TEST", "PYTEST_"))}
    env["CARGO_TARGET_DIR"] = str(work / "target")
    done = subprocess.run([sys.executable, "-m", "pytest", *options], cwd=work, env=env, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False, timeout=120)
    return done.stdout.strip().splitlines()[-1], done.returncode, done.stdout


CASES = {
    "a test without checks counts as one": (OK, "1 passed, 0 failed"),
    "checks are counted": ("def test_x(checks):\n    for i in range(7): checks.ok(True, i)\n", "7 passed, 0 failed"),
    "one that fails, and those after it": (
        OK + "def test_x(checks):\n    for i in range(7): checks.ok(i != 3, 'number', i)\n", "7 passed, 1 failed"),
    "a test that fails": (OK + "def test_x(): assert 0\n", "1 passed, 1 failed"),
    "a test that fails between its checks": (
        "def test_x(checks):\n    checks.ok(True, 1)\n    checks.ok(False, 2)\n    assert 0\n", "1 passed, 2 failed"),
    "a test that checks nothing": (OK + "def test_x(checks): pass\n", "1 passed, 1 failed"),
    "a fixture that fails": (OK + "@pytest.fixture\ndef f(): assert 0\ndef test_x(f): pass\n", "1 passed, 1 failed"),
    "an end that fails": ("@pytest.fixture\ndef f():\n    yield\n    assert 0\ndef test_x(f): pass\n", "1 passed, 1 failed"),
    "a test that is skipped": (OK + "def test_x(): pytest.skip('no moon')\n", "1 passed, 0 failed, 1 skipped"),
    "a check that is skipped": (
        "def test_x(checks):\n    checks.ok(True, 1)\n    checks.skip('a landing', 'no moon')\n", "1 passed, 0 failed, 1 skipped"),
    "a test that is skipped after a check that failed": (
        OK + "def test_x(checks):\n    checks.ok(False, 1)\n    pytest.skip('no moon')\n", "1 passed, 1 failed, 1 skipped"),
    "a file that cannot be read": ("import nothing_of_this_name\n", "0 passed, 1 failed"),
    "no test": ("", "0 passed, 0 failed"),
    "skipped tests alone": ("def test_x(): pytest.skip('no moon')\n", "0 passed, 0 failed, 1 skipped"),
    "a test that takes too long": (
        OK + "import time\n@pytest.mark.minutes(0.02)\ndef test_x(): time.sleep(60)\n", "1 passed, 1 failed"),
    "a process that dies": (OK + "import os\ndef test_x(): os._exit(0)\n", "1 passed, 1 failed"),
}


# Those whose results come from another process as well.
TOGETHER = ["checks are counted", "one that fails, and those after it", "a fixture that fails", "a check that is skipped",
            "a file that cannot be read", "a process that dies"]


@pytest.mark.parametrize("processes, name", [((), name) for name in CASES if name != "a process that dies"]
                         + [(("-n", "2", "--max-worker-restart", "0"), name) for name in TOGETHER])
def test_last_line(work, processes, name):
    """The last line and the exit status."""
    text, expected = CASES[name]
    last, status, said = run(work, text, *processes)
    assert last == expected, said
    assert (status == 0) == (" 0 failed" in expected and not expected.startswith("0 passed")), said


def test_reasons(work):
    """What failed and what was skipped is said at the end."""
    text = "def test_x(checks):\n    checks.ok(False, 'the sky', 'it is green')\n    checks.skip('a landing', 'no moon')\n"
    _, _, said = run(work, text)
    end = said.partition(" failed ===")[2]
    assert "test_x: 1 failed" in end and "FAIL the sky" in end and "it is green" in end, said
    assert "test_sample.py::test_x: a landing: no moon" in said.partition(" not run ===")[2], said


def test_junit(work):
    """The numbers are in the XML as well, and names do not depend on how the tests were run."""
    text = "@pytest.mark.xdist_group('cargo')\ndef test_x(checks):\n    for i in range(7): checks.ok(True, i)\n"
    run(work, text, f"--junitxml={work}/junit.xml", "-n", "2", "--dist", "loadgroup")
    found = (work / "junit.xml").read_text()
    assert '<property name="checks passed" value="7"' in found and 'name="test_x"' in found, found


def test_progress(work):
    """A line says what runs when nothing else is said."""
    _, _, said = run(work, "import time, counting\ncounting.PERIOD = 2\ndef test_x(): time.sleep(6)\n")
    assert "0 of 1 tests, 0 checks passed, 0 failed; running: tests/test_sample.py::test_x (" in said, said


def test_leftovers(work):
    """What a test that takes too long has started ends with it, and what others leave behind with the run."""
    text = ("import subprocess\nP = []\n"
            "@pytest.mark.minutes(0.03)\ndef test_x():\n    subprocess.run(['sh', '-c', 'echo $$ > late; sleep 61 & sleep 61'])\n"
            "def test_y():\n    P.append(subprocess.Popen(['sh', '-c', 'echo $$ > left; setsid sleep 62 & sleep 62']))\n"
            "    while not __import__('os').path.exists('left'): pass\n")
    started = time.monotonic()
    last, _, said = run(work, text)
    assert last == "1 passed, 1 failed" and time.monotonic() - started < 30, said
    for name in ("late", "left"):
        assert not Path("/proc", (work / name).read_text().strip()).exists(), said


@pytest.mark.parametrize("processes", [(), ("-n", "2")], ids=["alone", "n2"])
def test_interrupted(work, processes):
    """A run that is ended has failed, and nothing is left of it."""
    text = ("import subprocess\ndef test_x(): pass\ndef test_y():\n"
            "    subprocess.run(['sh', '-c', 'echo $$ > left; setsid sleep 63 & echo $! > left2; sleep 63'])\n")
    (work / "end").write_text("while [ ! -s left2 ]; do sleep 0.1; done; sleep 1; kill $PPID\n")
    conftest = "import subprocess\ndef pytest_sessionstart(session):\n    if not hasattr(session.config, 'workerinput'):\n" \
               "        subprocess.Popen(['sh', 'end'])\n"
    started = time.monotonic()
    last, status, said = run(work, text, *processes, conftest=conftest)
    assert last.endswith(" passed, 1 failed") and status == 2 and time.monotonic() - started < 40, said
    for name in ("left", "left2"):
        assert not Path("/proc", (work / name).read_text().strip()).exists(), said


TAP = {
    "all is well": ("ok - a\nok 2 - b\n1..2\n", 0, (2, 0, 0)),
    "a check that fails": ("ok - a\nnot ok - b\n1..2\n", 1, (1, 1, 0)),
    "a check that fails, and status 0": ("ok - a\nnot ok - b\n1..2\n", 0, (1, 1, 0)),
    "a known defect": ("ok - a\nnot ok - b # TODO of libotr\n1..2\n", 0, (1, 0, 0)),
    "a check that is skipped": ("ok - a\nok - b # SKIP no moon\n1..2\n", 0, (1, 0, 1)),
    "no plan": ("ok - a\n", 0, (1, 1, 0)),
    "another plan": ("ok - a\n1..2\n", 0, (1, 1, 0)),
    "two plans": ("ok - a\n1..1\n1..1\n", 0, (1, 1, 0)),
    "an exit status": ("ok - a\n1..1\n", 139, (1, 1, 0)),
    "no check": ("1..0\n", 0, (0, 1, 0)),
    "no output": ("", 0, (0, 1, 0)),
    "too late": ("ok - a\n", "too late", (1, 1, 0)),
}


@pytest.mark.parametrize("name", TAP)
def test_tap(name):
    """How the output of a program is counted."""
    output, status, expected = TAP[name]
    found = Checks(tell=lambda text: None)
    tap.read(found, output, status)
    assert (found.passed, found.failed, len(found.skipped)) == expected, found.failures


COUNTED = {
    "a count": ("hello\n12 passed, 0 failed", 0, (12, 0)),
    "a count with failures": ("FAIL x\n12 passed, 3 failed", 1, (12, 3)),
    "failures, and status 0": ("12 passed, 3 failed", 0, (12, 3)),
    "no count": ("all is well", 0, (0, 1)),
    "a count that is not the last line": ("12 passed, 0 failed\nSegmentation fault", 0, (0, 1)),
    "no failure, but a status": ("12 passed, 0 failed", 139, (12, 1)),
    "no check at all": ("0 passed, 0 failed", 0, (0, 1)),
}


@pytest.mark.parametrize("name", COUNTED)
def test_counted(name):
    """How the last line of a program is counted."""
    output, status, expected = COUNTED[name]
    found = Checks(tell=lambda text: None)
    tap.run_counted(found, ["sh", "-c", f"printf '%s' '{output}'; exit {status}"])
    assert (found.passed, found.failed) == expected, found.failures


def test_no_program():
    """A program that is not there fails."""
    found = Checks(tell=lambda text: None)
    with pytest.raises(OSError):
        tap.run_counted(found, ["/no/such/program"])

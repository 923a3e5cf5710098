"""Plugin of pytest: counts checks. A test may make many (the fixture `checks`); one that makes none of them itself counts as one.

The last line of a run is "N passed, M failed", and ", K skipped" if something was, over all checks, after a list of the failures
with their reasons. A test that goes wrong never counts as success: a failure outside of checks counts as one more failed check,
and a test that has the fixture and checks nothing fails."""

import os
import threading
import time

import once
import pytest
from checks import Checks
from limits import GROUPS

COUNTED = pytest.StashKey[Checks]()
PASSED, FAILED, SKIPPED = "checks passed", "checks failed", "checks skipped"
# Of each test that failed, so many of its checks are listed at the end, and so much of each.
LISTED, LONGEST = 5, 2000
# Every so many seconds, a line says what runs.
PERIOD = 20


def begin(item):
    """The list of checks of a test."""
    return item.stash.setdefault(COUNTED, Checks(tell=lambda text: None))


@pytest.fixture
def checks(request):
    """A list of checks, all of which are made; the test fails at its end if one of them failed."""
    return begin(request.node)


@pytest.hookimpl(hookwrapper=True, tryfirst=True)
def pytest_runtest_call(item):
    """Brings what a test has counted into its result."""
    outcome = yield
    found = item.stash.get(COUNTED, None)
    if found is None:
        return
    thrown = outcome.excinfo
    skipped = thrown is not None and issubclass(thrown[0], pytest.skip.Exception)
    failed = found.failed + int(thrown is not None and not skipped)
    item.user_properties += [(PASSED, found.passed), (FAILED, failed), (SKIPPED, len(found.skipped) + int(skipped))]
    item.user_properties += [("known defects", found.known)] if found.known else []
    item.user_properties += [("not run", one) for one in found.skipped]
    item.user_properties += [("failure", one[:LONGEST]) for one in found.failures[:LISTED]]
    if found.failures and (thrown is None or skipped):
        pytest.fail("\n".join(found.failures), pytrace=False)
    if thrown is None and not found.passed and not found.skipped and not found.known:
        pytest.fail("it checked nothing", pytrace=False)
    if thrown is not None and found.failures and not skipped:
        item.add_report_section("call", "checks that failed before", "\n".join(found.failures))


def numbers(report):
    """How many checks passed, failed and were skipped by a report of a part of a test."""
    told = dict(report.user_properties) if report.when == "call" else {}
    if report.skipped:
        return told.get(PASSED, 0), told.get(FAILED, 0), max(1, told.get(SKIPPED, 0))
    if report.failed:
        return told.get(PASSED, 0), max(1, told.get(FAILED, 0)), told.get(SKIPPED, 0)
    return (told.get(PASSED, 1), told.get(FAILED, 0), told.get(SKIPPED, 0)) if report.when == "call" else (0, 0, 0)


def reason(report):
    """Why a report is one of a test that was skipped, or that failed."""
    if report.skipped and isinstance(report.longrepr, tuple):
        return report.longrepr[2].removeprefix("Skipped: ")
    crash = getattr(report.longrepr, "reprcrash", None)
    return crash.message if crash else str(report.longrepr or "it failed")


def plain(nodeid):
    """A test's name, without the group that xdist adds to it."""
    name, _, group = nodeid.rpartition("@")
    return name if group in GROUPS else nodeid


class Counter:
    """Counts what all processes of a run have found, and tells it."""

    def __init__(self, config):
        self.config = config
        self.passed = self.failed = self.skipped = 0
        self.known = 0
        self.failures, self.reasons = [], []
        self.running = {}
        self.done = self.chosen = 0
        self.started = time.monotonic()
        self.over = threading.Event()
        # As it is now: what a test prints goes elsewhere.
        self.output = os.dup(1)

    # ---- counting --------------------------------------------------------------------------------------------------------

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_logreport(self, report):
        """A part of a test is over."""
        name = report.nodeid = plain(report.nodeid)
        passed, failed, skipped = numbers(report)
        self.passed, self.failed, self.skipped = self.passed + passed, self.failed + failed, self.skipped + skipped
        self.known += dict(report.user_properties).get("known defects", 0) if report.when == "call" else 0
        if report.skipped:
            self.reasons.append(f"{name}: {reason(report)}")
        elif report.when == "call":
            self.reasons += [f"{name}: {value}" for key, value in report.user_properties if key == "not run"]
        if report.failed:
            listed = [value for key, value in report.user_properties if key == "failure" and report.when == "call"]
            self.failures.append(f"{name}: {failed} failed{'' if report.when == 'call' else ', at ' + report.when}")
            self.failures += listed or [reason(report)[:LONGEST]]
            self.say(f"FAILED {name}: {self.failures[-max(1, len(listed))].splitlines()[0][:300]}")

    def pytest_collectreport(self, report):
        """A file was looked at."""
        if report.failed and not any(line.startswith(f"{report.nodeid}: ") for line in self.failures):
            self.failed += 1
            self.failures += [f"{report.nodeid}: it cannot be read", str(report.longrepr)[-LONGEST:]]
        if report.skipped:
            self.skipped += 1
            self.reasons.append(f"{report.nodeid}: {reason(report)}")

    def pytest_keyboard_interrupt(self, excinfo):
        """The run does not come to its end. (After a failure with -x it ends in the same way.)"""
        if excinfo.type is KeyboardInterrupt:
            self.failed += 1
            self.failures.append("the run was ended before all was done")

    def pytest_internalerror(self, excinfo):
        """The same."""
        self.failed += 1
        self.failures.append(f"pytest itself failed: {excinfo.value!r}")

    @pytest.hookimpl(tryfirst=True)
    def pytest_report_teststatus(self, report):
        """How many checks there were, in a line of -v."""
        if report.when == "call" and report.passed and PASSED in dict(report.user_properties):
            passed, _, skipped = numbers(report)
            return "passed", ".", f"PASSED {passed}{f', {skipped} skipped' if skipped else ''}"
        return None

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session):
        """Nothing counts as success where nothing passed."""
        self.over.set()
        if session.exitstatus == pytest.ExitCode.OK and (self.failed or not (self.passed or self.known)) \
                and not self.config.option.collectonly:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    # ---- telling ---------------------------------------------------------------------------------------------------------

    def pytest_terminal_summary(self, terminalreporter):
        """What was not run, and what failed, once more, where a reader of a long log looks."""
        for title, lines in (("not run", self.reasons), ("failed", self.failures)):
            if lines:
                terminalreporter.write_sep("=", title)
            for line in lines:
                terminalreporter.write_line(line)
        if self.known:
            terminalreporter.write_line(f"({self.known} checks name known defects of the C libotr and are not counted)")

    @pytest.hookimpl(trylast=True)
    def pytest_unconfigure(self, config):
        """The last line."""
        self.over.set()
        # Or else what it still has would come behind it.
        if captured := config.pluginmanager.getplugin("capturemanager"):
            captured.stop_global_capturing()
        once.forget()
        if not config.option.collectonly:
            skipped = f", {self.skipped} skipped" if self.skipped else ""
            print(f"{self.passed} passed, {self.failed} failed{skipped}", flush=True)

    def pytest_runtest_logstart(self, nodeid):
        """A test begins."""
        self.running[nodeid] = time.monotonic()

    def pytest_runtest_logfinish(self, nodeid):
        """A test is over."""
        self.running.pop(nodeid, None)
        self.done += 1

    def pytest_collection_finish(self, session):
        """The tests are known."""
        self.chosen = len(session.items)

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_node_collection_finished(self, node, ids):
        """The same with several processes."""
        del node
        self.chosen = len(ids)

    def say(self, line):
        """Prints a line between the dots of pytest."""
        os.write(self.output, f"\n  {line}\n".encode())

    def tell(self):
        """Says every now and then what runs."""
        told = self.started
        while not self.over.wait(1):
            now = time.monotonic()
            if now - told < PERIOD:
                continue
            told = now
            running = ", ".join(f"{plain(name)} ({now - since:.0f} s)" for name, since in list(self.running.items()))
            self.say(f"{now - self.started:.0f} s: {self.done} of {self.chosen or 'some'} tests, {self.passed} checks passed, "
                     f"{self.failed} failed; running: {running or 'nothing yet'}")


def pytest_configure(config):
    """In the process that reports for the others, or the only one."""
    if hasattr(config, "workerinput"):
        return
    counter = Counter(config)
    config.pluginmanager.register(counter, "otr-counter")
    threading.Thread(target=counter.tell, daemon=True).start()

"""Plugin of pytest: limits the time of each test (the mark `minutes`), runs tests with the longest limits first, and makes sure that
no process outlives the run."""

import ctypes
import os
import signal
import time
from pathlib import Path

import pytest

MINUTES = 10
# The groups of tests that run one after the other: what takes longest altogether comes first.
GROUPS = ("cargo", "waits", "clients", "oldest", "differential", "differential-abi2", "fuzz", "install")
PR_SET_CHILD_SUBREAPER = 36


def minutes(item):
    """How long a test may take."""
    mark = item.get_closest_marker("minutes")
    return mark.args[0] if mark else MINUTES


def place(item):
    """The place of a test in the order: the groups, and then the long ones first, so that none of them is left alone at the end."""
    group = item.get_closest_marker("xdist_group")
    return GROUPS.index(group.args[0]) if group else len(GROUPS), -minutes(item)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config, items):
    """Sorts them, where several processes share them."""
    if hasattr(config, "workerinput"):
        items.sort(key=place)


def interrupted(*_):
    """Ends the run as Ctrl-C does."""
    raise KeyboardInterrupt


def pytest_configure(config):
    """What a process starts stays among its descendants, also when those in between have ended, and ends with the run."""
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    if not hasattr(config, "workerinput"):
        signal.signal(signal.SIGTERM, interrupted)


def descendants(pid):
    """The processes below one, with the times when they began."""
    parents, begun = {}, {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                words = (entry / "stat").read_text(errors="replace").rpartition(")")[2].split()
            except OSError:
                continue
            parents[int(entry.name)], begun[int(entry.name)] = int(words[1]), int(words[19])
    found, more = set(), {pid}
    while more:
        more = {child for child, parent in parents.items() if parent in more} - found
        found |= more
    return {child: begun[child] for child in found}


def end(pids):
    """Ends processes, by force if they do not listen."""
    for number, patience in ((signal.SIGTERM, 3), (signal.SIGKILL, 3)):
        left = descendants(os.getpid()).keys() & pids
        for pid in left:
            try:
                os.kill(pid, number)
            except ProcessLookupError:
                pass
        deadline = time.monotonic() + patience
        while left and time.monotonic() < deadline:
            reap(left)
            left = descendants(os.getpid()).keys() & pids
            time.sleep(0.05)


def reap(pids):
    """Takes note of the end of children that nobody waits for."""
    for pid in pids:
        try:
            os.waitpid(pid, os.WNOHANG)
        except ChildProcessError:
            pass


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_protocol(item):
    """Interrupts a test that takes too long, and ends what it has started."""
    limit = minutes(item) * 60
    before = set(descendants(os.getpid()))
    late = []

    def too_late(*_):
        late.append(True)
        pytest.fail(f"it took more than {limit / 60:g} minutes", pytrace=False)

    previous = signal.signal(signal.SIGALRM, too_late)
    signal.setitimer(signal.ITIMER_REAL, limit)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, previous)
        if late:
            end(set(descendants(os.getpid())) - before)


def pytest_unconfigure():
    """Ends what is still there, before the last line is written."""
    end(set(descendants(os.getpid())))

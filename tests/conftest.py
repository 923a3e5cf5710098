"""Options, environment and fixtures of all tests. Counting checks, limiting times and installing packages is done in support/."""

import os
import shutil
import sys
import tempfile
from pathlib import Path

import pytest

# Nothing is to be left in the source tree; by now this file itself may have been compiled.
sys.dont_write_bytecode = True
shutil.rmtree(Path(__file__).parent / "__pycache__", ignore_errors=True)

import installed  # noqa: E402
from once import TARGET  # noqa: E402

pytest_plugins = ["limits", "counting", "needs", "machine", "programs"]

# What the make around us was told (a DESTDIR, say) is not for the one that installs for the tests.
for name in ("MAKEFLAGS", "MAKEOVERRIDES", "MFLAGS", "DESTDIR", "PREFIX", "LIBDIR", "INCLUDEDIR", "DATADIR", "BINDIR", "MANDIR"):
    os.environ.pop(name, None)
# Most is compiled once here: what cargo keeps for the next time would take longer than it saves.
os.environ.setdefault("CARGO_INCREMENTAL", "0")
os.environ["CARGO_TERM_COLOR"] = "never"
os.environ["PYTHONDONTWRITEBYTECODE"] = "1"
os.environ["PATH"] += os.pathsep + os.path.join(os.environ.get("CARGO_HOME") or os.path.expanduser("~/.cargo"), "bin")


def pytest_addoption(parser):
    """The options of this project."""
    group = parser.getgroup("libotr")
    group.addoption("--quick", action="store_true",
                    help="the quick tests only, neither valgrind nor AddressSanitizer, and a sample of the comparison (make test)")
    group.addoption("--fast", action="store_true", help="C programs under neither valgrind nor AddressSanitizer")
    group.addoption("--reference", action="store_true",
                    help="test the distribution's libotr instead of ours, to test the tests")
    group.addoption("--sample", type=int, metavar="NUMBER", help="so many scenarios of the comparison, from all over the list")
    group.addoption("--seed", type=int, action="append", default=[], metavar="NUMBER",
                    help="also play the random schedule of this number in the comparison")
    group.addoption("--soak", type=float, metavar="SECONDS",
                    help="the long tests: random schedules of the comparison for so long, every fault, a statistic of times")
    group.addoption("--build", action="store_true", help="also that two builds of the tarball are the same: some ten minutes")
    group.addoption("--abi", choices=("5", "2"), help="only the tests of this interface")


def pytest_configure(config):
    """What --quick means besides."""
    if config.option.soak is not None:
        os.environ["OTR_ROBUSTNESS_EVERY"] = "1"
    if config.option.quick:
        config.option.fast = True
        config.option.sample = config.option.sample or 50


def pytest_collection_modifyitems(config, items):
    """Leaves out what the options leave out."""
    def wanted(item):
        only, abi = item.get_closest_marker("only_with"), item.get_closest_marker("abi")
        if only and getattr(config.option, only.args[0]) in (None, False):
            return False
        if config.option.soak is not None:
            return item.get_closest_marker("soak")
        return ((not config.option.quick or item.get_closest_marker("quick"))
                and (not config.option.abi or not abi or str(abi.args[0]) == config.option.abi))

    left = [item for item in items if not wanted(item)]
    if left:
        config.hook.pytest_deselected(items=left)
        items[:] = [item for item in items if wanted(item)]


@pytest.fixture(scope="session")
def prefix():
    """The prefix that both libraries are installed under: OTR_PREFIX, or one made for the run."""
    return installed.place()


@pytest.fixture(scope="session")
def real_library():
    """The libotr of the distribution, with its headers."""
    found = installed.real_library()
    return found or pytest.skip("the system has no libotr.so.5 with headers to compare with (Debian: libotr5-dev)")


@pytest.fixture
def work():
    """A directory for temporary files."""
    with tempfile.TemporaryDirectory(prefix="libotr-test-") as directory:
        yield Path(directory)


@pytest.fixture(scope="session")
def target():
    """Where cargo builds, and the tests."""
    return TARGET

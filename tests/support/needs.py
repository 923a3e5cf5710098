"""Plugin of pytest: the Debian packages that tests need (the mark `packages`). `pytest --install` installs those of the tests that
are chosen, and runs none of them."""

import subprocess

import pytest
from once import ROOT

COMPILERS = ["gcc", "libc6-dev", "binutils", "make"]
GCRYPT = ["libgcrypt20-dev", "libgpg-error-dev"]


def packages(*names):
    """The mark for packages, given one by one or in lists."""
    return pytest.mark.packages(*(one for name in names for one in ([name] if isinstance(name, str) else name)))


def pytest_addoption(parser):
    """The option."""
    parser.addoption("--install", action="store_true",
                     help="install the Debian packages that the chosen tests need, and run none of them")


def pytest_configure(config):
    """Nothing runs while packages are installed."""
    if config.option.install:
        config.option.collectonly = True
        config.option.verbose = -2


@pytest.hookimpl(tryfirst=True)
def pytest_collection_finish(session):
    """Installs them."""
    if not session.config.option.install:
        return
    needed = {name for item in session.items for mark in item.iter_markers("packages") for name in mark.args}
    # They are not listed.
    session.items.clear()
    capture = session.config.pluginmanager.getplugin("capturemanager")
    with capture.global_and_fixture_disabled():
        done = subprocess.run([ROOT / "scripts/install-packages", *sorted(needed)], check=False)
    if done.returncode:
        pytest.exit("The tests were not run, because packages are missing.", returncode=1)


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session):
    """No test was to be run."""
    if session.config.option.install and session.exitstatus == pytest.ExitCode.NO_TESTS_COLLECTED:
        session.exitstatus = pytest.ExitCode.OK

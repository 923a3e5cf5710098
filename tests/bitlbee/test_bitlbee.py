"""BitlBee end to end on the libotr under test. See README.md."""

import os
import shutil

# Imported for the scenarios they register, which run in this order.
import loading  # noqa: F401
import keys  # noqa: F401
import policies  # noqa: F401
import session  # noqa: F401
import offline  # noqa: F401
import smp  # noqa: F401
import built  # noqa: F401
import purple  # noqa: F401
import older  # noqa: F401
import library
import processes
import pytest
from needs import COMPILERS, packages
from once import TARGET
from scenario import SCENARIOS, NotRun, Stage

# A healthy run of them all takes half a minute, and a minute more when BitlBee must be built.
pytestmark = [packages(COMPILERS, "bitlbee", "bitlbee-plugin-otr", "libpurple0", "prosody", "pkg-config", "dpkg-dev", "libglib2.0-dev",
                       "libgnutls28-dev"), pytest.mark.minutes(4), pytest.mark.xdist_group("waits")]


@pytest.fixture(scope="session")
def stage(request):
    """The library under test (OTR_LIBDIR names the directory of another), and Debian's BitlBee."""
    prefix = None if "OTR_LIBDIR" in os.environ else request.getfixturevalue("prefix")
    try:
        made = Stage(library.from_environment(), prefix and str(prefix), str(TARGET / "bitlbee"))
    except processes.Missing as missing:
        pytest.skip(str(missing))
    except processes.Failure as problem:
        pytest.fail(str(problem), pytrace=False)
    yield made
    processes.end_all()


@pytest.mark.parametrize("name, play", SCENARIOS, ids=[name for name, _ in SCENARIOS])
def test_bitlbee(stage, name, play):
    """A scenario."""
    told = []
    try:
        play(stage)
    except NotRun as reason:
        pytest.skip(str(reason))
    except (processes.Failure, processes.Missing) as problem:
        told = chain(problem) + keep_logs(stage, name)
    except Exception:
        print("\n".join(keep_logs(stage, name)))
        raise
    if told:
        pytest.fail("\n".join(told), pytrace=False)


def chain(problem):
    """The problem, and the ones it followed on (a BitlBee's crash follows on the line that then did not come)."""
    told = []
    while problem is not None:
        told.append(f"{problem}")
        problem = problem.__context__
    return told


def keep_logs(stage, name):
    """Copies the logs to the build directory; their ends."""
    directory, tail = stage.logs()
    if directory is None or not os.path.isdir(directory):
        return []
    kept = os.path.join(stage.build_directory, "failed", "".join(c if c.isalnum() else "-" for c in name)[:60])
    shutil.rmtree(kept, ignore_errors=True)
    shutil.copytree(directory, kept)
    return [*tail, f"all of it is kept in {kept}"]

"""The libraries that are compared. All of these tests are in one group, because the number of matches of each entry of explained.py
is counted in one process."""

import os

import pool as pools
import pytest
from once import once


def make():
    """Keys and instance tags, which are kept."""
    pools.Pool().close()


@pytest.fixture(scope="session")
def pool(request):
    """The two libraries, each in a process that is told what to do."""
    if "OTR_LIBDIR" not in os.environ:
        request.getfixturevalue("prefix")
    try:
        if not pools.reference():
            pytest.skip("the system has no libotr.so.5 to compare with (Debian: libotr5)")
        once("differential", make)
        made = pools.Pool()
    except pools.Missing as missing:
        pytest.fail(str(missing), pytrace=False)
    yield made
    made.close()


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config, items):
    """Leaves out scenarios for --sample."""
    number = config.option.sample
    scenarios = sorted((item for item in items if item.get_closest_marker("sampled")), key=lambda item: item.name)
    if not number or not scenarios:
        return
    kept = {scenarios[i * len(scenarios) // number] for i in range(min(number, len(scenarios)))}
    config.hook.pytest_deselected(items=[item for item in scenarios if item not in kept])
    items[:] = [item for item in items if item in kept or not item.get_closest_marker("sampled")]

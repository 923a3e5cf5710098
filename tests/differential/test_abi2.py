"""libotr.so.2 compared with libotr.so.5, and with recordings of libotr 3.2; with LIBOTR2=path of its libotr.so.2, live. See README.md."""

import abi2
import libotr3
import pytest
import scenarios
import schedules
from explained import names_in
from needs import COMPILERS, GCRYPT, packages
from once import ROOT

PLAYED = set()
SCRIPTS = libotr3.scripts()
pytestmark = [packages(COMPILERS, GCRYPT, "libotr5", "libotr5-dev"), pytest.mark.abi(2), pytest.mark.minutes(15),
              pytest.mark.xdist_group("differential-abi2")]


@pytest.mark.parametrize("name", abi2.SCRIPTS)
def test_scenario(checks, pool, name):
    """A scenario, played by a user of either library."""
    print(abi2.check(checks, pool, name, scenarios.every()[name]), "lines compared")


@pytest.mark.parametrize("seed", abi2.SCHEDULES)
def test_schedule(checks, pool, seed):
    """A random schedule."""
    print(abi2.check(checks, pool, f"schedule_{seed}", schedules.script(abi2.plan(seed)), seed), "lines compared")


@pytest.fixture(scope="session")
def players(pool):
    """Who plays, and what was recorded."""
    found = libotr3.Players(pool)
    return found, {} if found.real else libotr3.read()


@pytest.mark.parametrize("name", SCRIPTS)
def test_libotr3(checks, players, name):
    """A script or a random schedule, beside libotr 3.2."""
    script, seed, kind = SCRIPTS[name]
    who, recorded = players
    pairs = {("ours", "ours"): (who.ours, who.ours)}
    if who.real:
        reference = who.original(script, seed, kind)
        pairs |= {("ours", "3.2"): (who.ours, who.real[0]), ("3.2", "ours"): (who.real[0], who.ours)}
    elif name in recorded:
        reference = recorded[name]
    else:
        pytest.skip("it is not recorded (LIBOTR2)")
    for what, drivers in pairs.items():
        print(libotr3.check(checks, name, reference, who.play(script, drivers, seed, kind), what), "of", len(reference), "lines compared")
    PLAYED.add(name)


def test_explanations(checks, request):
    """Enough was compared, and each entry is of a difference that the documentation has, and explains something, if all was played."""
    named = names_in((ROOT / "docs/differences.md").read_text(encoding="utf-8"))
    everything = sum(item.path.name == "test_abi2.py" and "test_libotr3" in item.name for item in request.session.items) == len(SCRIPTS)
    if everything:
        random = sum(name.startswith("schedule_") for name in PLAYED)
        checks.ok(len(PLAYED) - random >= 100 and random >= 200, f"enough was compared ({len(PLAYED)}, {random} random)")
    for entry in libotr3.EXPLAINED:
        checks.ok(entry.difference in named, f"docs/differences.md has {entry.difference}")
        if everything and entry.scenarios != "schedule.*" and not entry.chance:
            checks.ok(entry.used, f"something differs because of: {entry.name or entry.difference} ({entry.real} / {entry.ours})")

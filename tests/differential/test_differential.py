"""Compares this library with the system's libotr, call by call. See README.md.

A failing random schedule is shortened and kept as a file. `--seed NUMBER` also plays the schedule of that number, and `--soak SECONDS` plays
others until the time is over; OTR_SOAK_FROM is their first seed."""

import json
import os
import random
import time
from pathlib import Path

import better
import compare
import files
import pytest
import scenarios
import schedules
from explained import EXPLAINED, names_in
from needs import COMPILERS, GCRYPT, packages
from once import ROOT

FOUND = Path(__file__).resolve().parent / "found"
SCHEDULES = 150
KEPT = {f"schedule_{path.stem}": path for path in sorted(FOUND.glob("*.json"))}
# What has been played in this process.
PLAYED = set()
pytestmark = [packages(COMPILERS, GCRYPT, "libotr5", "libotr5-dev"), pytest.mark.abi(5), pytest.mark.minutes(15),
              pytest.mark.xdist_group("differential")]


def play(checks, pool, name, script, seed=1):
    """Plays a script in all pairings. Returns the results."""
    reference, results = compare.run(name, script, pool, seed)
    for result in results:
        checks.ok(not result.unexplained, f"{name}: {' and '.join(result.pairing)}", compare.show(name, result, reference))
    print(f"{name}: {sum(r.compared for r in results)} of {sum(len(r.trace) for r in results)} lines compared")
    return results


@pytest.mark.quick
@pytest.mark.sampled
@pytest.mark.parametrize("name", scenarios.every())
def test_scenario(checks, pool, name):
    """A scenario of scenarios/."""
    play(checks, pool, name, scenarios.every()[name])
    PLAYED.add(name)


@pytest.mark.parametrize("name", KEPT)
def test_found(checks, pool, name):
    """A schedule that once failed."""
    play(checks, pool, name, schedules.script(json.loads(KEPT[name].read_text(encoding="utf-8"))), int(name.removeprefix("schedule_")))
    PLAYED.add(name)


def play_random(checks, pool, seed):
    """Plays a random schedule. One that fails is shrunk, and kept as a file."""
    name, plan = f"schedule_{seed}", schedules.generate(seed)
    results = play(checks, pool, name, schedules.script(plan), seed)
    failing = [r.pairing for r in results if r.unexplained]
    if not failing:
        return

    def fails(shorter):
        _, again = compare.run(name, schedules.script(shorter), pool, seed, failing[:1])
        return bool(again[0].unexplained)

    short = schedules.shrink(plan, fails)
    place = pool.directory / f"failed-{seed}.json"
    place.write_text(json.dumps(short) + "\n", encoding="utf-8")
    reference, again = compare.run(name, schedules.script(short), pool, seed, failing[:1])
    checks.ok(False, f"{name}, shrunk, is kept in {place}", f"{json.dumps(short)}\n{compare.show('shrunk', again[0], reference, 12)}")


def pytest_generate_tests(metafunc):
    """The random schedules: the usual ones, and those of --seed."""
    if "seed" in metafunc.fixturenames:
        metafunc.parametrize("seed", sorted({*range(SCHEDULES), *metafunc.config.option.seed}))


def test_schedule(checks, pool, seed):
    """A random schedule."""
    play_random(checks, pool, seed)
    PLAYED.add(seed)


@pytest.mark.soak
@pytest.mark.only_with("soak")
@pytest.mark.minutes(60 * 24 * 30)
def test_soak(checks, pool, request):
    """Random schedules until the time is over."""
    until = time.monotonic() + request.config.option.soak
    start = int(os.environ.get("OTR_SOAK_FROM") or random.SystemRandom().randrange(10**9))
    print(f"seeds from {start}")
    for seed in range(start, start + 10**9):
        if time.monotonic() > until:
            break
        play_random(checks, pool, seed)


def test_files(checks, pool):
    """The same files, written and read by each."""
    files.run(checks, pool)
    PLAYED.add("files")


@pytest.mark.parametrize("name", better.names())
def test_better(checks, pool, name):
    """A known defect of libotr, which is not copied."""
    better.run(checks, pool, [name])
    PLAYED.add(name)


@pytest.mark.quick
def test_explanations(checks):
    """Each entry is of a difference that the documentation has, and explains something, if all was played."""
    named = names_in((ROOT / "docs/differences.md").read_text(encoding="utf-8"))
    everything = PLAYED >= {*scenarios.every(), *KEPT, *range(SCHEDULES), "files", *better.names()}
    for entry in EXPLAINED:
        checks.ok(entry.difference in named, f"docs/differences.md has {entry.difference}")
        if everything and entry.scenarios != "schedule.*" and not entry.chance:
            checks.ok(entry.used, f"something differs because of: {entry.name or entry.difference} ({entry.real} / {entry.ours})")

"""Traces of the pairings of one script, and whether their differences are explained."""

import difflib
import re
from dataclasses import dataclass, field

import world
from explained import EXPLAINED

PAIRINGS = (("ours", "real"), ("real", "ours"), ("ours", "ours"))


@dataclass
class Difference:
    """A place where a trace is not that of (real, real)."""

    at: int
    real: list
    ours: list
    entry: object = None


@dataclass
class Result:
    pairing: tuple
    trace: list
    differences: list = field(default_factory=list)
    compared: int = 0

    @property
    def unexplained(self):
        return [d for d in self.differences if d.entry is None]


def explain(name, pairing, real, ours):
    """The entry of the allow-list for these lines, or None."""
    for entry in EXPLAINED:
        if entry.pairings and "+".join(pairing) not in entry.pairings:
            continue
        if entry.scenarios and not re.fullmatch(entry.scenarios, name):
            continue
        # An entry that stops the comparison is about the first line that differs; others are about all of them.
        if entry.stops:
            if matches(entry.real, real[:1], ours) and matches(entry.ours, ours[:1], real):
                return entry
        elif matches(entry.real, real, ours) and matches(entry.ours, ours, real):
            return entry
    return None


def matches(pattern, lines, other):
    """Whether each of the lines matches; None is for no lines, and none at all match any other pattern if the other side
    has some."""
    if pattern is None:
        return not lines
    return all(re.search(pattern, line) for line in lines) and bool(lines or other)


def hunks(reference, trace):
    """The places where two traces differ, as ranges in both. Only a window after each place is searched for where they
    meet again."""
    a = b = 0
    while a < len(reference) or b < len(trace):
        if a < len(reference) and b < len(trace) and reference[a] == trace[b]:
            a, b = a + 1, b + 1
            continue
        window = 120
        blocks = difflib.SequenceMatcher(None, reference[a:a + window], trace[b:b + window], autojunk=False)
        meet = next((m for m in blocks.get_matching_blocks() if m.size), None)
        if meet is None:
            yield a, len(reference), b, len(trace)
            return
        yield a, a + meet.a, b, b + meet.b
        a, b = a + meet.a, b + meet.b


def differences(name, pairing, reference, trace):
    """The differences between two traces, and how many lines were compared."""
    out = []
    for a, b, c, d in hunks(reference, trace):
        difference = Difference(a, reference[a:b], trace[c:d])
        difference.entry = explain(name, pairing, difference.real, difference.ours)
        out.append(difference)
        if difference.entry is not None:
            difference.entry.used += 1
        if difference.entry is None or difference.entry.stops:
            return out, c
    return out, len(trace)


def run(name, script, pool, seed=1, pairings=PAIRINGS):
    """Plays a script in all pairings and compares."""
    reference = world.play(script, pool, pool.pairing("real", "real"), seed)
    results = []
    for pairing in pairings:
        trace = world.play(script, pool, pool.pairing(*pairing), seed)
        result = Result(pairing, trace)
        result.differences, result.compared = differences(name, pairing, reference, trace)
        results.append(result)
    return reference, results


def show(name, result, reference, before=6):
    """The unexplained differences of a result as text."""
    lines = []
    for difference in result.unexplained[:1]:
        lines.append(f"  {name}, {' and '.join(result.pairing)}: differs from real and real after")
        lines += [f"      {line[:300]}" for line in reference[max(0, difference.at - before):difference.at]]
        lines += [f"    - {line[:400]}" for line in difference.real[:12]]
        lines += [f"    + {line[:400]}" for line in difference.ours[:12]]
    return "\n".join(lines)

"""Traces of the pairings of one script, and whether their differences are explained."""

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


def user_of(line):
    return re.split("[:>]", line, maxsplit=1)[0]


def crossed(before):
    """Whether a user with a DH-commit under way got another one. A fragment may be of a DH-commit."""
    sent = set()
    for line in before:
        if ": inject" in line and ("dh-commit" in line or " fragment " in line):
            sent.add(user_of(line))
        elif "> recv from" in line and ("dh-commit" in line or " fragment " in line) and user_of(line) in sent:
            return True
    return False


def aged(before):
    """Whether the last DH-commit of the user who got the last message is a minute old."""
    user = next((user_of(line) for line in reversed(before) if "> recv from" in line), None)
    seconds = 0
    for line in reversed(before):
        if line.startswith("> clock "):
            seconds += int(line.split()[2])
        elif line.startswith(f"{user}: inject") and "dh-commit" in line:
            break
    return seconds >= 60


def explain(name, before, real, ours, quotes):
    """The entry of the allow-list for these lines, which come after others, or None."""
    possible = [entry for entry in EXPLAINED
                if (not entry.after or any(re.search(entry.after, line) for line in before[-6:]))
                and (not entry.scenarios or re.fullmatch(entry.scenarios, name))
                and (not entry.follows or entry.quote in quotes) and (not entry.crossed or crossed(before)) and (not entry.aged or aged(before))
                and (not entry.among or any(re.search(entry.among, line) for line in real + ours))]
    for entry in possible:
        if not entry.stops and matches(entry.real, real, ours) and matches(entry.ours, ours, real):
            return entry
    # Several explained differences side by side.
    lines = [e for e in possible if not e.stops]
    used = [next((e for e in lines if e.real and re.search(e.real, line)), None) for line in real]
    used += [next((e for e in lines if e.ours and re.search(e.ours, line)), None) for line in ours]
    if all(used):
        return used[0]
    for entry in possible:
        # An entry that stops the comparison is about the first line that differs.
        if entry.stops and matches(entry.real, real[:1], ours) and matches(entry.ours, ours[:1], real):
            return entry
    return None


def matches(pattern, lines, other):
    """Whether each of the lines matches; None is for no lines, and none at all match any other pattern if the other side
    has some."""
    if pattern is None:
        return not lines
    return all(re.search(pattern, line) for line in lines) and bool(lines or other)


def hunks(reference, trace):
    """The places where two traces differ, as ranges in both: from a difference to the nearest place where they meet."""
    a = b = 0
    while a < len(reference) or b < len(trace):
        if a < len(reference) and b < len(trace) and reference[a] == trace[b]:
            a, b = a + 1, b + 1
            continue
        more, fewer = meeting(reference[a:a + WINDOW], trace[b:b + WINDOW])
        yield a, a + more, b, b + fewer
        a, b = a + more, b + fewer


WINDOW = 120


def meeting(one, other):
    """How many lines of each come before the nearest place where they are the same: one line near by, or two in a row
    farther off. All, if there is none."""
    for total in range(1, len(one) + len(other)):
        for more in range(max(0, total - len(other)), min(total, len(one)) + 1):
            pair = one[more:more + (1 if total <= 4 else 2)]
            if pair and pair == other[total - more:total - more + len(pair)]:
                return more, total - more
    return len(one), len(other)


def differences(name, reference, trace):
    """The differences between two traces, and how many lines were compared."""
    out = []
    quotes = set()
    for a, b, c, d in hunks(reference, trace):
        difference = Difference(a, reference[a:b], trace[c:d])
        difference.entry = explain(name, reference[:a], difference.real, difference.ours, quotes)
        out.append(difference)
        if difference.entry is not None:
            difference.entry.used += 1
            quotes.add(difference.entry.quote)
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
        result.differences, result.compared = differences(name, reference, trace)
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

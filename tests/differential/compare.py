"""Traces of the pairings of one script, and whether their differences are explained."""

import itertools
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


@dataclass
class Command:
    """What a user did: who, with whom (a pattern), the line, and what came before it."""

    user: str
    peer: str
    line: str
    before: list


def command(before):
    """The last thing that a user did."""
    for at in reversed(range(len(before))):
        found = re.match(r"(\w+)> (?:recv from|\w+) (\w+)", before[at])
        if found:
            peer = r"\w+" if found[2] in ("ops", "noops") else found[2]
            return Command(found[1], peer, before[at], before[:at])
    return Command("", "", "", [])


# A message of an exchange, or what may be a piece of one.
EXCHANGE = r"(\[v.*(dh-commit|dh-key|reveal-sig|signature)|fragment )"


def crossed(before):
    """Whether the last message came to a user who has sent that correspondent a DH-commit, and is of an exchange."""
    last = command(before)
    sent = re.compile(rf"{last.user}: inject {last.peer} (\[v.*dh-commit|fragment )")
    return bool(re.search(f"> recv from .*{EXCHANGE}", last.line)) and any(map(sent.match, last.before))


def aged(before):
    """Whether this user has sent this correspondent a DH-commit a minute ago or more."""
    last = command(before)
    seconds = 0
    for line in reversed(last.before):
        if line.startswith("> clock "):
            seconds += int(line.split()[2])
        elif seconds >= 60 and re.match(rf"{last.user}: inject {last.peer} (\[v.*dh-commit|fragment )", line):
            return True
    return False


def apart(before, before_ours):
    """Whether some user has a context that is in another state here than there."""
    states = []
    for lines in (before, before_ours):
        found = (re.match(r"(\w+: - \S+) msgstate \d? ?-> (\d)$", line) for line in lines)
        states.append({match[1]: match[2] for match in found if match})
    return states[0] != states[1]


def repeated(before):
    """Whether the last message is a fragment, and the same user has had one like it, or like one before it, twice."""
    last = command(before)
    had = [one for one in before if one.startswith(f"{last.user}> recv from") and " fragment " in one]
    return last.line in had and len(set(had)) < len(had)


def spoiled(before):
    """Whether the last message is a reveal signature message (or may be a piece of one) whose sender has himself had one
    after he sent a DH-commit."""
    found = re.search(r"> recv from (\w+) (\[v.*reveal-sig|fragment )", command(before).line)
    sent = False
    for line in before if found else ():
        sent = sent or bool(re.match(rf"{found[1]}\d?: inject .*(dh-commit|fragment )", line))
        if sent and re.match(rf"{found[1]}\d?> recv from \w+ (\[v.*reveal-sig|fragment )", line):
            return True
    return False


def regrouped(before, real, ours):
    """Whether these lines tell of the same messages, which only publish their MAC keys at another time: a goodbye (its text
    is one empty TLV), or a message after a session was refreshed."""
    one, other = ({re.sub(r"revealed=\d+", "", line) for line in lines if "revealed=" in line} for lines in (real, ours))
    return one == other and bool(one) and (refreshed(before) or all(" text=5 " in line for line in one))


def refreshed(before):
    """Whether somebody has had more than one session, or a session has ended."""
    said = [line for line in before if re.match(r"\w+: cb (gone|still)_secure |\w+> (close|closeall) ", line)]
    return len(said) > 2


def again(before):
    """Whether the same user has had this very message before."""
    last = command(before)
    return last.line in last.before


CONDITIONS = {"again": again, "refreshed": refreshed, "spoiled": spoiled, "crossed": crossed, "aged": aged, "repeated": repeated}


def holds(entry, name, before, before_ours, known):
    """Whether an entry is about this place."""
    return ((not entry.scenarios or re.fullmatch(entry.scenarios, name))
            and (not entry.after or re.search(entry.after, command(before).line))
            and (not entry.follows or entry.difference in known)
            and (not entry.when or (apart(before, before_ours) if entry.when == "apart" else CONDITIONS[entry.when](before))))


def explain(name, before, before_ours, real, ours, known, entries):
    """The entry of the allow-list for these lines, which come after others, or None. `known` are the differences that have
    explained something before; what explains this is added."""
    possible = [entry for entry in entries
                if (regrouped(before, real, ours) if entry.when == "regrouped"
                    else holds(entry, name, before, before_ours, known))]
    # Explained differences side by side, with the same lines between them.
    alike = [line for line in real if line in ours]
    real, ours = ([line for line in lines if line not in alike] for lines in (real, ours))
    lines = [entry for entry in possible if not entry.stops]
    used = [next((e for e in lines if e.real and re.search(e.real, line)), None) for line in real]
    used += [next((e for e in lines if e.ours and re.search(e.ours, line)), None) for line in ours]
    if not all(used):
        # An entry that stops the comparison is about the first line that differs.
        used = [e for e in possible if e.stops and first(e.real, real) and first(e.ours, ours)][:1]
    for entry in used:
        entry.used += 1
        known.add(entry.difference)
    return used[0] if used else None


def first(pattern, lines):
    """Whether the first line matches; None is for no line, "" for whatever comes, and "?" before a pattern for no line or
    one that matches."""
    if pattern is None or pattern.startswith("?") and not lines:
        return not lines
    return not pattern or bool(lines and re.search(pattern.lstrip("?"), lines[0]))


def hunks(reference, trace):
    """The places where two traces differ, as ranges in both: from a difference to the nearest place where they meet, or to
    where a user does something else."""
    a = b = 0
    while a < len(reference) or b < len(trace):
        if a < len(reference) and b < len(trace) and reference[a] == trace[b]:
            a, b = a + 1, b + 1
            continue
        # What comes of one thing that a user does is compared with what came of it there.
        one, other = answer(reference[a:a + WINDOW]), answer(trace[b:b + WINDOW])
        if not one and not other:
            one = other = WINDOW
        more, fewer = meeting(reference[a:a + one], trace[b:b + other])
        yield a, a + more, b, b + fewer
        a, b = a + more, b + fewer


def answer(lines):
    """How many of these lines come before the next thing that a user does."""
    return next((i for i, line in enumerate(lines) if re.match(r"\w*> (?!the process ended)", line)), len(lines))


# Lines that say little about where a trace is.
COMMON = re.compile(r"\w+: cb (policy|max_message_size|update_context_list)")

WINDOW = 120


def meeting(one, other):
    """How many lines of each come before the nearest place where they are the same: one line near by, or two in a row
    farther off. All, if there is none."""
    for total in range(1, len(one) + len(other)):
        for more in range(max(0, total - len(other)), min(total, len(one)) + 1):
            near = total <= 4 and more < len(one) and not COMMON.match(one[more])
            pair = one[more:more + (1 if near else 2)]
            if pair and pair == other[total - more:total - more + len(pair)]:
                return more, total - more
    return len(one), len(other)


def differences(name, reference, trace, entries=EXPLAINED, undefined=None):
    """The differences between two traces, and how many lines were compared. A difference that stops the comparison does
    so until the next line from which on all is new, and so does the line `undefined` in the reference."""
    out, compared, at = [], 0, 0
    for real, ours in itertools.zip_longest(rounds(reference), rounds(trace), fillvalue=[]):
        known = set()
        same = len(ours)
        for a, b, c, d in hunks(real, ours):
            if undefined in real[a:b]:
                same = c
                break
            difference = Difference(at + a, real[a:b], ours[c:d])
            difference.entry = explain(name, real[:a], ours[:c], difference.real, difference.ours, known, entries)
            out.append(difference)
            if difference.entry is None or difference.entry.stops:
                same = c
                break
        compared += same
        at += len(real)
    return out, compared


def rounds(trace):
    """The parts of a trace that owe nothing to each other."""
    starts = [0] + [i for i, line in enumerate(trace) if line.startswith(world.ANEW)] + [len(trace)]
    return [trace[start:end] for start, end in zip(starts, starts[1:])]


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
